"""Finding and reading money in texts: what counts as an amount, as nothing, and as readable dollars."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vercel_marketplace_mcp.purchase.money import (
    UnreadableMoneyError,
    cents_from_dollars,
    costs_nothing,
    dollars,
    folded,
    holds_amount,
)

AMOUNTS = {
    "sign before": "$5",
    "sign behind": "5 €",
    "a fraction of a cent": "from $0.0001/request",
    "no digit before the point": "$.50",
    "a prefix that looks free": "$0.2 per 100K commands",
    "a formula": "$20 + ($10 ✕ per read region) per month",
    "behind a free price": "$0.00/mo then $19",
    "between two numbers": "0 $ 5",
    "a credit line": "-$10/m",
    "a credit line, sign inside": "$-10/m",
    "thousands": "1'000 CHF",
    "a letter for thousands": "10k USD",
    "no space": "20USD",
    "a country before the sign": "20 US$",
    "another country": "R$ 5",
    "code with a colon": "USD: 20",
    "in brackets": "$(5)",
    "code in small letters": "15 chf per month",
    "a word": "12 dollars a month",
    "a word with a hyphen": "a 5-dollar plan",
    "cents": "99 cents",
    "euros": "Costs nothing but 3 Euros a week",
    "pounds": "1 pound",
    "code that is a word": "ALL 500",
    "yen": "¥1500",
    "won": "₩900",
    "full-width sign and digits": "\uff04\uff11\uff10/month",
    "small dollar sign": "\ufe695",
    "Arabic digits": "$\u0662\u0660/month",
    "Persian digits": "\u06f5 USD",
    "Devanagari digits": "₹\u096b\u0966\u0966",
    "Bengali digits": "₹\u09eb\u09e6\u09e6",
    "Ethiopic digits": "$\u136d",
    "ideographic numerals": "¥\u4e94\u767e",
    "superscript": "$²",
    "a vulgar fraction": "$½",
    "a circled digit": "$⑤",
    "mathematical digits": "$\U0001d7d3",
    "zero width between digits": "$0\u200b9/month",
    "zero width behind the sign": "$\u200b5",
    "word joiner": "5\u2060€",
    "soft hyphen": "$0\u00ad9",
    "direction override": "\u202e5$",
    "a mark behind the sign": "$\u03385",
    "a variation selector": "$\ufe0f5",
    "keycap": "5\ufe0f\u20e3$",
    "Hangul filler": "$\u31645",
    "a spacing mark": "$\u09035",
    "a private character": "$\ue0005",
    "an unassigned character": "$\u03785",
    "half a character": "$\ud8005",
    "blank braille": "$\u28005",
    "NUL": "$\x005",
    "entity for the sign": "&#36;5",
    "entity for the space": "$&nbsp;5",
    "markdown": "$**5**",
    "a tab": "$\t5",
    "a line break": "5\nUSD",
}
NO_AMOUNTS = {
    "nothing": "",
    "a size": "0.5 GB",
    "zero": "$0",
    "zero with decimals": "$0.00/month",
    "zero in words": "0 dollars",
    "zero in other digits": "$\u0660",
    "a sign alone": "$",
    "a number alone": "500000",
    "a number far from the sign": "$0 for 5 GB",
    "a token": "5 USDC",
    "a word that is a code in capitals": "all 5 regions, top 10, try 3",
    "a word inside a word": "5 percents",
    "a sign elsewhere": "10 GB / $0",
    "a version": "PostgreSQL 17",
}


@pytest.mark.parametrize("text", AMOUNTS.values(), ids=AMOUNTS)
def test_an_amount_is_noticed_in_every_script_and_disguise(text: str) -> None:
    """T06: other digits, other currencies, invisible characters and words beside the number."""
    assert holds_amount(text)


@pytest.mark.parametrize("text", NO_AMOUNTS.values(), ids=NO_AMOUNTS)
def test_a_number_without_money_is_no_amount(text: str) -> None:
    """Sizes, versions, counts and zeros make no plan dearer."""
    assert not holds_amount(text)


@pytest.mark.parametrize(
    "cost", ["", " ", "free", "Free", "FREE", "$0", "$0.00", "$0/month", "$0.00 / mo", "free per yr"]
)
def test_a_short_list_of_costs_means_nothing(cost: str) -> None:
    """The forms in which partners write that a plan is free."""
    assert costs_nothing(cost)


@pytest.mark.parametrize(
    "cost",
    [
        *[
            "$0.2 per 100K commands",
            "$0.00/month + usage",
            "From $0",
            "Free for 14 days, then $20",
            "Free*",
            "Free plan",
        ],
        *["$0.00/mo then $19", "$00", "$0.0", "$0.000", "0", "-0", "-$0", "0e5", "\u0660", "\uff10", "\uff040", "€0"],
        *["$0\u200b9", "$0\u200b", "fr\u0435e", "free forever", "$0/seat", "gratis", "Included", "$0.00/month/user"],
        *["$0\u2003/month", "free/wee\u212a"],
    ],
)
def test_every_other_cost_may_mean_something(cost: str) -> None:
    """T06: never by prefix, never in other digits, and never with a word more."""
    assert not costs_nothing(cost)


@pytest.mark.parametrize(
    ("text", "cents"),
    [
        *[("0", 0), ("0.00", 0), ("10", 1000), ("10.5", 1050), ("10.50", 1050), ("0.01", 1), ("19.990", 1999)],
        ("999999999999.99", 99_999_999_999_999),
    ],
)
def test_dollars_in_decimal_text_are_read_to_the_cent(text: str, cents: int) -> None:
    """The documented form of Vercel's money members."""
    assert cents_from_dollars(text) == cents


@pytest.mark.parametrize(
    "value",
    [
        *["", " ", "free", "1,000.00", "1e3", "0e5", "1.", ".5", "-1", "+1", "-0", "$5", "5.00 ", " 5", "5\n", "1.005"],
        *[
            "\u0665",
            "\uff15",
            "5\u200b",
            "NaN",
            "Infinity",
            "1_000",
            "1" * 13,
            "0x10",
            None,
            True,
            False,
            5,
            5.0,
            [],
            {},
        ],
    ],
)
def test_anything_else_is_unreadable(value: object) -> None:
    """T06: no exponent, no separator, no sign, no other script, no number, no null."""
    with pytest.raises(UnreadableMoneyError):
        cents_from_dollars(value)


@settings(max_examples=500, derandomize=True, database=None)
@given(st.integers(0, 10**14 - 1))
def test_cents_become_dollars_and_back_without_loss(cents: int) -> None:
    """Every amount of cents that a money member can hold."""
    assert cents_from_dollars(dollars(cents)) == cents


def test_a_folded_text_reads_as_a_person_reads_it() -> None:
    """One line, one form, nothing invisible."""
    assert folded(" \uff26ree\u200b\n&amp;\t\x00e\u0301asy\u2060 ") == "Free & easy"


@pytest.mark.parametrize(
    "text",
    [
        "a" + "\u0316\u0301" * 1_000_000,
        *[
            "$" * 2_000_000,
            "1" * 2_000_000,
            "0," * 1_000_000 + "$0",
            "$0" * 1_000_000,
            "0 $ " * 500_000,
            "&" * 2_000_000,
        ],
    ],
    ids=["marks", "signs", "digits", "separators", "zeros", "between", "ampersands"],
)
def test_the_largest_text_that_vercel_can_send_is_judged_in_time(text: str) -> None:
    """Two megabytes of what is hardest take seconds; with quadratic work this test would run for minutes."""
    assert not holds_amount(text)
