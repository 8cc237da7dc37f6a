"""Deciding what a create request would buy: by id, without one, and with an amount or a payment method."""

from typing import Any

import pytest

from vercel_marketplace_mcp.purchase.choice import Free, MayCharge, NotForSale, Order, WrongArgument, decide
from vercel_marketplace_mcp.purchase.metadata import read_fields
from vercel_marketplace_mcp.purchase.plan import JudgedPlan, judge_plans

from .reasons import CARD, COST, PREPAID, SHARED, WORDS
from .strategies import FREE, NOW, Json

PRO = {**FREE, "id": "pro", "name": "Pro", "paymentMethodRequired": True, "cost": "$20.00/month"}
CREDITS = {**PRO, "id": "credits", "type": "prepayment", "cost": "", "minimumAmount": "10.00", "maximumAmount": "25.00"}
WITHOUT_AN_ID = "without_a_plan_id_the_store_is_not_certainly_free"


def judged(*plans: Any) -> tuple[JudgedPlan, ...]:
    """The plans as judged at the moment of these tests."""
    return judge_plans(plans, NOW)


def decided(order: Order, *plans: Any, **properties: Any) -> Any:
    """What the order would buy of these plans, of a product with these metadata fields."""
    return decide(order, judged(*plans), read_fields({"properties": properties}) or ())


def test_a_free_plan_that_is_named_is_free() -> None:
    """Whatever else is on offer."""
    assert decided(Order(billing_plan_id="free"), PRO, FREE) == Free(plans=judged(FREE))


def test_a_plan_that_costs_may_charge_for_all_its_reasons() -> None:
    """T05: the plan's own reasons first, then those of the request."""
    order = Order(billing_plan_id="pro", payment_method_id="pm_1", protocol_settings={"storage": {"autoScale": True}})
    assert decided(order, FREE, PRO) == MayCharge(
        plan=judged(PRO)[0],
        reasons=(
            CARD,
            COST,
            WORDS,
            "the request names a payment method",
            "protocolSettings.storage.autoScale lets the partner raise the cost by itself",
        ),
    )


@pytest.mark.parametrize(
    ("order", "reason"),
    [
        ({"payment_method_id": "pm_1"}, "the request names a payment method"),
        ({"schema_is_readable": False}, "the product's metadata can't be read, so neither can what it costs"),
        ({"metadata": {"autoUpgrade": True}}, "metadata.autoUpgrade lets the partner raise the cost by itself"),
        ({"metadata": {"pack": True}}, "metadata.pack is for paid plans only"),
        ({"metadata": {"tier": "m10"}}, "the metadata chooses an option that names a price"),
        (
            {"protocol_settings": {"a": [{"auto-renew": "yes"}]}},
            '"protocolSettings.a[0].auto-renew" lets the partner raise the cost by itself',
        ),
    ],
)
def test_what_the_request_adds_makes_a_free_plan_cost(order: Json, reason: str) -> None:
    """T24: with the plan named it may charge, and without one it is refused."""
    fields: Json = {"pack": {"ui:paid-only": True}, "tier": {"ui:options": [{"value": "m10", "label": "$57"}]}}
    assert decided(Order(billing_plan_id="free", **order), FREE, **fields) == MayCharge(
        plan=judged(FREE)[0], reasons=(reason,)
    )
    refused = decided(Order(**order), FREE, **fields)
    assert (refused.rule, refused.reasons, refused.plans) == (WITHOUT_AN_ID, (reason,), judged(FREE))


def test_an_id_that_no_plan_has_is_answered_with_the_nearest_on_offer() -> None:
    """T03: a wrong id is never taken for none; disabled plans are no choice."""
    offer = [PRO, FREE, {**PRO, "id": "fixed_1gb"}, {**PRO, "id": "fixed", "disabled": True}, None]
    assert decided(Order(billing_plan_id="Fixed-1GB"), *offer) == WrongArgument(
        argument="billingPlanId",
        explanation="This product has no such plan for this configuration and metadata.",
        choices=("fixed_1gb", "free", "pro"),
    )
    assert decided(Order(billing_plan_id="free")) == WrongArgument(
        argument="billingPlanId", explanation="This product offers no plan for this configuration and metadata."
    )


def test_an_id_that_two_plans_have_is_not_for_sale() -> None:
    """Also where both seem free: nobody can tell which would be bought."""
    for other in (FREE, {**FREE, "cost": "$5"}, {**FREE, "disabled": True}):
        assert decided(Order(billing_plan_id="free"), FREE, other) == NotForSale(
            rule="the_plan_id_stands_more_than_once",
            explanation="Vercel lists more than one plan with this id, so nobody can tell which would be bought.",
            plans=judged(FREE, other),
        )


@pytest.mark.parametrize("disabled", [True, None, 0, "no", []])
def test_a_disabled_plan_is_not_for_sale(disabled: Any) -> None:
    """Whatever is not plainly absent or false."""
    plan = {**FREE, "disabled": disabled}
    assert decided(Order(billing_plan_id="free"), plan) == NotForSale(
        rule="the_plan_is_disabled", explanation="Vercel marks this plan as disabled.", plans=judged(plan)
    )


@pytest.mark.parametrize(
    "members",
    [
        *[
            {name: value}
            for name in ("initialCharge", "minimumAmount", "maximumAmount", "maximumAmountAutoPurchasePerPeriod")
            for value in ("1,000.00", "1e3", None, 5, "", "\u0665", "-5")
        ],
        *[{"preauthorizationAmount": value} for value in ("5", None, True, -1)],
        {"initialCharge": "1e3", "preauthorizationAmount": "5"},
    ],
)
@pytest.mark.parametrize("plan", [FREE, PRO, CREDITS], ids=["free", "pro", "credits"])
def test_a_price_that_can_not_be_read_is_not_for_sale(plan: Json, members: Json) -> None:
    """T06: a money member that is there must be of its documented type; nobody is asked about a guess."""
    cents = 1000 if plan is CREDITS else None
    assert decided(Order(billing_plan_id=plan["id"], prepayment_cents=cents), {**plan, **members}) == NotForSale(
        rule="the_price_can_not_be_read",
        explanation=f"The plan's {' and '.join(members)} can't be read, so nobody can tell what it costs.",
        plans=judged({**plan, **members}),
    )


@pytest.mark.parametrize("others", [(), (PRO,), (PRO, CREDITS), ({**PRO, "cost": 5, "scope": None},)])
def test_without_an_id_it_is_free_if_every_other_plan_asks_for_a_payment_method(others: tuple[Json, ...]) -> None:
    """T04: then Vercel can pick nothing that costs; all the free plans may come back."""
    second = {**FREE, "id": "second"}
    assert decided(Order(), FREE, *others, second) == Free(plans=judged(FREE, second))


@pytest.mark.parametrize(
    "unclear",
    [
        {**FREE, "id": "metered", "cost": "From $0"},
        {**FREE, "id": "shared", "scope": "installation"},
        {**FREE, "id": "credits", "type": "prepayment"},
        {**FREE, "id": "later", "effectiveDate": "2099-01-01"},
        {**PRO, "id": "odd", "paymentMethodRequired": "true"},
        {**PRO, "id": "odd", "paymentMethodRequired": 1},
        {**PRO, "id": "odd", "paymentMethodRequired": None},
        {**FREE, "id": "off?", "disabled": "yes"},
        {**FREE, "id": ""},
        None,
    ],
)
def test_without_an_id_one_unclear_plan_is_enough_to_refuse(unclear: Any) -> None:
    """T04: Vercel picks by rules that it does not state, and might pick this one."""
    refused = decided(Order(), FREE, unclear, PRO)
    (plan,) = judged(unclear)
    assert refused == NotForSale(
        rule=WITHOUT_AN_ID,
        explanation="Without billingPlanId Vercel picks the plan, and it might pick one that costs. Choose one.",
        reasons=(f"plan {plan.id or '?'}: {'; '.join(plan.reasons)}",),
        plans=judged(FREE, unclear, PRO),
    )


def test_without_an_id_two_plans_of_one_id_are_refused() -> None:
    """Neither of them is certainly free."""
    assert decided(Order(), FREE, FREE).rule == WITHOUT_AN_ID


@pytest.mark.parametrize("plans", [(), (PRO,), (PRO, {**FREE, "disabled": True}), (CREDITS,)])
def test_without_an_id_and_without_a_free_plan_it_is_refused(plans: tuple[Json, ...]) -> None:
    """T04: the reason says so, and the plans to choose from are those that are enabled."""
    refused = decided(Order(), *plans)
    assert (refused.rule, refused.reasons) == (WITHOUT_AN_ID, ("no plan that is on offer is certainly free",))
    assert [plan.id for plan in refused.plans] == [plan["id"] for plan in plans if not plan.get("disabled")]


def test_without_an_id_the_reasons_come_in_order() -> None:
    """First that nothing is free, then the unclear plans as they are listed, then the request."""
    unclear = ({**FREE, "id": "m1", "cost": "?"}, {**FREE, "id": "m2", "cost": "?"})
    assert decided(Order(payment_method_id="pm_1"), *unclear).reasons == (
        "no plan that is on offer is certainly free",
        *(f"plan {plan.id}: {COST}" for plan in judged(*unclear)),
        "the request names a payment method",
    )


def test_the_reasons_of_a_refusal_are_bounded() -> None:
    """T48: two thousand unclear plans do not make an answer of megabytes."""
    refused = decided(Order(), *({**FREE, "id": f"m{number}", "cost": "?"} for number in range(2_000)))
    assert len(refused.reasons) == 21


@pytest.mark.parametrize(
    ("members", "cents", "wrong"),
    [
        ({}, 1000, None),
        ({}, 2500, None),
        ({}, None, "This prepayment plan needs an amount in cents: {}."),
        ({}, 999, "The amount must be {}."),
        ({}, 2501, "The amount must be {}."),
        ({"minimumAmount": "0.10"}, 50, None),
        ({"minimumAmount": "0.10"}, 49, "The amount must be {}."),
        ({"maximumAmount": "10.00"}, None, None),
        ({"maximumAmount": "10.0"}, 1000, None),
        ({"maximumAmount": "10.00"}, 1001, "The amount must be {}."),
        ({"maximumAmount": "5.00"}, 1000, "The amount must be {}."),
    ],
)
def test_a_prepayment_keeps_to_the_plans_bounds(members: Json, cents: int | None, wrong: str | None) -> None:
    """T07: required unless the amount is fixed, at least 50 cents, and to the cent within minimum and maximum."""
    plan = {**CREDITS, **members}
    found = decided(Order(billing_plan_id="credits", prepayment_cents=cents), plan)
    if wrong is None:
        assert isinstance(found, MayCharge)
    else:
        lowest, highest = (max(round(float(plan[name]) * 100), 50) for name in ("minimumAmount", "maximumAmount"))
        bounds = f"at least {lowest} ({lowest / 100:.2f} dollars) and at most {highest} ({highest / 100:.2f} dollars)"
        assert found == WrongArgument(argument="prepaymentAmountCents", explanation=wrong.format(bounds))


def test_a_prepayment_without_bounds_needs_fifty_cents() -> None:
    """T07: a plan may leave minimum and maximum out."""
    plan = {name: value for name, value in CREDITS.items() if name not in ("minimumAmount", "maximumAmount")}
    wrong = "This prepayment plan needs an amount in cents: at least 50 (0.50 dollars)."
    assert decided(Order(billing_plan_id="credits"), plan).explanation == wrong
    found = decided(Order(billing_plan_id="credits", prepayment_cents=10**9), plan)
    assert found == MayCharge(plan=judged(plan)[0], reasons=(PREPAID, CARD, "the request names an amount to prepay"))


@pytest.mark.parametrize("plan", [FREE, PRO, {**FREE, "type": "usage"}])
def test_an_amount_on_any_other_plan_is_an_error(plan: Json) -> None:
    """T07: it would be a sign that something else was meant."""
    wrong = "Only prepayment plans take an amount; leave it out for this plan."
    assert decided(Order(billing_plan_id=plan["id"], prepayment_cents=5000), plan).explanation == wrong


def test_an_amount_without_a_plan_is_an_error() -> None:
    """T07: the prepayment plans are the choices."""
    assert decided(Order(prepayment_cents=5000), FREE, CREDITS, {**CREDITS, "id": 5}, None) == WrongArgument(
        argument="prepaymentAmountCents",
        explanation="An amount to prepay needs billingPlanId, naming the prepayment plan it is for.",
        choices=("credits",),
    )


def test_a_plan_for_the_whole_installation_always_may_charge() -> None:
    """T23: the installation may already be on a paid plan, and each further store adds cost."""
    shared = {**FREE, "scope": "installation", "cost": "Free"}
    assert decided(Order(billing_plan_id="free"), shared) == MayCharge(plan=judged(shared)[0], reasons=(SHARED,))
