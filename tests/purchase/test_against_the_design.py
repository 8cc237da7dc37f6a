"""Compares the rules with the oracle, which states them a second time, on thousands of generated purchases."""

from collections import Counter
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vercel_marketplace_mcp.purchase.choice import Free, Order, decide
from vercel_marketplace_mcp.purchase.metadata import read_fields
from vercel_marketplace_mcp.purchase.money import costs_nothing, holds_amount
from vercel_marketplace_mcp.purchase.plan import judge_plans, why_plan_may_charge

from . import oracle
from .strategies import ANSWERS, COSTS, FREE, JSON, METADATA, NOW, PLANS, POOL, SCHEMAS, SETTINGS, Json

MANY = settings(
    max_examples=3000, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck)
)
FEWER = settings(MANY, max_examples=1500)
FEW = settings(MANY, max_examples=500)


def test_a_text_holds_an_amount_exactly_where_the_design_sees_one() -> None:
    """Currency signs, codes and words beside numbers of every script, joined by visible and invisible things."""
    seen = {text: oracle.names_an_amount(text) for text in POOL}
    assert [text for text in POOL if holds_amount(text) != seen[text]] == []
    assert min(Counter(seen.values()).values()) > 500


def test_a_cost_means_nothing_only_as_one_of_a_short_list() -> None:
    """T06: never by prefix, and never for what surrounds it."""
    costs = [cost for cost in (*COSTS, *POOL, *oracle.FREE_COSTS) if isinstance(cost, str)]
    nothing = {cost for cost in costs if cost.strip() == "" or cost.strip().lower() in oracle.FREE_COSTS}
    assert {cost for cost in costs if costs_nothing(cost)} == nothing


def test_a_plan_is_free_exactly_where_the_design_says_so() -> None:
    """T05, T06, T23: no plan is free that may charge, and none may charge that is free."""
    seen = Counter[bool]()

    @MANY
    @given(PLANS)
    def agree(plan: Json) -> None:
        reasons = list(why_plan_may_charge(plan, NOW))
        seen[not reasons] += 1
        assert (not reasons) == oracle.is_free(plan, NOW), reasons

    agree()
    assert min(seen[True], seen[False]) > 500


@FEW
@given(ANSWERS)
def test_of_an_answer_those_plans_are_free_whose_id_stands_once(plans: list[Any]) -> None:
    """An entry without an id, with a shared one, or that is no object is never free."""
    assert [judged.id for judged in judge_plans(plans, NOW) if judged.free] == oracle.free_ids(plans, NOW)


def test_a_purchase_is_free_exactly_where_the_design_says_so() -> None:
    """T04, T24: the plan, the metadata with its defaults and the protocol settings together decide."""
    seen = Counter[bool]()

    @FEWER
    @given(ANSWERS, st.sampled_from(["free", "pro", None]), METADATA, SETTINGS, SCHEMAS)
    def agree(plans: list[Any], plan_id: str | None, metadata: Json, protocol_settings: Json, schema: Json) -> None:
        order = Order(billing_plan_id=plan_id, metadata=metadata, protocol_settings=protocol_settings)
        fields = read_fields(schema)
        assert fields is not None
        decision = decide(order, judge_plans(plans, NOW), fields)
        plan_is_free = (
            oracle.goes_through_without_a_plan(plans, NOW)
            if plan_id is None
            else plan_id in oracle.free_ids(plans, NOW)
        )
        expected = plan_is_free and not oracle.sets_a_cost(metadata, schema, protocol_settings)
        seen[expected] += 1
        assert isinstance(decision, Free) == expected, decision

    agree()
    assert min(seen[True], seen[False]) > 50


@FEW
@given(ANSWERS, METADATA, st.sampled_from(["free", None]))
def test_a_request_that_names_means_to_pay_is_never_free(plans: list[Any], metadata: Json, plan_id: str | None) -> None:
    """T24: a payment method or an amount is an intent to spend, whatever the plan."""
    judged = judge_plans([FREE, *plans], NOW)
    by_card = Order(billing_plan_id=plan_id, metadata=metadata, payment_method_id="pm_1")
    in_advance = Order(billing_plan_id=plan_id, metadata=metadata, prepayment_cents=5000)
    assert not isinstance(decide(by_card, judged, ()), Free)
    assert not isinstance(decide(in_advance, judged, ()), Free)


@FEW
@given(st.text(), JSON)
def test_no_plan_whatsoever_makes_the_rules_fail(text: str, value: Any) -> None:
    """Any text, and any JSON value in any member, gets a verdict."""
    holds_amount(text)
    for name in ("id", "cost", "quote", "details", "initialCharge", "preauthorizationAmount", "effectiveDate", text):
        assert len(judge_plans([{**FREE, name: value}, value], NOW)) == 2
