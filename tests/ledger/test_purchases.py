"""What a ledger promises about purchases: one yes, one intent, one outcome, whatever it is kept in."""

import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from vercel_marketplace_mcp.ledger.records import Begun, Ledger, NotApproved, Purchase
from vercel_marketplace_mcp.purchase.policy import History, Refuse

from .support import (
    ACCOUNT,
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
    rules,
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


async def test_a_purchase_is_on_record_from_its_intent_to_its_receipt(ledger: Ledger, clock: Clock) -> None:
    """Every step shows in the record, the receipt as it was given."""
    await approve(ledger, identity())
    purchase_id = await begin(ledger, purchase())
    assert re.fullmatch("purchase_[0-9a-f]{16}", purchase_id)
    prepared = Purchase(
        id=purchase_id,
        account=ACCOUNT,
        key=identity().key,
        principal="local",
        request=identity().request,
        fingerprint=identity().fingerprint,
        product=PRODUCT,
        name="store-one",
        plan="pro",
        counts=PRICE,
        state="prepared",
        created_at=clock.at,
        finished_at=None,
        settled_at=None,
        receipt=None,
    )
    assert await ledger.purchase(purchase_id) == prepared
    clock.at += 1
    assert await ledger.start_sending(purchase_id)
    assert await ledger.purchase(purchase_id) == replace(prepared, state="sending")
    clock.at += 1
    receipt = {"status": "created", "store": {"name": "größe 漢字"}, "next_steps": ["look"]}
    await ledger.finish(purchase_id, "created", receipt)
    created = replace(prepared, state="created", finished_at=clock.at, receipt=receipt)
    assert await ledger.purchase(purchase_id) == created
    assert await ledger.purchases(10) == [created]


async def test_without_a_yes_nothing_begins(ledger: Ledger) -> None:
    """T01: a question that waits is no yes, and leaves no intent and no reservation."""
    await ask(ledger, identity())
    assert isinstance(await ledger.begin(purchase(), needs_a_yes), NotApproved)
    assert await ledger.purchases(10) == []
    assert await history(ledger) == History(open_questions=1, unanswered_questions=1)


async def test_a_rule_that_refuses_in_the_last_moment_keeps_the_yes(ledger: Ledger) -> None:
    """The rules are asked again in the transaction that buys; their no writes nothing and uses nothing up."""
    await approve(ledger, identity())
    refused = Refuse(("it_costs_more_than_one_purchase_may",))
    assert await ledger.begin(purchase(), rules(max_per_purchase=PRICE - 1)) == refused
    assert await ledger.purchases(10) == []
    assert isinstance(await ledger.begin(purchase(), rules(max_per_purchase=PRICE)), Begun)


async def test_a_free_purchase_needs_no_yes_and_uses_none(ledger: Ledger) -> None:
    """What nobody can be billed for is on record all the same, and counts as a create."""
    free = purchase(counts=0)
    purchase_id = await begin(ledger, free, is_free)
    assert await history(ledger) == History(creates_last_hour=1)
    assert await ledger.begin(free, is_free) == await ledger.purchase(purchase_id)


@pytest.mark.parametrize(("seconds", "fresh"), [(29.9, True), (30, False), (3600, False)])
async def test_an_intent_is_sent_within_half_a_minute_or_never(
    ledger: Ledger, clock: Clock, seconds: float, fresh: bool
) -> None:
    """A process that was asleep finds that everybody has given its intent up, and that the yes is back."""
    await approve(ledger, identity(), ttl=7200)
    purchase_id = await begin(ledger, purchase())
    clock.at += seconds
    assert await ledger.start_sending(purchase_id) == fresh
    assert await state(ledger, purchase_id) == ("sending" if fresh else "never_sent")
    assert (await ledger.background(identity(), PRODUCT)).approved != fresh


async def test_an_intent_is_sent_once(ledger: Ledger) -> None:
    """The second process that means to send it is told no; so is one with an id that nobody knows."""
    purchase_id = await send(ledger)
    assert not await ledger.start_sending(purchase_id)
    assert not await ledger.start_sending("purchase_00")
    assert [row.kind for row in await ledger.audit(purchase_id)] == ["prepared", "sending"]
    assert await ledger.audit("purchase_00") == []


async def test_an_intent_that_others_gave_up_is_not_sent(ledger: Ledger, clock: Clock) -> None:
    """Once another call has taken the yes back, a clock that goes back does not revive the first."""
    await approve(ledger, identity())
    first = await begin(ledger, purchase())
    clock.at += 30
    second = await begin(ledger, purchase())
    clock.at -= 30
    assert not await ledger.start_sending(first)
    assert await ledger.start_sending(second)


@pytest.mark.parametrize(("seconds", "known"), [(119.9, "sending"), (120, "unknown")])
async def test_a_request_that_is_sent_too_long_counts_as_unknown(
    ledger: Ledger, clock: Clock, seconds: float, known: str
) -> None:
    """T42: a process that was killed while it sent leaves a purchase that blocks its key until it is settled."""
    purchase_id = await send(ledger)
    clock.at += seconds
    start = await ledger.begin(purchase(), needs_a_yes)
    assert isinstance(start, Purchase)
    assert (start.id, start.state) == (purchase_id, known)
    assert await ledger.earlier(identity()) == start
    assert (await ledger.background(identity(), PRODUCT)).unsettled == (known == "unknown")


async def test_who_only_asks_for_an_earlier_purchase_learns_what_became_of_it(ledger: Ledger, clock: Clock) -> None:
    """T42: without a look at the offer, a purchase that was being sent for too long is unknown as well."""
    assert await ledger.earlier(identity()) is None
    purchase_id = await send(ledger)
    clock.at += 120
    earlier = await ledger.earlier(identity())
    assert earlier is not None
    assert (earlier.id, earlier.state) == (purchase_id, "unknown")


@pytest.mark.parametrize(("seconds", "replayed"), [(86_399, True), (86_400, False)])
@pytest.mark.parametrize("outcome", ["created", "mismatch"])
async def test_a_purchase_answers_for_its_key_for_a_day(
    ledger: Ledger, clock: Clock, outcome: str, seconds: float, replayed: bool
) -> None:
    """T43: the same request is answered from the ledger, another for that store is a conflict; then both are new."""
    purchase_id = await buy(ledger, state=outcome)
    await ledger.settle(purchase_id, created=True)
    clock.at += seconds
    earlier = await ledger.purchase(purchase_id)
    other = purchase("two", key=identity().key)
    assert (await ledger.background(identity(), PRODUCT)).earlier == (earlier if replayed else None)
    assert await ledger.earlier(identity(fingerprint="of other terms")) == (earlier if replayed else None)
    assert await ledger.earlier(other.identity) is None
    background = await ledger.background(other.identity, PRODUCT)
    assert (background.earlier, background.history.conflicts_with_earlier) == (None, replayed)
    for new in (purchase(), other):
        await approve(ledger, new.identity)
    refused = Refuse(("it_conflicts_with_an_earlier_purchase",))
    assert await ledger.begin(other, rules()) == refused if replayed else await begin(ledger, other, rules())


async def test_a_conflict_refuses_free_and_paid_alike(ledger: Ledger) -> None:
    """T43: whoever asks, also somebody else: one store of a name is made by one request."""
    await buy(ledger)
    stranger = purchase("two", principal="somebody else", key=identity().key)
    assert (await history(ledger, stranger.identity)).conflicts_with_earlier
    assert await ledger.begin(stranger, rules()) == Refuse(("it_conflicts_with_an_earlier_purchase",))


@pytest.mark.parametrize("outcome", ["unknown", "mismatch"])
async def test_an_outcome_that_is_not_settled_blocks_its_store_for_good(
    ledger: Ledger, clock: Clock, outcome: str
) -> None:
    """T40: a day changes nothing, neither for the same request nor for another."""
    purchase_id = await buy(ledger, state=outcome)
    clock.at += 10 * 86_400
    start = await ledger.begin(purchase(), needs_a_yes)
    assert isinstance(start, Purchase)
    assert start.id == purchase_id
    assert (await history(ledger, identity("two", key=identity().key))).conflicts_with_earlier


async def test_a_mismatch_stops_the_account_until_a_person_acknowledges_it(ledger: Ledger, clock: Clock) -> None:
    """T09: no other store is created, free or paid; another account goes on."""
    purchase_id = await buy(ledger, state="mismatch")
    clock.at += 10 * 86_400
    free, paid = purchase("two", counts=0), purchase("three")
    await approve(ledger, paid.identity)
    refused = Refuse(("a_billing_mismatch_is_unsettled",))
    assert await ledger.begin(paid, rules()) == refused
    assert await ledger.begin(free, rules(counts=0)) == refused
    assert not (await history(ledger, identity("four", account="another"))).mismatch_is_unsettled
    assert await ledger.settle(purchase_id, created=True)
    assert isinstance(await ledger.begin(paid, rules()), Begun)


async def test_the_day_and_the_hour_roll(ledger: Ledger, clock: Clock) -> None:
    """T13, T17: spending counts for 24 hours and a create for one, from the moment of the intent."""
    await buy(ledger, "one")
    clock.at += 3599
    await buy(ledger, "two", counts=1)
    assert await history(ledger) == History(spent_today=PRICE + 1, creates_last_hour=2)
    clock.at += 1
    assert await history(ledger) == History(spent_today=PRICE + 1, creates_last_hour=1)
    clock.at += 86_400 - 3600
    assert await history(ledger) == History(spent_today=1)
    clock.at += 3599
    assert await history(ledger) == History()


async def test_an_account_has_its_own_budget_and_doubts(ledger: Ledger) -> None:
    """What one team buys counts for no other, and an unknown outcome warns only about its own product."""
    await buy(ledger, "one", state="unknown")
    assert await history(ledger, identity("two", account="another")) == History()
    assert (await ledger.background(identity("two"), PRODUCT)).unsettled
    assert not (await ledger.background(identity("two"), "brindle/other")).unsettled
    assert not (await ledger.background(identity("two", account="another"), PRODUCT)).unsettled


async def test_purchases_survive_a_restart(ledger_factory: Callable[[], Ledger], clock: Clock) -> None:
    """T42: whatever a process had recorded, the next one finds, what was under way included."""
    first = ledger_factory()
    made = {outcome: await buy(first, outcome, state=outcome) for outcome in OUTCOMES}
    sending = await send(first, "sending")
    before, known = await first.purchases(10), await history(first)
    await first.aclose()
    second = ledger_factory()
    assert await second.purchases(10) == before
    assert await history(second) == known
    clock.at += 120
    assert await state(second, sending) == "unknown"
    assert [await state(second, made[outcome]) for outcome in OUTCOMES] == list(OUTCOMES)
