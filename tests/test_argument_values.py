"""Ids, enumerations, metadata and amounts that can't be: each is named with what is valid, and nothing is sent."""

from typing import Any

import pytest
from mcp import Client

from vercel_marketplace_mcp import arguments, specs
from vercel_marketplace_mcp.results import StopError
from vercel_marketplace_mcp.sandbox import Sandbox

from .calls import BRINDLE, MODELS, QUARRY, VALID, check_refused
from .conftest import Call, Json

pytestmark = pytest.mark.anyio

LONE = "\ud800"
CENTS = "prepaymentAmountCents"
PREPAID: Json = {
    "integrationConfigurationId": QUARRY,
    "integrationProductIdOrSlug": "quarry-postgres",
    "billingPlanId": "bp_abc123def456",
}
STRANGE = (
    *("icfg_\u0430bc", "\u0456cfg_abc", "..", "../..", "a/b", "a%2fb", "a?b", "a#b", "a\\b", "//evil", "a b", "a@b"),
    *(
        "x" * 200,
        "a\n",
        "\na",
        "a\0",
        "",
        " ",
        "\uff41\uff42",
        "a:b",
        "a;b",
        "'a'",
        "{id}",
        "\u202ea",
        ".hidden",
        "%00",
    ),
)


@pytest.mark.parametrize(
    ("tool", "argument"),
    [
        ("list-configurations", "integrationIdOrSlug"),
        ("list-products", "id"),
        ("list-plans", "integrationIdOrSlug"),
        ("list-plans", "productIdOrSlug"),
        ("list-plans", "integrationConfigurationId"),
        ("create-store", "integrationConfigurationId"),
        ("create-store", "integrationProductIdOrSlug"),
    ],
)
async def test_an_id_that_could_leave_its_place_in_a_path_is_named(
    tool: str, argument: str, call: Call, client: Client, sandbox: Sandbox
) -> None:
    """T36: look-alikes, separators, escapes, a trailing line break, and over-long ids reach no URL."""
    good = VALID["create-store"]["integrationConfigurationId"] if "onfiguration" in argument else "brindle"
    for value in (*STRANGE, good + "\n", good + "\r\n", f" {good}", f"{good}/", f"{good}?x=1"):
        await check_refused(call, client, tool, {argument: value}, argument)
    for value in ("icfg_", "cfg_abc", "ICFG_abc", "icfg_a-b", "icfg_" + "a" * 129):
        if "onfiguration" in argument or argument == "id":
            await check_refused(call, client, tool, {argument: value}, argument)
    assert sandbox.journal == []


@pytest.mark.parametrize(
    ("tool", "argument", "value", "nearest"),
    [
        ("list-configurations", "view", "acount", "account"),
        ("list-configurations", "view", "Project", "project"),
        ("list-configurations", "installationType", "market-place", "marketplace"),
        ("list-plans", "source", "api", None),
        ("list-plans", "source", "CLI", "cli"),
    ],
)
async def test_a_value_outside_its_list_is_answered_with_the_nearest(
    tool: str,
    argument: str,
    value: str,
    nearest: str | None,
    call: Call,
    client: Client,
    sandbox: Sandbox,
) -> None:
    """Enumerations take their own values only."""
    reply = await check_refused(call, client, tool, {argument: value}, argument)
    assert reply["error"]["message"] == f"{argument} is not one of the values that it can take."
    assert nearest in (None, reply["error"]["choices"][0])
    assert sandbox.journal == []


METADATA: dict[str, tuple[Any, str]] = {
    "null": ({"region": None}, "metadata.region"),
    "an object": ({"region": {"id": "iad1"}}, "metadata.region"),
    "a list of lists": ({"region": [["iad1"]]}, "metadata.region"),
    "a mixed list": ({"region": ["iad1", 1]}, "metadata.region"),
    "a list with null": ({"region": ["iad1", None]}, "metadata.region"),
    "a list with booleans": ({"region": [True]}, "metadata.region"),
    "a lone surrogate": ({"region": LONE}, "metadata.region"),
    "a huge integer": ({"region": 2**53}, "metadata.region"),
    "too large": ({"region": "x" * (16 * 1024)}, "metadata"),
    "too large in UTF-8": ({"region": "\u00e9" * (8 * 1024)}, "metadata"),
}


async def test_metadata_that_the_document_does_not_allow_is_named(call: Call, client: Client, sandbox: Sandbox) -> None:
    """Strings, numbers, booleans, lists of strings and lists of numbers; not more than a URL can carry."""
    for metadata, argument in METADATA.values():
        await check_refused(call, client, "create-store", {"metadata": metadata}, argument)
    assert sandbox.journal == []


async def test_metadata_that_the_product_does_not_know_is_named_with_what_it_knows(
    call: Call, client: Client, sandbox: Sandbox
) -> None:
    """Unknown keys and unknown values, before the plans are asked for; nothing is posted."""
    reply = await check_refused(call, client, "create-store", {"metadata": {"regoin": "iad1"}}, "metadata.regoin")
    assert reply["error"]["choices"] == ["region", "version"]
    reply = await check_refused(call, client, "create-store", {"metadata": {"region": "iad2"}}, "metadata.region")
    assert reply["error"]["choices"][0] == "iad1"
    reply = await check_refused(call, client, "create-store", {"metadata": {"version": 17}}, "metadata.version")
    assert reply["error"]["message"] == "metadata.version: must be a string."
    assert [(one.method, one.path.rsplit("/", 1)[-1]) for one in sandbox.journal] == [("GET", "products")] * 3


PLAN_METADATA: dict[str, str] = {
    "no JSON": "region=iad1",
    "no object": '["iad1"]',
    "a text": '"iad1"',
    "empty": "",
    "a key twice": '{"region":"iad1","region":"fra1"}',
    "NaN": '{"region":NaN}',
    "infinity": '{"region":1e999}',
    "a huge integer": '{"region":9007199254740993}',
    "half a pair": '{"region":"\\ud800"}',
    "half a pair in a key": '{"auto\\udc00Upgrade":true}',
    "too deep": '{"a":' * 40 + "1" + "}" * 40,
    "far too deep": '{"a":' * 5000 + "1" + "}" * 5000,
    "too large": '{"a":"' + "x" * 16 * 1024 + '"}',
    "trailing": '{"region":"iad1"} x',
}


async def test_metadata_as_text_must_be_one_exact_object(call: Call, client: Client, sandbox: Sandbox) -> None:
    """list-plans takes the metadata as JSON text: ambiguous or inexact text is no metadata."""
    for metadata in PLAN_METADATA.values():
        await check_refused(call, client, "list-plans", {"metadata": metadata}, "metadata")
    assert sandbox.journal == []


async def test_an_amount_that_is_no_whole_number_of_at_least_fifty_cents_is_named(
    call: Call, client: Client, sandbox: Sandbox
) -> None:
    """T07: also where its value would be whole: the text must be."""
    wrong = [49, 0, -1, 50.5, 5000.0, 0.1, True, False, "5000", None, [5000], 2**53, -(2**53), 10**400]
    for amount in wrong:
        await check_refused(call, client, "create-store", {**PREPAID, "prepaymentAmountCents": amount}, CENTS)
    assert sandbox.journal == []


async def test_an_amount_outside_the_plans_bounds_is_named_with_them(
    call: Call, client: Client, sandbox: Sandbox
) -> None:
    """T07: the plan's minimum and maximum, in cents and in dollars."""
    bounds = "at least 1000 (10.00 dollars) and at most 10000 (100.00 dollars)"
    for amount in (50, 999, 10_001, 2**53 - 1):
        change = {**PREPAID, "prepaymentAmountCents": amount}
        reply = await check_refused(call, client, "create-store", change, CENTS)
        assert reply["error"]["message"] == f"The amount must be {bounds}."
    assert sandbox.posts == []


async def test_an_amount_is_named_where_it_is_missing_and_where_it_has_no_place(
    call: Call, client: Client, sandbox: Sandbox
) -> None:
    """T07: missing on a prepayment of variable amount; present on a subscription, or without a plan."""
    for change in (
        PREPAID,
        {**PREPAID, "billingPlanId": ..., "prepaymentAmountCents": 5000},
        {"prepaymentAmountCents": 5000},
        {"billingPlanId": "pro", "prepaymentAmountCents": 5000},
    ):
        await check_refused(call, client, "create-store", change, CENTS)
    assert sandbox.posts == []


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf"), 10**400, -(2**53), 2.0**1023 * 2])
@pytest.mark.parametrize(
    ("tool", "change", "argument"),
    [
        ("create-store", {"prepaymentAmountCents": ...}, "prepaymentAmountCents"),
        ("create-store", {"metadata": {"replicas": [1, ...]}}, "metadata.replicas[1]"),
        ("create-store", {"protocolSettings": {"a": [{"b": ...}]}}, "protocolSettings.a[0].b"),
        ("create-store", {"name": ...}, "name"),
        ("list-products", {"id": ...}, "id"),
    ],
)
def test_a_number_that_json_can_not_carry_is_named(tool: str, change: Json, argument: str, value: Any) -> None:
    """T07: NaN, infinities and integers that other readers would round."""

    def filled(part: Any) -> Any:
        match part:
            case dict():
                return {key: filled(child) for key, child in part.items()}
            case list():
                return [filled(child) for child in part]
        return value if part is ... else part

    with pytest.raises(StopError) as stopped:
        arguments.read(specs.load()[tool], MODELS[tool], {**VALID[tool], **filled(change)})
    assert stopped.value.error == {
        "code": "invalid_arguments",
        "argument": argument,
        "message": f"{argument} must be a finite number that JSON carries exactly.",
    }


async def test_a_plan_id_that_no_plan_has_is_answered_with_the_nearest(
    call: Call, client: Client, sandbox: Sandbox
) -> None:
    """T03, T36: exact ids only; look-alikes and other cases are no plan's id."""
    for plan_id in ("Free", "FREE", "fr\u0435e", "free ", " free", "fre", "\uff46ree", "bp_abc123def456", "free\u00b7"):
        reply = await check_refused(call, client, "create-store", {"billingPlanId": plan_id}, "billingPlanId")
        assert set(reply["error"]["choices"]) == {"free", "pro", "pro-yearly", "scale"}
        assert plan_id == "bp_abc123def456" or reply["error"]["choices"][0] == "free"
    assert sandbox.posts == []


async def test_ids_that_vercel_does_not_know_are_answered_with_the_nearest(
    call: Call, client: Client, sandbox: Sandbox
) -> None:
    """A wrong product, and a configuration that is not installed."""
    change = {"integrationProductIdOrSlug": "brindle-postgress"}
    reply = await check_refused(call, client, "create-store", change, "integrationProductIdOrSlug")
    assert reply["error"]["choices"] == ["brindle-postgres", "brindle-preview"]
    change = {"integrationConfigurationId": "icfg_BrindleData000000000002"}
    reply = await check_refused(call, client, "create-store", change, "integrationConfigurationId")
    assert reply["error"]["choices"][0] == BRINDLE
    assert sandbox.posts == []


@pytest.mark.parametrize("name", [" my-db", "my-db ", "my  db", "my\u00a0db", "my\u2003db"])
async def test_names_that_a_person_would_read_as_one_are_not_taken(
    name: str, call: Call, client: Client, sandbox: Sandbox
) -> None:
    """T11: a space more would be another store to the ledger, and the same one in every question."""
    reply = await check_refused(call, client, "create-store", {"name": name}, "name")
    assert "single spaces" in reply["error"]["message"]
    assert sandbox.posts == []
    assert (await call(client, "create-store", {**VALID["create-store"], "name": "my db"}))["status"] == "created"
