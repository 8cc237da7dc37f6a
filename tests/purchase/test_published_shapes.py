"""Plans of the shapes that partners publish, restated with invented names, and the verdict on each."""

import pytest

from vercel_marketplace_mcp.purchase.plan import why_plan_may_charge

from .reasons import AT_FIRST, CARD, COST, PREPAID, SHARED, WORDS
from .strategies import FREE, NOW, Json

REAL_SHAPES: list[tuple[Json, list[str]]] = [
    # A key-value store's free plan; whether it stays free depends on the metadata as well.
    ({"cost": "", "preauthorizationAmount": 0, "details": [{"label": "Monthly Commands", "value": "500000"}]}, []),
    # A template's free plan: free by its contract.
    (
        {
            "cost": "Free",
            "description": "Use all you want up to 20G",
            "details": [
                {"label": "Max storage size", "value": "20G"},
                {"label": "Max queries per day", "value": "100K"},
            ],
            "highlightedDetails": [{"label": "Dataset size", "value": "100Mb"}],
            "effectiveDate": "2021-01-01T00:00:00Z",
        },
        [],
    ),
    # Usage based: the cost is no number.
    (
        {
            "cost": "$10 every Gb",
            "description": "$10 every Gb",
            "paymentMethodRequired": True,
            "preauthorizationAmount": 5,
            "details": [{"label": "20G storage and 200K queries", "value": "$25.00"}],
        },
        [CARD, "preauthorizationAmount is not zero", COST, WORDS],
    ),
    # A prepayment of at least ten dollars.
    (
        {"type": "prepayment", "cost": "$10 for 1,000 tokens", "paymentMethodRequired": True, "minimumAmount": "10.00"},
        [PREPAID, CARD, "minimumAmount is not zero", COST, WORDS],
    ),
    # No cost member at all; the price stands in the details, beside a credit.
    (
        {
            "scope": "installation",
            "paymentMethodRequired": True,
            "details": [{"label": "Compute", "value": "$10/m"}, {"label": "Compute Credits", "value": "-$10/m"}],
        },
        [CARD, SHARED, WORDS],
    ),
    # Free, but disabled, and for the whole installation.
    (
        {
            "scope": "installation",
            "disabled": True,
            "highlightedDetails": [{"label": "Unavailable - members have reached their 2 project Free Plan limit"}],
        },
        [SHARED, "it is disabled"],
    ),
    # Metered: the cost begins like zero.
    ({"paymentMethodRequired": True, "cost": "$0.2 per 100K commands"}, [CARD, COST, WORDS]),
    # A formula over the metadata.
    ({"paymentMethodRequired": True, "cost": "$20 + ($10 ✕ per read region) per month"}, [CARD, COST, WORDS]),
    # An allowance for free, then by use.
    (
        {
            "scope": "installation",
            "paymentMethodRequired": True,
            "description": "Usage-based pricing after free tier",
            "highlightedDetails": [{"label": "Flags", "value": "1 million for free, then from $0.0001/request"}],
        },
        [CARD, SHARED, WORDS, AT_FIRST],
    ),
]


@pytest.mark.parametrize(("members", "reasons"), REAL_SHAPES)
def test_plans_of_the_shapes_that_partners_publish_get_their_verdicts(members: Json, reasons: list[str]) -> None:
    """Nine shapes seen in public: two free, one of them only by metadata, and seven that may charge."""
    assert list(why_plan_may_charge({**FREE, **members}, NOW)) == reasons
