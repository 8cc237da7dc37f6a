"""The operator's limits: to the cent, for everybody, and whatever a person says."""

from typing import Any

import pytest

from vercel_marketplace_mcp.sandbox import Fault

from .world import CREATE, FREE, PRO, QUARRY, Json, Person, World, approved, buy, clicked, typed

pytestmark = pytest.mark.anyio

CREDITS: Json = {
    "name": "credits",
    "integrationConfigurationId": QUARRY,
    "integrationProductIdOrSlug": "quarry-tokens",
    "billingPlanId": "prepay10",
    "metadata": None,
}
HOBBY: Json = {
    "name": "files",
    "integrationConfigurationId": "icfg_TollgateStore0000000005",
    "integrationProductIdOrSlug": "tollgate-files",
    "billingPlanId": "hobby",
    "metadata": None,
}
TOO_MUCH = "it_costs_more_than_one_purchase_may"
TODAY = "it_costs_more_than_is_left_today"
UNREADABLE = {**HOBBY, "billingPlanId": "on-request", "name": "ask-us"}


STEPS = {
    TODAY: "wait until earlier purchases are 24 hours old",
    "too_many_stores_were_created": "Wait until earlier creates are an hour old",
    "too_many_questions_are_open": "Ask the person to answer a question that waits",
    "too_many_questions_went_unanswered": "Leave the person in peace for 10 minutes",
    "it_was_declined_twice": "can be put to them again after 10 minutes",
    "a_billing_mismatch_is_unsettled": " ledger resolve ID --created ",
}
"""What can be done about a rule; about all others the operator must be asked."""


def rule(found: Json) -> tuple[str, str]:
    """The status and the rule of a refusal, which says what can be done about it."""
    if found["status"] == "refused":
        step = found["next_steps"][0]
        assert STEPS.get(found["error"]["code"], "sk the operator") in step
    return found["status"], found["error"]["code"]


@pytest.mark.parametrize(
    ("arguments", "members"),
    [
        ({**CREDITS, "prepaymentAmountCents": 3001}, {}),
        (HOBBY, {"initialCharge": "30.01"}),
        (HOBBY, {"cost": "$30.01"}),
        (HOBBY, {"cost": "$30.01/month"}),
        (HOBBY, {"cost": "$30.01 per year"}),
        (HOBBY, {"maximumAmountAutoPurchasePerPeriod": "30.01"}),
        ({**CREDITS, "prepaymentAmountCents": 3000}, {"initialCharge": "0.01"}),
    ],
    ids=["prepayment", "initial charge", "cost", "monthly", "yearly", "automatic purchases", "prepayment and charge"],
)
async def test_a_cent_above_the_ceiling_is_refused_and_the_ceiling_itself_is_asked_about(
    era: str, arguments: Json, members: Json, world: World
) -> None:
    """What is due now and what one period costs are each held against the ceiling; nobody is asked above it."""
    product, plan = arguments["integrationProductIdOrSlug"], arguments["billingPlanId"]
    world.sandbox.change_plan(product, plan, **members)
    person = Person(typed("no"))
    async with world.client(era, person, max_per_purchase=30_00) as client:
        assert rule(await buy(client, **arguments)) == ("refused", TOO_MUCH)
        assert (person.shown, world.sandbox.posts) == ([], [])
    async with world.client(era, person, max_per_purchase=30_01) as client:
        assert (await buy(client, **arguments))["status"] == "not_confirmed"
    assert (len(person.shown), world.sandbox.posts) == (1, [])


async def test_what_is_due_now_and_what_recurs_are_held_against_it_each_by_itself(era: str, world: World) -> None:
    """A set-up fee of 25.00 and 49.00 a month fit under a ceiling of 49.00: the person types the larger of the two."""
    person = Person(typed("49.00"))
    async with world.client(era, person, max_per_purchase=49_00) as client:
        found = await buy(client, billingPlanId="scale")
    assert (found["status"], len(world.bodies)) == ("created", 1)
    assert "Charged now: 25.00 USD, once." in person.shown[0]


async def test_the_day_s_limit_counts_to_the_cent_and_ends_after_a_day(era: str, world: World) -> None:
    """20.00 bought leaves 5.00 of 25.00: 5.01 is refused, 5.00 is bought, and a free store is made all the same."""
    async with world.client(era, Person(typed("20.00")), max_per_day=25_00) as client:
        assert (await buy(client))["status"] == "created"
    async with world.client(era, Person(typed("5.00")), max_per_day=25_00) as client:
        world.sandbox.change_plan("tollgate-files", "hobby", cost="$5.01/month")
        assert rule(await buy(client, **HOBBY)) == ("refused", TODAY)
        world.sandbox.change_plan("tollgate-files", "hobby", cost="$5.00/month")
        assert (await buy(client, **HOBBY))["status"] == "created"
        assert rule(await buy(client, **{**HOBBY, "name": "more"})) == ("refused", TODAY)
        assert (await buy(client, **{**FREE, "name": "free"}))["status"] == "created"
        world.clock.now += 86_401
        assert (await buy(client, **{**HOBBY, "name": "more"}))["status"] == "created"
    assert [body["name"] for body in world.bodies] == ["orders", "files", "free", "more"]


@pytest.mark.parametrize("status", [400, 402, 403, 409, 429])
async def test_a_rejected_purchase_gives_its_amount_back(era: str, status: int, world: World) -> None:
    """Vercel said no: the day's budget is as it was, the yes is used up, and the same call asks anew."""
    world.sandbox.misbehave(CREATE, Fault(status=status))
    person = Person(typed("20.00"))
    async with world.client(era, person, max_per_day=20_00) as client:
        found = [await buy(client) for _ in range(3)]
    assert [(one["status"], one.get("replayed", False)) for one in found] == [
        ("rejected", False),
        ("created", False),
        ("created", True),
    ]
    assert (len(person.shown), world.bodies) == (2, [PRO, PRO])


async def test_a_price_in_words_counts_as_a_hundred_dollars_a_day(era: str, world: World) -> None:
    """What can't be read is never cheaper than what can: a day's limit of 199.99 has room for one such purchase."""
    async with world.client(era, max_per_day=199_99) as client:
        await approved(world, client, **UNREADABLE)
        assert (await buy(client, **UNREADABLE))["status"] == "created"
        assert rule(await buy(client, **{**UNREADABLE, "name": "again"})) == ("refused", TODAY)
    assert len(world.bodies) == 1


@pytest.mark.parametrize(
    ("changes", "arguments", "broken"),
    [
        ({"paid": False}, PRO, "paid_purchases_are_switched_off"),
        ({"unpriced": False}, UNREADABLE, "the_price_is_only_stated_in_words"),
        ({"unpriced": False}, {**CREDITS, "prepaymentAmountCents": 1000}, "the_price_is_only_stated_in_words"),
        ({"max_per_purchase": 0}, UNREADABLE, TOO_MUCH),
        ({"max_per_purchase": 0}, PRO, TOO_MUCH),
        ({"max_per_day": 0}, PRO, TODAY),
        ({"allowed_products": frozenset({"marrow/marrow-kv"})}, PRO, "the_product_is_not_on_the_operators_list"),
        ({"team": None}, PRO, "no_team_is_set"),
        ({"max_creates_per_hour": 0}, PRO, "too_many_stores_were_created"),
    ],
    ids=str,
)
async def test_what_the_operator_denies_is_refused_and_nobody_is_asked(
    era: str, changes: Json, arguments: Json, broken: str, world: World
) -> None:
    """A person's yes could not change it, so no question is written; not even a yes from before helps."""
    person = Person(typed("20.00"))
    async with world.client(era) as before:
        await approved(world, before, **arguments)
    async with world.client(era, person, **changes) as client:
        assert rule(await buy(client, **arguments)) == ("refused", broken)
    assert (person.shown, world.sandbox.posts, await world.waiting()) == ([], [], [])


async def test_free_stores_go_on_where_paid_ones_are_denied(era: str, world: World) -> None:
    """VERCEL_MCP_PAID=deny and limits of zero leave alone what costs nothing."""
    async with world.client(era, paid=False, max_per_day=0, max_per_purchase=0, unpriced=False) as client:
        assert (await buy(client, **FREE))["status"] == "created"
    assert world.bodies == [FREE]


async def test_creates_of_any_kind_are_limited_per_hour(era: str, world: World) -> None:
    """T17: two an hour, free or paid, those that Vercel rejected included; an hour later there is room again."""
    world.sandbox.misbehave(CREATE, Fault(status=400))
    async with world.client(era, Person(typed("20.00")), max_creates_per_hour=2) as client:
        found = [await buy(client, **FREE), await buy(client, name="second")]
        found += [await buy(client, **{**FREE, "name": "third"}), await buy(client, name="fourth")]
        world.clock.now += 3601
        found.append(await buy(client, **{**FREE, "name": "third"}))
    codes = [one.get("error", {}).get("code") for one in found]
    limit = "too_many_stores_were_created"
    assert codes == ["bad_request", None, limit, limit, None]
    assert [body["name"] for body in world.bodies] == ["orders", "second", "third"]


async def test_three_questions_may_wait_at_a_time(era: str, world: World) -> None:
    """T18: a fourth is not asked; the three can be answered, and then there is room again."""
    async with world.client(era) as client:
        codes = [(await buy(client, name=f"store-{number}"))["approval"]["code"] for number in range(3)]
        refused = await buy(client, name="store-3")
        again = await buy(client, name="store-0")
        await world.approve(codes[0])
        assert (await buy(client, name="store-3"))["status"] == "confirmation_required"
    assert rule(refused) == ("refused", "too_many_questions_are_open")
    assert again["approval"]["code"] == codes[0]
    assert world.sandbox.posts == []


async def test_five_forms_without_a_yes_are_enough_for_ten_minutes(era: str, world: World) -> None:
    """T18: a person who let five forms go by is left alone, whatever they were about; later there may be another."""
    person = Person(clicked("cancel"))
    async with world.client(era, person) as client:
        for number in range(5):
            assert (await buy(client, name=f"store-{number % 2}"))["status"] == "confirmation_required"
        refused = [rule(await buy(client, name=name)) for name in ("store-0", "store-9")]
        world.clock.now += 601
        assert (await buy(client, name="store-0"))["status"] == "confirmation_required"
    assert refused == [("refused", "too_many_questions_went_unanswered")] * 2
    assert (len(person.shown), world.sandbox.posts) == (6, [])


async def test_two_declines_of_a_purchase_pause_it_for_ten_minutes(era: str, world: World) -> None:
    """T18: nobody is asked a third time until then; another purchase may be asked about."""
    person = Person(typed("no"))
    async with world.client(era, person) as client:
        found = [await buy(client) for _ in range(4)]
        assert (await buy(client, name="another"))["status"] == "not_confirmed"
        world.clock.now += 601
        assert (await buy(client))["status"] == "not_confirmed"
    assert [one["status"] for one in found] == ["not_confirmed", "not_confirmed", "refused", "refused"]
    assert found[2]["error"]["code"] == "it_was_declined_twice"
    assert (len(person.shown), world.sandbox.posts) == (4, [])


def with_plan(**members: Any) -> Fault:
    """An answer to a create request that names a plan with other members."""

    def edit(answer: Json) -> Json:
        store = answer["store"]
        return {**answer, "store": {**store, "billingPlan": {**store["billingPlan"], **members}}}

    return Fault(edit=edit)


@pytest.mark.parametrize("arguments", [PRO, FREE], ids=["paid", "free"])
@pytest.mark.parametrize(
    "members",
    [
        {"id": "team"},
        {"cost": "$99.00/month"},
        {"paymentMethodRequired": "maybe"},
        {"scope": "installation"},
        {"type": 1},
    ],
    ids=str,
)
async def test_another_plan_than_the_one_meant_stops_every_further_create(
    era: str, arguments: Json, members: Json, world: World
) -> None:
    """T04, T09: the store exists; until a person acknowledges it nothing more is created, free or paid."""
    world.sandbox.misbehave(CREATE, with_plan(**members))
    async with world.client(era, Person(typed("20.00"))) as client:
        found = await buy(client, **arguments)
        repeated = await buy(client, **arguments)
        stopped = [await buy(client, **{**other, "name": "another"}) for other in (FREE, PRO)]
        (purchase,) = await world.ledger().purchases(10)
        assert await world.ledger().settle(purchase.id, created=True)
        assert (await buy(client, **{**FREE, "name": "another"}))["status"] == "created"
    assert (found["status"], repeated["status"], repeated["replayed"]) == ("billing_mismatch", "billing_mismatch", True)
    assert [rule(one) for one in stopped] == [("refused", "a_billing_mismatch_is_unsettled")] * 2
    assert [body["name"] for body in world.bodies] == ["orders", "another"]
