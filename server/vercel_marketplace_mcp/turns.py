"""Bounds how much is worked on at once, and how much waits for its turn. It knows neither calls nor their tools."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio

from vercel_marketplace_mcp.results import StopError


class Turns:
    """Bounds how many calls run and how many wait."""

    def __init__(self, places: int, waiting: int) -> None:
        self._limiter = anyio.CapacityLimiter(places)
        self._waiting = waiting

    @asynccontextmanager
    async def next(self) -> AsyncIterator[None]:
        """Wait for a turn.

        Raises:
            StopError: too many calls wait already.
        """
        if self._limiter.statistics().tasks_waiting >= self._waiting:
            message = "Too many calls are waiting."
            raise StopError(
                "unavailable", "too_much_at_once", message, next_steps=["Wait for answers, then call again."]
            )
        async with self._limiter:
            yield
