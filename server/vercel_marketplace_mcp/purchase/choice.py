"""Decides what a create request would buy: what is surely free, what may cost, or what is not for sale."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from vercel_marketplace_mcp.purchase.metadata import Field
from vercel_marketplace_mcp.purchase.money import cents_from_dollars, dollars
from vercel_marketplace_mcp.purchase.plan import JudgedPlan, unreadable_money
from vercel_marketplace_mcp.purchase.spending import why_metadata_may_charge, why_settings_may_charge
from vercel_marketplace_mcp.text import clean, nearest

_MAX_NAMED = 20
"""Plans whose reasons are spelled out in one refusal."""
MINIMUM_PREPAYMENT_CENTS = 50
"""The least that Vercel takes as a prepayment (its OpenAPI document)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Order:
    """What a create request says about money, and whether the product's metadataSchema says what its metadata means."""

    billing_plan_id: str | None = None
    payment_method_id: str | None = None
    prepayment_cents: int | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    protocol_settings: Mapping[str, Any] = field(default_factory=dict)
    schema_is_readable: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Free:
    """Nothing of this can be billed; `plans` are the only ones that may come back."""

    plans: tuple[JudgedPlan, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class MayCharge:
    """One definite plan that may be billed, and why."""

    plan: JudgedPlan
    reasons: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class NotForSale:
    """A rule says no, whoever asks; `plans` are those to choose from."""

    rule: str
    explanation: str
    reasons: tuple[str, ...] = ()
    plans: tuple[JudgedPlan, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class WrongArgument:
    """An argument that no plan of this product can take."""

    argument: str
    explanation: str
    choices: tuple[str, ...] = ()


Decision = Free | MayCharge | NotForSale | WrongArgument


def decide(order: Order, plans: Sequence[JudgedPlan], fields: tuple[Field, ...]) -> Decision:
    """Decide what `order` would buy of `plans`, which were judged from an answer made for exactly this order."""
    extras = tuple(_why_order_may_charge(order, fields))
    if order.billing_plan_id is None:
        return _decide_without_plan(order, plans, extras)
    matches = [plan for plan in plans if plan.id == order.billing_plan_id]
    if not matches:
        return _unknown_plan(order.billing_plan_id, plans)
    if len(matches) > 1:
        return NotForSale(
            rule="the_plan_id_stands_more_than_once",
            explanation="Vercel lists more than one plan with this id, so nobody can tell which would be bought.",
            plans=tuple(matches),
        )
    (plan,) = matches
    refusal = _why_plan_is_not_for_sale(plan) or _check_prepayment(order.prepayment_cents, plan)
    if refusal:
        return refusal
    reasons = (*plan.reasons, *extras)
    return MayCharge(plan=plan, reasons=reasons) if reasons else Free(plans=(plan,))


def _why_order_may_charge(order: Order, fields: tuple[Field, ...]) -> Iterator[str]:
    if order.payment_method_id is not None:
        yield "the request names a payment method"
    if order.prepayment_cents is not None:
        yield "the request names an amount to prepay"
    if not order.schema_is_readable:
        yield "the product's metadata can't be read, so neither can what it costs"
    yield from why_metadata_may_charge(order.metadata, fields)
    yield from why_settings_may_charge(order.protocol_settings, "protocolSettings")


def _decide_without_plan(order: Order, plans: Sequence[JudgedPlan], extras: tuple[str, ...]) -> Decision:
    """Vercel would pick the plan by rules it does not state: every plan it could pick must be harmless."""
    if order.prepayment_cents is not None:
        return WrongArgument(
            argument="prepaymentAmountCents",
            explanation="An amount to prepay needs billingPlanId, naming the prepayment plan it is for.",
            choices=tuple(plan.id for plan in plans if plan.id and plan.plan.get("type") == "prepayment"),
        )
    enabled = [plan for plan in plans if plan.enabled]
    free = tuple(plan for plan in enabled if plan.free)
    unclear = [plan for plan in enabled if not plan.free and plan.plan.get("paymentMethodRequired") is not True]
    if free and not unclear and not extras:
        return Free(plans=free)
    reasons = [f"plan {clean(plan.id or '?')}: {'; '.join(plan.reasons)}" for plan in unclear[:_MAX_NAMED]]
    reasons += extras
    if not free:
        reasons.insert(0, "no plan that is on offer is certainly free")
    return NotForSale(
        rule="without_a_plan_id_the_store_is_not_certainly_free",
        explanation="Without billingPlanId Vercel picks the plan, and it might pick one that costs. Choose one.",
        reasons=tuple(reasons),
        plans=tuple(enabled),
    )


def _unknown_plan(plan_id: str, plans: Sequence[JudgedPlan]) -> Decision:
    offered = [plan.id for plan in plans if plan.id and plan.enabled]
    return WrongArgument(
        argument="billingPlanId",
        explanation="This product has no such plan for this configuration and metadata."
        if offered
        else "This product offers no plan for this configuration and metadata.",
        choices=nearest(plan_id, offered),
    )


def _why_plan_is_not_for_sale(plan: JudgedPlan) -> NotForSale | None:
    if plan.plan.get("disabled", False) is not False:
        return NotForSale(rule="the_plan_is_disabled", explanation="Vercel marks this plan as disabled.", plans=(plan,))
    if unreadable := unreadable_money(plan.plan):
        return NotForSale(
            rule="the_price_can_not_be_read",
            explanation=f"The plan's {' and '.join(unreadable)} can't be read, so nobody can tell what it costs.",
            plans=(plan,),
        )
    return None


def _check_prepayment(cents: int | None, plan: JudgedPlan) -> WrongArgument | None:
    """Check the amount against the plan: needed for a prepayment of variable amount, an error anywhere else.

    `unreadable_money` has found the bounds readable before.
    """

    def wrong(explanation: str) -> WrongArgument:
        return WrongArgument(argument="prepaymentAmountCents", explanation=explanation)

    if plan.plan.get("type") != "prepayment":
        return wrong("Only prepayment plans take an amount; leave it out for this plan.") if cents is not None else None
    lowest, highest = (_bound(plan, name) for name in ("minimumAmount", "maximumAmount"))
    at_least = max(lowest or 0, MINIMUM_PREPAYMENT_CENTS)
    bounds = f"at least {at_least} ({dollars(at_least)} dollars)"
    if highest is not None:
        bounds += f" and at most {highest} ({dollars(highest)} dollars)"
    if cents is None:
        fixed = lowest is not None and lowest == highest
        return None if fixed else wrong(f"This prepayment plan needs an amount in cents: {bounds}.")
    if cents < at_least or (highest is not None and cents > highest):
        return wrong(f"The amount must be {bounds}.")
    return None


def _bound(plan: JudgedPlan, name: str) -> int | None:
    return cents_from_dollars(plan.plan[name]) if name in plan.plan else None
