"""Tells load balancers and people how the process is, without a token and without details; those are in the log."""

import logging
import math
import time
from collections.abc import Callable

import anyio
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from vercel_marketplace_mcp.ledger.records import LedgerError
from vercel_marketplace_mcp.tools.context import Context
from vercel_marketplace_mcp.vercel.errors import VercelError
from vercel_marketplace_mcp.vercel.operations import GET_CONFIGURATIONS, Call

logger = logging.getLogger(__name__)

KEPT = 5.0
"""Seconds for which one look at ledger and Vercel is good: whoever asks, they are not asked more often."""


class Health:
    """The endpoints of one server's health."""

    def __init__(self, context: Context, now: Callable[[], float] = time.monotonic) -> None:
        self._context = context
        self._now = now
        self._one = anyio.Lock()
        self._seen: dict[str, str] = {}
        self._seen_at = -math.inf

    async def process(self, _request: Request) -> Response:
        """Answer that the process lives."""
        return JSONResponse({"status": "ok"})

    async def ready(self, _request: Request) -> Response:
        """Answer 200 if ledger and Vercel can be reached, else 503 with what can't."""
        async with self._one:
            if self._now() - self._seen_at >= KEPT:
                self._seen = {"ledger": await self._ledger(), "vercel": await self._vercel()}
                self._seen_at = self._now()
        return JSONResponse(self._seen, 200 if set(self._seen.values()) == {"ok"} else 503)

    async def _ledger(self) -> str:
        try:
            await self._context.ledger.secret()
        except LedgerError as error:
            logger.warning("not ready: %s", error)
            return "unavailable"
        return "ok"

    async def _vercel(self) -> str:
        look = Call(operation=GET_CONFIGURATIONS, team=self._context.settings.team, query={"view": "account"})
        try:
            await self._context.client.read(look)
        except VercelError as error:
            logger.warning("not ready: %s", error.message)
            return "unavailable"
        return "ok"
