"""Judging one plan: every condition by itself, the traps that partners' plans hold, and whole answers."""

from typing import Any

import pytest

from vercel_marketplace_mcp.purchase.plan import (
    detail_lines,
    judge_plans,
    strings,
    unreadable_money,
    why_plan_may_charge,
)

from .reasons import AT_FIRST, CARD, COST, LATER, PREPAID, SHARED, TRIAL, WORDS
from .strategies import FREE, NOW, Json

MONEY_MEMBERS = ("initialCharge", "minimumAmount", "maximumAmount", "maximumAmountAutoPurchasePerPeriod")
NOT_FALSE: list[Any] = [True, None, 0, "false", [], ...]
NOT_PAST: list[Any] = [
    *["2099-01-01T00:00:00Z", "2026-11-22T12:00:01Z", "2026-11-22T13:30:00+01:00", "soon", "", None, 0, [], False]
]
NO_COSTS: list[Any] = [None, 0, [], "From $0", "\u0660", "freemium", "Included"]
NO_DECIMALS: list[Any] = [0, None, "1e3", "", "-0", "1,000.00", "\uff10"]
NO_NUMBERS: list[Any] = ["0", None, True, -1, 10**12, []]
TRIALS = (
    "Trial",
    "14-day trial",
    "free_trial",
    "freeTrial",
    "FREETRIAL",
    "TRIALS",
    "trialing",
    "tri\u00adal",
    "tri\x01al",
    "tri&#97;l",
    "30trial",
    "TR\u0130AL",
    "tr\u0131al",
)
ENDINGS = (
    *("then", "until", "after", "afterward", "afterwards", "thereafter", "first", "during"),
    *("UNTIL", "(during)", "_first_", "un\u200btil", "3until4"),
)
LOOK_ALIKE = "industrial|Free|first class|then|freedom, then|carefree, then|Free thenceforth|Free: strengthen".split(
    "|"
)
NOT_QUITE_PLANS: list[Any] = [None, 5, "free", [], {}, {**FREE, "id": None}, {**FREE, "id": ""}, {**FREE, "id": 7}]


def why(**members: Any) -> list[str]:
    """The reasons why a free plan with these members may charge; `...` removes one."""
    plan = {name: value for name, value in {**FREE, **members}.items() if value is not ...}
    return list(why_plan_may_charge(plan, NOW))


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"cost": ""},
        {"cost": "Free"},
        {"cost": "$0.00/month"},
        {"initialCharge": "0.00", "minimumAmount": "0", "maximumAmount": "0.0", "preauthorizationAmount": 0},
        {"preauthorizationAmount": 0.0, "maximumAmountAutoPurchasePerPeriod": "0"},
        {"effectiveDate": "2021-01-01T00:00:00Z"},
        {"effectiveDate": "2026-11-22T12:00:00Z"},
        {"effectiveDate": "2026-11-22T13:30:00+02:00"},
        {"disabled": False},
        {"details": [{"label": "Storage", "value": "0.5 GB"}], "highlightedDetails": [], "later": {"seats": 3}},
        {"quote": [{"line": "Base fee for 5 GB", "amount": "0.00"}, {"line": "Other fees"}, "none", None]},
        {"name": "Pro", "description": "industrial strength"},
    ],
)
def test_a_plan_that_keeps_every_condition_is_free(members: Json) -> None:
    """What is zero, past, harmless or absent is no reason."""
    assert why(**members) == []


@pytest.mark.parametrize(
    ("members", "reasons"),
    [
        ({"type": "prepayment"}, [PREPAID]),
        *[({"type": value}, ["it is not a subscription"]) for value in ("usage", "Subscription", "", ...)],
        *[({"paymentMethodRequired": value}, [CARD]) for value in NOT_FALSE],
        *[({"scope": value}, [SHARED]) for value in ("installation", "Resource", "", ...)],
        *[({"disabled": value}, ["it is disabled"]) for value in NOT_FALSE[:-1]],
        *[({"effectiveDate": value}, [LATER]) for value in NOT_PAST],
        *[({"cost": value}, [COST]) for value in NO_COSTS],
        *[({name: "0.01"}, [f"{name} is not zero"]) for name in MONEY_MEMBERS],
        *[({name: value}, [f"its {name} can't be read"]) for name in MONEY_MEMBERS for value in NO_DECIMALS],
        *[({"preauthorizationAmount": value}, ["preauthorizationAmount is not zero"]) for value in (0.01, 10**12 - 1)],
        *[({"preauthorizationAmount": value}, ["its preauthorizationAmount can't be read"]) for value in NO_NUMBERS],
        *[({"quote": [{"line": "Fee", "amount": value}]}, ["its quote holds amounts"]) for value in ("\u0665", "12.0")],
        *[({"quote": value}, ["its quote holds amounts"]) for value in ([{"line": "Fee", "amount": 12}], 12, "12.00")],
        *[({"quote": [line]}, ["its quote holds amounts"]) for line in ("12", 12, ["Fee", "12"], {"price": "12"})],
        ({"quote": [{"line": "Base", "amount": "0"}, {"line": "Fee", "amount": "12"}]}, ["its quote holds amounts"]),
        ({"quote": [{"line": "Fee", "amount": "$12"}]}, ["its quote holds amounts", WORDS]),
    ],
)
def test_each_broken_condition_is_named(members: Json, reasons: list[str]) -> None:
    """T06, T23: one condition at a time, with the reason that a person reads."""
    assert why(**members) == reasons


@pytest.mark.parametrize(
    "members",
    [
        {"name": "Pro $5"},
        {"description": "Costs nothing but 3 euros a week"},
        {"details": [{"label": "Messages above 500K", "value": "$1 per 100K"}]},
        {"details": [{"label": "Base fee", "value": "$10/m"}, {"label": "Credit", "value": "-$10/m"}]},
        {"highlightedDetails": [{"label": "1 million for free, from $0.0001/request"}]},
        {"tomorrow": {"deep": [["$20"]]}},
        {"prices": {"$20 per month": True}},
        {"id": "plan_20USD"},
        {"details": [{"label": "Price", "value": "€\u0669"}]},
        {"details": [{"label": "Price (USD)", "value": "25"}]},
        {"details": [{"value": "25", "label": "Price in euros"}]},
        {"highlightedDetails": [{"label": "$", "value": "25"}]},
        {"highlightedDetails": [{"label": "USD per month", "value": "from 25"}, {"label": "$/GB", "value": "0.25"}]},
        {"details": [{"label": "Price", "value": "≈ up to 2.50", "unit": "EUR/month"}]},
        {"price": {"amount": 25, "interval": "month", "currency": "usd"}},
        {"price": {"amount": 0.25, "currency": "usd"}},
        {"details": [{"label": "Price in dollars", "value": "~ From 25"}]},
    ],
)
def test_an_amount_anywhere_in_the_texts_may_charge(members: Json) -> None:
    """T05: members unknown today and the names of members are texts, too."""
    assert why(**members) == [WORDS]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        *[(text, TRIAL) for text in TRIALS],
        *[(f"Free {word} March", AT_FIRST) for word in ENDINGS],
        ("freeUntil", AT_FIRST),
        *[(f"{free} then", AT_FIRST) for free in ("1free2", "_free_")],
        ("First month free", AT_FIRST),
    ],
)
def test_words_that_free_ends_some_day_may_charge(text: str, reason: str) -> None:
    """A trial, and free together with then, until, after, first or during."""
    assert why(description=text) == [reason]
    assert why(later={text: 14}) == [reason]


@pytest.mark.parametrize(
    ("record", "reasons"),
    [
        ({"label": "Free", "value": "until March"}, [AT_FIRST]),
        ({"label": "First 10 GB", "value": "Free"}, [AT_FIRST]),
        ({"label": "Free storage", "value": "10 GB"}, []),
        ({"label": "Price (USD)", "value": "0.00"}, []),
        ({"label": "Price (USD)", "value": ["25"]}, []),
        ({"amount": 0, "currency": "USD"}, []),
        ({"label": "Every cent counts"}, []),
        ({"label": "5 GB in EUR"}, []),
        ({"label": "10,000 commands", "value": "0 USD"}, []),
        ({"label": "Commands", "value": "10,000", "price": "0 USD"}, []),
        ({"label": "Disk", "value": "10 GB"}, []),
        ({"label": "AMD cores", "value": "2"}, []),
        ({"label": "TOP K", "value": "100"}, []),
        ({"label": "$/month", "value": "plans begin with 25"}, []),
    ],
)
def test_what_an_object_says_is_read_as_one_line(record: Json, reasons: list[str]) -> None:
    """A label and its value belong together; two objects, or two members of the plan itself, do not."""
    assert why(details=[record]) == reasons
    assert (
        why(details=[{"label": "Free", "value": "EUR"}, {"label": "5 GB", "value": "until full"}], heroText="$") == []
    )


@pytest.mark.parametrize("text", LOOK_ALIKE)
def test_words_that_only_look_alike_are_harmless(text: str) -> None:
    """The words count whole, and at-first words only together with free."""
    assert why(description=text) == []


def test_a_name_never_makes_a_plan_free() -> None:
    """T05: named Free, said to cost $0, and yet it needs a payment method."""
    assert why(name="Free", description="costs $0", cost="Free", paymentMethodRequired=True) == [CARD]


def test_every_reason_is_listed() -> None:
    """A person sees all that speaks against a plan, in the order of the conditions."""
    plan = {"type": "prepayment", "cost": "$9, first trial free", "initialCharge": "5.00", "minimumAmount": 5}
    assert list(why_plan_may_charge(plan, NOW)) == [
        PREPAID,
        CARD,
        SHARED,
        "its minimumAmount can't be read",
        "initialCharge is not zero",
        COST,
        WORDS,
        TRIAL,
        AT_FIRST,
    ]


def test_of_two_plans_with_one_id_neither_is_free() -> None:
    """Nobody can tell which of the two would be bought."""
    plans = judge_plans([FREE, {**FREE, "id": "other"}, {**FREE, "paymentMethodRequired": True}], NOW)
    shared = "its id stands more than once in the list"
    assert [(plan.id, plan.reasons) for plan in plans] == [("free", (shared,)), ("other", ()), ("free", (CARD, shared))]


@pytest.mark.parametrize("entry", NOT_QUITE_PLANS)
def test_an_entry_without_a_usable_id_is_never_free(entry: Any) -> None:
    """It can't be named in a request, and the server might pick it."""
    (plan,) = judge_plans([entry], NOW)
    assert (plan.id, plan.free, plan.enabled) == (None, False, True)
    assert plan.reasons[-1] == "it has no id"


@pytest.mark.parametrize(
    ("disabled", "enabled"), [(True, False), (False, True), (None, True), ("yes", True), (0, True), ([], True)]
)
def test_only_a_plain_true_takes_a_plan_off_sale(disabled: Any, enabled: bool) -> None:
    """Whatever is unclear might still be sold."""
    assert judge_plans([{**FREE, "disabled": disabled}], NOW)[0].enabled is enabled


def test_the_unreadable_money_members_are_named() -> None:
    """Null, numbers where texts are due, and texts where a number is due."""
    plan = {**dict.fromkeys(MONEY_MEMBERS, None), "preauthorizationAmount": "5", "cost": 5}
    assert unreadable_money(plan) == (*MONEY_MEMBERS, "preauthorizationAmount")
    assert unreadable_money({"initialCharge": "5.00", "preauthorizationAmount": 10.53}) == ()


def test_every_string_of_a_plan_is_looked_at() -> None:
    """At any depth, in lists and in the names of members."""
    assert sorted(strings({"a": ["b", {"c": "d", "e": 5}], "f": None})) == ["a", "b", "c", "d", "e", "f"]


def test_the_lines_of_the_details_are_listed_as_received() -> None:
    """Where the real price often stands: details, highlights and quote lines in this order, whatever they hold."""
    plan: Json = {
        "quote": [{"line": "Base fee", "amount": "1.00"}],
        "highlightedDetails": "no list",
        "details": [{"label": "Storage", "value": "$1 per GB"}, "5 seats", 7, None, {}, []],
    }
    lines = ["Storage: $1 per GB", "5 seats", "7", "None", "", "[]", "Base fee: 1.00"]
    assert list(detail_lines(plan)) == lines
    assert list(detail_lines({**plan, "highlightedDetails": ["First"]})) == [*lines[:-1], "First", lines[-1]]


def test_the_largest_answer_that_vercel_can_send_is_judged_in_time() -> None:
    """T32: nearly as many plans as two megabytes hold; with quadratic work this test would run for minutes."""
    plans = judge_plans([{**FREE, "id": f"plan_{number % 5000}"} for number in range(10_000)], NOW)
    assert not any(plan.free for plan in plans)
