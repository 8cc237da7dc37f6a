"""Replies to questions that are answered or used already, and a yes that comes back, or does not."""

import pytest

from vercel_marketplace_mcp.ledger.records import Begun, Ledger, Meaning, NotApproved, Wording

from .support import PRODUCT, Clock, approve, ask, begin, identity, needs_a_yes, purchase

pytestmark = pytest.mark.anyio

CAREFUL = Wording(text="CAREFUL", expected="20.00")


async def reply(ledger: Ledger, question_id: str, meaning: Meaning) -> str:
    """How the question stands after this reply."""
    return await ledger.answer(question_id, "local", meaning, {"by": "a late one"}, 600, "form")


async def kinds(ledger: Ledger, subject: str) -> str:
    """What the audit log says of it."""
    return " ".join(row.kind for row in await ledger.audit(subject))


async def may_buy(ledger: Ledger, label: str = "one") -> bool:
    """Whether a yes to this purchase is there to be used; it is used then."""
    return isinstance(await ledger.begin(purchase(label), needs_a_yes), Begun)


@pytest.mark.parametrize(
    ("meaning", "on_record", "comes_back"),
    [
        (Meaning.NO, "question asked approved used declined", False),
        (Meaning.YES, "question asked approved used", True),
        (Meaning.UNSEEN, "question asked approved used", True),
    ],
)
async def test_a_no_keeps_a_used_yes_from_coming_back(
    ledger: Ledger, meaning: Meaning, on_record: str, comes_back: bool
) -> None:
    """T14: it is on record and concerns this yes alone; nothing else that is said about a used yes counts."""
    question = await approve(ledger, identity())
    await approve(ledger, identity("two"))
    purchase_id = await begin(ledger, purchase())
    assert await reply(ledger, question.id, meaning) == "used"
    assert await kinds(ledger, question.id) == on_record
    await ledger.finish(purchase_id, "never_sent", {})
    assert await may_buy(ledger) == comes_back
    assert await may_buy(ledger, "two")


@pytest.mark.parametrize("meaning", list(Meaning))
async def test_a_reply_to_what_is_over_leaves_no_trace(ledger: Ledger, clock: Clock, meaning: Meaning) -> None:
    """Nothing is decided by it: whether the question was declined, replaced, too old or never asked."""
    declined, replaced = await ask(ledger, identity("declined")), await ask(ledger, identity("replaced"))
    await reply(ledger, declined.id, Meaning.NO)
    await ask(ledger, identity("replaced"), CAREFUL)
    too_old = await approve(ledger, identity("too old"), ttl=1)
    clock.at += 1
    over = {declined.id: "declined", replaced.id: "revoked", too_old.id: "expired", "question_00": "expired"}
    before = [await ledger.audit(question_id) for question_id in over]
    assert {question_id: await reply(ledger, question_id, meaning) for question_id in over} == over
    assert [await ledger.audit(question_id) for question_id in over] == before


@pytest.mark.parametrize("meaning", [Meaning.YES, Meaning.UNSEEN])
async def test_a_yes_is_not_said_anew(ledger: Ledger, clock: Clock, meaning: Meaning) -> None:
    """T14: its time runs from the first, and the log knows of one."""
    question = await approve(ledger, identity())
    clock.at += 300
    assert await reply(ledger, question.id, meaning) == "approved"
    assert await kinds(ledger, question.id) == "question asked approved"
    clock.at += 300
    assert isinstance(await ledger.begin(purchase(), needs_a_yes), NotApproved)


async def test_only_the_same_request_counts_as_asked_at_other_terms(ledger: Ledger) -> None:
    """T09: what else the same person was asked in this hour says nothing about this price."""
    await ask(ledger, identity("two"))
    assert not (await ledger.background(identity(), PRODUCT)).changed
    assert (await ledger.background(identity("two", fingerprint="dearer"), PRODUCT)).changed


async def test_a_yes_whose_time_is_over_does_not_come_back(ledger: Ledger, clock: Clock) -> None:
    """T14, T16: to the second; nor does it once the clock is set back."""
    await approve(ledger, identity(), ttl=20)
    purchase_id = await begin(ledger, purchase())
    clock.at += 20
    await ledger.finish(purchase_id, "never_sent", {})
    clock.at -= 10
    assert not await may_buy(ledger)


@pytest.mark.parametrize("principal", ["local", "somebody else"])
@pytest.mark.parametrize("label", ["one", "two"])
async def test_a_yes_comes_back_unless_a_newer_one_about_the_same_is_there(
    ledger: Ledger, label: str, principal: str
) -> None:
    """Then the newer one stands alone; what others are asked, and what is asked otherwise, is in nobody's way."""
    old = await approve(ledger, identity())
    purchase_id = await begin(ledger, purchase())
    newer = await approve(ledger, identity(label, principal=principal))
    await ledger.finish(purchase_id, "never_sent", {})
    assert await may_buy(ledger)
    told = [await kinds(ledger, question.id) for question in (old, newer)]
    stays = "question asked approved used"
    is_newer = (label, principal) == ("one", "local")
    assert told == ([stays, stays] if is_newer else [f"{stays} used", "question asked approved"])
