"""What a confirmation binds: a difference anywhere in a purchase gives another fingerprint, the same gives the same."""

import copy
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from vercel_marketplace_mcp.callers import LOCAL, Caller
from vercel_marketplace_mcp.inputs import CreateStore
from vercel_marketplace_mcp.ledger.records import Identity
from vercel_marketplace_mcp.purchase.fingerprint import fingerprint
from vercel_marketplace_mcp.purchase.metadata import read_fields
from vercel_marketplace_mcp.purchase.plan import JudgedPlan, unreadable_money
from vercel_marketplace_mcp.results import StopError
from vercel_marketplace_mcp.settings import Settings, Team
from vercel_marketplace_mcp.tools.offer import Offer, OfferedProduct
from vercel_marketplace_mcp.tools.order import make_deal

from .strategies import Json

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


def identify(
    arguments: Json | None = None,
    plan: Json | None = None,
    *,
    team: str = "team_abc",
    integration: str = "oac_1",
    product: str = "iap_1",
    api_url: str = SETTINGS.api_url,
    schema: Json | None = None,
    caller: Caller = LOCAL,
) -> Identity:
    """What identifies a purchase, made the way the server makes it."""
    offer = Offer(
        product=OfferedProduct(
            integration=integration, name="brindle/brindle-postgres", id=product, metadata_schema=schema
        ),
        fields=read_fields(schema) or (),
        plans=(JudgedPlan(plan=PLAN if plan is None else plan, reasons=("it is a prepayment",)),),
    )
    asked = CreateStore.model_validate(ARGUMENTS if arguments is None else arguments)
    return make_deal(asked, Team(id=team), offer, replace(SETTINGS, api_url=api_url), caller).identity


THE_SAME = identify()
CHANGED_ARGUMENTS: dict[str, Json] = {
    "name": {"name": "my-store2"},
    "name in another case": {"name": "My-store"},
    "configuration": {"integrationConfigurationId": "icfg_abd"},
    "metadata value": {"metadata": {"region": "iad2", "sizes": [1, 2]}},
    "metadata order of a list": {"metadata": {"region": "iad1", "sizes": [2, 1]}},
    "metadata type": {"metadata": {"region": "iad1", "sizes": ["1", "2"]}},
    "metadata key": {"metadata": {"region": "iad1", "sizes": [1, 2], "more": False}},
    "no metadata": {"metadata": None},
    "protocolSettings": {"protocolSettings": {"storage": {"pooled": False}}},
    "protocolSettings null": {"protocolSettings": {"storage": {"pooled": None}}},
    "no protocolSettings": {"protocolSettings": None},
    "externalId": {"externalId": "ext_2"},
    "no externalId": {"externalId": None},
    "source": {"source": "cli"},
    "no source": {"source": None},
    "payment method": {"paymentMethodId": "pm_2"},
    "the default payment method": {"paymentMethodId": None},
    "a payment method that is called so": {"paymentMethodId": "null"},
    "prepayment": {"prepaymentAmountCents": 5001},
}


@pytest.mark.parametrize("name", CHANGED_ARGUMENTS)
def test_a_changed_argument_is_another_purchase(name: str) -> None:
    """T08, T24: whatever the assistant changes after a yes, the yes is not to that; nor is it the same request."""
    changed = {name: value for name, value in {**ARGUMENTS, **CHANGED_ARGUMENTS[name]}.items() if value is not None}
    found = identify(changed)
    assert found.fingerprint != THE_SAME.fingerprint
    assert found.request != THE_SAME.request


@pytest.mark.parametrize(
    "changed",
    [{"team": "team_abd"}, {"integration": "oac_2"}, {"product": "iap_2"}, {"api_url": "http://127.0.0.1:8000"}],
    ids=lambda changed: next(iter(changed)),
)
def test_another_place_is_another_purchase(changed: dict[str, Any]) -> None:
    """T52: a yes holds for one team at one API, and for the product as it was resolved."""
    found = identify(**changed)
    assert found.fingerprint != THE_SAME.fingerprint
    assert found.request != THE_SAME.request


def test_the_plan_s_id_is_bound() -> None:
    """The same terms under another id are another plan."""
    found = identify({**ARGUMENTS, "billingPlanId": "credits2"}, {**PLAN, "id": "credits2"})
    assert found.fingerprint != THE_SAME.fingerprint
    assert found.request != THE_SAME.request


def test_who_asks_is_bound() -> None:
    """T56: the principal stands in what is hashed; over stdio it is always the same."""
    assert THE_SAME.principal == "local"
    bound = {
        "api": SETTINGS.api_url,
        "configuration": "icfg_abc",
        "product": "iap_1",
        "name": "my-store",
        "team": "team_abc",
        "principal": "local",
        "integration": "oac_1",
        **{name: ARGUMENTS[name] for name in ("metadata", "protocolSettings", "externalId", "source")},
        **{name: ARGUMENTS[name] for name in ("billingPlanId", "paymentMethodId", "prepaymentAmountCents")},
    }
    assert THE_SAME.request == fingerprint(bound)
    found = identify(caller=Caller(principal="somebody else", scopes=LOCAL.scopes))
    assert found.principal == "somebody else"
    assert found.request == fingerprint({**bound, "principal": "somebody else"}) != THE_SAME.request
    assert found.fingerprint != THE_SAME.fingerprint
    assert (found.key, found.account) == (THE_SAME.key, THE_SAME.account)


def test_what_the_product_fills_in_is_bound() -> None:
    """T09: a default that Vercel would add, and the price on a chosen option, belong to what was confirmed."""

    def schema(default: str, label: str) -> Json:
        options = [{"value": "iad1", "label": label}]
        return {"properties": {"region": {"ui:options": options}, "sizes": {}, "pooled": {"default": default}}}

    found = [identify(schema=schema(*each)) for each in (("a", "US"), ("b", "US"), ("a", "US, $5"), ("a", "US, $6"))]
    assert len({each.fingerprint for each in found}) == 4
    assert {each.request for each in found} == {THE_SAME.request}


def test_the_key_is_the_store_alone() -> None:
    """API, configuration, product and name decide which store it is; nothing else does."""
    same = [identify({**ARGUMENTS, "externalId": "x"}), identify(plan={**PLAN, "cost": "x"}), identify(team="team_x")]
    others = [
        identify({**ARGUMENTS, "name": "x"}),
        identify({**ARGUMENTS, "integrationConfigurationId": "icfg_x"}),
        identify(product="iap_x"),
        identify(api_url="https://x.example"),
    ]
    assert {found.key for found in same} == {THE_SAME.key}
    assert len({THE_SAME.key, *(found.key for found in others)}) == 5


def test_a_team_s_account_is_its_own() -> None:
    """Budgets are kept per API and team."""
    accounts = {identify().account, identify(team="team_x").account, identify(api_url="https://x.example").account}
    assert accounts == {
        "https://api.vercel.com team_abc",
        "https://api.vercel.com team_x",
        "https://x.example team_abc",
    }


# A changed value of each member that leaves the plan readable; a text member can change to anything.
CHANGED_MEMBERS: Json = {
    "paymentMethodRequired": False,
    "minimumAmount": "10.01",
    "maximumAmount": "100.01",
    "initialCharge": "1.01",
    "maximumAmountAutoPurchasePerPeriod": "60.01",
    "preauthorizationAmount": 10.54,
    "memberOfTomorrow": {"deep": [1, None, False]},
    "details": [{"label": "Regions"}, {"label": "Storage", "value": "1 GB"}],
    "quote": [],
}


@pytest.mark.parametrize("member", [member for member in PLAN if member not in ("id", "type", "disabled")])
@pytest.mark.parametrize("change", ["changed", "null", "gone"])
def test_every_member_of_the_plan_is_bound(member: str, change: str) -> None:
    """T09: a term that changed, even one that nobody knows today, is not what was confirmed."""
    plan = copy.deepcopy(PLAN)
    if change == "gone":
        del plan[member]
    else:
        plan[member] = None if change == "null" else CHANGED_MEMBERS.get(member, "another text")
    if unreadable_money(plan):
        with pytest.raises(StopError):
            identify(plan=plan)
    else:
        assert_other_terms(identify(plan=plan))


@pytest.mark.parametrize("change", [{"added": None}, {"": ""}, {"details": PLAN["details"] * 2}])
def test_a_member_that_is_added_is_bound(change: Json) -> None:
    """So is one more of something that is there."""
    assert_other_terms(identify(plan={**PLAN, **change}))


def assert_other_terms(found: Identity) -> None:
    """The same request, and yet not what a person may have confirmed before."""
    assert found.fingerprint != THE_SAME.fingerprint
    assert found.request == THE_SAME.request


def test_the_same_purchase_has_the_same_fingerprint() -> None:
    """The order of members says nothing, nor does the way in which a number is written."""
    plan = {name: PLAN[name] for name in reversed(PLAN)}
    arguments = {**ARGUMENTS, "metadata": {"sizes": [1.0, 2], "region": "iad1"}}
    assert identify(dict(reversed(arguments.items())), plan) == THE_SAME
    assert all(re.fullmatch("[0-9a-f]{64}", text) for text in (THE_SAME.key, THE_SAME.request, THE_SAME.fingerprint))
    assert len({THE_SAME.key, THE_SAME.request, THE_SAME.fingerprint}) == 3


def test_a_plan_that_can_not_be_bound_is_not_for_sale() -> None:
    """The call ends with a rule of its own; nobody is asked about what could not be held."""
    with pytest.raises(StopError) as caught:
        identify(plan={**PLAN, "memberOfTomorrow": 2**53})
    assert (caught.value.status, caught.value.error["code"]) == ("refused", "the_plan_can_not_be_bound")
