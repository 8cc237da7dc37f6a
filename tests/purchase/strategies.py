"""Plans, metadata and settings as a partner or a model might write them: mostly harmless, with traps thrown in.

Texts come from a pool, the same at every run, so that one example costs a few draws only.
"""

from datetime import UTC, datetime
from random import Random
from typing import Any, TypeAlias

from hypothesis import strategies as st

Json: TypeAlias = dict[str, Any]

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
"""The moment at which these tests judge."""

FREE: Json = {
    "id": "free",
    "type": "subscription",
    "name": "Free",
    "description": "For side projects",
    "scope": "resource",
    "paymentMethodRequired": False,
}

PIECES = (
    *"$ € £ ¥ ₹ \uff04 ¢ US$ USD usd EUR eur CHF INR TRY try ALL all TOP top dollar Dollars euro cents pound".split(),
    *"0 00 0.00 0,00 \u0660 \uff10 5 0.2 .5 1,000 1'000 \u00b7 \u2169 \u0665 \uff15 \u09eb ² ½ 5. 10k".split(),
    *"Free free FREE trial Trials freeTrial industrial then until after first during First-class unlimited".split(),
    *"– — “ ” ( ) [ ] / <b> </b> ` thousand British 000".split(),
    *"Storage GB per month /mo month - − * ** _ : ( ) ; afterwards US 2021-01-01 &#36; &nbsp; &amp;".split(),
)
JOINTS = ("", " ", " ", "  ", "\u200b", "\u2060", "\u00ad", "\t", "\n", "\ufe0f", "\u202e")


def _pool(count: int) -> list[str]:
    draw = Random(7)
    return ["".join(draw.choice(PIECES) + draw.choice(JOINTS) for _ in range(draw.randint(1, 6))) for _ in range(count)]


POOL = _pool(4000)
HARMLESS = ["", "Free", "Hobby", "0.5 GB", "10", "Seven days", "For as long as you like", "\N{FLOPPY DISK}"]
PHRASES = st.sampled_from(POOL)
TEXTS = [*HARMLESS * 6, *POOL[:50]]
COSTS: list[Any] = [
    *["", " ", "Free", "free", "FREE ", "$0", "$0.00", "$0/month", "$0.00 per month", "free / mo", "Free per year"],
    *["$0.000", "$00", "-$0", "$0.0", "0", "$0.00/mo then $19", "$0.2 per 100K commands", "From $0", "freemium"],
    *["$0.00/month + usage", "free*", "Free for 14 days, then $20", "$0 ", "$\u0660", "\uff10", "\uff040", "$0\u200b9"],
    *["€0", 0, 0.0, False, None, [], {"amount": "0"}, "0e5", "free\n$5", "$0/seat", "free/month/user", "Free Plan"],
    *POOL[50:80],
]
DECIMALS: list[Any] = [
    *["0", "0.00", "00.0", "0.000", "0." + "0" * 40, "5.00", "0.01", "0.001", "1,000.00", "1e3", "-0", "+0", "0e5"],
    *[" 0", "0 ", "", "0.", ".0", "free", "\u0660", "\uff10", "0\u200b9", "NaN"],
    *[0, 0.0, 5, False, True, None, [], {}],
]
NUMBERS: list[Any] = [0, 0.0, -0.0, 5, 0.01, 10.53, -1, True, False, None, "0", "0.00", [], 10**12, 10**40]
DATES: list[Any] = [
    *["2021-01-01T00:00:00Z", "2021-01-01", "2026-11-22T12:00:00Z", "2026-11-22T12:00:01Z", "2099-01-01T00:00:00Z"],
    *["2026-11-22T13:30:00+02:00", "2026-11-22T11:30:00-02:00", "0001-01-01T00:00:00+23:59", "soon", ""],
    *[None, 0, 1609459200000, [], False],
]
BOOLEANS: list[Any] = [True, False, False, None, 0, 1, "false", "true", "", [], {}]
LINES: list[Any] = [
    [],
    [{"label": "Storage", "value": "1 GB"}, {"label": "Unlimited"}],
    *([{"label": text}] for text in POOL[80:110]),
    *([{"label": "Extra", "value": text}] for text in POOL[110:140]),
    *([{"label": "Extra", "later": {"deep": [text]}}] for text in POOL[140:150]),
    *(
        [{"label": one, "value": other}]
        for one in ("Price (USD)", "$", "5", "Free")
        for other in ("25", "EUR", "until")
    ),
]
AMOUNTS: list[Any] = ["0", "0.00", "12.00", "$12", "", "\u06600", "\u0665", 0, 12, None]
MEMBERS: dict[str, list[Any]] = {
    "id": ["free", "free", "pro", "bp_1", "trial_2024", "", None, 5],
    "type": ["subscription", "prepayment", "Subscription", "", None, 1, [], "usage"],
    "paymentMethodRequired": BOOLEANS,
    "scope": ["resource", "installation", "Resource", None, "team", ["resource"]],
    "disabled": BOOLEANS,
    "effectiveDate": DATES,
    "cost": COSTS,
    "preauthorizationAmount": NUMBERS,
    "initialCharge": DECIMALS,
    "minimumAmount": DECIMALS,
    "maximumAmount": DECIMALS,
    "maximumAmountAutoPurchasePerPeriod": DECIMALS,
    "name": TEXTS,
    "description": TEXTS,
    "details": LINES,
    "highlightedDetails": LINES,
    "quote": [[{"line": "Fee", "amount": amount}] for amount in AMOUNTS],
    "heroText": TEXTS,
    "price": [{"amount": amount, "currency": "USD"} for amount in (0, 25, 2.5, "25", None, True)],
    "terms": [*({text: True} for text in POOL[150:160]), {"trialDays": 14}, {"freeUntil": None}, {"a": [["$5"]]}],
}
ABSENT = object()
CHANGES = st.sampled_from(list(MEMBERS)).flatmap(
    lambda name: st.tuples(st.just(name), st.sampled_from([*MEMBERS[name], ABSENT]))
)


def _changed(changes: list[tuple[str, Any]]) -> Json:
    return {name: value for name, value in {**FREE, **dict(changes)}.items() if value is not ABSENT}


PLANS = st.lists(CHANGES, max_size=3).map(_changed)
PRO = {**FREE, "id": "pro", "paymentMethodRequired": True, "cost": "$20.00/month"}
ANSWERS = st.lists(st.one_of(PLANS, st.sampled_from([FREE, PRO, PRO, {**PRO, "disabled": True}, None])), max_size=3)

_KEYS = [
    *["autoUpgrade", "auto_scale", "AUTO-RENEW", "Auto Recharge", "autoTopUp", "autopurchase", "purchaseAutomatically"],
    *["\uff41\uff55\uff54\uff4fScaling", "auto\u200bupgrade", "auto", "upgrade", "scaling", "automatic", "renewal"],
    *["region", "eviction", "tier", "tier", "pack", "pack"],
]
_VALUES: list[Any] = [True, False, 0, 1, "", "off", "iad1", "m10", "shared", 0.0, 2.5, [], ["m10"], ["iad1", "m10"]]
_LABELS = ["Shared", "M10, $57 a month", "$0", "30 USD more", "10 GB"]
METADATA = st.dictionaries(st.sampled_from(_KEYS), st.sampled_from(_VALUES), max_size=2)
_DEEPER: list[Any] = [*_VALUES, {"upgrade": True}, {"upgrade": False}, [{"auto": {"scale": 1}}], {"enabled": False}]
SETTINGS = st.dictionaries(st.sampled_from(_KEYS), st.sampled_from(_DEEPER), max_size=2)
_OPTIONS = [
    [{"value": value, "label": label}, {"value": "iad1"}]
    for value in ("m10", "shared", True, 1, 2.5)
    for label in _LABELS
]
_FIELDS = [
    {"type": "string", "ui:options": options, **more}
    for options in ([], *_OPTIONS)
    for more in ({}, {"default": "shared"}, {"default": ["m10"]}, {"default": True}, {"ui:paid-only": True})
]
SCHEMAS = st.dictionaries(st.sampled_from(_KEYS), st.sampled_from(_FIELDS), max_size=2).map(
    lambda fields: {"properties": fields}
)
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=4,
)
