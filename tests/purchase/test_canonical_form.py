"""What can be bound at all: values that every reader of JSON sees alike."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st
from pydantic import SecretStr

from vercel_marketplace_mcp.purchase.fingerprint import UnbindableError, fingerprint
from vercel_marketplace_mcp.settings import Settings, Team

from .strategies import JSON, Json

SETTINGS = Settings(token=SecretStr(""), team=Team(id="team_abc"), state_dir=Path("/nowhere"))
PLAN: Json = {
    "id": "credits",
    "type": "prepayment",
    "name": "Credits",
    "description": "Pay in advance",
    "scope": "resource",
    "paymentMethodRequired": True,
    "cost": "$1.00 buys one credit",
    "initialCharge": "1.00",
    "minimumAmount": "10.00",
    "maximumAmount": "100.00",
    "maximumAmountAutoPurchasePerPeriod": "60.00",
    "preauthorizationAmount": 10.53,
    "effectiveDate": "2026-01-01T00:00:00Z",
    "disabled": False,
    "details": [{"label": "Storage", "value": "1 GB"}, {"label": "Regions"}],
    "highlightedDetails": [{"label": "Fast"}],
    "quote": [{"line": "Credits", "amount": "10.00"}],
    "memberOfTomorrow": {"deep": [1, None, True]},
}
ARGUMENTS: Json = {
    "name": "my-store",
    "integrationConfigurationId": "icfg_abc",
    "integrationProductIdOrSlug": "brindle-postgres",
    "metadata": {"region": "iad1", "sizes": [1, 2]},
    "externalId": "ext_1",
    "protocolSettings": {"storage": {"pooled": True}},
    "source": "api",
    "billingPlanId": "credits",
    "paymentMethodId": "pm_1",
    "prepaymentAmountCents": 5000,
}


def test_the_fingerprint_is_of_this_program_and_version() -> None:
    """The hash is pinned: an approval in a ledger must not change its meaning with an update."""
    pinned = "8f6cb781"
    assert fingerprint({"a": 1, "b": ["é", None]})[:8] == pinned


DEEP: Json = {}
for _ in range(100_000):
    DEEP = {"a": DEEP}
UNBINDABLE: dict[str, Any] = {
    "NaN": float("nan"),
    "infinity": float("inf"),
    "minus infinity": float("-inf"),
    "a huge integer": 2**53,
    "a huger one": 10**400,
    "half a surrogate pair": "\ud800",
    "the other half": "a\udfff",
    "such a key": {"\ud800": 1},
    "depth without end": DEEP,
    "bytes": b"x",
    "a set": {1},
}


@pytest.mark.parametrize("name", UNBINDABLE)
@pytest.mark.parametrize("wrap", [lambda value: value, lambda value: [value], lambda value: {"a": value}])
def test_what_has_no_canonical_form_can_not_be_bound(name: str, wrap: Callable[[Any], Any]) -> None:
    """A number that readers would see differently, or a text that is none, is refused, wherever it stands."""
    with pytest.raises(UnbindableError):
        fingerprint({"plan": wrap(UNBINDABLE[name])})


@hypothesis(max_examples=500, derandomize=True, database=None, deadline=None)
@given(st.dictionaries(st.text(max_size=5), JSON, max_size=3), st.text(max_size=5), JSON)
def test_any_other_value_gives_another_fingerprint(plan: Json, key: str, value: Any) -> None:
    """Equal values give equal hashes, and unequal ones do not, whatever they are."""
    changed = {**plan, key: value}
    try:
        before, after = fingerprint(plan), fingerprint(changed)
    except UnbindableError:
        return
    assert fingerprint(copy.deepcopy(plan)) == before
    assert (before == after) == (canonical(plan) == canonical(changed))


def canonical(value: Any) -> Any:
    """A value in which only what JSON tells apart is unequal: 1 and 1.0 are one number, true is none."""
    match value:
        case bool() | None | str():
            return (type(value).__name__, value)
        case int() | float():
            return ("number", value)
        case list():
            return ("list", [canonical(item) for item in value])
    return ("object", sorted((key, canonical(item)) for key, item in value.items()))
