"""A ledger that has grown: every step of a purchase still finds its rows by an index, page by page."""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from importlib import resources
from pathlib import Path
from typing import TypeVar

import anyio.lowlevel
import pytest

from vercel_marketplace_mcp.ledger import audit, sqlite_file
from vercel_marketplace_mcp.ledger.database import Database, Parameters, Rows
from vercel_marketplace_mcp.ledger.files import FILE_NAME
from vercel_marketplace_mcp.ledger.ledger import SqlLedger
from vercel_marketplace_mcp.ledger.records import Ledger, LedgerError, Meaning
from vercel_marketplace_mcp.ledger.sqlite import SqliteLedger

from .support import ACCOUNT, PRODUCT, Clock, approve, ask, begin, buy, identity, is_free, purchase

pytestmark = pytest.mark.anyio

T = TypeVar("T")
OF_WHAT_IS_OPEN = {
    "SCAN questions USING INDEX live_questions",
    "SCAN questions USING INDEX waiting_questions",
    "SCAN purchases USING INDEX purchases_under_way",
    "SCAN purchases USING INDEX unknown_purchases",
}
"""What is still open is little, however much was bought: the indexes of that may be gone through."""


class Watched(SqlLedger):
    """A ledger that remembers its statements."""

    def __init__(self, db: sqlite3.Connection, clock: Clock) -> None:
        self._db = db
        self._clock = clock
        self.said: dict[str, Parameters] = {}

    def execute(self, sql: str, parameters: Parameters = (), /) -> Rows:
        """Run one statement and remember it."""
        self.said[sql] = parameters
        return self._db.execute(sql, parameters)

    async def _run(self, work: Callable[[Database, float], T], *, in_file: bool = False) -> T:  # noqa: ARG002
        await anyio.lowlevel.checkpoint()
        with sqlite_file.transaction(self._db):
            return work(self, self._clock())

    async def aclose(self) -> None:
        """Close the database."""
        self._db.close()

    def plans(self) -> Iterator[tuple[str, str]]:
        """Each statement with a step of how SQLite runs it."""
        for sql, parameters in self.said.items():
            for *_, step in self._db.execute(f"EXPLAIN QUERY PLAN {sql}", parameters):
                yield sql, step


async def live(ledger: SqlLedger, clock: Clock) -> None:
    """Take every step of a purchase, of a change, and of what may go wrong with them."""
    purchase_id = ""
    for label, outcome in enumerate(("created", "rejected", "unknown", "never_sent", "mismatch")):
        purchase_id = await buy(ledger, f"{label}", state=outcome)
        await ledger.background(identity(f"{label}"), PRODUCT)
        await ledger.settle(purchase_id, created=True)
        await ledger.forget(purchase_id)
        await ledger.audit(purchase_id)
    await begin(ledger, purchase("free", counts=0), is_free)
    question = await ask(ledger, identity("declined"))
    await ledger.answer(question.id, "local", Meaning.NO, {}, 600, "form")
    clock.at += 600
    await ledger.background(identity("declined"), PRODUCT)
    await approve(ledger, identity("changed"))
    change = await ledger.begin_change(identity("changed"), {}, needs_yes=True)
    assert change
    await ledger.end_change(change, "connected", {})
    await ledger.pending("local")
    await ledger.open_unknowns()
    await ledger.pending()
    for principal in (None, "local"):
        await ledger.purchases(50, purchase_id, principal=principal)


async def test_no_statement_goes_through_a_table(folder: Path, clock: Clock) -> None:
    """What a purchase costs does not depend on how many there were, on the order of columns or on statistics."""
    ledger = Watched(sqlite_file.connect(folder), clock)
    await live(ledger, clock)
    assert len(ledger.said) >= 34
    found = {sql: step for sql, step in ledger.plans() if "SCAN" in step and step not in OF_WHAT_IS_OPEN}
    assert found == {}
    sorting = {sql for sql, step in ledger.plans() if "TEMP B-TREE" in step and "FROM questions" not in sql}
    assert sorting == set()
    await ledger.aclose()


def as_before(folder: Path) -> sqlite3.Connection:
    """A ledger as the first version of its tables left it, in which something was asked and bought."""
    folder.mkdir(mode=0o700)
    path = folder / FILE_NAME
    path.touch(mode=0o600)
    (folder / f"{FILE_NAME}.lock").write_text("made\n")
    (folder / f"{FILE_NAME}.lock").chmod(0o600)
    db = sqlite3.connect(path, isolation_level=None)
    first = resources.files(sqlite_file.__package__).joinpath("migrations", "0001.sql").read_text("utf-8")
    db.executescript(f"PRAGMA journal_mode = WAL; {first}; PRAGMA user_version = 1;")
    question = ("q1", "ABC234", "local", ACCOUNT, "r", "f", "Buy?", "20.00", "pending", 1.8e9, 1.8e9 + 3600, 600)
    db.execute(
        "INSERT INTO questions (id, code, principal, account, request, fingerprint, text, expected, state, asked_at,"
        " expires_at, ttl) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        question,
    )
    db.execute(
        "INSERT INTO purchases (id, account, key, principal, request, fingerprint, product, name, counts, state,"
        " created_at) VALUES ('p1', ?, 'k', 'local', 'r', 'f', 'p/q', 'old', 0, 'created', 1.8e9)",
        (ACCOUNT,),
    )
    audit.append(db, 1.8e9, "question", "q1", {})
    return db


async def test_an_existing_ledger_is_migrated_as_it_is_opened(folder: Path, clock: Clock) -> None:
    """Nothing is lost, what waits can be answered, and the tables are as those of a new ledger."""
    as_before(folder).close()
    ledger = SqliteLedger(folder, clock)
    (question,) = await ledger.pending()
    assert (question.id, question.missing) == ("q1", ())
    assert [(found.id, found.principal) for found in await ledger.purchases(9)] == [("p1", "local")]
    assert await ledger.answer("q1", "local", Meaning.YES, {}, 600, "form") == "approved"
    assert await ledger.verify() is None
    await ledger.aclose()
    fresh = folder.with_name("fresh")
    sqlite_file.connect(fresh).close()
    assert tables(folder) == tables(fresh)


def tables(folder: Path) -> set[tuple[str, str]]:
    """The tables and indexes of a ledger."""
    with closing(sqlite3.connect(folder / FILE_NAME)) as db:
        return set(db.execute("SELECT name, sql FROM sqlite_master"))


async def test_a_large_ledger_is_opened_without_reading_it_all(folder: Path) -> None:
    """Damage in a page that no purchase needs is found by those who look for it; one that is cut off, by all."""
    ledger = SqliteLedger(folder)
    await buy(ledger)
    await ledger.aclose()
    path = folder / FILE_NAME
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("CREATE TABLE ballast (content BLOB)")
        db.execute("INSERT INTO ballast VALUES (zeroblob(?))", (sqlite_file.LARGE,))
        (root,) = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'ballast'").fetchone()
    with path.open("r+b") as file:
        file.seek((root - 1) * 4096)
        file.write(b"\xff" * 4096)
    ledger = SqliteLedger(folder)
    await buy(ledger, "two")
    with pytest.raises(LedgerError, match="The ledger is damaged"):
        await ledger.verify()
    await ledger.aclose()
    os.truncate(path, path.stat().st_size // 2)
    with pytest.raises(LedgerError, match="The ledger is damaged"):
        await SqliteLedger(folder).pending()


async def test_the_log_is_checked_a_page_at_a_time(ledger: Ledger) -> None:
    """A page that ends where the log does is followed by an empty one."""
    await fill_a_page(ledger)
    assert await ledger.verify() is None
    await ask(ledger, identity())
    assert await ledger.verify() is None


async def fill_a_page(ledger: Ledger) -> None:
    """Let the audit log have as many rows as are checked at once."""
    assert isinstance(ledger, SqlLedger)

    def work(db: Database, now: float) -> None:
        for _ in range(audit.PAGE):
            audit.append(db, now, "kind", "subject", {})

    await ledger._run(work)  # noqa: SLF001 - no caller writes so much at once
