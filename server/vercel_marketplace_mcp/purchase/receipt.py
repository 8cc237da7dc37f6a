"""Compares the plan that Vercel names after a create with what was meant to be bought."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from vercel_marketplace_mcp.purchase.money import UnreadableMoneyError, cents_from_dollars, holds_amount
from vercel_marketplace_mcp.purchase.plan import DECIMAL_MEMBERS, JudgedPlan, strings, why_plan_may_charge

_TERMS = ("type", "scope", "paymentMethodRequired", "cost", "preauthorizationAmount", *DECIMAL_MEMBERS, "quote")
_NOTHING: tuple[Any, ...] = (None, False, "", "0", "0.00", 0, [])


def why_not_the_free_plan(returned: Any, free_plans: Sequence[JudgedPlan], now: datetime) -> tuple[str, ...]:
    """Return why a created store's plan is not one of the free ones it could be; empty if it is, or none is named.

    The answer may leave members out, or null; those that are there must not contradict the plan as it was listed.
    """
    candidates = _same_id(returned, free_plans)
    if not isinstance(candidates, list):
        return candidates
    named = {name: value for name, value in returned.items() if value is not None}
    verdicts = [tuple(why_plan_may_charge({**plan.plan, **named}, now)) for plan in candidates]
    return min(verdicts, key=len)


def why_not_the_confirmed_plan(returned: Any, confirmed: JudgedPlan) -> tuple[str, ...]:
    """Return how a created store's plan differs from the one that a person confirmed; empty if it does not."""
    candidates = _same_id(returned, [confirmed])
    if not isinstance(candidates, list):
        return candidates
    differences = [
        f"its {name} differs"
        for name in _TERMS
        if name in returned and _differs(name, returned[name], confirmed.plan.get(name))
    ]
    if _amounts(returned) - _amounts(confirmed.plan):
        differences.append("its texts state an amount that was not confirmed")
    return tuple(differences)


def _amounts(plan: Mapping[str, Any]) -> set[str]:
    """Return the texts that hold amounts, but for the cost, which is compared by itself."""
    texts = strings({name: value for name, value in plan.items() if name != "cost"})
    return {text for text in texts if holds_amount(text)}


def _same_id(returned: Any, plans: Sequence[JudgedPlan]) -> list[JudgedPlan] | tuple[str, ...]:
    """Return the plans that the returned one may be, or why it is none of them; no reason if none is named."""
    if returned is None:
        return ()
    if not isinstance(returned, Mapping):
        return ("the plan that Vercel names can't be read",)
    return [plan for plan in plans if returned.get("id") in (None, plan.id)] or ("Vercel names another plan",)


def _differs(name: str, value: Any, listed: Any) -> bool:
    if value == listed or (value in _NOTHING and listed in _NOTHING):
        return False
    try:  # "10" and "10.00" are one amount
        return name not in DECIMAL_MEMBERS or cents_from_dollars(value) != cents_from_dollars(listed)
    except UnreadableMoneyError:
        return True
