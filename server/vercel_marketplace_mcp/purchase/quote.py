"""Says what a purchase would cost: exactly where a price can be read in full, in words everywhere else.

Amounts are cents. Nothing is estimated: what can't be read counts as a flat amount against the day's limit.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from vercel_marketplace_mcp.purchase.choice import MayCharge, Order
from vercel_marketplace_mcp.purchase.metadata import Field
from vercel_marketplace_mcp.purchase.money import cents_from_dollars, costs_nothing, dollars, holds_number
from vercel_marketplace_mcp.purchase.plan import DECIMAL_MEMBERS, amounts, quotes_money
from vercel_marketplace_mcp.purchase.spending import priced_options, why_metadata_may_charge, why_settings_may_charge

UNREADABLE_COUNTS_AS = 100_00
"""Cents that a purchase counts against the day, at least, when any part of its price can't be read."""

_COST = re.compile(
    r"\$(?P<amount>[0-9]{1,9}(?:\.[0-9]{1,2})?)(?:\s?(?:/|per)\s?(?P<period>month|mo|year|yr))?",
    re.IGNORECASE | re.ASCII,
)
_PERIODS = {"month": "month", "mo": "month", "year": "year", "yr": "year"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Quote:
    """The price of one purchase. `words` are the texts that hold amounts which are not part of the numbers.

    `is_automatic`: what recurs is the most that automatic purchases may take.
    `is_open`: something is due now, and no number says what recurs.
    """

    due_now: int
    recurring: int
    period: str | None
    words: tuple[str, ...]
    counts: int
    is_automatic: bool = False
    is_open: bool = False

    @property
    def headline(self) -> int | None:
        """The larger of what is due now and what recurs, or None if nothing could be read."""
        return max(self.due_now, self.recurring) or None

    @property
    def unpriced(self) -> bool:
        """Whether any part of the price is only stated in words, or not at all."""
        return bool(self.words) or (self.headline is None and self.counts > 0)


def quote(purchase: MayCharge, order: Order, fields: tuple[Field, ...]) -> Quote:
    """Return what `purchase` would cost. Its plan's money members have been found readable before."""
    plan = purchase.plan.plan
    cost, period = _read_cost(plan.get("cost"))
    automatic = _dollars(plan, "maximumAmountAutoPurchasePerPeriod")
    due_now = _prepayment(plan, order) + _dollars(plan, "initialCharge")
    recurring = max(cost or 0, automatic)
    words = tuple(dict.fromkeys(_words(plan, order, fields, cost_is_read=cost is not None)))
    return Quote(
        due_now=due_now,
        recurring=recurring,
        period=period if recurring == cost else "period",
        words=words,
        counts=_counts(due_now + recurring, words, plan, order, fields),
        is_automatic=recurring > (cost or 0),
        is_open=due_now > 0 and cost is None and recurring == 0 and plan.get("type") != "prepayment",
    )


def _read_cost(cost: Any) -> tuple[int | None, str | None]:
    """Return the cents and the period of a cost that is, as a whole, one dollar amount."""
    found = _COST.fullmatch(cost.strip()) if isinstance(cost, str) else None
    if found is None:
        return None, None
    period = found["period"]
    return cents_from_dollars(found["amount"]), _PERIODS[period.lower()] if period else "period"


def _prepayment(plan: Mapping[str, Any], order: Order) -> int:
    """Return what is paid in advance; a plan of one fixed amount needs none in the request."""
    if order.prepayment_cents is not None:
        return order.prepayment_cents
    return _dollars(plan, "minimumAmount") if plan.get("type") == "prepayment" else 0


def _dollars(plan: Mapping[str, Any], name: str) -> int:
    return cents_from_dollars(plan[name]) if name in plan else 0


def _words(plan: Mapping[str, Any], order: Order, fields: tuple[Field, ...], *, cost_is_read: bool) -> Iterator[str]:
    """Yield every text that holds an amount, and a cost that is not plainly zero, unless it is read as a number."""
    cost = plan.get("cost")
    if not cost_is_read and _is_not_zero(cost):
        yield str(cost)
    rest = {name: value for name, value in plan.items() if name != "cost"}
    yield from amounts(rest)
    yield from priced_options(order.metadata, fields)


def _counts(
    readable: int, words: tuple[str, ...], plan: Mapping[str, Any], order: Order, fields: tuple[Field, ...]
) -> int:
    """Return what the purchase counts against the day: unknown is never cheaper than known."""
    if words:
        return max(readable, UNREADABLE_COUNTS_AS)
    if readable:
        return readable
    needs_no_payment = plan.get("type") == "subscription" and plan.get("paymentMethodRequired") is False
    rolls_on = any(why_metadata_may_charge(order.metadata, fields)) or any(
        why_settings_may_charge(order.protocol_settings, "protocolSettings")
    )
    return 0 if needs_no_payment and not rolls_on and not _has_unread_amounts(plan) else UNREADABLE_COUNTS_AS


def _is_not_zero(cost: Any) -> bool:
    return cost is not None and not (isinstance(cost, str) and costs_nothing(cost))


def _has_unread_amounts(plan: Mapping[str, Any]) -> bool:
    """Say whether members that are no part of the numbers hold an amount: bounds, a card test, quote lines."""
    members = [plan.get(name) for name in (*DECIMAL_MEMBERS, "preauthorizationAmount")]
    return quotes_money(plan.get("quote")) or any(holds_number(str(member)) for member in members)


def price_lines(price: Quote) -> tuple[str, ...]:
    """Return the price in plain sentences, the most important first."""
    lines = []
    if price.due_now:
        lines.append(f"Charged now: {dollars(price.due_now)} USD, once.")
    if price.recurring:
        every = "billing period" if price.period == "period" else price.period
        when = f"Then, every {every}" if price.due_now else f"Every {every}"
        what = "at most, in automatic purchases" if price.is_automatic else "until the store is removed"
        lines.append(f"{when}: {dollars(price.recurring)} USD, {what}.")
    if price.words:
        which = "The price" if price.headline is None else "Part of the price"
        lines.append(f"{which} is only stated in words: it may cost more.")
    elif price.headline is None:
        lines.append("No price could be read: it may be billed in ways that the partner does not state here.")
    elif price.is_open:
        lines.append("No price is stated for what comes after: it may be billed in ways that are not stated here.")
    return tuple(lines)
