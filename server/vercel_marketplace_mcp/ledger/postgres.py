"""The ledger in PostgreSQL: one for any number of replicas on any number of machines, in one total order.

Every transaction holds one lock for the whole ledger, reads the database's clock, and is on the server's disk before
it is acknowledged. A server that is gone or silent is an error within seconds, and the next call connects anew.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any, TypeVar

import anyio
from pydantic import SecretStr

from vercel_marketplace_mcp import telemetry
from vercel_marketplace_mcp.ledger import postgres_errors, postgres_server
from vercel_marketplace_mcp.ledger.database import Database
from vercel_marketplace_mcp.ledger.ledger import SqlLedger
from vercel_marketplace_mcp.ledger.postgres_errors import PassingError
from vercel_marketplace_mcp.ledger.records import LedgerError, Now

T = TypeVar("T")

FINISH_SECONDS = 20.0
"""For so long an outcome is tried to be recorded: what nobody records counts as unknown."""
_PAUSE = 0.3


class PostgresLedger(SqlLedger):
    """The ledger in the database at `url`; `now` replaces the database's clock, `patience` is that for an outcome."""

    def __init__(self, url: SecretStr, now: Now | None = None, patience: float = FINISH_SECONDS) -> None:
        self._url = url
        self._now = now
        self._patience = patience
        self._session: postgres_server.Session | None = None
        self._one = anyio.Lock()
        self._failures = 0
        self._last_failure = ""

    async def _run(self, work: Callable[[Database, float], T], *, in_file: bool = False) -> T:  # noqa: ARG002
        """Run `work` as one transaction; once it has begun, nothing cancels it.

        Whoever waited behind one that got no answer fails with it: a silent server holds nobody up for long.

        Raises:
            LedgerError: the database can't be used. If the connection was lost while the transaction was committed, it
                may stand all the same.
        """
        failures = self._failures
        async with self._one:
            if self._failures != failures:
                raise PassingError(self._last_failure)
            with anyio.CancelScope(shield=True), telemetry.span("ledger.transaction"):
                result = await self._guarded(lambda session: session.transact(work, self._now))
        return result

    async def _guarded(self, work: Callable[[postgres_server.Session], Awaitable[T]]) -> T:
        try:
            if self._session is None or not self._session.is_open():
                self._session = await postgres_server.connect(self._url.get_secret_value())
            await self._session.begin()
            return await work(self._session)
        except LedgerError:
            raise
        except Exception as error:
            explained = postgres_errors.explained(error)
            if explained is None:
                raise
            self._drop()
            if isinstance(explained, PassingError):
                self._failures += 1
                self._last_failure = str(explained)
            raise explained from None
        except BaseException:  # of what was interrupted, nobody knows how far it got
            self._drop()
            raise

    def _drop(self) -> None:
        if self._session is not None:
            self._session.drop()
            self._session = None

    async def start_sending(self, purchase_id: str) -> bool:
        """Say whether the purchase may be sent now.

        Raises:
            LedgerError: nobody knows, so it must not be sent, and is given up as soon as the database answers.
        """
        try:
            return await super().start_sending(purchase_id)
        except PassingError:
            with suppress(LedgerError):
                await self.finish(purchase_id, "never_sent", {})
            raise

    async def finish(self, purchase_id: str, state: str, receipt: Mapping[str, Any]) -> None:
        """Record the outcome, again and again for a while: to record it twice changes nothing.

        Raises:
            LedgerError: it can't be recorded.
        """
        until = anyio.current_time() + self._patience
        while True:
            try:
                return await super().finish(purchase_id, state, receipt)
            except PassingError:
                if anyio.current_time() > until:
                    raise
            await anyio.sleep(_PAUSE)

    async def was_filled_with(self, secret: bytes) -> bool:
        """Say whether the ledger with this secret was copied into this one already.

        Raises:
            LedgerError: something else stands in it, or it can't be used.
        """

        def work(db: Database, _now: float) -> bool:
            if db.execute("SELECT 1 FROM meta WHERE name = 'secret' AND value = ?", (secret.hex(),)).fetchone():
                return True
            if db.execute("SELECT 1 FROM audit LIMIT 1").fetchone():
                raise LedgerError(postgres_server.NOT_EMPTY)
            return False

        return await self._run(work)

    async def fill(self, tables: Iterable[postgres_server.Table]) -> None:
        """Copy a whole ledger into this one, which is empty, in one transaction.

        Raises:
            LedgerError: it can't be used.
        """
        async with self._one:
            with anyio.CancelScope(shield=True):
                await self._guarded(lambda session: session.fill(tables))

    async def aclose(self) -> None:
        """Close the connection."""
        async with self._one:
            session, self._session = self._session, None
        if session is not None:
            await session.aclose()
