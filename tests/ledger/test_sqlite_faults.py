"""A folder or a file that can't be trusted or used: a sentence says what to mend, and once mended the ledger works."""

# ruff: noqa: ASYNC240 - a test may wait for the disk

import fcntl
import json
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from random import Random

import anyio
import pytest

from vercel_marketplace_mcp.ledger import files, sqlite_file
from vercel_marketplace_mcp.ledger.files import FILE_NAME
from vercel_marketplace_mcp.ledger.records import Ledger, LedgerError
from vercel_marketplace_mcp.ledger.sqlite import SqliteLedger

from .support import approve, ask, identity, lived_in, start

pytestmark = pytest.mark.anyio

NOBODY = 65534
DAMAGED = "The ledger is damaged. Restore a backup, or move the state folder away and look at Vercel for stores."
LOCKED = "The ledger is locked by another process. Try again; if it stays so, look for one that hangs."
FILES = (FILE_NAME, f"{FILE_NAME}-wal", f"{FILE_NAME}-shm", f"{FILE_NAME}.lock")


@pytest.fixture
def kind() -> str:
    """Only files are meant here."""
    return "sqlite"


async def problem(ledger: Ledger) -> str:
    """What the ledger says when it can't be used."""
    with pytest.raises(LedgerError) as caught:
        await ask(ledger, identity())
    return str(caught.value)


async def test_a_read_only_disk_says_so(folder: Path) -> None:
    """T58: a ledger that can be read but not written creates nothing."""
    await lived_in(folder, 20)
    script = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"'
    said, errors = start(folder, "attempt", before=mounting(script, folder)).communicate()
    assert errors == ""
    assert json.loads(said) == "The ledger can't be used (Read-only file system). Check the state folder."
    said, _ = start(folder, "attempt").communicate()
    assert json.loads(said) == "asked"


def mounting(script: str, path: Path) -> list[str]:
    """A command in front of a program, which changes what is mounted at `path` for that program alone."""
    unshare = shutil.which("unshare") or "unshare"
    before = [unshare, "--mount", "--map-root-user", "sh", "-c", script, str(path)]
    if not shutil.which(unshare) or subprocess.run([*before, "true"], check=False, capture_output=True).returncode:
        pytest.skip("nobody may mount a disk here")
    return before


@pytest.mark.parametrize("address", ["{}?mode=ro", "{}-gone/x?mode=rw"])
async def test_sqlite_s_own_refusal_to_write_names_the_folder(folder: Path, address: str) -> None:
    """T58: where permissions are finer than the bits that were looked at, SQLite finds out."""
    path = await lived_in(folder, 20)

    def write() -> None:
        with closing(sqlite3.connect(f"file:{address.format(path)}", uri=True)) as db:
            db.execute("DELETE FROM meta")

    with pytest.raises(sqlite3.OperationalError) as caught:
        write()
    said = "The ledger can't be written. Check the permissions of the state folder (VERCEL_MCP_STATE_DIR)."
    assert sqlite_file.what_to_mend(caught.value) == said


def _overwrite(path: Path, offset: int, length: int) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(Random(offset).randbytes(length))


def _of_another_kind(path: Path) -> None:
    path.write_text("this is a note about the ledger\n" * 100)


def _without_its_end(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def _with_another_header(path: Path) -> None:
    _overwrite(path, 0, 100)


@pytest.mark.parametrize("damage", [_of_another_kind, _without_its_end, _with_another_header])
async def test_a_damaged_file_is_left_as_it_is(folder: Path, damage: Callable[[Path], None]) -> None:
    """T58: nothing is written into it; with a backup in its place the same ledger goes on."""
    path = await lived_in(folder, 20)
    backup = path.read_bytes()
    damage(path)
    damaged = path.read_bytes()
    ledger = SqliteLedger(folder)
    assert await problem(ledger) == DAMAGED
    assert path.read_bytes() == damaged
    path.write_bytes(backup)
    await ask(ledger, identity())
    assert len(await ledger.purchases(100)) == 20
    await ledger.aclose()


async def test_a_page_of_noise_is_found_wherever_it_stands(folder: Path) -> None:
    """T58: the file is looked through when it is opened, tables and indexes alike."""
    path = await lived_in(folder, 20)
    backup = path.read_bytes()
    assert len(backup) > 10 * 4096
    for offset in range(4096, len(backup), 4096):
        path.write_bytes(backup)
        _overwrite(path, offset, 4096)
        assert await problem(SqliteLedger(folder)) == DAMAGED


async def test_a_ledger_of_a_newer_program_is_not_touched(folder: Path) -> None:
    """An older program does not know what it would break."""
    path = await lived_in(folder, 20)
    set_version(path, 3)
    before = path.read_bytes()
    ledger = SqliteLedger(folder)
    said = "The ledger was written by a newer version of this program. Update the program."
    assert await problem(ledger) == said
    assert path.read_bytes() == before
    set_version(path, 2)
    await ask(ledger, identity())
    await ledger.aclose()


def set_version(path: Path, version: int) -> None:
    """Let the file say that this version wrote it."""
    db = sqlite3.connect(path)
    db.execute(f"PRAGMA user_version = {version}")
    db.close()


async def test_a_lock_that_stays_is_reported_after_a_while(folder: Path) -> None:
    """T58: whether another process writes without end or opens without end, nobody waits for it for ever."""
    await lived_in(folder, 20)
    opened, fresh, behind = SqliteLedger(folder), SqliteLedger(folder), SqliteLedger(folder.with_name("other"))
    await ask(opened, identity("before"))
    await behind.secret()
    await behind.aclose()
    holder = start(folder, "hold")
    assert holder.stdout
    assert holder.stdout.readline() == '"held"\n'
    said = []

    async def note(ledger: Ledger) -> None:
        said.append(await problem(ledger))

    with (folder.with_name("other") / f"{FILE_NAME}.lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        async with anyio.create_task_group() as tasks:
            for ledger in (opened, fresh, behind):
                tasks.start_soon(note, ledger)
    assert said == [LOCKED] * 3
    holder.communicate()
    for ledger in (opened, fresh, behind):
        await ask(ledger, identity())
        await ledger.aclose()


@pytest.mark.parametrize("largest_file", [0, 300_000])
def test_a_full_disk_loses_nothing_and_doubles_nothing(folder: Path, largest_file: int) -> None:
    """T58: what was acknowledged stays, what was refused is not there, and with room the same ledger goes on."""
    small = 'mount -t tmpfs -o size=600k small "$0" && head -c 300000 /dev/zero > "$0/ballast" && exec "$@"'
    before = [] if largest_file else mounting(small, folder.parent)
    said, errors = start(folder, "fill", str(largest_file), before=before).communicate()
    assert errors == ""
    sentence = "The disk with the ledger is full. Free some space."
    if largest_file:  # a quota is no full disk to SQLite
        sentence = "The ledger can't be used. Check the state folder (VERCEL_MCP_STATE_DIR) and the disk."
    assert json.loads(said) == {"said": sentence, "is_whole": True}


async def test_a_full_database_writes_a_transaction_wholly_or_not_at_all(folder: Path) -> None:
    """T58: a limit of SQLite's own stands for the disk where none can be mounted."""
    db = sqlite_file.connect(folder)
    (pages,) = db.execute("PRAGMA page_count").fetchone()
    db.execute(f"PRAGMA max_page_count = {pages + 2}")
    more = [(f"{number}", "x" * 500) for number in range(1000)]
    with pytest.raises(sqlite3.OperationalError) as caught, sqlite_file.transaction(db):
        db.executemany("INSERT INTO meta VALUES (?, ?)", more)
    assert sqlite_file.what_to_mend(caught.value) == "The disk with the ledger is full. Free some space."
    assert [row["name"] for row in db.execute("SELECT name FROM meta")] == ["audit_head"]
    db.close()


async def test_what_sqlite_finds_wrong_otherwise_names_the_folder_and_the_disk(folder: Path) -> None:
    """T58: there is a sentence for whatever else may happen."""
    with closing(sqlite_file.connect(folder)) as db:
        with pytest.raises(sqlite3.IntegrityError) as caught:
            db.execute("INSERT INTO meta SELECT * FROM meta")
        said = "The ledger can't be used. Check the state folder (VERCEL_MCP_STATE_DIR) and the disk."
        assert sqlite_file.what_to_mend(caught.value) == said


async def test_a_ledger_that_was_moved_away_is_not_written_unseen(folder: Path) -> None:
    """A process that runs sees at once what all others would: a new ledger, or the old one when it is back."""
    ledger = SqliteLedger(folder)
    await approve(ledger, identity())
    aside = folder.with_name("aside")
    folder.rename(aside)
    assert not (await ledger.background(identity(), "p/q")).approved
    question = await ask(SqliteLedger(folder), identity("two"))
    assert await ledger.pending() == [question]
    files.remove_ledger(folder)
    assert await ledger.pending() == []
    shutil.rmtree(folder)
    folder.touch()
    assert await problem(ledger) == "The ledger can't be used (Not a directory). Check the state folder."
    folder.unlink()
    aside.rename(folder)
    assert (await ledger.background(identity(), "p/q")).approved
    await ledger.aclose()
