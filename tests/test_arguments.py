"""Bad arguments in every tool, in both eras: they are named, mended where possible, and nothing is sent."""

import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mcp import Client

from vercel_marketplace_mcp import arguments, inputs, specs
from vercel_marketplace_mcp.results import StopError
from vercel_marketplace_mcp.sandbox import SANDBOX_TEAM_ID, SANDBOX_TEAM_SLUG, Sandbox
from vercel_marketplace_mcp.text import clean

from .calls import MODELS, NOTHING, VALID, changed, check_refused
from .conftest import Call, Connect, Json

pytestmark = pytest.mark.anyio

LONE = "\ud800"
TYPOS = {
    "billing_plan_id": "billingPlanId",
    "BillingPlanId": "billingPlanId",
    "billingplanid": "billingPlanId",
    "billingPlanID": "billingPlanId",
    "billing-plan-id": "billingPlanId",
    "billingPlan": "billingPlanId",
    "billingPlanId ": "billingPlanId",
    "billingPlanld": "billingPlanId",
    "plan_id": "billingPlanId",
    "prepaymentAmount": "prepaymentAmountCents",
    "paymentMethod": "paymentMethodId",
    "integrationConfigurationID": "integrationConfigurationId",
    "team_id": "teamId",
    "metaData": "metadata",
    "external_id": "externalId",
}
INVENTED = (
    *("confirm", "confirmed", "force", "yes", "approve", "approved", "skipConfirmation", "confirmed_by_user", "y"),
    *("confirmationToken", "approvalCode", "dryRun", "acceptCost", "i_am_human", "override", "__proto__", "_meta", ""),
)


async def test_a_misspelled_argument_is_named_with_the_one_that_was_meant(
    call: Call, client: Client, sandbox: Sandbox
) -> None:
    """T03: a typo never becomes "left out"."""
    for typo, meant in TYPOS.items():
        reply = await check_refused(call, client, "create-store", {typo: "free", "billingPlanId": ...}, clean(typo))
        assert reply["error"]["choices"][0] == meant
        assert reply["error"]["message"] == f"create-store has no such argument. Did you mean {meant}?"
    assert sandbox.journal == []


async def test_an_invented_argument_that_confirms_is_an_error_in_every_tool(
    call: Call, client: Client, sandbox: Sandbox
) -> None:
    """T02: confirm, force, yes, tokens and the like are unknown, whatever their value."""
    for tool in VALID:
        for name in INVENTED:
            for value in (True, "yes", None, {"confirm": True}):
                await check_refused(call, client, tool, {name: value}, clean(name))
    assert sandbox.journal == []


def test_no_argument_of_any_tool_confirms_anything() -> None:
    """T02: no name in the published schemas gives a model a way to say yes."""
    names = {name for spec in specs.load().values() for name in spec.argument_names}
    assert [
        name for name in names if re.search(r"confirm|force|yes|approv|skip|accept|token|overrid", name, re.IGNORECASE)
    ] == []
    assert all(spec.definition["inputSchema"]["additionalProperties"] is False for spec in specs.load().values())


@settings(max_examples=500, derandomize=True, database=None, deadline=None)
@given(st.sampled_from(list(VALID)), st.text(max_size=20), st.none() | st.booleans() | st.text() | st.integers())
def test_five_hundred_invented_names_are_errors(tool: str, name: str, value: Any) -> None:
    """T02: whatever the name, if the schema does not know it."""
    spec = specs.load()[tool]
    if name not in spec.argument_names:
        with pytest.raises(StopError) as stopped:
            arguments.read(spec, MODELS[tool], {**VALID[tool], name: value})
        assert stopped.value.status == "invalid_arguments"


TYPES: dict[str, Any] = {"string": str, "object": dict, "number": (int, float), "array": list, "boolean": bool}


@pytest.mark.parametrize("tool", VALID)
async def test_a_value_of_a_wrong_type_is_named(tool: str, call: Call, client: Client, sandbox: Sandbox) -> None:
    """T03: null, numbers, booleans, lists and objects where a text is due, in every argument of every tool."""
    rules: Json = specs.load()[tool].definition["inputSchema"]["properties"]
    wrong: list[Any] = [None, 0, 1.5, True, False, [], ["free"], {}, {"id": "free"}, "text"]
    for name, rule in rules.items():
        fitting: Any = TYPES[rule["type"]]
        for value in wrong:
            if not isinstance(value, fitting) or (isinstance(value, bool) and rule["type"] == "number"):
                await check_refused(call, client, tool, {name: value}, name)
    assert sandbox.journal == []


async def test_a_missing_argument_is_named_and_described(call: Call, client: Client, sandbox: Sandbox) -> None:
    """What is required, and what it must look like."""
    for tool, names in (
        ("list-products", ["id"]),
        ("list-plans", ["integrationIdOrSlug", "productIdOrSlug"]),
        ("create-store", ["name", "integrationConfigurationId", "integrationProductIdOrSlug"]),
    ):
        for name in names:
            reply = await check_refused(call, client, tool, {name: ...}, name)
            assert reply["error"]["message"].startswith(f"{name} is required: ")
    assert sandbox.journal == []


NAMES = {
    "empty": "",
    "blank": " \t ",
    "no-break space": "\u00a0",
    "too long": "x" * 129,
    "far too long": "x" * 60_000,
    "line break": "my\ndb",
    "carriage return": "my\rdb",
    "NUL": "my\0db",
    "escape": "my\x1b[2Jdb",
    "C1": "my\x9bdb",
    "zero width": "my\u200bdb",
    "soft hyphen": "my\u00addb",
    "direction": "my\u202edb",
    "isolate": "\u2066my\u2069",
    "tag": "my\U000e0041db",
    "variation": "my\ufe0fdb",
    "Hangul filler": "my\u3164db",
    "braille blank": "my\u2800db",
    "line separator": "my\u2028db",
    "private": "my\ue000db",
    "not composed": "cafe\u0301",
    "lone surrogate": f"my{LONE}db",
}


@pytest.mark.parametrize("argument", ["name", "billingPlanId", "paymentMethodId"])
async def test_a_text_that_a_person_could_not_read_in_a_question_is_named(
    argument: str, call: Call, client: Client, sandbox: Sandbox
) -> None:
    """T03, T33, T37: empty, blank, over-long, invisible, or not in composed form."""
    for kind, value in NAMES.items():
        longer = 1 if argument == "name" or kind != "too long" else 2
        await check_refused(call, client, "create-store", {argument: value * longer}, argument)
    assert sandbox.journal == []


async def test_arguments_that_nest_too_deep_or_are_too_large_are_named(
    call: Call, client: Client, sandbox: Sandbox
) -> None:
    """T60: 32 levels and 64 KiB; what holds a lone surrogate anywhere is refused as well."""
    for levels, argument in ((33, "protocolSettings" + ".a" * 32), (200, "protocolSettings" + ".a" * 32)):
        change: Json = {"protocolSettings": json.loads('{"a":' * levels + "1" + "}" * levels)}
        reply = await check_refused(call, client, "create-store", change, clean(argument, 80))
        assert "nests deeper than 32 levels" in reply["error"]["message"]
    for change in ({"externalId": "x" * 64 * 1024}, {"protocolSettings": {"a": ["\u00e9" * 1024] * 33}}):
        await check_refused(call, client, "create-store", change, "arguments")
    for change, argument in (
        ({"externalId": LONE}, "externalId"),
        ({"source": f"api{LONE}"}, "source"),
        ({"protocolSettings": {"a": [LONE]}}, "protocolSettings.a[0]"),
    ):
        await check_refused(call, client, "create-store", change, argument)
    assert sandbox.journal == []
    with pytest.raises(StopError, match="half of a surrogate pair"):
        arguments.read(specs.load()["create-store"], inputs.CreateStore, changed("create-store", {LONE: 1}))


def test_a_key_that_the_text_of_a_call_gave_twice_is_named() -> None:
    """The last one won when the text was parsed, so nobody knows which was meant."""
    for tool, valid in VALID.items():
        with pytest.raises(StopError) as stopped:
            arguments.read(specs.load()[tool], MODELS[tool], valid, ("billingPlanId", "name"))
        assert stopped.value.error["argument"] == "billingPlanId"


@pytest.mark.parametrize("tool", VALID)
@pytest.mark.parametrize(
    ("team", "argument"),
    [
        ({"teamId": "team_other"}, "teamId"),
        ({"slug": "other"}, "slug"),
        ({"teamId": SANDBOX_TEAM_ID, "slug": SANDBOX_TEAM_SLUG}, "slug"),
        ({"teamId": "team_other", "slug": SANDBOX_TEAM_SLUG}, "teamId"),
        ({"slug": SANDBOX_TEAM_ID}, "slug"),
    ],
)
async def test_another_team_than_the_operators_is_refused(
    tool: str, team: Json, argument: str, call: Call, client: Client, sandbox: Sandbox
) -> None:
    """T50: the operator has chosen the team by its id; nothing else is this team for certain."""
    reply = await call(client, tool, changed(tool, team))
    assert reply["error"]["code"] == "the_team_is_not_the_operators"
    assert reply["error"]["argument"] == argument
    assert reply["next_steps"] == ["Leave teamId and slug out, or ask the operator to change VERCEL_TEAM_ID."]
    if tool == "create-store":
        assert (reply["status"], reply["money"]) == ("refused", NOTHING)
    assert sandbox.journal == []


@pytest.mark.parametrize("team_id", ["other", "team_", "team_\u0430", "team_a/b", "team_a\n", "", "team_" + "a" * 65])
@pytest.mark.parametrize("tool", VALID)
async def test_a_team_that_can_be_none_is_named(
    tool: str, team_id: str, call: Call, client: Client, sandbox: Sandbox
) -> None:
    """T36: a team's id has a form, too; so does its slug."""
    await check_refused(call, client, tool, {"teamId": team_id}, "teamId")
    await check_refused(call, client, tool, {"slug": f"{team_id}/"}, "slug")
    assert sandbox.journal == []


async def test_two_teams_at_once_are_an_error_where_the_operator_has_set_none(
    call: Call, connect: Connect, sandbox: Sandbox
) -> None:
    """T50: which of the two Vercel would take is documented nowhere."""
    async with connect(team=None) as client:
        for tool in VALID:
            both = {"teamId": SANDBOX_TEAM_ID, "slug": SANDBOX_TEAM_SLUG}
            reply = await call(client, tool, changed(tool, both))
            assert (reply["error"]["code"], reply["error"]["argument"]) == ("invalid_arguments", "slug")
    assert sandbox.journal == []


@settings(max_examples=300, derandomize=True, database=None, deadline=None)
@given(
    st.sampled_from(list(VALID)),
    st.sampled_from(["name", "id", "metadata", "billingPlanId", "prepaymentAmountCents", "protocolSettings", "slug"]),
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(st.characters(), max_size=5),
        lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
        max_leaves=5,
    ),
)
def test_whatever_a_model_sends_is_taken_as_it_is_or_refused(tool: str, name: str, value: Any) -> None:
    """Any JSON value in any argument: the call is read unchanged, or ends with an answer."""
    given_arguments = {**VALID[tool], name: value}
    try:
        read = arguments.read(specs.load()[tool], MODELS[tool], given_arguments)
    except StopError as stop:
        outcome: Any = stop.status
    else:
        outcome = read.model_dump(by_alias=True, exclude_unset=True)
    assert outcome in ("invalid_arguments", given_arguments)
