"""Holds a ledger against the sandbox's journal, which knows what was really asked of Vercel. It mends nothing."""

import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from vercel_marketplace_mcp.ledger.files import FILE_NAME
from vercel_marketplace_mcp.ledger.records import LedgerError
from vercel_marketplace_mcp.ledger.sqlite import SqliteLedger

from ..approval.world import World

SECOND = "a second request, though nobody knew or said that the first had made nothing"
DENIED = "a request that no record admits"
UNASKED = "a purchase sent without a yes of its own"
REUSABLE = "a yes that could buy again"
BROKEN = "a ledger that does not verify"

_MAY_HAVE_MADE_IT = ("sending", "unknown", "created", "mismatch", "gone")
_MADE_NOTHING = ("rejected", "not_created")


@dataclass(frozen=True, kw_only=True, slots=True)
class Records:
    """What stands in a ledger: each purchase's state, those that were sent, and what was answered to whose question."""

    states: dict[str, str]
    sent: set[str]
    questions: dict[str, str]
    asked_for: dict[str, str | None]
    answers: set[tuple[str, str]]

    @property
    def phase(self) -> str:
        """How far the newest purchase has come, or else the newest question."""
        return next(reversed(self.states.values()), None) or next(reversed(self.questions.values()), "nothing")


def read(folder: Path) -> Records:
    """What stands in the ledger of a folder, read beside our own code."""
    with closing(sqlite3.connect(folder / FILE_NAME)) as db:
        tables = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        if "audit" not in tables:  # killed before the ledger was made
            return Records(states={}, sent=set(), questions={}, asked_for={}, answers=set())
        return Records(
            states=dict(db.execute("SELECT id, state FROM purchases ORDER BY created_at")),
            sent={subject for (subject,) in db.execute("SELECT subject FROM audit WHERE kind = 'sending'")},
            questions=dict(db.execute("SELECT id, state FROM questions ORDER BY asked_at")),
            asked_for=dict(db.execute("SELECT id, question FROM purchases")),
            answers=set(db.execute("SELECT kind, subject FROM audit WHERE kind IN ('approved', 'used')")),
        )


async def breaches(world: World, *, paid: bool) -> list[str]:
    """What is wrong with a ledger in which one store, of one name, was to be bought."""
    if await _problem(world.folder):
        return [BROKEN]
    return compare(read(world.folder), len(world.sandbox.posts), len(world.sandbox.stores), paid=paid)


def compare(found: Records, posts: int, stores: int, *, paid: bool) -> list[str]:
    """What is wrong with the records of one store that was to be bought, given what the sandbox saw and made of it."""
    counts = Counter(found.states[each] for each in found.sent)
    nothing = sum(counts[state] for state in _MADE_NOTHING)
    admitted = sum(counts[state] for state in _MAY_HAVE_MADE_IT) + nothing
    wrong = {
        SECOND: posts > 1 + nothing,
        DENIED: posts > admitted or stores > admitted - nothing,
        UNASKED: paid and not _each_has_a_yes(found),
        REUSABLE: paid and any(found.questions[question] != "used" for question in _questions_of_the_sent(found)),
    }
    return [name for name, is_so in wrong.items() if is_so]


def _questions_of_the_sent(found: Records) -> list[str]:
    """The questions whose yes bought what was, or may have been, sent; once for each time."""
    sent = [each for each in found.sent if found.states[each] != "never_sent"]
    return [question for question in (found.asked_for[each] for each in sent) if question]


def _each_has_a_yes(found: Records) -> bool:
    questions = _questions_of_the_sent(found)
    sent = [each for each in found.sent if found.states[each] != "never_sent"]
    needed = {(kind, question) for kind in ("approved", "used") for question in questions}
    return len(set(questions)) == len(sent) and needed <= found.answers


async def _problem(folder: Path) -> str | None:
    ledger = SqliteLedger(folder)
    try:
        return await ledger.verify()
    except LedgerError as error:
        return str(error)
    finally:
        await ledger.aclose()
