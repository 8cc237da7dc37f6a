"""What an outcome leaves behind in a ledger: the yes, the budget, the name, and what a person has to settle."""

from dataclasses import replace

import pytest

from vercel_marketplace_mcp.ledger.records import Begun, Ledger, LedgerError, NotApproved, Purchase, Wording
from vercel_marketplace_mcp.purchase.policy import History

from .places import Place
from .support import (
    PRICE,
    PRODUCT,
    Clock,
    approve,
    ask,
    begin,
    buy,
    history,
    identity,
    is_free,
    needs_a_yes,
    purchase,
    send,
)

pytestmark = pytest.mark.anyio

OUTCOMES = ("created", "rejected", "unknown", "never_sent", "mismatch")
SPENT = History(spent_today=PRICE, creates_last_hour=1)


async def state(ledger: Ledger, purchase_id: str) -> str:
    """The state of a purchase that exists."""
    found = await ledger.purchase(purchase_id)
    assert found is not None
    return found.state


@pytest.mark.parametrize(
    ("outcome", "approved", "answers", "found"),
    [
        ("created", False, True, SPENT),
        ("rejected", False, False, History(creates_last_hour=1)),
        ("unknown", False, True, SPENT),
        ("never_sent", True, False, History()),
        ("mismatch", False, True, replace(SPENT, mismatch_is_unsettled=True)),
    ],
)
async def test_what_an_outcome_leaves_behind(
    ledger: Ledger, outcome: str, approved: bool, answers: bool, found: History
) -> None:
    """Only what was never sent gives the yes back; it and a rejection give back the budget; the rest is remembered."""
    purchase_id = await buy(ledger, state=outcome)
    background = await ledger.background(identity(), PRODUCT)
    assert background.history == found
    assert background.approved == approved
    assert background.earlier == (await ledger.purchase(purchase_id) if answers else None)
    assert background.unsettled == (outcome == "unknown")
    start = await ledger.begin(purchase(), needs_a_yes)
    assert type(start) is (Begun if approved else Purchase if answers else NotApproved)


@pytest.mark.parametrize("outcome", OUTCOMES)
async def test_an_outcome_is_never_overwritten(ledger: Ledger, outcome: str) -> None:
    """Whatever comes later: a known outcome stays; an unknown one may still become known."""
    purchase_id = await buy(ledger, state=outcome)
    before = await ledger.purchase(purchase_id)
    assert not await ledger.start_sending(purchase_id)
    for later in OUTCOMES if outcome != "unknown" else ():
        await ledger.finish(purchase_id, later, {"status": "another"})
    assert await ledger.purchase(purchase_id) == before


@pytest.mark.parametrize("outcome", ["created", "rejected", "mismatch", "never_sent"])
async def test_an_unknown_outcome_may_become_known(ledger: Ledger, clock: Clock, outcome: str) -> None:
    """A slow process that was given up as unknown records what it learned."""
    purchase_id = await send(ledger)
    clock.at += 120
    assert await state(ledger, purchase_id) == "unknown"
    await ledger.finish(purchase_id, outcome, {"status": outcome})
    assert await state(ledger, purchase_id) == outcome


@pytest.mark.parametrize("created", [True, False])
async def test_what_a_person_settled_is_not_unsettled(ledger: Ledger, created: bool) -> None:
    """A process that gives up later knows less than the person who looked."""
    purchase_id = await buy(ledger, state="unknown")
    settled = await ledger.settle(purchase_id, created=created)
    await ledger.finish(purchase_id, "unknown", {"status": "another"})
    assert await ledger.purchase(purchase_id) == settled


@pytest.mark.parametrize("created", [True, False])
@pytest.mark.parametrize("outcome", ["created", "rejected", "mismatch", "never_sent"])
async def test_what_vercel_says_outweighs_what_a_person_settled(ledger: Ledger, outcome: str, created: bool) -> None:
    """An answer that a sleeping process reads late is the truth about its request, and is recorded once."""
    purchase_id = await buy(ledger, state="unknown")
    await ledger.settle(purchase_id, created=created)
    for late in (outcome, *OUTCOMES):
        await ledger.finish(purchase_id, late, {"status": late})
    found = await ledger.purchase(purchase_id)
    assert found is not None
    assert (found.state, found.settled_at, found.receipt) == (outcome, None, {"status": outcome})
    assert [row.kind for row in await ledger.audit(purchase_id)][-2:] == ["settled", outcome]
    assert (await history(ledger)).mismatch_is_unsettled == (outcome == "mismatch")


async def test_a_yes_given_back_buys_exactly_once(ledger: Ledger) -> None:
    """T14: after a connection that failed the same yes still holds, for one purchase."""
    await buy(ledger, state="never_sent")
    purchase_id = await begin(ledger, purchase())
    assert await ledger.start_sending(purchase_id)
    await ledger.finish(purchase_id, "rejected", {})
    assert isinstance(await ledger.begin(purchase(), needs_a_yes), NotApproved)


async def test_a_yes_is_not_given_back_after_its_time(ledger: Ledger, clock: Clock) -> None:
    """The time of a yes runs on while it is used."""
    await approve(ledger, identity(), ttl=30)
    purchase_id = await begin(ledger, purchase())
    assert await ledger.start_sending(purchase_id)
    clock.at += 30
    await ledger.finish(purchase_id, "never_sent", {})
    assert isinstance(await ledger.begin(purchase(), needs_a_yes), NotApproved)


async def test_a_yes_is_not_given_back_beside_a_newer_question(ledger: Ledger) -> None:
    """There is at most one live question about a purchase: the newer one stands."""
    purchase_id = await send(ledger)
    newer = await ask(ledger, identity(), Wording(text="CAREFUL", expected="20.00"))
    await ledger.finish(purchase_id, "never_sent", {})
    assert await ledger.pending() == [newer]
    assert isinstance(await ledger.begin(purchase(), needs_a_yes), NotApproved)


@pytest.mark.parametrize("outcome", ["created", "rejected", "unknown", "mismatch"])
@pytest.mark.parametrize("answered", [True, False])
async def test_an_outcome_voids_what_was_asked_meanwhile(ledger: Ledger, outcome: str, answered: bool) -> None:
    """One more yes, given while the purchase was under way, buys nothing after it; other questions go on."""
    purchase_id = await send(ledger)
    others = [await ask(ledger, identity("two")), await ask(ledger, identity(principal="somebody else"))]
    await (approve if answered else ask)(ledger, identity())
    await ledger.finish(purchase_id, outcome, {"status": outcome})
    assert sorted(question.id for question in await ledger.pending()) == sorted(question.id for question in others)
    assert not (await ledger.background(identity(), PRODUCT)).approved


@pytest.mark.parametrize(
    ("outcome", "created", "settled", "spent"),
    [
        ("unknown", True, "created", PRICE),
        ("unknown", False, "not_created", 0),
        ("mismatch", True, "mismatch", PRICE),
        ("mismatch", False, "not_created", 0),
    ],
)
async def test_a_person_settles_what_is_not_known(
    ledger: Ledger, clock: Clock, outcome: str, created: bool, settled: str, spent: int
) -> None:
    """What exists stays bought and answers for its key; what does not gives its budget and its name back."""
    purchase_id = await buy(ledger, state=outcome)
    before = await ledger.purchase(purchase_id)
    assert before is not None
    clock.at += 60
    after = await ledger.settle(purchase_id, created=created)
    assert after == replace(before, state=settled, settled_at=clock.at)
    assert await ledger.purchase(purchase_id) == after
    background = await ledger.background(identity(), PRODUCT)
    assert background.history == History(spent_today=spent, creates_last_hour=1)
    assert background.earlier == (after if created else None)
    assert not background.unsettled
    assert await ledger.settle(purchase_id, created=not created) is None


@pytest.mark.parametrize("outcome", ["created", "rejected", "never_sent", None])
async def test_what_is_known_can_not_be_settled(ledger: Ledger, outcome: str | None) -> None:
    """There is nothing to find out about it."""
    purchase_id = await buy(ledger, state=outcome) if outcome else "purchase_00"
    before = await ledger.purchase(purchase_id)
    assert await ledger.settle(purchase_id, created=False) is None
    assert await ledger.purchase(purchase_id) == before


async def test_a_store_that_is_gone_is_bought_anew_with_a_new_yes(ledger: Ledger) -> None:
    """Nothing is replayed for it any more; what it counted, it still counts."""
    purchase_id = await buy(ledger)
    await ledger.forget(purchase_id)
    background = await ledger.background(identity(), PRODUCT)
    assert (background.earlier, background.approved, background.history) == (None, False, SPENT)
    assert (await ledger.audit(purchase_id))[-1].kind == "gone"
    assert isinstance(await ledger.begin(purchase(), needs_a_yes), NotApproved)
    await approve(ledger, identity())
    await begin(ledger, purchase())
    assert (await history(ledger)).spent_today == 2 * PRICE


@pytest.mark.parametrize("outcome", ["rejected", "unknown", "never_sent", "mismatch", None])
async def test_only_a_created_store_can_be_gone(ledger: Ledger, outcome: str | None) -> None:
    """Whatever else a purchase is stays as it is; an id that nobody knows is no error."""
    purchase_id = await buy(ledger, state=outcome) if outcome else await send(ledger)
    before = await ledger.purchase(purchase_id), await ledger.audit(purchase_id)
    await ledger.forget(purchase_id)
    await ledger.forget("purchase_00")
    assert (await ledger.purchase(purchase_id), await ledger.audit(purchase_id)) == before
    assert await ledger.audit("purchase_00") == []
    assert await ledger.verify() is None


async def test_an_outcome_that_no_ledger_waits_for_is_an_error(ledger: Ledger) -> None:
    """A ledger that was exchanged meanwhile can't take it: whoever bought must hear of that."""
    with pytest.raises(
        LedgerError, match=r"^The ledger that knew this purchase is gone\. Look at Vercel for its store\.$"
    ):
        await ledger.finish("purchase_of_another_ledger", "created", {})


@pytest.mark.parametrize(
    ("state", "spent"),
    [("prepared", PRICE), ("sending", PRICE), ("created", PRICE), ("unknown", PRICE), ("rejected", 0)],
)
async def test_what_may_still_be_billed_counts_as_spent(ledger: Ledger, state: str, spent: int) -> None:
    """T13: from the intent on, until it is known that nothing was bought."""
    if state == "prepared":
        await begin(ledger, purchase(), is_free)
    else:
        await (send(ledger) if state == "sending" else buy(ledger, state=state))
    assert await history(ledger) == History(spent_today=spent, creates_last_hour=1)


async def test_the_newest_of_two_purchases_answers_for_its_key(ledger: Ledger, clock: Clock) -> None:
    """What a person took for not created is created all the same, which Vercel says after the next one was bought."""
    first = await buy(ledger, state="unknown")
    await ledger.settle(first, created=False)
    clock.at += 1
    second = await buy(ledger)
    await ledger.finish(first, "created", {"status": "created"})
    assert [await state(ledger, each) for each in (first, second)] == ["created", "created"]
    assert (await ledger.background(identity(), PRODUCT)).earlier == await ledger.purchase(second)


async def test_a_receipt_is_kept_as_a_person_would_read_it(ledger: Ledger, place: Place) -> None:
    """No letter is written as a number, and no receipt stands where there was none."""
    purchase_id = await send(ledger)
    await ledger.finish(purchase_id, "created", {"status": "größe"})
    assert await place.rows("SELECT receipt FROM purchases") == [('{"status": "größe"}',)]
    given_up = await begin(ledger, purchase("two"), is_free)
    await ledger.finish(given_up, "never_sent", {})
    assert [found.receipt for found in await ledger.purchases(9) if found.id == given_up] == [None]
