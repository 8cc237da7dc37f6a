"""What a purchase costs: exactly where the price can be read in full, a flat amount where any part of it can't."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, settings

from vercel_marketplace_mcp.purchase.choice import MayCharge, Order
from vercel_marketplace_mcp.purchase.metadata import Field, read_fields
from vercel_marketplace_mcp.purchase.plan import JudgedPlan
from vercel_marketplace_mcp.purchase.quote import UNREADABLE_COUNTS_AS, Quote, price_lines, quote

from .strategies import Json

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


def exactly(
    now: int = 0, every: int = 0, period: str = "period", words: tuple[str, ...] = (), counts: int | None = None
) -> Quote:
    """A quote that counts what it says, unless it says otherwise."""
    return Quote(
        due_now=now,
        recurring=every,
        period=period,
        words=words,
        counts=now + every if counts is None else counts,
    )


FLAT = UNREADABLE_COUNTS_AS
SPOKEN = (
    "$20.00 per month per user",
    "From $5",
    "€20.00/month",
    "20 dollars a month",
    "$1,000.00/month",
    "$20.00/week",
    "$20\u2003per month",
    "$1234567890.00",
    "$5.005",
    "$5.",
    "$",
)
READING: dict[str, tuple[Json, Quote]] = {
    "monthly": ({**PAID, "cost": "$20.00/month"}, exactly(every=2000, period="month")),
    "monthly in short": ({**PAID, "cost": " $20/mo "}, exactly(every=2000, period="month")),
    "monthly in words": ({**PAID, "cost": "$20.5 per Month"}, exactly(every=2050, period="month")),
    "yearly counts whole": ({**PAID, "cost": "$240/year"}, exactly(every=24_000, period="year")),
    "yearly in short": ({**PAID, "cost": "$240.00 / yr"}, exactly(every=24_000, period="year")),
    "without a period": ({**PAID, "cost": "$7.00"}, exactly(every=700)),
    "the largest": ({**PAID, "cost": "$999999999.99"}, exactly(every=99_999_999_999)),
    "initial charge": ({**PAID, "initialCharge": "5.00"}, replace(exactly(now=500), is_open=True)),
    "initial charge and no more": (
        {**PAID, "initialCharge": "5.00", "cost": "$0/month"},
        exactly(now=500, period="month"),
    ),
    "a prepayment and no more": (
        {**PREPAID, "cost": "", "maximumAmountAutoPurchasePerPeriod": "0"},
        exactly(now=1000),
    ),
    "automatic purchases after a charge": (
        {**PAID, "initialCharge": "5.00", "maximumAmountAutoPurchasePerPeriod": "0.01"},
        replace(exactly(500, 1), is_automatic=True),
    ),
    "automatic purchases": (
        {**PREPAID, "maximumAmountAutoPurchasePerPeriod": "60.00"},
        replace(exactly(1000, 6000), is_automatic=True),
    ),
    "automatic purchases above the cost": (
        {**PAID, "cost": "$20.00/month", "maximumAmountAutoPurchasePerPeriod": "60.00"},
        replace(exactly(every=6000), is_automatic=True),
    ),
    "automatic purchases below the cost": (
        {**PAID, "cost": "$20.00/month", "maximumAmountAutoPurchasePerPeriod": "5.00"},
        exactly(every=2000, period="month"),
    ),
    "a cent now and a hundred dollars a month": (
        {**PAID, "initialCharge": "0.01", "cost": "$100.00/month"},
        exactly(1, 10_000, "month"),
    ),
    "a fixed prepayment": ({**PREPAID, "minimumAmount": "100.00"}, exactly(now=10_000)),
    **{text: ({**PAID, "cost": text}, exactly(words=(text,), counts=FLAT)) for text in SPOKEN},
    "a cost without a currency": ({**PAID, "cost": "20 a month"}, exactly(words=("20 a month",), counts=FLAT)),
    "a cost of another type": ({**SHARED, "cost": 20}, exactly(words=("20",), counts=FLAT)),
    "readable and spoken": (
        {**PAID, "initialCharge": "0.01", "cost": "Pay as you go"},
        replace(exactly(1, words=("Pay as you go",), counts=FLAT), is_open=True),
    ),
    "only in the details": (
        {**PAID, "details": [{"label": "Storage", "value": "$2 per GB"}]},
        exactly(words=("$2 per GB",), counts=FLAT),
    ),
    "in a label and its value": (
        {**PAID, "details": [{"label": "Seat (USD)", "value": "2"}, {"label": "Fee in EUR", "value": "$2 each"}]},
        exactly(words=("$2 each", "Seat (USD): 2"), counts=FLAT),
    ),
    "in a member unknown today": ({**PAID, "fees": {"$5": None}}, exactly(words=("$5",), counts=FLAT)),
    "the same words twice": (
        {**PAID, "description": "$5 more", "details": ["$5 more"]},
        exactly(words=("$5 more",), counts=FLAT),
    ),
    "readable and larger than flat": (
        {**PAID, "cost": "$150.00/month", "description": "and $1 per GB"},
        exactly(every=15_000, period="month", words=("and $1 per GB",)),
    ),
    "readable and smaller than flat": (
        {**PAID, "cost": "$20.00/month", "description": "and $1 per GB"},
        exactly(every=2000, period="month", words=("and $1 per GB",), counts=FLAT),
    ),
    "nothing at all": (PAID, exactly(counts=FLAT)),
    "a plan of the installation that is free": (SHARED, exactly(counts=0)),
    "which says so": ({**SHARED, "cost": "$0.00/month", "initialCharge": "0"}, exactly(period="month", counts=0)),
    "and in a word": ({**SHARED, "cost": "Free", "preauthorizationAmount": 0}, exactly(counts=0)),
    "but tests the card": ({**SHARED, "preauthorizationAmount": 1}, exactly(counts=FLAT)),
    "but has a minimum": ({**SHARED, "minimumAmount": "5.00"}, exactly(counts=FLAT)),
    "but quotes an amount": ({**SHARED, "quote": [{"line": "Fee", "amount": 12}]}, exactly(counts=FLAT)),
    "in any script": ({**SHARED, "quote": [{"line": "Fee", "amount": "五"}]}, exactly(counts=FLAT)),
    "and a version is no amount": (
        {**SHARED, "quote": [{"line": "Postgres 17", "amount": "0"}]},
        exactly(counts=0),
    ),
    "a payment method of unknown need": ({**SHARED, "paymentMethodRequired": None}, exactly(counts=FLAT)),
    "an unknown type": ({**SHARED, "type": "usage"}, exactly(counts=FLAT)),
}


def test_what_can_not_be_read_counts_a_hundred_dollars() -> None:
    """Unknown is never cheap."""
    assert UNREADABLE_COUNTS_AS == 10_000


@pytest.mark.parametrize("name", READING)
def test_a_price_is_read_in_full_or_stays_in_words(name: str) -> None:
    """Each way in which a price may be stated gives the whole quote."""
    plan, expected = READING[name]
    assert price(plan) == expected


def test_a_prepayment_is_due_now() -> None:
    """The amount in the request counts, also where the plan would have a fixed one, on top of an initial charge."""
    assert price(PREPAID, Order(prepayment_cents=5000)) == exactly(now=5000)
    fixed = {**PREPAID, "minimumAmount": "100.00", "initialCharge": "5.00"}
    assert price(fixed, Order(prepayment_cents=10_000)) == exactly(now=10_500)
    assert price(fixed) == exactly(now=10_500)


@pytest.mark.parametrize(
    ("now", "every", "headline"), [(1, 10_000, 10_000), (2500, 4900, 4900), (4900, 2500, 4900), (0, 0, None)]
)
def test_the_headline_is_the_larger_amount(now: int, every: int, headline: int | None) -> None:
    """Nobody confirms a cent and pays a hundred dollars a month."""
    assert exactly(now, every).headline == headline


FIELDS: Json = {
    "properties": {
        "autoUpgrade": {"type": "boolean", "default": True},
        "tier": {
            "type": "string",
            "default": "small",
            "ui:options": [{"value": "small", "label": "Small"}, {"value": "large", "label": "Large, $57 a month"}],
        },
        "replicas": {"type": "number", "ui:paid-only": True},
    }
}


@pytest.mark.parametrize(
    ("metadata", "protocol_settings", "expected"),
    [
        ({"autoUpgrade": False}, {}, exactly(counts=0)),
        ({}, {}, exactly(counts=FLAT)),
        ({"autoUpgrade": False}, {"storage": {"autoScale": True}}, exactly(counts=FLAT)),
        ({"autoUpgrade": False, "replicas": 2}, {}, exactly(counts=FLAT)),
        (
            {"autoUpgrade": False, "tier": "large"},
            {},
            exactly(words=("metadata.tier: Large, $57 a month",), counts=FLAT),
        ),
    ],
    ids=["free", "a default that upgrades", "a protocol that scales", "for paid plans only", "an option with a price"],
)
def test_settings_that_may_cost_count_flat(metadata: Json, protocol_settings: Json, expected: Quote) -> None:
    """A plan without a price counts nothing only as long as nothing that was set can make it cost."""
    fields = read_fields(FIELDS)
    assert fields is not None
    assert price(SHARED, Order(metadata=metadata, protocol_settings=protocol_settings), fields) == expected


@pytest.mark.parametrize(
    ("shown", "unpriced"),
    [
        (exactly(now=500), False),
        (exactly(counts=0), False),
        (exactly(counts=1), True),
        (exactly(now=500, words=("$1 per GB",)), True),
    ],
)
def test_a_price_is_unpriced_where_any_part_of_it_is_unknown(shown: Quote, unpriced: bool) -> None:
    """A part in words makes the whole unpriced; what costs nothing is not."""
    assert shown.unpriced == unpriced


@pytest.mark.parametrize(
    ("shown", "lines"),
    [
        (exactly(now=500), ["Charged now: 5.00 USD, once."]),
        (exactly(every=2000, period="month"), ["Every month: 20.00 USD, until the store is removed."]),
        (
            exactly(1, 24_000, "year", words=("and more",)),
            [
                "Charged now: 0.01 USD, once.",
                "Then, every year: 240.00 USD, until the store is removed.",
                "Part of the price is only stated in words: it may cost more.",
            ],
        ),
        (exactly(every=700), ["Every billing period: 7.00 USD, until the store is removed."]),
        (
            replace(exactly(1, 6000), is_automatic=True),
            [
                "Charged now: 0.01 USD, once.",
                "Then, every billing period: 60.00 USD, at most, in automatic purchases.",
            ],
        ),
        (
            replace(exactly(now=500), is_open=True),
            [
                "Charged now: 5.00 USD, once.",
                "No price is stated for what comes after: it may be billed in ways that are not stated here.",
            ],
        ),
        (
            exactly(words=("and more",), counts=FLAT),
            ["The price is only stated in words: it may cost more."],
        ),
        (
            exactly(counts=FLAT),
            ["No price could be read: it may be billed in ways that the partner does not state here."],
        ),
    ],
)
def test_a_price_is_told_in_plain_sentences(shown: Quote, lines: list[str]) -> None:
    """What is due now stands first, then what recurs, then what is not known."""
    assert list(price_lines(shown)) == lines
