"""Moves a ledger from SQLite into an empty one in PostgreSQL. From then on nobody can spend from the old one.

The old ledger is set aside before anything is copied: whatever fails, there are never two that buy. It stays readable
to this command alone, which can be run again.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import anyio.to_thread

from vercel_marketplace_mcp.ledger import audit, files, sqlite_file
from vercel_marketplace_mcp.ledger.ledger import secret_of
from vercel_marketplace_mcp.ledger.postgres import PostgresLedger
from vercel_marketplace_mcp.ledger.postgres_server import Table
from vercel_marketplace_mcp.ledger.records import LedgerError


async def move(folder: Path, target: PostgresLedger) -> int:
    """Move the ledger of a state folder into `target`; return the number of purchases in it.

    Raises:
        LedgerError: there is none, it is not whole, the target is not empty, or one of them can't be used.
    """
    if not await anyio.to_thread.run_sync((folder / files.FILE_NAME).exists):
        raise LedgerError(f"There is no ledger in {folder}. Name its folder with --state-dir.")
    with _opened(folder) as db:
        _check(db)
        if not await target.was_filled_with(secret_of(db)):
            db.execute("INSERT INTO meta VALUES ('moved', 'to PostgreSQL') ON CONFLICT DO NOTHING")
            await target.fill(_tables(db))
        (count,) = db.execute("SELECT count(*) FROM purchases").fetchone()
    problem = await target.verify()
    if problem is not None:
        raise LedgerError(f"The ledger in PostgreSQL does not verify: {problem}. Empty it and run this again.")
    return int(count)


@contextmanager
def _opened(folder: Path) -> Iterator[sqlite3.Connection]:
    try:
        with closing(sqlite_file.connect(folder)) as db:
            yield db
    except sqlite3.Error as error:
        raise LedgerError(sqlite_file.what_to_mend(error)) from None


def _check(db: sqlite3.Connection) -> None:
    found: audit.Position | str | None = audit.Position()
    while isinstance(found, audit.Position):
        found = audit.check(db, found)
    if found is not None:
        raise LedgerError(f"The ledger does not verify: {found}. Restore a backup first.")


def _tables(db: sqlite3.Connection) -> Iterator[Table]:
    """Yield what is to be copied; a question comes before the purchase that it was used for."""
    yield _table("meta", db.execute("SELECT * FROM meta WHERE name IN ('audit_head', 'secret')"))
    yield _table("questions", db.execute("SELECT * FROM questions"))
    yield _table("purchases", db.execute("SELECT * FROM purchases"))
    yield _table("audit", db.execute("SELECT * FROM audit ORDER BY seq"))


def _table(name: str, rows: sqlite3.Cursor) -> Table:
    return Table(name, [column for column, *_ in rows.description], map(tuple, rows))
