"""Opens the ledger's file: private, whole, migrated, durable. It knows no statement about what the ledger keeps."""

import fcntl
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import BinaryIO

from vercel_marketplace_mcp.ledger import files
from vercel_marketplace_mcp.ledger.records import LedgerError

BUSY_SECONDS = 5.0
"""How long a transaction, or the opening of the ledger, waits for another process's."""
LARGE = 32 * 2**20
"""Bytes that are looked through within about a tenth of a second: some 4,000 purchases."""
_LOCK_POLL = 0.02
SCHEMA_VERSION = 2
_DAMAGED = "The ledger is damaged. Restore a backup, or move the state folder away and look at Vercel for stores."
_LOST = (
    "The ledger that was here is gone, and with it what was bought and what is unsettled. Restore a backup, or move "
    "the state folder away and look at Vercel for stores."
)
_MOVED = (
    "The ledger in this state folder was moved into PostgreSQL. Set VERCEL_MCP_LEDGER_URL, or choose another "
    "VERCEL_MCP_STATE_DIR."
)
_LOCKED = "The ledger is locked by another process. Try again; if it stays so, look for one that hangs."


def connect(folder: Path) -> sqlite3.Connection:
    """Open the ledger, make or migrate it under a lock, and check that it is whole."""
    path = files.prepare_folder(folder)
    with _lock(path.with_name(f"{path.name}.lock")) as mark:
        db = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        db.row_factory = sqlite3.Row
        try:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = FULL")
            db.execute("PRAGMA foreign_keys = ON")
            _check(db)
            is_first = not mark.read()
            _migrate(db, may_be_new=is_first)
            if is_first:
                _set(mark)
        except BaseException:
            db.close()
            raise
    return db


def _set(mark: BinaryIO) -> None:
    """Note on disk, beside the ledger, that there is one: a ledger that is lost must not pass for a new one."""
    mark.write(b"The ledger beside this file was made.\n")
    mark.flush()
    os.fsync(mark.fileno())


@contextmanager
def _lock(path: Path) -> Iterator[BinaryIO]:
    """Hold the lock that lets one process at a time make or migrate the ledger; its file is empty before there is one.

    Raises:
        LedgerError: another process has held it for too long.
    """
    deadline = time.monotonic() + BUSY_SECONDS
    with os.fdopen(os.open(path, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW, 0o600), "rb+") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise LedgerError(_LOCKED) from None
                time.sleep(_LOCK_POLL)
        yield file


def _check(db: sqlite3.Connection) -> None:
    """Look through a ledger as it is opened, unless it is too large for that to be quick.

    Of a large one SQLite checks the length, and each page when a purchase reads it; `check_whole` looks through it all.
    """
    (pages,), (size,) = db.execute("PRAGMA page_count").fetchone(), db.execute("PRAGMA page_size").fetchone()
    if pages * size <= LARGE:
        check_whole(db)


def check_whole(db: sqlite3.Connection) -> None:
    """Look through every page of the ledger; nobody has to wait meanwhile.

    Raises:
        LedgerError: it is damaged.
    """
    (found,) = db.execute("PRAGMA quick_check(1)").fetchone()
    if found != "ok":
        raise LedgerError(_DAMAGED)


def _migrate(db: sqlite3.Connection, *, may_be_new: bool) -> None:
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if version == 0 and not may_be_new:
        raise LedgerError(_LOST)
    if version > SCHEMA_VERSION:
        raise LedgerError("The ledger was written by a newer version of this program. Update the program.")
    for number in range(version + 1, SCHEMA_VERSION + 1):
        script = resources.files(__package__).joinpath("migrations", f"{number:04}.sql").read_text(encoding="utf-8")
        db.executescript(f"BEGIN IMMEDIATE; {script}; PRAGMA user_version = {number}; COMMIT;")


@contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """Hold a writing transaction: it is committed at the end, and rolled back by any exception.

    Raises:
        LedgerError: the ledger was moved, maybe while this connection was open.
    """
    db.execute("BEGIN IMMEDIATE")
    try:
        _require_here(db)
        yield
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")


def _require_here(db: sqlite3.Connection) -> None:
    if db.execute("SELECT 1 FROM meta WHERE name = 'moved'").fetchone():
        raise LedgerError(_MOVED)


def what_to_mend(error: sqlite3.Error) -> str:
    """Return a sentence for the operator; SQLite's own words name no secret, but paths."""
    match getattr(error, "sqlite_errorcode", 0) & 0xFF:
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return _LOCKED
        case sqlite3.SQLITE_FULL:
            return "The disk with the ledger is full. Free some space."
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_PERM | sqlite3.SQLITE_CANTOPEN:
            return "The ledger can't be written. Check the permissions of the state folder (VERCEL_MCP_STATE_DIR)."
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return _DAMAGED
    return "The ledger can't be used. Check the state folder (VERCEL_MCP_STATE_DIR) and the disk."
