"""A yes is bound to one purchase: whatever differs when it is to be used, nothing is bought until it is asked again."""

import json
from typing import Any

import pytest
from mcp import MCPError

from vercel_marketplace_mcp.sandbox import Fault
from vercel_marketplace_mcp.settings import Team

from .world import BRINDLE, FROZEN, PRO, QUARRY, Json, Person, World, approved, buy, first_round, typed

pytestmark = pytest.mark.anyio

PREPAID: Json = {
    "name": "credits",
    "integrationConfigurationId": QUARRY,
    "integrationProductIdOrSlug": "quarry-postgres",
    "billingPlanId": "bp_abc123def456",
    "prepaymentAmountCents": 2000,
    "metadata": {"environment": "development", "project": "tools", "tags": ["database"]},
    "protocolSettings": {"experimentation": {"edgeConfigSyncingEnabled": False}},
    "externalId": "order-1",
    "source": "marketplace",
    "paymentMethodId": "pm_1AbcDefGhiJklMno",
}
"""A purchase that uses every argument."""
OTHERWISE: Json = {
    "name": "credit",
    "integrationConfigurationId": BRINDLE,
    "integrationProductIdOrSlug": "iap_postgres_db",
    "billingPlanId": "bp_fixed50",
    "prepaymentAmountCents": 2001,
    "metadata": {"environment": "production", "project": "tools", "tags": ["database"]},
    "protocolSettings": {"experimentation": {"edgeConfigSyncingEnabled": True}},
    "externalId": "order-2",
    "source": "deploy-button",
    "paymentMethodId": "pm_2",
}
"""The same, one argument changed at a time."""
TERMS: Json = {
    "cost": "$25.00/month",
    "initialCharge": "5.00",
    "maximumAmountAutoPurchasePerPeriod": "15.00",
    "preauthorizationAmount": 3,
    "name": "Pro.",
    "description": "For production, billed by the hour",
    "scope": "installation",
    "paymentMethodRequired": False,
    "effectiveDate": "2021-01-01T00:00:00Z",
    "details": [{"label": "Storage", "value": "51 GB"}],
    "highlightedDetails": [{"label": "Storage", "value": "50 GB"}],
    "quote": [{"line": "x", "amount": "20.00"}],
    "minimumAmount": "1.00",
    "maximumAmount": "90.00",
    "disabled": False,
    "somethingNew": {"surcharge": True},
    "somethingNewAndSmall": 0,
}
"""What a partner may change of the plan at $20.00 a month."""


def everything_but(name: str, given: Json) -> Json:
    """The arguments of the full purchase, with one of them changed."""
    return {**given, name: OTHERWISE[name]}


@pytest.mark.parametrize("name", OTHERWISE)
async def test_the_final_round_can_not_change_an_argument(name: str, world: World) -> None:
    """T08, T24: a state belongs to the call that it was sealed for; with other arguments it is refused unread."""
    async with world.client("auto", Person()) as client:
        opened = await first_round(client, **PREPAID)
        for changes in ({name: OTHERWISE[name]}, {name: None}, {"slug": "my-team-url-slug"}, {"more": 1}):
            with pytest.raises(MCPError, match=FROZEN):
                await opened.end(client, **changes)
    assert (world.sandbox.posts, [question.state for question in await world.waiting()]) == ([], ["pending"])


@pytest.mark.parametrize("name", [name for name in OTHERWISE if not name.startswith("integration")])
async def test_a_yes_to_one_call_is_none_to_a_call_that_differs(era: str, name: str, world: World) -> None:
    """T08: approved in a terminal, the purchase that was asked for goes through; what differs is asked about."""
    other = everything_but(name, PREPAID)
    if name == "billingPlanId":
        other["prepaymentAmountCents"] = 5000
    async with world.client(era) as client:
        await approved(world, client, **PREPAID)
        found = await buy(client, **other)
        assert (found["status"], world.sandbox.posts) == ("confirmation_required", [])
        assert (await buy(client, **PREPAID))["status"] == "created"
    assert world.bodies == [PREPAID]


@pytest.mark.parametrize(
    "changes",
    [{"team": Team(slug="my-team-url-slug")}, {"api_url": "https://api.vercel.example"}],
    ids=["team", "api host"],
)
async def test_a_yes_does_not_hold_for_another_team_or_api_host(changes: Json, world: World) -> None:
    """Where the store would be made and who pays for it is part of what was confirmed."""
    async with world.client("auto", Person()) as client:
        opened = await first_round(client)
    async with world.client("auto", Person(), **changes) as elsewhere:
        found = await opened.end(elsewhere)
        assert found["status"] == "asked again"
        assert (await opened.end(elsewhere, state=found["state"], answer=typed("no")))["status"] == "not_confirmed"
    assert world.sandbox.posts == []


@pytest.mark.parametrize("name", TERMS)
async def test_terms_that_change_while_a_person_reads_are_asked_about_again(era: str, name: str, world: World) -> None:
    """T09: the yes was to the old terms; the new question says that they have changed, and a no to it is final."""

    def change() -> None:
        world.sandbox.change_plan("brindle-postgres", "pro", **{name: TERMS[name]})

    person = Person(typed("20.00"), typed("no"), meanwhile=change)
    async with world.client(era, person) as client:
        found = await buy(client)
    marks = ["CHANGED: the plan or its price is not what it was" in text for text in person.shown]
    assert (found["status"], marks, world.sandbox.posts) == ("not_confirmed", [False, True], [])


async def test_the_new_terms_are_bought_with_a_yes_of_their_own(era: str, world: World) -> None:
    """After a change the old amount buys nothing more, and the new one buys once."""

    def change() -> None:
        world.sandbox.change_plan("brindle-postgres", "pro", cost="$25.00/month")

    person = Person(typed("20.00"), typed("25.00"), meanwhile=change)
    async with world.client(era, person) as client:
        found = await buy(client)
    assert (found["status"], found["store"]["billingPlan"]["cost"]) == ("created", "$25.00/month")
    assert (len(person.shown), world.bodies) == (2, [PRO])


async def test_terms_that_change_at_every_confirmation_are_given_up(world: World) -> None:
    """Three questions in one call are enough: then nothing is bought, and the answer says why."""
    costs = iter(range(30, 40))

    def change() -> None:
        world.sandbox.change_plan("brindle-postgres", "pro", cost=f"${next(costs)}.00/month")

    person = Person(typed("20.00"), typed("30.00"), typed("31.00"), meanwhile=change)
    async with world.client("legacy", person) as client:
        found = await buy(client)
    assert (found["status"], found["error"]["code"]) == ("refused", "the_terms_keep_changing")
    assert (len(person.shown), world.sandbox.posts) == (3, [])


@pytest.mark.parametrize(
    ("members", "status"),
    [
        ({"disabled": True}, "refused"),
        ({"type": "prepayment"}, "invalid_arguments"),
        ({"cost": "$100.01/month"}, "refused"),
    ],
    ids=str,
)
async def test_a_plan_that_is_no_longer_for_sale_is_not_bought(
    era: str, members: Json, status: str, world: World
) -> None:
    """The rules are held against the plan as it is when the yes arrives, not as it was when it was asked about."""

    def change() -> None:
        world.sandbox.change_plan("brindle-postgres", "pro", **members)

    async with world.client(era, Person(typed("20.00"), meanwhile=change)) as client:
        assert (await buy(client))["status"] == status
    assert world.sandbox.posts == []


async def test_a_price_that_changed_since_the_terminal_said_yes_is_asked_about_again(era: str, world: World) -> None:
    """T09: the approval was for the old price; the next call needs another, and its question says so."""
    async with world.client(era) as client:
        before = await approved(world, client)
        world.sandbox.change_plan("brindle-postgres", "pro", cost="$21.00/month")
        after = await buy(client)
    (question,) = await world.waiting()
    assert (after["status"], after["approval"]["code"] != before["approval"]["code"]) == ("confirmation_required", True)
    assert "CHANGED" in question.text
    assert (question.expected, world.sandbox.posts) == ("21.00", [])


async def test_a_plan_that_changes_in_the_last_moment_stops_everything_after_it(world: World) -> None:
    """T09: nobody can close the last gap; Vercel's answer then names other terms, and a person must look."""
    world.sandbox.change_plan("brindle-postgres", "pro", after=2, cost="$90.00/month")
    async with world.client("auto", Person(typed("20.00"))) as client:
        found = await buy(client)
        stopped = await buy(client, name="another", billingPlanId="free")
    assert (found["status"], found["error"]["message"]) == (
        "billing_mismatch",
        "The returned plan differs: its cost differs.",
    )
    assert (stopped["status"], stopped["error"]["code"]) == ("refused", "a_billing_mismatch_is_unsettled")
    assert world.bodies == [PRO]


async def test_the_price_of_a_chosen_option_is_part_of_the_terms(era: str, world: World) -> None:
    """The label of an option that the assistant chose states a price: another label is another price."""
    arguments = {
        "name": "find",
        "integrationConfigurationId": "icfg_FernholdDocs00000000004",
        "integrationProductIdOrSlug": "fernhold-search",
        "billingPlanId": "extra",
        "metadata": {"size": "large"},
    }

    def dearer(answer: Any) -> Any:
        return json.loads(json.dumps(answer).replace("30 USD more", "300 USD more"))

    def change() -> None:
        world.sandbox.misbehave("getConfigurationProducts", Fault(edit=dearer), times=5)

    person = Person(typed("15.00"), typed("no"), meanwhile=change)
    async with world.client(era, person) as client:
        found = await buy(client, **arguments)
    shown = ["300 USD" if "300 USD more" in text else "30 USD" for text in person.shown]
    assert (found["status"], shown, world.sandbox.posts) == ("not_confirmed", ["30 USD", "300 USD"], [])
