"""Makes sure that the state folder and the ledger's files belong to this user alone, before anything trusts them."""

import os
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from vercel_marketplace_mcp.ledger.records import LedgerError

FILE_NAME = "ledger.sqlite3"
_OWN = stat.S_IRUSR | stat.S_IWUSR


def prepare_folder(folder: Path) -> Path:
    """Create the folder for this user alone if need be, and return the path of the ledger in it.

    Raises:
        LedgerError: the folder or a file in it is a link, is somebody else's, or others than its user may write to it.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _require_private(folder, stat.S_ISDIR)
        ledger = folder / FILE_NAME
        for path in (ledger, folder / f"{FILE_NAME}-wal", folder / f"{FILE_NAME}-shm", folder / f"{FILE_NAME}.lock"):
            with suppress(FileNotFoundError):  # SQLite removes two of them with the last close
                _require_private(path, stat.S_ISREG)
        if not ledger.exists():
            os.close(os.open(ledger, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise LedgerError(
            f"The state folder can't be used ({error.strerror}). Check VERCEL_MCP_STATE_DIR and its permissions."
        ) from None
    return ledger


def remove_ledger(folder: Path) -> None:
    """Remove the ledger from a folder, and nothing else that may lie there."""
    for name in (FILE_NAME, f"{FILE_NAME}-wal", f"{FILE_NAME}-shm", f"{FILE_NAME}.lock"):
        (folder / name).unlink(missing_ok=True)


Identity = tuple[int, int, bool]


def identity(folder: Path) -> tuple[Identity | None, Identity | None]:
    """Return what tells the ledger and SQLite's log beside it from any other file, or None for one that is missing.

    A path may be reused, and the ledger, which is never empty, may be emptied.
    """
    return _identity(folder / FILE_NAME, may_be_empty=False), _identity(folder / f"{FILE_NAME}-wal", may_be_empty=True)


def _identity(path: Path, *, may_be_empty: bool) -> Identity | None:
    try:
        found = path.stat(follow_symlinks=False)
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino, may_be_empty or found.st_size > 0


def _require_private(path: Path, is_expected: Callable[[int], bool]) -> None:
    found = path.lstat()
    if not is_expected(found.st_mode):
        raise LedgerError(f"{path.name} in the state folder is a link or not what it should be. Remove it.")
    if found.st_uid != os.getuid():
        raise LedgerError(f"{path.name} belongs to another user. Choose another VERCEL_MCP_STATE_DIR.")
    if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise LedgerError(f"Other users may write to {path.name}. Take that permission away (chmod go-w).")
    if found.st_mode & _OWN != _OWN:  # SQLite would make files beside it that lack the permission as well
        raise LedgerError(f"{path.name} lacks its own user's permission to read and write. Give it back (chmod u+rw).")
