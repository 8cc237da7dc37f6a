"""Comparing the plan that Vercel names after a create with the one that was meant."""

from datetime import timedelta
from typing import Any

import pytest

from vercel_marketplace_mcp.purchase.plan import judge_plans
from vercel_marketplace_mcp.purchase.receipt import why_not_the_confirmed_plan, why_not_the_free_plan

from .reasons import CARD, COST, SHARED, WORDS
from .strategies import FREE, NOW, Json

SECOND = {**FREE, "id": "second"}
PRICED = [{"label": "Storage", "value": "$1.00 per GB"}, {"label": "Backups", "value": "$2.00 each"}]
PRO = {
    **FREE,
    "id": "pro",
    "paymentMethodRequired": True,
    "cost": "$20.00/month",
    "initialCharge": "5.00",
    "details": PRICED[:1],
}
UNSEEN = "its texts state an amount that was not confirmed"


@pytest.mark.parametrize(
    "returned",
    [
        None,
        {},
        FREE,
        SECOND,
        {"id": "free"},
        {"id": "second", "name": "Second"},
        {**FREE, "cost": "$0.00/month", "later": {"seats": 3}},
        {**FREE, "cost": None, "initialCharge": None},
        {"id": "free", "details": [{"label": "Storage", "value": "1 GB"}]},
        {"id": "free", "effectiveDate": (NOW + timedelta(minutes=4)).isoformat()},  # with the store, by Vercel's clock
    ],
)
def test_a_free_plan_that_comes_back_is_as_meant(returned: Any) -> None:
    """Named or not, whole or in part, and either of the free ones."""
    assert why_not_the_free_plan(returned, judge_plans([FREE, SECOND], NOW), NOW) == ()


@pytest.mark.parametrize(
    ("returned", "reasons"),
    [
        ({"id": "pro"}, ("Vercel names another plan",)),
        (PRO, ("Vercel names another plan",)),
        ({"id": "FREE"}, ("Vercel names another plan",)),
        ({"id": 5}, ("Vercel names another plan",)),
        *[(value, ("the plan that Vercel names can't be read",)) for value in ("free", 5, [], [FREE], True, False)],
        ({"id": "free", "paymentMethodRequired": True}, (CARD,)),
        ({"cost": "$5.00/month"}, (COST, WORDS)),
        ({"id": "free", "scope": "installation"}, (SHARED,)),
        ({**FREE, "initialCharge": "5.00"}, ("initialCharge is not zero",)),
        ({**FREE, "later": "now 5 EUR"}, (WORDS,)),
        ({"id": "free", "disabled": True}, ("it is disabled",)),
        (
            {"id": "free", "effectiveDate": (NOW + timedelta(minutes=6)).isoformat()},
            ("it is not in effect yet, or its date can't be read",),
        ),
    ],
)
def test_a_plan_that_differs_or_contradicts_is_not_as_meant(returned: Any, reasons: tuple[str, ...]) -> None:
    """T04: what comes back must be free by the same rules."""
    assert why_not_the_free_plan(returned, judge_plans([FREE, SECOND], NOW), NOW) == reasons


@pytest.mark.parametrize(
    ("returned", "reasons"),
    [
        (None, ()),
        (PRO, ()),
        ({"id": "pro"}, ()),
        ({**PRO, "name": "Pro!", "maximumAmount": None, "minimumAmount": "0.00", "preauthorizationAmount": 0}, ()),
        ({**PRO, "initialCharge": "5.0"}, ()),
        ({**PRO, "minimumAmount": "0.0", "cost": None, "scope": None}, ()),
        ({**PRO, "quote": [], "details": PRICED[:1]}, ()),
        ({**PRO, "quote": [{"line": "Seats", "amount": "9.00"}]}, ("its quote differs",)),
        ({**PRO, "details": PRICED}, (UNSEEN,)),
        ({"id": "pro", "later": {"seats": "now 5 EUR each"}}, (UNSEEN,)),
        ({"id": "pro", "price": {"amount": 5, "currency": "EUR"}}, (UNSEEN,)),
        ({**PRO, "initialCharge": 5}, ("its initialCharge differs",)),
        ({**PRO, "cost": "$21.00/month"}, ("its cost differs",)),
        ({**PRO, "initialCharge": "6.00", "scope": "installation"}, ("its scope differs", "its initialCharge differs")),
        ({**PRO, "paymentMethodRequired": False}, ("its paymentMethodRequired differs",)),
        ({**PRO, "maximumAmountAutoPurchasePerPeriod": "9.00"}, ("its maximumAmountAutoPurchasePerPeriod differs",)),
        ({**PRO, "preauthorizationAmount": -1}, ("its preauthorizationAmount differs",)),
        (FREE, ("Vercel names another plan",)),
        ([], ("the plan that Vercel names can't be read",)),
    ],
)
def test_a_confirmed_plan_must_come_back_on_the_same_terms(returned: Any, reasons: tuple[str, ...]) -> None:
    """T09: the terms that cost money are compared one by one, and no text may state a price that nobody was shown."""
    (confirmed,) = judge_plans([PRO], NOW)
    assert why_not_the_confirmed_plan(returned, confirmed) == reasons


OTHER_TERMS: Json = {
    "type": "prepayment",
    "scope": "installation",
    "paymentMethodRequired": False,
    "cost": "$20.00/year",
    "preauthorizationAmount": 1,
    "initialCharge": "5.01",
    "minimumAmount": "0.01",
    "maximumAmount": "9.00",
    "maximumAmountAutoPurchasePerPeriod": "9.00",
    "quote": ["a line"],
}


@pytest.mark.parametrize("name", OTHER_TERMS)
def test_every_term_that_costs_is_compared(name: str) -> None:
    """T09: one other term is one reason, whatever else is as it was."""
    (confirmed,) = judge_plans([PRO], NOW)
    assert why_not_the_confirmed_plan({**PRO, name: OTHER_TERMS[name]}, confirmed) == (f"its {name} differs",)
    assert why_not_the_confirmed_plan({**PRO, name: "?"}, confirmed) == (f"its {name} differs",)


def test_only_decimal_amounts_are_compared_as_amounts() -> None:
    """T09: any other term must come back as it was listed, letter by letter."""
    (confirmed,) = judge_plans([{**PRO, "cost": "20"}], NOW)
    assert why_not_the_confirmed_plan({"cost": "20"}, confirmed) == ()
    assert why_not_the_confirmed_plan({"cost": "20.00"}, confirmed) == ("its cost differs",)


@pytest.mark.parametrize("nothing", [None, False, "", "0", "0.00", 0, []])
def test_nothing_is_the_same_in_every_form(nothing: Any) -> None:
    """A term that is absent may come back as a null, a zero or an empty list, and the other way about."""
    absent, stated = judge_plans([PRO, {**PRO, "preauthorizationAmount": nothing}], NOW)
    assert why_not_the_confirmed_plan(stated.plan, absent) == ()
    assert why_not_the_confirmed_plan({**PRO, "preauthorizationAmount": None}, stated) == ()


def test_it_is_enough_that_one_of_the_free_plans_could_be_meant() -> None:
    """Without an id in the answer each of them is tried; with one, only its own."""
    plans = judge_plans([PRO, FREE, SECOND], NOW)
    assert why_not_the_free_plan({}, plans, NOW) == ()
    odd: Json = {"id": "second", "cost": "$5"}
    assert why_not_the_free_plan(odd, plans, NOW) == (COST, WORDS)
