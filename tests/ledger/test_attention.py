"""What a ledger remembers to spare a person: declines, open questions, and those that went unanswered."""

import pytest

from vercel_marketplace_mcp.ledger.records import Ledger, Meaning, Question
from vercel_marketplace_mcp.purchase.policy import (
    History,
    Refuse,
    it_was_declined_twice,
    too_many_questions_are_open,
    too_many_questions_went_unanswered,
)

from .support import WORDING, Clock, approve, ask, decline, history, identity, rules

pytestmark = pytest.mark.anyio

ATTENTION = (it_was_declined_twice, too_many_questions_are_open, too_many_questions_went_unanswered)


async def test_two_declines_pause_a_purchase(ledger: Ledger, clock: Clock) -> None:
    """T18: for ten minutes after the second one nobody is asked about it; about another one they are."""
    await decline(ledger, identity())
    clock.at += 500
    await decline(ledger, identity())
    allow = rules(it_was_declined_twice)
    assert (await history(ledger)).declines_of_this == 2
    assert await ledger.ask(identity(), WORDING, "form", allow) == Refuse(("it_was_declined_twice",))
    assert isinstance(await ledger.ask(identity("two"), WORDING, "form", allow), Question)
    clock.at += 599.9
    assert isinstance(await ledger.ask(identity(), WORDING, "form", allow), Refuse)
    clock.at += 0.1
    assert isinstance(await ledger.ask(identity(), WORDING, "form", allow), Question)
    assert (await history(ledger)).declines_of_this == 0


async def test_declines_far_apart_pause_nothing(ledger: Ledger, clock: Clock) -> None:
    """A person who declines once now and once much later has not been pestered."""
    await decline(ledger, identity())
    clock.at += 600
    await decline(ledger, identity())
    assert (await history(ledger)).declines_of_this == 1


async def test_three_open_questions_are_enough(ledger: Ledger, clock: Clock) -> None:
    """T18: a fourth waits for one of them to be answered; an open one may be shown again."""
    questions = []
    for label in ("one", "two", "three"):
        questions.append(await ask(ledger, identity(label)))
        clock.at += 1
    allow = rules(too_many_questions_are_open)
    refused = Refuse(("too_many_questions_are_open",))
    assert (await history(ledger)).open_questions == 3
    assert await ledger.ask(identity("four"), WORDING, "terminal", allow) == refused
    assert await ledger.ask(identity("one"), WORDING, "form", allow) == questions[0]
    assert await ledger.pending() == questions
    await ledger.answer(questions[1].id, "local", Meaning.YES, {}, 600, "form")
    assert isinstance(await ledger.ask(identity("four"), WORDING, "terminal", allow), Question)


async def test_five_unanswered_questions_in_ten_minutes_are_enough(ledger: Ledger, clock: Clock) -> None:
    """T18: declines count, and so does showing one form again and again; what was approved does not."""
    allow = rules(too_many_questions_went_unanswered)
    await approve(ledger, identity("approved"))
    await decline(ledger, identity("two"))
    for _ in range(4):
        assert isinstance(await ledger.ask(identity(), WORDING, "form", allow), Question)
        clock.at += 60
    assert await history(ledger) == History(open_questions=1, unanswered_questions=5)
    assert await ledger.ask(identity(), WORDING, "form", allow) == Refuse(("too_many_questions_went_unanswered",))
    assert isinstance(await ledger.ask(identity(), WORDING, "terminal", allow), Question)
    clock.at += 360
    assert isinstance(await ledger.ask(identity(), WORDING, "form", allow), Question)


async def test_a_question_that_nobody_may_be_asked_leaves_nothing_behind(ledger: Ledger) -> None:
    """A refusal writes no question, and the rules see the history as it stands."""
    seen: list[History] = []

    def no(found: History) -> Refuse:
        seen.append(found)
        return Refuse(("no",))

    assert await ledger.ask(identity(), WORDING, "form", no) == Refuse(("no",))
    assert seen == [History()]
    assert await ledger.pending() == []
    assert await history(ledger) == History()
