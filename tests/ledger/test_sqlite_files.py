"""The folder and the files of the SQLite ledger: whose they are, who may write to them, and what they must be."""

# ruff: noqa: ASYNC240 - a test may wait for the disk

import os
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from vercel_marketplace_mcp.ledger import files
from vercel_marketplace_mcp.ledger.files import FILE_NAME
from vercel_marketplace_mcp.ledger.records import Ledger, LedgerError
from vercel_marketplace_mcp.ledger.sqlite import SqliteLedger

from .support import approve, ask, begin, identity, purchase

pytestmark = pytest.mark.anyio

NOBODY = 65534
DAMAGED = "The ledger is damaged. Restore a backup, or move the state folder away and look at Vercel for stores."
LOCKED = "The ledger is locked by another process. Try again; if it stays so, look for one that hangs."
FILES = ("ledger.sqlite3", "ledger.sqlite3-wal", "ledger.sqlite3-shm", "ledger.sqlite3.lock")


@pytest.fixture
def kind() -> str:
    """Only files are meant here."""
    return "sqlite"


async def problem(ledger: Ledger) -> str:
    """What the ledger says when it can't be used."""
    with pytest.raises(LedgerError) as caught:
        await ask(ledger, identity())
    return str(caught.value)


async def test_what_the_ledger_makes_belongs_to_its_user_alone(folder: Path, ledger: Ledger) -> None:
    """T58: the folder is 0700 and every file 0600, whatever the process would let others do by default."""
    before = os.umask(0)
    try:
        await ask(ledger, identity())
    finally:
        os.umask(before)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()} == dict.fromkeys(FILES, 0o600)


async def test_the_folders_above_are_made_as_well(folder: Path) -> None:
    """On a fresh machine there is not even the platform's folder for state."""
    ledger = SqliteLedger(folder / "deeper" / "still")
    await ask(ledger, identity())
    await ledger.aclose()
    assert (folder / "deeper" / "still").stat().st_mode & 0o777 == 0o700


async def test_removing_a_ledger_removes_nothing_else(folder: Path, ledger: Ledger) -> None:
    """What a person has put beside it stays, and what is not there is no error."""
    await ask(ledger, identity())
    folder.joinpath("notes.txt").touch()
    for _ in range(2):
        files.remove_ledger(folder)
    assert {path.name for path in folder.iterdir()} == {"notes.txt"}
    assert await ledger.pending() == []


async def test_another_process_may_close_the_ledger_while_it_is_opened(folder: Path) -> None:
    """SQLite removes two of the files with the last close, at any moment while they are looked at."""
    files.prepare_folder(folder)
    is_over = threading.Event()

    def come_and_go() -> None:
        while not is_over.is_set():
            for name in FILES[1:3]:
                (folder / name).touch(mode=0o600)
                (folder / name).unlink()

    with ThreadPoolExecutor() as other:
        going = other.submit(come_and_go)
        try:
            for _ in range(5000):
                files.prepare_folder(folder)
        finally:
            is_over.set()
        going.result()


@pytest.mark.parametrize("name", ["", *FILES])
@pytest.mark.parametrize("mode", [0o720, 0o702, 0o777])
async def test_nothing_is_trusted_that_others_may_write(folder: Path, ledger: Ledger, name: str, mode: int) -> None:
    """T58: the folder and each file are looked at before they are used."""
    folder.mkdir(mode=0o700)
    path = folder / name
    if name:
        path.touch(mode=0o600)
    path.chmod(mode)
    assert await problem(ledger) == f"Other users may write to {path.name}. Take that permission away (chmod go-w)."
    path.chmod(0o700)
    await ask(ledger, identity())


def _link(path: Path) -> None:
    path.symlink_to(path.with_name("elsewhere"))


def _folder(path: Path) -> None:
    path.mkdir(mode=0o700)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("make", [_link, _folder, os.mkfifo])
async def test_only_plain_files_are_opened(
    folder: Path, ledger: Ledger, name: str, make: Callable[[Path], None]
) -> None:
    """T58: a link could lead anywhere; nothing is made or written where it points."""
    folder.mkdir(mode=0o700)
    make(folder / name)
    assert await problem(ledger) == f"{name} in the state folder is a link or not what it should be. Remove it."
    assert [path.name for path in folder.iterdir()] == [name]


async def test_the_state_folder_is_no_link(tmp_path: Path, folder: Path, ledger: Ledger) -> None:
    """T58: nor is it anything else than a folder."""
    _link(folder)
    assert await problem(ledger) == (
        "The state folder can't be used (File exists). Check VERCEL_MCP_STATE_DIR and its permissions."
    )
    _folder(tmp_path / "elsewhere")
    assert await problem(ledger) == "state in the state folder is a link or not what it should be. Remove it."
    assert list((tmp_path / "elsewhere").iterdir()) == []
    folder.unlink()
    folder.touch()
    assert "File exists" in await problem(ledger)
    assert "Not a directory" in await problem(SqliteLedger(folder / "inside"))
    folder.unlink()
    await ask(ledger, identity())


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a file away")
@pytest.mark.parametrize("name", ["", *FILES])
async def test_what_belongs_to_another_user_is_not_touched(folder: Path, ledger: Ledger, name: str) -> None:
    """T58: whoever owns a file may change it at any time."""
    folder.mkdir(mode=0o700)
    path = folder / name
    if name:
        path.touch(mode=0o600)
    os.chown(path, NOBODY, NOBODY)
    said = f"{path.name} belongs to another user. Choose another VERCEL_MCP_STATE_DIR."
    assert await problem(ledger) == said


@pytest.mark.parametrize("name", ["", *FILES])
@pytest.mark.parametrize("mode", [0o500, 0o300])
async def test_what_its_own_user_may_not_use_says_so(folder: Path, ledger: Ledger, name: str, mode: int) -> None:
    """T58: a permission that was taken away by accident is named, and given back it is enough."""
    await ask(ledger, identity())
    path = folder / name
    before = path.stat().st_mode
    path.chmod(mode)
    said = f"{path.name} lacks its own user's permission to read and write. Give it back (chmod u+rw)."
    again = SqliteLedger(folder)
    assert await problem(again) == said
    path.chmod(before)
    assert await again.secret() == await ledger.secret()
    await again.aclose()


def test_a_ledger_is_told_from_any_other_file(folder: Path) -> None:
    """By device and number of what stands at its path, links not followed, and by whether it was emptied."""
    folder.mkdir()
    path, log = folder / FILE_NAME, folder / f"{FILE_NAME}-wal"
    assert files.identity(folder) == (None, None)
    path.write_text("x")
    log.touch()
    device = folder.stat().st_dev
    assert files.identity(folder) == ((device, path.stat().st_ino, True), (device, log.stat().st_ino, True))
    os.truncate(path, 0)
    log.unlink()
    assert files.identity(folder) == ((device, path.stat().st_ino, False), None)
    path.rename(folder / "elsewhere")
    path.symlink_to(folder / "elsewhere")
    assert files.identity(folder) == ((device, path.lstat().st_ino, True), None)


@pytest.mark.parametrize("lost", ["removed", "emptied"])
async def test_a_lost_ledger_does_not_pass_for_a_new_one(folder: Path, lost: str) -> None:
    """Its budget and its unsettled purchases would be forgotten in silence; a backup put back goes on."""
    first = SqliteLedger(folder)
    await ask(first, identity())
    await first.aclose()
    path = folder / FILE_NAME
    backup = path.read_bytes()
    path.unlink()
    if lost == "emptied":
        path.touch(mode=0o600)
    assert (await problem(SqliteLedger(folder))).startswith("The ledger that was here is gone")
    path.write_bytes(backup)
    again = SqliteLedger(folder)
    assert len(await again.pending()) == 1
    await again.aclose()


async def test_nobody_uses_a_ledger_that_was_moved(folder: Path, ledger: Ledger) -> None:
    """Neither who starts now nor who had it open: each is told where it is."""
    await ask(ledger, identity())
    with closing(sqlite3.connect(folder / FILE_NAME, isolation_level=None)) as db:
        db.execute("INSERT INTO meta VALUES ('moved', 'to PostgreSQL')")
    said = (
        "The ledger in this state folder was moved into PostgreSQL. Set VERCEL_MCP_LEDGER_URL, or choose another "
        "VERCEL_MCP_STATE_DIR."
    )
    assert [await problem(ledger), await problem(SqliteLedger(folder))] == [said, said]


async def test_the_ledgers_own_file_knows_what_is_about_to_be_sent(folder: Path, tmp_path: Path) -> None:
    """SQLite's log may be lost with the process, or left out of a backup: a used yes must not come back."""
    ledger = SqliteLedger(folder)
    await approve(ledger, identity())
    purchase_id = await begin(ledger, purchase())
    assert await ledger.start_sending(purchase_id)
    kept = tmp_path / "kept"
    kept.mkdir(mode=0o700)
    kept.joinpath(FILE_NAME).write_bytes(folder.joinpath(FILE_NAME).read_bytes())
    await ledger.aclose()
    again = SqliteLedger(kept)
    assert not (await again.background(identity(), "p/q")).approved
    found = await again.purchase(purchase_id)
    assert found is not None
    assert found.state == "sending"
    await again.aclose()
