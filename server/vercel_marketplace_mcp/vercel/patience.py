"""Repeats a read that may succeed the next time. Nothing that changes anything may pass here.

stamina is imported only after a failure: most reads succeed at once.
"""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import anyio

from vercel_marketplace_mcp.vercel import errors

AnsweredT = TypeVar("AnsweredT")

MAX_ATTEMPTS = 3
MAX_RETRY_AFTER = 30.0
"""Seconds that Vercel may ask us to wait before a read is repeated."""


async def patiently(ask: Callable[[], Awaitable[AnsweredT]], limit: float) -> AnsweredT:
    """Return what `ask` returns, at the latest after `limit` seconds.

    Raises:
        VercelError: it did not succeed.
    """
    latest: errors.VercelError = errors.timed_out()

    def failed(error: Exception) -> bool | float:
        nonlocal latest
        if not isinstance(error, errors.VercelError) or not error.may_retry:
            return False
        latest = error
        return True if error.retry_after is None else min(error.retry_after, MAX_RETRY_AFTER)

    try:
        with anyio.fail_after(limit):
            try:
                return await ask()
            except errors.VercelError as error:
                if failed(error) is False:
                    raise
            return await _again(ask, latest, failed, limit)
    except TimeoutError:
        raise latest from None


async def _again(
    ask: Callable[[], Awaitable[AnsweredT]],
    first: errors.VercelError,
    failed: Callable[[Exception], bool | float],
    limit: float,
) -> AnsweredT:
    """Repeat; that the first attempt failed is told to stamina as its own first."""
    import stamina

    untold: errors.VercelError | None = first
    async for attempt in stamina.retry_context(on=failed, attempts=MAX_ATTEMPTS, timeout=limit, wait_initial=0.2):
        with attempt:
            if untold is not None:
                told, untold = untold, None
                raise told
            return await ask()
    raise AssertionError("the loop returns or raises")
