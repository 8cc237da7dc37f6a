"""Laws of the rules about spending, which hold for any purchase, any limits and any history."""

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

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
    Verdict,
    judge,
)
from vercel_marketplace_mcp.purchase.quote import Quote

MANY = settings(max_examples=700, derandomize=True, database=None, deadline=None)
ALL_RULES = (*RULES, *ASKING_RULES)


def price(now: int = 0, every: int = 0, *, words: bool = False, counts: int | None = None) -> Quote:
    """A quote; what is not said to count otherwise counts what it says."""
    texts = ("$1 per GB",) if words else ()
    return Quote(
        due_now=now, recurring=every, period="month", words=texts, counts=now + every if counts is None else counts
    )


MONEY = st.sampled_from([0, 1, 1999, 2000, 2001, 9999, 10_000, 10_001, 25_000, 10**12]) | st.integers(0, 30_000)
SMALL = st.integers(0, 25)
PRODUCTS = st.sampled_from(["a/one", "a/two", "b/one"])
LIMITS = st.builds(
    Limits,
    paid=st.booleans(),
    unpriced=st.booleans(),
    max_per_purchase=MONEY,
    max_per_day=MONEY,
    max_creates_per_hour=SMALL,
    allowed_products=st.none() | st.frozensets(PRODUCTS),
)
GENEROUS = st.just(
    Limits(
        paid=True,
        unpriced=True,
        max_per_purchase=10**13,
        max_per_day=10**13,
        max_creates_per_hour=100,
        allowed_products=None,
    )
)
HISTORIES = st.just(History()) | st.builds(
    History,
    spent_today=MONEY,
    creates_last_hour=SMALL,
    mismatch_is_unsettled=st.booleans(),
    conflicts_with_earlier=st.booleans(),
    declines_of_this=st.integers(0, 3),
    open_questions=st.integers(0, 4),
    unanswered_questions=st.integers(0, 6),
)
QUOTES = st.none() | st.builds(
    lambda now, every, words, more: price(now, every, words=words, counts=now + every + more),
    *(MONEY, MONEY, st.booleans(), st.sampled_from([0, 10_000])),
)
FACTS = st.builds(
    Facts,
    limits=GENEROUS | LIMITS,
    history=HISTORIES,
    product=PRODUCTS,
    quote=QUOTES,
)


def allows(verdict: Verdict) -> int:
    """How much a verdict allows."""
    return [Refuse, Ask, Proceed].index(type(verdict))


@MANY
@given(FACTS)
def test_money_never_moves_without_a_yes(facts: Facts) -> None:
    """T01: whatever may be billed is asked about or refused, and whatever is free is never asked about."""
    verdict = judge(facts)
    assert isinstance(verdict, Refuse | (Proceed if facts.quote is None else Ask))
    assert not isinstance(verdict, Refuse) or verdict.rules


ALLOWED = frozenset({"a/one", "a/two"})
TIGHTER: dict[str, Callable[[Any, int], Any]] = {
    "paid": lambda _value, _by: False,
    "unpriced": lambda _value, _by: False,
    "max_per_purchase": lambda value, by: max(0, value - by),
    "max_per_day": lambda value, by: max(0, value - by),
    "max_creates_per_hour": lambda value, by: max(0, value - by),
    "allowed_products": lambda value, by: ALLOWED if value is None else value - {"a/one" if by % 2 else "a/two"},
}


def test_every_limit_and_every_fact_of_the_history_can_be_worse() -> None:
    """The two laws below speak of all of them."""
    assert set(TIGHTER) == {member.name for member in fields(Limits)}
    assert set(WORSE) == {member.name for member in fields(History)}


@MANY
@given(FACTS, st.sampled_from(sorted(TIGHTER)), st.integers(0, 10**13))
def test_a_tighter_limit_never_allows_more(facts: Facts, name: str, by: int) -> None:
    """No refusal turns into a question, and no question into a purchase."""
    limits = replace(facts.limits, **{name: TIGHTER[name](getattr(facts.limits, name), by)})
    assert allows(judge(replace(facts, limits=limits), ALL_RULES)) <= allows(judge(facts, ALL_RULES))


WORSE: dict[str, Callable[[Any, int], Any]] = {
    **dict.fromkeys(
        ["spent_today", "creates_last_hour", "declines_of_this", "open_questions", "unanswered_questions"],
        lambda value, by: value + by,
    ),
    **dict.fromkeys(["mismatch_is_unsettled", "conflicts_with_earlier"], lambda _value, _by: True),
}


@MANY
@given(FACTS, st.sampled_from(sorted(WORSE)), st.integers(0, 10**6))
def test_a_worse_history_never_allows_more(facts: Facts, name: str, by: int) -> None:
    """More spent, created, declined or asked, or anything unsettled, allows as much as before, or less."""
    history = replace(facts.history, **{name: WORSE[name](getattr(facts.history, name), by)})
    assert allows(judge(replace(facts, history=history), ALL_RULES)) <= allows(judge(facts, ALL_RULES))


@MANY
@given(FACTS, st.permutations(ALL_RULES), st.integers(1, len(ALL_RULES)))
def test_the_order_of_the_rules_decides_nothing(facts: Facts, rules: list[Rule], count: int) -> None:
    """The same verdict in any order, and more rules never allow more."""
    assert judge(facts, tuple(rules)) == judge(facts, ALL_RULES)
    assert allows(judge(facts, ALL_RULES)) <= allows(judge(facts, tuple(rules[:count])))
