"""The ledger in one SQLite file: durable before it is acknowledged, one writer at a time, for any number of processes.

WAL with `synchronous=FULL`, `BEGIN IMMEDIATE`; every transaction on one connection.
"""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

import anyio
import anyio.to_thread

from vercel_marketplace_mcp import telemetry
from vercel_marketplace_mcp.ledger import files, sqlite_file
from vercel_marketplace_mcp.ledger.database import Database
from vercel_marketplace_mcp.ledger.ledger import SqlLedger
from vercel_marketplace_mcp.ledger.records import LedgerError, Now

T = TypeVar("T")


class SqliteLedger(SqlLedger):
    """A ledger in `folder`, opened on first use, and again after a failure or when its files were replaced."""

    def __init__(self, folder: Path, now: Now = time.time) -> None:
        self._folder = folder
        self._now = now
        self._db: sqlite3.Connection | None = None
        self._files: tuple[files.Identity | None, ...] = ()
        self._one = anyio.CapacityLimiter(1)

    async def _run(self, work: Callable[[Database, float], T], *, in_file: bool = False) -> T:
        """Run `work` as one transaction, in a thread: a disk may take its time.

        `in_file` also brings it from SQLite's log into the ledger's own file, which may be all that is kept.

        Raises:
            LedgerError: the database can't be used; nothing of the transaction is on disk.
        """
        with telemetry.span("ledger.transaction"):
            return await anyio.to_thread.run_sync(self._transact, work, in_file, limiter=self._one)

    def _transact(self, work: Callable[[Database, float], T], in_file: bool) -> T:
        with self._explaining():
            db = self._connected()
            with sqlite_file.transaction(db):
                result = work(db, self._now())
        if in_file:
            with suppress(sqlite3.Error):
                db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        return result

    @contextmanager
    def _explaining(self) -> Iterator[None]:
        """Turn what SQLite or the disk says into a sentence; the file is opened anew after that."""
        try:
            yield
        except sqlite3.Error as error:
            self._close()
            raise LedgerError(sqlite_file.what_to_mend(error)) from None
        except OSError as error:
            self._close()
            raise LedgerError(f"The ledger can't be used ({error.strerror}). Check the state folder.") from None

    async def verify(self) -> str | None:
        """Return what is wrong with the audit log, or None if it is whole; every page of the file is read before.

        Raises:
            LedgerError: the file is damaged.
        """
        await anyio.to_thread.run_sync(self._check_whole, limiter=self._one)
        return await super().verify()

    def _check_whole(self) -> None:
        with self._explaining():
            sqlite_file.check_whole(self._connected())

    def _connected(self) -> sqlite3.Connection:
        """Return the connection to the file that is there now: one that was moved away would be written unseen."""
        if self._db is None or self._files != files.identity(self._folder):
            self._close()
            self._db = sqlite_file.connect(self._folder)
            self._files = files.identity(self._folder)
        return self._db

    def _close(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None

    async def aclose(self) -> None:
        """Close the database."""
        await anyio.to_thread.run_sync(self._close, limiter=self._one)
