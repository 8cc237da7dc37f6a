"""Compares the plan that Vercel names after a create with what was meant to be bought."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from vercel_marketplace_mcp.purchase.money import UnreadableMoneyError, cents_from_dollars
from vercel_marketplace_mcp.purchase.plan import DECIMAL_MEMBERS, JudgedPlan, amounts, why_plan_may_charge

_TERMS = ("type", "scope", "paymentMethodRequired", "cost", "preauthorizationAmount", *DECIMAL_MEMBERS, "quote")
_NOTHING: tuple[Any, ...] = (None, False, "", "0", "0.00", 0, [])
_CLOCK_SLACK = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class _NoneOfThem:
    """The returned plan is none of those it could be, for these reasons; without any, none is named."""

    reasons: tuple[str, ...] = ()


def why_not_the_free_plan(returned: Any, free_plans: Sequence[JudgedPlan], now: datetime) -> tuple[str, ...]:
    """Return why a created store's plan is not one of the free ones it could be; empty if it is, or none is named.

    The answer may leave members out, or null; those that are there must not contradict the plan as it was listed.
    """
    candidates = _same_id(returned, free_plans)
    if isinstance(candidates, _NoneOfThem):
        return candidates.reasons
    soon = now + _CLOCK_SLACK  # a plan may take effect with the store
    verdicts = [tuple(why_plan_may_charge({**plan.plan, **_named(returned)}, soon)) for plan in candidates]
    return min(verdicts, key=len)


def why_not_the_confirmed_plan(returned: Any, confirmed: JudgedPlan) -> tuple[str, ...]:
    """Return how a created store's plan differs from the one that a person confirmed; empty if it does not.

    Here, too, members may be left out, or null.
    """
    candidates = _same_id(returned, [confirmed])
    if isinstance(candidates, _NoneOfThem):
        return candidates.reasons
    named = _named(returned)
    differences = [
        f"its {name} differs"
        for name in _TERMS
        if name in named and _differs(name, named[name], confirmed.plan.get(name))
    ]
    if _amounts(returned) - _amounts(confirmed.plan):
        differences.append("its texts state an amount that was not confirmed")
    return tuple(differences)


def _named(returned: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in returned.items() if value is not None}


def _amounts(plan: Mapping[str, Any]) -> set[str]:
    """Return the texts that hold amounts, but for the cost, which is compared by itself."""
    return set(amounts({name: value for name, value in plan.items() if name != "cost"}))


def _same_id(returned: Any, plans: Sequence[JudgedPlan]) -> list[JudgedPlan] | _NoneOfThem:
    """Return the plans that the returned one may be."""
    if returned is None:
        return _NoneOfThem()
    if not isinstance(returned, Mapping):
        return _NoneOfThem(("the plan that Vercel names can't be read",))
    found = [plan for plan in plans if returned.get("id") in (None, plan.id)]
    return found or _NoneOfThem(("Vercel names another plan",))


def _differs(name: str, value: Any, listed: Any) -> bool:
    if value == listed or (value in _NOTHING and listed in _NOTHING):
        return False
    try:  # "10" and "10.00" are one amount
        return name not in DECIMAL_MEMBERS or cents_from_dollars(value) != cents_from_dollars(listed or "0")
    except UnreadableMoneyError:
        return True
