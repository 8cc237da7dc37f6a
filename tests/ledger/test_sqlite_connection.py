"""The connection to the SQLite ledger: how durable it writes, when it is opened anew, and what waits for what."""

import fcntl
import os
import resource
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

import anyio
import anyio.from_thread
import pytest

from vercel_marketplace_mcp.ledger import sqlite_file
from vercel_marketplace_mcp.ledger.files import FILE_NAME
from vercel_marketplace_mcp.ledger.records import LedgerError, Wording
from vercel_marketplace_mcp.ledger.sqlite import SqliteLedger
from vercel_marketplace_mcp.purchase.policy import Ask, History, Verdict

from .support import WORDING, approve, ask, begin, identity, lived_in, purchase

pytestmark = pytest.mark.anyio

DAMAGED = "The ledger is damaged. Restore a backup, or move the state folder away and look at Vercel for stores."
LOCKED = "The ledger is locked by another process. Try again; if it stays so, look for one that hangs."


def beside(path: Path) -> sqlite3.Connection:
    """A connection of another program to the ledger's file, which waits for nobody."""
    return sqlite3.connect(path, timeout=0, isolation_level=None)


def test_what_is_written_is_on_disk_at_once_and_refers_to_what_is_there(folder: Path) -> None:
    """Each commit is synced; a statement outside of a transaction is one by itself."""
    with closing(sqlite_file.connect(folder)) as db:
        asked = ("journal_mode", "synchronous", "foreign_keys")
        assert [db.execute(f"PRAGMA {name}").fetchone()[0] for name in asked] == ["wal", 2, 1]
        db.execute("INSERT INTO meta VALUES ('name', 'value')")
        with closing(beside(folder / FILE_NAME)) as other:
            assert other.execute("SELECT value FROM meta WHERE name = 'name'").fetchall() == [("value",)]


def test_the_mark_beside_a_ledger_is_made_once(folder: Path) -> None:
    """It says to people what it is there for."""
    for _ in range(2):
        sqlite_file.connect(folder).close()
    assert (folder / f"{FILE_NAME}.lock").read_bytes() == b"The ledger beside this file was made.\n"


def test_a_transaction_is_alone_from_its_beginning(folder: Path) -> None:
    """What it reads first is true until it ends; others hear that they have to wait."""
    with closing(sqlite_file.connect(folder)) as db, closing(beside(folder / FILE_NAME)) as other:
        with sqlite_file.transaction(db), pytest.raises(sqlite3.OperationalError) as caught:
            other.execute("BEGIN IMMEDIATE")
        assert sqlite_file.what_to_mend(caught.value) == LOCKED


def test_a_transaction_that_others_have_overtaken_is_locked_out(folder: Path) -> None:
    """SQLite has more numbers for it than one, which share their last byte."""
    with closing(sqlite_file.connect(folder)) as db, closing(beside(folder / FILE_NAME)) as other:
        other.execute("BEGIN")
        other.execute("SELECT * FROM meta").fetchall()
        db.execute("INSERT INTO meta VALUES ('name', 'value')")
        with pytest.raises(sqlite3.OperationalError) as caught:
            other.execute("DELETE FROM meta")
        assert caught.value.sqlite_errorcode == sqlite3.SQLITE_BUSY_SNAPSHOT
        assert sqlite_file.what_to_mend(caught.value) == LOCKED


async def test_an_opening_that_fails_leaves_no_connection_behind(folder: Path) -> None:
    """Also while its error is still looked at: nobody else is kept from the file."""
    path = await lived_in(folder, 10)
    with closing(beside(path)) as other:
        other.execute("PRAGMA user_version = 99")
    with pytest.raises(LedgerError) as caught:
        sqlite_file.connect(folder)
    with closing(beside(path)) as other:
        assert other.execute("PRAGMA journal_mode = DELETE").fetchone() == ("delete",)
    assert str(caught.value) == "The ledger was written by a newer version of this program. Update the program."


@contextmanager
def refusing(folder: Path) -> Iterator[None]:
    """As long as the block runs, SQLite takes no new question."""
    with closing(beside(folder / FILE_NAME)) as other:
        other.execute("CREATE TRIGGER no BEFORE INSERT ON questions BEGIN SELECT RAISE(ABORT, 'no'); END")
        yield
        other.execute("DROP TRIGGER no")


@contextmanager
def hidden(folder: Path) -> Iterator[None]:
    """As long as the block runs, something else is where the folder was."""
    aside = folder.with_name("aside")
    folder.rename(aside)
    folder.touch()
    yield
    folder.unlink()
    aside.rename(folder)


@contextmanager
def damaged(path: Path) -> Iterator[None]:
    """As long as the block runs, a page is noise that only purchases read."""
    with closing(beside(path)) as other:
        (page,) = other.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'purchases_by_key'").fetchone()
        (size,) = other.execute("PRAGMA page_size").fetchone()
    with path.open("r+b") as file:
        file.seek((page - 1) * size)
        whole = file.read(size)
        os.pwrite(file.fileno(), b"noise" * 100, (page - 1) * size)
        yield
        os.pwrite(file.fileno(), whole, (page - 1) * size)


@pytest.mark.parametrize("trouble", [refusing, hidden])
async def test_the_file_is_looked_through_again_after_a_failure(
    folder: Path, trouble: Callable[[Path], AbstractContextManager[None]]
) -> None:
    """T58: until then one connection serves; whatever fails, the next call opens the file anew, and goes on."""
    path = await lived_in(folder, 10)
    ledger = SqliteLedger(folder)

    async def fail() -> None:
        with trouble(folder), pytest.raises(LedgerError):
            await ask(ledger, identity("two"))

    question = await ask(ledger, identity())
    await fail()
    assert await ledger.pending() == [question]
    with damaged(path):
        assert await ledger.pending() == [question]
        await fail()
        with pytest.raises(LedgerError) as caught:
            await ledger.pending()
    assert str(caught.value) == DAMAGED
    assert await ledger.pending() == [question]
    await ledger.aclose()


async def test_verifying_looks_through_the_file_that_is_open(folder: Path) -> None:
    """T58: every page that others may have changed; where there is no file it says what to mend."""
    path = await lived_in(folder, 10)
    ledger, other = SqliteLedger(folder), SqliteLedger(folder)
    assert await ledger.verify() is None
    await ask(other, identity())
    with damaged(path), pytest.raises(LedgerError) as caught:
        await ledger.verify()
    assert str(caught.value) == DAMAGED
    with hidden(folder), pytest.raises(LedgerError) as caught:
        await ledger.verify()
    assert str(caught.value) == "The ledger can't be used (Not a directory). Check the state folder."
    assert await ledger.verify() is None
    await ledger.aclose()
    await other.aclose()


async def test_an_opening_waits_for_another_one(folder: Path) -> None:
    """Whoever makes or migrates the ledger is done in a moment; nobody looks at it before."""
    await lived_in(folder, 10)
    ledger, found = SqliteLedger(folder), []

    async def look() -> None:
        found.append(await ledger.pending())

    with (folder / f"{FILE_NAME}.lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(look)
            await anyio.sleep(0.2)  # for one that did not wait to be noticed
            assert found == []
            fcntl.flock(lock, fcntl.LOCK_UN)
    assert found == [[]]
    await ledger.aclose()


def at_leisure(_history: History) -> Verdict:
    """A verdict after everybody else has done what they could meanwhile."""
    for _ in range(100):
        anyio.from_thread.run(anyio.wait_all_tasks_blocked)
    return Ask()


@pytest.mark.parametrize("step", ["aclose", "verify"])
async def test_what_is_no_transaction_waits_for_the_one_that_runs(folder: Path, step: str) -> None:
    """It is committed whole, and a ledger that was closed is opened again by whoever needs it."""
    ledger, begun = SqliteLedger(folder), anyio.Event()

    def allow(history: History) -> Verdict:
        anyio.from_thread.run_sync(begun.set)
        return at_leisure(history)

    await ledger.secret()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ledger.ask, identity(), WORDING, "form", allow)
        await begun.wait()
        tasks.start_soon(getattr(ledger, step))
    assert len(await ledger.pending()) == 1
    await ledger.aclose()


@pytest.mark.parametrize("step", ["aclose", "verify"])
async def test_what_comes_first_is_followed_by_one_transaction_at_a_time(folder: Path, step: str) -> None:
    """Also where a ledger is closed, or looked through, before its first use."""
    ledger = SqliteLedger(folder)
    with anyio.fail_after(20):
        await getattr(ledger, step)()
        async with anyio.create_task_group() as tasks:
            for label in ("one", "two"):
                tasks.start_soon(ledger.ask, identity(label), WORDING, "form", at_leisure)
    assert len(await ledger.pending()) == 2
    await ledger.aclose()


async def test_what_can_not_be_brought_into_the_file_now_is_recorded_all_the_same(folder: Path) -> None:
    """It is on disk in SQLite's log; where the file can't grow, the purchase goes on."""
    ledger = SqliteLedger(folder)
    await ask(ledger, identity("large"), Wording(text="x" * 400_000, expected="20.00"))
    await ledger.aclose()
    path = folder / FILE_NAME
    size = path.stat().st_size
    await approve(ledger, identity())
    await ask(ledger, identity("more"), Wording(text="x" * 20_000, expected="20.00"))
    purchase_id = await begin(ledger, purchase())
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        assert await ledger.start_sending(purchase_id)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.stat().st_size == size
    found = await ledger.purchase(purchase_id)
    assert found is not None
    assert found.state == "sending"
    await ledger.aclose()
    assert path.stat().st_size > size
