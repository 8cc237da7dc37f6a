"""Laws of prices, which hold for any plan: nothing is lost, and what is unknown is never cheaper than what is known."""

from dataclasses import replace
from typing import Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from vercel_marketplace_mcp.purchase.choice import MayCharge, Order
from vercel_marketplace_mcp.purchase.metadata import Field, read_fields
from vercel_marketplace_mcp.purchase.plan import JudgedPlan, unreadable_money
from vercel_marketplace_mcp.purchase.quote import UNREADABLE_COUNTS_AS, Quote, quote

from .strategies import METADATA, PHRASES, PLANS, SCHEMAS, SETTINGS, Json

PAID: Json = {
    "id": "pro",
    "type": "subscription",
    "name": "Pro",
    "description": "For teams",
    "scope": "resource",
    "paymentMethodRequired": True,
}
SHARED: Json = {**PAID, "scope": "installation", "paymentMethodRequired": False}
PREPAID: Json = {**PAID, "type": "prepayment", "minimumAmount": "10.00", "maximumAmount": "100.00"}
MANY = settings(
    max_examples=700, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck)
)


def price(plan: Json, order: Order | None = None, fields: tuple[Field, ...] = ()) -> Quote:
    """The quote of a plan."""
    return quote(MayCharge(plan=JudgedPlan(plan=plan, reasons=()), reasons=()), order or Order(), fields)


CENTS = st.integers(1, 10**11)
AMOUNTS = CENTS.map(lambda cents: f"{cents // 100}.{cents % 100:02d}")
PRICED = st.fixed_dictionaries(
    {"paymentMethodRequired": st.booleans(), "scope": st.sampled_from(["resource", "installation"])},
    optional={
        "initialCharge": AMOUNTS,
        "maximumAmountAutoPurchasePerPeriod": AMOUNTS,
        "preauthorizationAmount": st.integers(0, 5),
        "cost": st.one_of(
            AMOUNTS.map("${}/month".format), AMOUNTS.map("${} per year".format), PHRASES, st.just("Free")
        ),
        "description": PHRASES,
        "quote": st.lists(st.fixed_dictionaries({"line": PHRASES, "amount": AMOUNTS}), max_size=2),
    },
).map(lambda changes: {**PAID, **changes})


@MANY
@given(PRICED | PLANS, METADATA, SETTINGS, SCHEMAS)
def test_a_quote_holds_together(plan: Json, metadata: Json, protocol_settings: Json, schema: Json) -> None:
    """Of whatever plan and settings: no amount is lost, and unknown never counts less than known."""
    assume(not unreadable_money(plan))
    fields = read_fields(schema)
    assert fields is not None
    found = price(plan, Order(metadata=metadata, protocol_settings=protocol_settings), fields)
    assert found.headline == (max(found.due_now, found.recurring) or None)
    assert found.counts >= found.due_now + found.recurring
    assert found.counts >= UNREADABLE_COUNTS_AS or not found.unpriced
    assert found.unpriced or found.counts == found.due_now + found.recurring
    assert bool(found.words) <= found.unpriced


@MANY
@given(PRICED, st.sampled_from(["description", "details", "heroText", "quote", "fees"]), PHRASES, AMOUNTS)
def test_an_amount_more_never_lowers_a_price(plan: Json, member: str, text: str, amount: str) -> None:
    """A partner that adds a text with an amount anywhere makes a plan count as much as before, or more."""
    before = price(plan)
    added: Any = plan.get(member, "")
    more = {**plan, member: [added, f"{text} then ${amount}"]}
    after = price(more)
    assert after.counts >= before.counts
    assert (after.headline or 0) >= (before.headline or 0)
    assert after.unpriced
    assert replace(after, words=(), counts=0) == replace(before, words=(), counts=0)


@MANY
@given(PRICED, st.sampled_from(["initialCharge", "maximumAmountAutoPurchasePerPeriod"]), AMOUNTS)
def test_a_dearer_member_never_lowers_a_price(plan: Json, member: str, amount: str) -> None:
    """Raising any amount that is read raises what the plan counts, or leaves it."""
    cheaper, dearer = ({**plan, member: value} for value in (amount, f"9{amount}"[:15]))
    assume(not unreadable_money(dearer))
    before, after = price(cheaper), price(dearer)
    assert after.counts >= before.counts
    assert (after.headline or 0) >= (before.headline or 0)
