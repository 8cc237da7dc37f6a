"""Remembers for a minute what Vercel answered to a read, since agents ask the same again and again.

It sends nothing itself, and keeps no failure and nothing unreadable. What decides a purchase never reads from it.
"""

import time
from collections.abc import Awaitable, Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import anyio

from vercel_marketplace_mcp.vercel.answers import Answered
from vercel_marketplace_mcp.vercel.errors import VercelError
from vercel_marketplace_mcp.vercel.operations import Call

LASTS = 60.0
"""Seconds for which an answer is good, from when it was asked for."""
MAX_ANSWERS = 64
MAX_BYTES = 1024 * 1024
"""Bytes of answers, as they were received, that are kept in all."""

Fetch = Callable[[Call], Awaitable[Answered]]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Kept:
    """An answer, and when it was asked for."""

    answer: Answered
    at: float


class _Flight:
    """A read under way, and how it ended; one that was cancelled has neither an answer nor an error."""

    def __init__(self) -> None:
        self.ended = anyio.Event()
        self.answer: Answered | None = None
        self.error: VercelError | None = None


class RecentReads:
    """The recent answers of one account, each for one team, path and query; it is forgotten as a whole."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._kept: dict[Hashable, _Kept] = {}
        self._flights: dict[Hashable, _Flight] = {}

    async def read(self, call: Call, fetch: Fetch) -> Any:
        """Return the recent answer to a call, or else what `fetch` answers; who asks meanwhile waits for the same.

        Raises:
            VercelError: it could not be fetched.
        """
        key = _key(call)
        while True:
            if (kept := self._kept.get(key)) and 0 <= self._now() - kept.at < LASTS:
                return kept.answer.value
            flight = self._flights.get(key)
            if flight is None:
                return await self._fetch(key, call, fetch)
            await flight.ended.wait()
            if flight.error is not None:
                raise flight.error
            if flight.answer is not None:
                return flight.answer.value

    async def _fetch(self, key: Hashable, call: Call, fetch: Fetch) -> Any:
        flight = self._flights[key] = _Flight()
        at = self._now()
        try:
            answer = flight.answer = await fetch(call)
            if self._flights.get(key) is flight and call.operation.lists(answer.value):
                self._keep(key, _Kept(answer=answer, at=at))
        except VercelError as error:
            flight.error = error
            raise
        finally:
            if self._flights.get(key) is flight:
                del self._flights[key]
            flight.ended.set()
        return answer.value

    def _keep(self, key: Hashable, kept: _Kept) -> None:
        self._kept.pop(key, None)
        if kept.answer.size > MAX_BYTES:
            return
        self._kept[key] = kept
        while len(self._kept) > MAX_ANSWERS or sum(one.answer.size for one in self._kept.values()) > MAX_BYTES:
            del self._kept[next(iter(self._kept))]

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Forget everything before a change and after it, whatever comes of it; also what is being read meanwhile."""
        self._forget()
        try:
            yield
        finally:
            self._forget()

    def _forget(self) -> None:
        self._kept.clear()
        self._flights.clear()


def _key(call: Call) -> Hashable:
    return call.operation.template, call.team, tuple(sorted(call.path.items())), tuple(sorted(call.query.items()))
