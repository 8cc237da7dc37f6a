"""The operator's rules: each one alone says no by its name, and together they obey laws that hold for any purchase."""

import re
from dataclasses import replace

import pytest
from hypothesis import settings

from vercel_marketplace_mcp.purchase import policy
from vercel_marketplace_mcp.purchase.policy import (
    ASKING_RULES,
    RULES,
    Ask,
    Facts,
    History,
    Limits,
    Proceed,
    Refuse,
    Rule,
    explain,
    judge,
)
from vercel_marketplace_mcp.purchase.quote import Quote

from ..ledger.support import LIMITS

MANY = settings(max_examples=700, derandomize=True, database=None, deadline=None)
ALL_RULES = (*RULES, *ASKING_RULES)


def price(now: int = 0, every: int = 0, *, words: bool = False, counts: int | None = None) -> Quote:
    """A quote; what is not said to count otherwise counts what it says."""
    texts = ("$1 per GB",) if words else ()
    return Quote(
        due_now=now, recurring=every, period="month", words=texts, counts=now + every if counts is None else counts
    )


PAID = Facts(limits=LIMITS, product="brindle/postgres", quote=price(2000))
FREE = replace(PAID, quote=None)


def broken(facts: Facts) -> tuple[str, ...]:
    """The rules that say no to these facts, by their names."""
    verdict = judge(facts, ALL_RULES)
    return verdict.rules if isinstance(verdict, Refuse) else ()


BREAKING: dict[Rule, Facts] = {
    policy.the_product_is_not_on_the_operators_list: replace(
        PAID, limits=replace(LIMITS, allowed_products=frozenset({"brindle/redis", "brindle/postgresql"}))
    ),
    policy.paid_purchases_are_switched_off: replace(PAID, limits=replace(LIMITS, paid=False)),
    policy.the_caller_may_not_ask_for_paid_stores: replace(PAID, caller_may_purchase=False),
    policy.it_costs_more_than_one_purchase_may: replace(PAID, limits=replace(LIMITS, max_per_purchase=1999)),
    policy.it_costs_more_than_is_left_today: replace(PAID, history=History(spent_today=23_001)),
    policy.the_price_is_only_stated_in_words: replace(
        PAID, quote=price(words=True), limits=replace(LIMITS, unpriced=False)
    ),
    policy.too_many_stores_were_created: replace(PAID, history=History(creates_last_hour=20)),
    policy.a_billing_mismatch_is_unsettled: replace(PAID, history=History(mismatch_is_unsettled=True)),
    policy.it_conflicts_with_an_earlier_purchase: replace(PAID, history=History(conflicts_with_earlier=True)),
    policy.it_was_declined_twice: replace(PAID, history=History(declines_of_this=2)),
    policy.too_many_questions_are_open: replace(PAID, history=History(open_questions=3)),
    policy.too_many_questions_went_unanswered: replace(PAID, history=History(unanswered_questions=5)),
}


def test_a_purchase_within_every_limit_is_asked_about_or_proceeds() -> None:
    """What may be billed needs a yes, what is free does not."""
    assert judge(PAID, ALL_RULES) == Ask()
    assert judge(FREE, ALL_RULES) == Proceed()


def test_what_is_left_out_of_the_limits_is_not_allowed() -> None:
    """The operator's defaults stand in the settings; whoever forgets a limit allows nothing."""
    assert Limits() == Limits(
        paid=False,
        unpriced=False,
        max_per_purchase=0,
        max_per_day=0,
        max_creates_per_hour=0,
        allowed_products=frozenset(),
    )


def test_of_what_is_left_out_of_the_facts_nothing_has_happened() -> None:
    """Nothing was spent or asked; the caller may purchase, and without a price it is free."""
    nothing = History(
        spent_today=0,
        creates_last_hour=0,
        mismatch_is_unsettled=False,
        conflicts_with_earlier=False,
        declines_of_this=0,
        open_questions=0,
        unanswered_questions=0,
    )
    assert Facts(limits=LIMITS) == Facts(
        limits=LIMITS, history=nothing, caller_may_purchase=True, product="", quote=None
    )


def test_a_product_on_the_operators_list_is_for_sale() -> None:
    """By its whole name, whatever else is on the list."""
    limits = replace(LIMITS, allowed_products=frozenset({"brindle/redis", PAID.product}))
    assert judge(replace(PAID, limits=limits)) == Ask()


def test_every_rule_is_held_against_purchases() -> None:
    """No rule is written and then forgotten."""
    written = [
        value
        for name, value in vars(policy).items()
        if callable(value) and getattr(value, "__annotations__", {}) == {"facts": Facts, "return": bool}
    ]
    assert list(ALL_RULES) == written
    assert set(BREAKING) == set(ALL_RULES)


@pytest.mark.parametrize("rule", ALL_RULES, ids=lambda rule: rule.__name__)
def test_a_rule_that_is_broken_alone_is_named_and_explained(rule: Rule) -> None:
    """The refusal names the rule, and says in a sentence what it is about."""
    verdict = judge(BREAKING[rule], ALL_RULES)
    assert verdict == Refuse((rule.__name__,))
    assert isinstance(verdict, Refuse)
    assert verdict.explanation == explain(rule.__name__)
    assert re.fullmatch(r"[A-Z].{20,130}[^.]\.", verdict.explanation)


def test_a_rule_with_a_setting_names_it() -> None:
    """An operator reads in the refusal which variable to change."""
    named = {rule.__name__: re.findall("VERCEL_[A-Z_]+", explain(rule.__name__)) for rule in ALL_RULES}
    assert {name: settings for name, settings in named.items() if settings} == {
        "the_product_is_not_on_the_operators_list": ["VERCEL_MCP_ALLOWED_PRODUCTS"],
        "paid_purchases_are_switched_off": ["VERCEL_MCP_PAID"],
        "it_costs_more_than_one_purchase_may": ["VERCEL_MCP_MAX_PER_PURCHASE"],
        "it_costs_more_than_is_left_today": ["VERCEL_MCP_MAX_PER_DAY"],
        "the_price_is_only_stated_in_words": ["VERCEL_MCP_UNPRICED"],
        "too_many_stores_were_created": ["VERCEL_MCP_MAX_CREATES_PER_HOUR"],
    }


def test_several_broken_rules_are_all_named() -> None:
    """In alphabetical order, with all their explanations."""
    verdict = judge(replace(PAID, limits=replace(LIMITS, paid=False, max_creates_per_hour=0)))
    names = ("paid_purchases_are_switched_off", "too_many_stores_were_created")
    assert verdict == Refuse(names)
    assert isinstance(verdict, Refuse)
    assert verdict.explanation == f"{explain(names[0])} {explain(names[1])}"


def test_a_policy_without_rules_is_an_error() -> None:
    """Nothing is allowed because nobody said anything."""
    for facts in (PAID, FREE):
        with pytest.raises(ValueError, match="^a policy without rules would allow everything"):
            judge(facts, ())


ONE, DAY, HOUR = (
    "it_costs_more_than_one_purchase_may",
    "it_costs_more_than_is_left_today",
    "too_many_stores_were_created",
)
WORDS = "the_price_is_only_stated_in_words"


@pytest.mark.parametrize(
    ("quote", "limits", "history", "names"),
    [
        (price(10_000), LIMITS, History(), ()),
        (price(10_001), LIMITS, History(), (ONE,)),
        (price(0, 10_000), LIMITS, History(), ()),
        (price(0, 10_001), LIMITS, History(), (ONE,)),
        (price(10_000, 10_000), LIMITS, History(), ()),
        (price(1, 10_001), LIMITS, History(), (ONE,)),
        (price(5000, 5000), replace(LIMITS, max_per_day=10_000), History(), ()),
        (price(5000, 5000), replace(LIMITS, max_per_day=9999), History(), (DAY,)),
        (price(2000), LIMITS, History(spent_today=23_000), ()),
        (price(2000), LIMITS, History(spent_today=23_001), (DAY,)),
        (price(1), replace(LIMITS, max_per_purchase=0, max_per_day=0), History(), (DAY, ONE)),
        (price(words=True, counts=10_000), replace(LIMITS, max_per_purchase=0), History(), (ONE,)),
        (price(words=True, counts=10_000), replace(LIMITS, max_per_purchase=1), History(), ()),
        (price(words=True, counts=10_000), replace(LIMITS, max_per_day=0), History(), (DAY,)),
        (price(words=True, counts=10_000), replace(LIMITS, max_per_day=9999), History(), (DAY,)),
        (price(counts=10_000), replace(LIMITS, max_per_purchase=0), History(), (ONE,)),
        (price(counts=10_000), replace(LIMITS, unpriced=False), History(), (WORDS,)),
        (price(2000, words=True), replace(LIMITS, unpriced=False), History(), (WORDS,)),
        (
            price(counts=0),
            replace(LIMITS, max_per_purchase=0, max_per_day=0, unpriced=False),
            History(spent_today=9**9),
            (),
        ),
        (None, replace(LIMITS, max_creates_per_hour=3), History(creates_last_hour=2), ()),
        (None, replace(LIMITS, max_creates_per_hour=3), History(creates_last_hour=3), (HOUR,)),
        (None, replace(LIMITS, max_creates_per_hour=0), History(), (HOUR,)),
        (price(2000), LIMITS, History(declines_of_this=1, open_questions=2, unanswered_questions=4), ()),
    ],
)
def test_a_ceiling_holds_to_the_cent(
    quote: Quote | None, limits: Limits, history: History, names: tuple[str, ...]
) -> None:
    """What equals a limit passes, one more is refused; a ceiling of nothing refuses what can't be priced."""
    assert broken(replace(PAID, quote=quote, limits=limits, history=history)) == names


NOT_FOR_FREE = {
    policy.paid_purchases_are_switched_off,
    policy.the_caller_may_not_ask_for_paid_stores,
    policy.it_costs_more_than_one_purchase_may,
    policy.it_costs_more_than_is_left_today,
    policy.the_price_is_only_stated_in_words,
}


@pytest.mark.parametrize("rule", ALL_RULES, ids=lambda rule: rule.__name__)
def test_a_free_purchase_is_held_against_every_rule_but_those_about_money(rule: Rule) -> None:
    """Product, number, mismatch and conflict hold for free stores too, and whatever spares attention."""
    facts = replace(BREAKING[rule], quote=None)
    assert broken(facts) == (() if rule in NOT_FOR_FREE else (rule.__name__,))
