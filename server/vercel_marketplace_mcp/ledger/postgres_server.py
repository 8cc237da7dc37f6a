"""A connection to the PostgreSQL server that keeps the ledger, and its transactions: exclusive, durable, bounded.

It knows no statement about what the ledger keeps, and tells nobody the address, which holds a password.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cache
from importlib import resources
from typing import Any, NamedTuple, TypeVar

import anyio
import anyio.from_thread
import anyio.to_thread

from vercel_marketplace_mcp.ledger.database import Database, Parameters
from vercel_marketplace_mcp.ledger.postgres_errors import UNREADABLE
from vercel_marketplace_mcp.ledger.records import LedgerError, Now

T = TypeVar("T")

SCHEMA_VERSION = 1
CONNECT_SECONDS = 5.0
COMMAND_SECONDS = 8.0
"""After so many seconds without an answer a connection is given up; the server itself ends waits sooner."""
ROLLBACK_SECONDS = 1.0
FILL_SECONDS = 3600.0
NOT_INSTALLED = "A ledger in PostgreSQL needs asyncpg. Install it: pip install 'vercel-marketplace-mcp[postgres]'"
NOT_EMPTY = "The ledger in PostgreSQL is not empty: nothing was copied. Name an empty database."
NEWER = "The ledger was written by a newer version of this program. Update the program."


class Table(NamedTuple):
    """Rows that are to be copied into a table of the ledger."""

    name: str
    columns: Sequence[str]
    rows: Iterable[Sequence[Any]]


class Found:
    """What a statement found or changed."""

    def __init__(self, rows: list[Any], status: str) -> None:
        self._rows = iter(rows)
        self.rowcount = int(status.rpartition(" ")[2])

    def fetchone(self) -> Any:
        """Return the next row, or None."""
        return next(self._rows, None)

    def fetchall(self) -> list[Any]:
        """Return the rows that are left."""
        return list(self._rows)

    def __iter__(self) -> Iterator[Any]:
        """Go through the rows that are left."""
        return self._rows


class _Bridge:
    """The open transaction, for statements that are run from a worker thread."""

    def __init__(self, session: "Session") -> None:
        self._session = session

    def execute(self, sql: str, parameters: Parameters = (), /) -> Found:
        """Run one statement."""
        return anyio.from_thread.run(self._session.run, sql, parameters)


class Session:
    """One connection, used by one task at a time."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._statements: dict[str, Any] = {}
        self._thread = anyio.CapacityLimiter(1)

    def is_open(self) -> bool:
        """Say whether the connection can be used, as far as is known here."""
        return not self._connection.is_closed()

    async def begin(self) -> None:
        """Begin a transaction, alone in the ledger."""
        await _begin(self._connection)

    async def transact(self, work: Callable[[Database, float], T], now: Now | None) -> T:
        """Run `work` in the transaction that was begun, at the database's time, and commit."""
        try:
            moment = await self._moment()
            at = moment if now is None else now()
            result = await anyio.to_thread.run_sync(work, _Bridge(self), at, limiter=self._thread)
            await self._connection.execute("COMMIT")
        except BaseException:
            await self._roll_back()
            raise
        return result

    async def _moment(self) -> float:
        found = await self._connection.fetchrow(
            "SELECT extract(epoch FROM clock_timestamp())::double precision, value FROM meta"
            " WHERE name = 'schema_version'"
        )
        moment, version = found or (0.0, SCHEMA_VERSION + 1)
        if int(version) > SCHEMA_VERSION:
            raise LedgerError(NEWER)
        return float(moment)

    async def _roll_back(self) -> None:
        with anyio.move_on_after(ROLLBACK_SECONDS, shield=True), suppress(Exception):
            await self._connection.execute("ROLLBACK")
            return
        self.drop()

    async def fill(self, tables: Iterable[Table]) -> None:
        """Copy rows into a ledger that is empty, in the transaction that was begun, and commit."""
        try:
            await self._moment()
            await self._connection.execute(
                "SET LOCAL statement_timeout = 0; DELETE FROM meta WHERE name IN ('audit_head', 'secret')"
            )
            for name, columns, rows in tables:
                await self._connection.copy_records_to_table(name, columns=columns, records=rows, timeout=FILL_SECONDS)
            await self._connection.execute("ANALYZE meta, questions, purchases, audit; COMMIT", timeout=FILL_SECONDS)
        except BaseException:
            await self._roll_back()
            raise

    async def run(self, sql: str, parameters: Parameters) -> Found:
        """Run one statement, prepared once for this connection."""
        text, names = translated(sql)
        if text not in self._statements:
            self._statements[text] = await self._connection.prepare(text)
        statement = self._statements[text]
        values = [parameters[name] for name in names] if isinstance(parameters, Mapping) else parameters
        return Found(await statement.fetch(*values), statement.get_statusmsg())

    def drop(self) -> None:
        """Give the connection up at once."""
        self._connection.terminate()

    async def aclose(self) -> None:
        """Take leave of the server."""
        with suppress(Exception):
            await self._connection.close(timeout=ROLLBACK_SECONDS)
        self.drop()


@cache
def translated(sql: str) -> tuple[str, tuple[str, ...]]:
    """Return a statement with PostgreSQL's numbers for its values, and their names if they have any."""
    names: list[str] = []

    def number(found: re.Match[str]) -> str:
        name = found[1] or str(len(names))
        if name not in names:
            names.append(name)
        return f"${names.index(name) + 1}"

    return re.sub(r"\?|:([a-z_]+)", number, sql), tuple(names)


async def connect(url: str) -> Session:
    """Connect to the primary, and make or migrate the ledger there under its lock.

    Raises:
        LedgerError: asyncpg is not installed, the address can't be read, or the ledger was written by a newer program.
    """
    try:
        import asyncpg  # type: ignore[import-untyped]
    except ImportError:
        raise LedgerError(NOT_INSTALLED) from None
    try:
        connection = await asyncpg.connect(
            url, timeout=CONNECT_SECONDS, command_timeout=COMMAND_SECONDS, target_session_attrs="primary"
        )
    except ValueError:
        raise LedgerError(UNREADABLE) from None
    try:
        await _migrate(connection)
    except BaseException:
        connection.terminate()
        raise
    return Session(connection)


async def _begin(connection: Any) -> None:
    """Begin a transaction, alone in the ledger: a budget needs one order of purchases, the audit log is one chain.

    A process that freezes while it holds the lock loses it before the others stop waiting. What a statement sees is
    taken after the lock was: at any isolation above this one it would be taken before. Every statement has an index,
    which a server that has not counted the rows yet might think not worth using.
    """
    await connection.execute(
        """
        BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;
        SET LOCAL search_path = vercel_marketplace_mcp, pg_temp;
        SET LOCAL lock_timeout = '5s';
        SET LOCAL statement_timeout = '6s';
        SET LOCAL idle_in_transaction_session_timeout = '4s';
        SET LOCAL enable_seqscan = off;
        SELECT set_config('synchronous_commit', 'on', true)
          WHERE current_setting('synchronous_commit') NOT IN ('on', 'remote_apply');
        SELECT pg_advisory_xact_lock(1986880368);
        """
    )


async def _migrate(connection: Any) -> None:
    await _begin(connection)
    version = 0
    if await connection.fetchval("SELECT to_regnamespace('vercel_marketplace_mcp') IS NULL"):
        await connection.execute("CREATE SCHEMA vercel_marketplace_mcp")
    if await connection.fetchval("SELECT to_regclass('vercel_marketplace_mcp.meta') IS NOT NULL"):
        version = int(await connection.fetchval("SELECT value FROM meta WHERE name = 'schema_version'"))
    if version > SCHEMA_VERSION:
        raise LedgerError(NEWER)
    folder = resources.files(__package__).joinpath("migrations", "postgres")
    for number in range(version + 1, SCHEMA_VERSION + 1):
        await connection.execute(folder.joinpath(f"{number:04}.sql").read_text(encoding="utf-8"))
    await connection.execute(
        "INSERT INTO meta VALUES ('schema_version', $1) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        str(SCHEMA_VERSION),
    )
    await connection.execute("COMMIT")
