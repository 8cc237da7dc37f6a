"""Questions that take two yeses: one in the client's form and one in a terminal, in any order."""

from dataclasses import replace

import pytest

from vercel_marketplace_mcp.ledger.records import Begun, Channel, Ledger, Meaning, NotApproved, Question

from .support import PRODUCT, WORDING, Clock, identity, needs_a_yes, purchase

pytestmark = pytest.mark.anyio

BOTH = replace(WORDING, both=True)
ORDERS: list[tuple[Channel, Channel]] = [("form", "terminal"), ("terminal", "form")]


async def asked(ledger: Ledger, channel: Channel = "form") -> Question:
    """The question, which waits for both."""
    question = await ledger.ask(identity(), BOTH, channel, needs_a_yes)
    assert isinstance(question, Question)
    return question


async def reply(ledger: Ledger, question: Question, channel: Channel, meaning: Meaning = Meaning.YES) -> str:
    """How the question stands after this reply."""
    return await ledger.answer(question.id, "local", meaning, {"by": channel}, 600, channel)


@pytest.mark.parametrize(("first", "second"), ORDERS)
async def test_one_yes_buys_nothing_and_the_other_makes_it_whole(
    ledger: Ledger, first: Channel, second: Channel
) -> None:
    """T01: after the first the question still waits, and says for which; both are on record."""
    question = await asked(ledger)
    assert question.missing == ("form", "terminal")
    assert await reply(ledger, question, first) == "pending"
    assert await ledger.pending() == [replace(question, missing=(second,))]
    assert not (await ledger.background(identity(), PRODUCT)).approved
    assert isinstance(await ledger.begin(purchase(), needs_a_yes), NotApproved)
    assert await reply(ledger, question, second) == "approved"
    assert await ledger.pending() == []
    assert isinstance(await ledger.begin(purchase(), needs_a_yes), Begun)
    rows = [(row.kind, row.detail) for row in await ledger.audit(question.id)][2:4]
    assert rows == [("approved_in_part", {"by": first, "missing": [second]}), ("approved", {"by": second})]
    assert await ledger.verify() is None


async def test_a_yes_counts_for_its_own_question_alone(ledger: Ledger) -> None:
    """T14: another one that waits for both still waits for both."""
    question = await asked(ledger)
    other = await ledger.ask(identity("two"), BOTH, "form", needs_a_yes)
    assert isinstance(other, Question)
    await reply(ledger, question, "form")
    missing = {each.id: each.missing for each in await ledger.pending()}
    assert missing == {question.id: ("terminal",), other.id: ("form", "terminal")}


@pytest.mark.parametrize("channel", ["form", "terminal"])
async def test_the_same_yes_twice_is_still_one(ledger: Ledger, channel: Channel) -> None:
    """T14: whoever repeats it does not stand for the other."""
    question = await asked(ledger)
    for _ in range(2):
        assert await reply(ledger, question, channel) == "pending"
    assert isinstance(await ledger.begin(purchase(), needs_a_yes), NotApproved)


@pytest.mark.parametrize(("first", "second"), ORDERS)
async def test_a_no_through_either_ends_the_question(ledger: Ledger, first: Channel, second: Channel) -> None:
    """A yes before it is void, and one after it comes too late."""
    question = await asked(ledger)
    assert await reply(ledger, question, first) == "pending"
    assert await reply(ledger, question, second, Meaning.NO) == "declined"
    assert await reply(ledger, question, first) == "declined"
    assert isinstance(await ledger.begin(purchase(), needs_a_yes), NotApproved)


async def test_a_form_that_nobody_saw_counts_for_nothing(ledger: Ledger) -> None:
    """The question waits as it did."""
    question = await asked(ledger)
    assert await reply(ledger, question, "form", Meaning.UNSEEN) == "pending"
    assert await ledger.pending() == [question]


async def test_the_form_is_not_shown_again_after_its_yes(ledger: Ledger) -> None:
    """A repeated call finds what is still needed; nobody is asked twice in the same place."""
    question = await asked(ledger)
    await reply(ledger, question, "form")
    for channel in ("form", "terminal"):
        assert await asked(ledger, channel) == replace(question, missing=("terminal",))
    assert [row.kind for row in await ledger.audit(question.id)] == ["question", "asked", "approved_in_part"]


async def test_a_yes_stands_from_the_second_on(ledger: Ledger, clock: Clock) -> None:
    """The question may wait for an hour; the time of the yes begins when it is whole."""
    question = await asked(ledger)
    await reply(ledger, question, "form")
    clock.at += 3599
    assert await reply(ledger, question, "terminal") == "approved"
    clock.at += 599
    assert (await ledger.background(identity(), PRODUCT)).approved
    clock.at += 1
    assert not (await ledger.background(identity(), PRODUCT)).approved


@pytest.mark.parametrize(("before", "after"), [(WORDING, BOTH), (BOTH, WORDING)])
async def test_a_question_under_other_rules_is_another_question(ledger: Ledger, before: object, after: object) -> None:
    """What was asked when one yes was enough is asked anew once two are needed, and the other way round."""
    wordings = [each for each in (before, after) if isinstance(each, type(WORDING))]
    old, new = [await ledger.ask(identity(), each, "form", needs_a_yes) for each in wordings]
    assert isinstance(old, Question)
    assert isinstance(new, Question)
    assert old.id != new.id
    assert await reply(ledger, old, "form") == "revoked"


async def test_where_one_yes_is_enough_nothing_is_missing(ledger: Ledger) -> None:
    """Either place will do."""
    question = await ledger.ask(identity(), WORDING, "terminal", needs_a_yes)
    assert isinstance(question, Question)
    assert question.missing == ()
    assert await reply(ledger, question, "form") == "approved"
