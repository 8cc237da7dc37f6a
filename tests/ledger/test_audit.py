"""The audit log: everything that was decided, in order, and any later change is found."""

import hashlib
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import mcp
import mcp_types as types
import pytest

from vercel_marketplace_mcp import app
from vercel_marketplace_mcp.ledger import audit, sqlite_file
from vercel_marketplace_mcp.ledger.files import FILE_NAME
from vercel_marketplace_mcp.ledger.records import Ledger, LedgerError, Meaning
from vercel_marketplace_mcp.ledger.sqlite import SqliteLedger
from vercel_marketplace_mcp.sandbox import SANDBOX_TEAM_ID, SANDBOX_TOKEN, Sandbox
from vercel_marketplace_mcp.settings import load_for_sandbox
from vercel_marketplace_mcp.tools.context import Context
from vercel_marketplace_mcp.vercel.client import VercelClient

from .support import PRICE, PRODUCT, WORDING, Clock, ask, begin, buy, identity, needs_a_yes, purchase

pytestmark = pytest.mark.anyio


async def test_a_whole_life_is_on_record(ledger: Ledger, clock: Clock) -> None:
    """T66: the question with its exact text, how it was asked, the answer, its use, the sending and the outcome."""
    question = await ask(ledger, identity())
    clock.at += 60
    await ledger.ask(identity(), WORDING, "form", needs_a_yes)
    await ledger.answer(question.id, "local", Meaning.UNSEEN, {"action": None}, 600, "form")
    await ledger.answer(question.id, "local", Meaning.YES, {"typed": "20.00", "seconds": 0.1}, 600, "form")
    clock.at += 1
    purchase_id = await begin(ledger, purchase())
    assert await ledger.start_sending(purchase_id)
    receipt = {"status": "outcome_unknown", "money": "größe"}
    await ledger.finish(purchase_id, "unknown", receipt)
    await ledger.settle(purchase_id, created=False)
    told = [(row.seq, row.at, row.kind, row.subject, row.detail) for row in await ledger.audit(question.id)]
    first, asked_at, then = clock.at - 61, clock.at - 1, clock.at
    assert told == [
        (1, first, "question", question.id, {**QUESTION, "code": question.code}),
        (2, first, "asked", question.id, {"channel": "terminal"}),
        (3, asked_at, "asked", question.id, {"channel": "form"}),
        (4, asked_at, "unseen", question.id, {"action": None}),
        (5, asked_at, "approved", question.id, {"typed": "20.00", "seconds": 0.1}),
        (6, then, "used", question.id, {"purchase": purchase_id}),
    ]
    what = {"product": PRODUCT, "name": "store-one", "plan": "pro", "counts": PRICE}
    intent = {"principal": "local", **what, "question": question.id}
    assert [(row.seq, row.at, row.kind, row.detail) for row in await ledger.audit(purchase_id)] == [
        (7, then, "prepared", intent),
        (8, then, "sending", {}),
        (9, then, "unknown", {"receipt": receipt}),
        (10, then, "settled", {"created": False}),
    ]
    assert await ledger.verify() is None


QUESTION = {"principal": "local", "fingerprint": identity().fingerprint, "text": WORDING.text}


async def test_what_was_given_up_is_on_record(ledger: Ledger, clock: Clock) -> None:
    """T66: so is what no process finished; reading and asking again add nothing."""
    question = await ask(ledger, identity())
    assert await ask(ledger, identity()) == question
    await ledger.answer(question.id, "local", Meaning.YES, {}, 600, "form")
    first = await begin(ledger, purchase())
    clock.at += 30
    second = await begin(ledger, purchase())
    assert await ledger.start_sending(second)
    clock.at += 120
    for _ in range(2):
        await ledger.background(identity(), PRODUCT)
    assert [row.kind for row in await ledger.audit(first)] == ["prepared", "never_sent"]
    assert [row.kind for row in await ledger.audit(second)] == ["prepared", "sending", "unknown"]
    assert [row.kind for row in await ledger.audit(question.id)] == ["question", "asked", "approved", "used", "used"]
    assert await ledger.audit("question_00") == []
    assert await ledger.verify() is None


def test_a_row_is_written_and_hashed_as_anybody_can_compute(folder: Path) -> None:
    """In plain JSON without spaces, members in alphabetical order, each hash over the one before it."""
    with closing(sqlite_file.connect(folder)) as db:
        for _ in range(2):
            audit.append(db, 1.5, "unknown", "purchase_00", {"money": "größe", "a": [1, True]})
        first, second = map(tuple, db.execute("SELECT * FROM audit ORDER BY seq"))
    detail = '{"a":[1,true],"money":"größe"}'
    head = "0" * 64
    for seq, row in enumerate((first, second), 1):
        text = f'["{head}",{seq},1.5,"unknown","purchase_00",{json.dumps(detail, ensure_ascii=False)}]'
        head = hashlib.sha256(text.encode()).hexdigest()
        assert row == (seq, 1.5, "unknown", "purchase_00", detail, head)


async def test_an_empty_log_is_whole(ledger: Ledger) -> None:
    """Nothing has happened, and nothing is missing."""
    assert await ledger.verify() is None


Tamper = Callable[[sqlite3.Connection], Any]


def _statement(text: str) -> Tamper:
    return lambda db: db.executescript(text)


def _append_plausibly(db: sqlite3.Connection) -> None:
    """A row whose own hash is right, but which no head tells of."""
    (head, seq) = db.execute("SELECT hash, seq + 1 FROM audit ORDER BY seq DESC").fetchone()
    row = [head, seq, 1.0, "approved", "question_00", "{}"]
    text = json.dumps(row, ensure_ascii=False, separators=(",", ":"))
    db.execute("INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?)", (*row[1:], hashlib.sha256(text.encode()).hexdigest()))


def _swap(db: sqlite3.Connection) -> None:
    for old, new in ((3, 99), (4, 3), (99, 4)):
        db.execute("UPDATE audit SET seq = ? WHERE seq = ?", (new, old))


CHANGED = "row 3 of the audit log was changed or moved"
TAMPERING: dict[str, tuple[Tamper, str]] = {
    "text": (_statement("UPDATE audit SET detail = replace(detail, '\"', '\"x') WHERE seq = 3"), CHANGED),
    "kind": (_statement("UPDATE audit SET kind = 'declined' WHERE seq = 3"), CHANGED),
    "subject": (_statement("UPDATE audit SET subject = 'question_00' WHERE seq = 3"), CHANGED),
    "time": (_statement("UPDATE audit SET at = at + 1 WHERE seq = 3"), CHANGED),
    "hash": (_statement("UPDATE audit SET hash = 'x' || hash WHERE seq = 3"), CHANGED),
    "order": (_swap, CHANGED),
    "first": (_statement("DELETE FROM audit WHERE seq = 1"), "row 1 of the audit log is missing"),
    "middle": (_statement("DELETE FROM audit WHERE seq = 4"), "row 4 of the audit log is missing"),
    "renumbered": (
        _statement("DELETE FROM audit WHERE seq = 6; UPDATE audit SET seq = 6 WHERE seq = 7"),
        "row 6 of the audit log was changed or moved",
    ),
    "last": (
        _statement("DELETE FROM audit WHERE seq = 14"),
        "the audit log ends at row 13, which is not where it was left",
    ),
    "tail": (
        _statement("DELETE FROM audit WHERE seq > 5"),
        "the audit log ends at row 5, which is not where it was left",
    ),
    "all": (_statement("DELETE FROM audit"), "the audit log ends at row 0, which is not where it was left"),
    "more": (_append_plausibly, "the audit log ends at row 15, which is not where it was left"),
    "inserted": (
        _statement("INSERT INTO audit VALUES (0, 1, 'approved', 'question_00', '{}', 'x')"),
        "row 1 of the audit log is missing",
    ),
    "head": (
        _statement("UPDATE meta SET value = '13' || substr(value, 3) WHERE name = 'audit_head'"),
        "the audit log ends at row 14, which is not where it was left",
    ),
    "no head": (
        _statement("DELETE FROM meta WHERE name = 'audit_head'"),
        "the audit log ends at row 14, which is not where it was left",
    ),
}


async def two_lives(folder: Path) -> None:
    """A closed ledger whose audit log has fourteen rows."""
    ledger = SqliteLedger(folder)
    secret = await ledger.secret()
    for label in ("one", "two"):
        await buy(ledger, label)
    assert await ledger.verify() is None
    assert await ledger.secret() == secret
    await ledger.aclose()


def tamper(folder: Path, how: Tamper) -> None:
    """Change the file behind the ledger's back, as whoever owns it can."""
    with closing(sqlite3.connect(folder / FILE_NAME, isolation_level=None)) as db:
        db.execute("DROP TRIGGER audit_is_never_changed")
        db.execute("DROP TRIGGER audit_is_never_removed")
        how(db)


@pytest.mark.parametrize("name", TAMPERING)
async def test_a_change_of_the_log_is_found(folder: Path, name: str) -> None:
    """T58: rows that were changed, moved, removed, cut off, slipped in or appended, and a head that was moved."""
    await two_lives(folder)
    how, found = TAMPERING[name]
    tamper(folder, how)
    ledger = SqliteLedger(folder)
    assert await ledger.verify() == found
    await ledger.aclose()


@pytest.mark.parametrize("statement", ["UPDATE audit SET detail = '{}'", "DELETE FROM audit WHERE seq = 7"])
async def test_the_file_itself_refuses_to_change_the_log(folder: Path, statement: str) -> None:
    """A mistake in this program, or by hand, does not change what is on record."""
    await two_lives(folder)
    with closing(sqlite3.connect(folder / FILE_NAME)) as db:
        with pytest.raises(sqlite3.IntegrityError, match="the audit log is append-only"):
            db.execute(statement)
        assert db.execute("SELECT count(*) FROM audit").fetchone() == (14,)


async def test_nothing_is_bought_with_a_log_that_has_lost_its_end(folder: Path) -> None:
    """What can't be recorded is not done: not a row is written, and no question stands."""
    await two_lives(folder)
    tamper(folder, TAMPERING["no head"][0])
    ledger = SqliteLedger(folder)
    with pytest.raises(LedgerError, match="^The audit log has lost its end"):
        await ask(ledger, identity("three"))
    assert await ledger.pending() == []
    await ledger.aclose()


async def test_a_purchase_through_the_server_leaves_its_trail_and_no_token(folder: Path) -> None:
    """T51, T66: what was asked and answered stands in the files; the token of the account stands in none."""
    settings = load_for_sandbox(SANDBOX_TOKEN, SANDBOX_TEAM_ID, {"VERCEL_MCP_STATE_DIR": str(folder)})
    sandbox, ledger = Sandbox(), SqliteLedger(settings.state_dir)
    context = Context(settings=settings, client=VercelClient(settings, sandbox.app), ledger=ledger, ready_wait=0)
    call = {
        "name": "my-store",
        "integrationConfigurationId": "icfg_BrindleData000000000001",
        "integrationProductIdOrSlug": "brindle-postgres",
        "billingPlanId": "pro",
    }
    async with mcp.Client(app.build_server(lambda: context), mode="legacy") as client:
        assert structured(await client.call_tool("create-store", call))["status"] == "confirmation_required"
        (question,) = await ledger.pending()
        await ledger.answer(question.id, "local", Meaning.YES, {"by": "terminal", "typed": "20.00"}, 600, "form")
        assert structured(await client.call_tool("create-store", call))["status"] == "created"
    (bought,) = await ledger.purchases(10)
    told = [*await ledger.audit(question.id), *await ledger.audit(bought.id)]
    assert " ".join(row.kind for row in told) == "question asked approved used prepared sending created"
    assert told[0].detail["text"] == question.text
    kept = b"".join(path.read_bytes() for path in settings.state_dir.iterdir())
    assert b"my-store" in kept
    assert SANDBOX_TOKEN.encode() not in kept
    await ledger.aclose()


def structured(result: types.CallToolResult) -> dict[str, Any]:
    """What the agent reads."""
    assert isinstance(result.structured_content, dict)
    return result.structured_content
