"""That the tool definitions say what Vercel's specification says; nothing here runs a tool."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from vercel_marketplace_mcp import specs

SPECS = Path(__file__).parents[1] / "tool_specs"
TOOLS = specs.TOOL_NAMES
# The example on Vercel's page.
EXAMPLE = {
    "name": "my-dev-database",
    "integrationConfigurationId": "icfg_cuwj0AdCdH3BwWT4LPijCC7t",
    "integrationProductIdOrSlug": "iap_postgres_db",
    "metadata": {"environment": "development", "project": "my-app", "tags": ["database", "postgres"]},
    "externalId": "dev-db-001",
    "protocolSettings": {"experimentation": {"edgeConfigSyncingEnabled": True}},
    "source": "api",
    "billingPlanId": "bp_abc123def456",
    "paymentMethodId": "pm_1AbcDefGhiJklMno",
    "prepaymentAmountCents": 5000,
}

Json = dict[str, Any]


def read(path: Path) -> Json:
    """A JSON file."""
    value: Json = json.loads(path.read_text("utf-8"))
    return value


def inputs(tool: str) -> Json:
    """The members of a tool's input, without the descriptions at any depth."""
    bare: Json = json.loads(
        (SPECS / f"{tool}.json").read_text("utf-8"),
        object_hook=lambda node: {
            key: node[key] for key in node if key != "description" or isinstance(node[key], dict)
        },
    )["inputSchema"]
    return bare


def test_create_store_takes_exactly_what_the_page_describes() -> None:
    """Names, types, patterns, limits, defaults and requiredness of the page; anyOf is a listed difference."""
    string = {"type": "string"}
    lists = [{"type": "array", "items": {"type": "string"}}, {"type": "array", "items": {"type": "number"}}]
    either = [{"pattern": "^iap_[a-zA-Z0-9_]+$"}, {"pattern": "^[a-z0-9-]+$"}]
    assert inputs("create-store") == {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {
            "name": {"type": "string", "maxLength": 128},
            "integrationConfigurationId": {"type": "string", "pattern": "^icfg_[a-zA-Z0-9]+$"},
            "integrationProductIdOrSlug": {"type": "string", "oneOf": either},
            "metadata": {
                "type": "object",
                "additionalProperties": {"anyOf": [string, {"type": "number"}, {"type": "boolean"}, *lists]},
            },
            "externalId": string,
            "protocolSettings": {"type": "object", "additionalProperties": True},
            "source": {"type": "string", "default": "marketplace"},
            "billingPlanId": string,
            "paymentMethodId": string,
            "prepaymentAmountCents": {"type": "number", "minimum": 50},
            "teamId": string,
            "slug": string,
        },
        "required": ["name", "integrationConfigurationId", "integrationProductIdOrSlug"],
        "additionalProperties": False,
    }


def test_the_list_tools_take_the_parameters_of_their_operations() -> None:
    """Path first, then query, the team last; view has left required for its default."""
    found = {name: (list(inputs(name)["properties"]), inputs(name)["required"]) for name in TOOLS[:3]}
    own = ["integrationIdOrSlug", "productIdOrSlug", "integrationConfigurationId", "metadata", "source"]
    assert found == {
        "list-configurations": (["view", "installationType", "integrationIdOrSlug", "teamId", "slug"], []),
        "list-products": (["id", "teamId", "slug"], ["id"]),
        "list-plans": ([*own, "teamId", "slug"], ["integrationIdOrSlug", "productIdOrSlug"]),
    }
    view = {"type": "string", "enum": ["account", "project"], "default": "account"}
    assert inputs("list-configurations")["properties"]["view"] == view


@pytest.mark.parametrize("name", TOOLS)
def test_a_definition_is_complete_and_its_schemas_are_valid(name: str) -> None:
    """Schemas of 2020-12, objects at the root, short descriptions, and of the shared pieces only what is used."""
    made = read(SPECS / f"{name}.json")
    assert list(made) == ["name", "title", "description", "inputSchema", "outputSchema", "annotations"]
    for schema in (made["inputSchema"], made["outputSchema"]):
        Draft202012Validator.check_schema(schema)
        assert (schema["$schema"], schema["type"]) == (Draft202012Validator.META_SCHEMA["$id"], "object")
    used = set(re.findall(r'"#/\$defs/(\w+)"', json.dumps(made["outputSchema"])))
    assert set(made["outputSchema"].get("$defs", {})) == used
    lengths = {
        key: len(one["description"]) for key, one in made["inputSchema"]["properties"].items() if key != "source"
    }
    assert max(lengths.values()) <= 110
    assert [key for key in lengths if re.search("confirm|force|yes|approve|skip", key, re.IGNORECASE)] == []


def accepted(**changes: Any) -> bool:
    """Whether create-store takes the page's example with some members changed."""
    validator = Draft202012Validator(read(SPECS / "create-store.json")["inputSchema"])
    return bool(validator.is_valid({**EXAMPLE, **changes}))


def test_the_example_of_the_page_is_accepted() -> None:
    """Its source is no longer in Vercel's enum; what the page allows stays allowed."""
    assert accepted()


@pytest.mark.parametrize("value", [[], ["a"], [1], [1, 2.5], "a", "", 0, -1.5, True, False])
def test_metadata_may_hold_flat_values(value: Any) -> None:
    """An empty list is both a list of texts and one of numbers, and is accepted."""
    assert accepted(metadata={"key": value})


@pytest.mark.parametrize("value", [{}, {"a": 1}, None, ["a", 1], [True], [[]], [None]])
def test_metadata_may_hold_nothing_else(value: Any) -> None:
    """Nested objects, null and mixed lists are refused."""
    assert not accepted(metadata={"key": value})


@pytest.mark.parametrize(
    ("member", "good", "bad"),
    [
        ("name", "n" * 128, "n" * 129),
        ("integrationConfigurationId", "icfg_a1", "icfg_a-1"),
        ("integrationProductIdOrSlug", "upstash-kv", "Upstash"),
        ("integrationProductIdOrSlug", "iap_A_1", "iap_a-1"),
        ("prepaymentAmountCents", 50, 49.99),
        ("protocolSettings", {}, []),
    ],
)
def test_the_limits_hold_at_their_edge(member: str, good: Any, bad: Any) -> None:
    """The last value within and the first one outside."""
    assert (accepted(**{member: good}), accepted(**{member: bad})) == (True, False)


@pytest.mark.parametrize("member", ["confirm", "force", "dryRun", "billingPlanID", "token"])
def test_an_unknown_member_is_refused(member: str) -> None:
    """A misspelt billingPlanId must not count as left out."""
    assert not accepted(**{member: "free"})


def test_every_difference_is_listed_in_full() -> None:
    """An entry says where, what each side says and why, and speaks of an operation that there is."""
    document = read(SPECS / "openapi.json")
    names = {one["operationId"] for item in document["paths"].values() for one in item.values()} | {"*", "get*"}
    entries = document["x-differences"]
    assert {tuple(entry) for entry in entries} == {("where", "page", "today", "here", "reason")}
    assert {len(entry["where"].split(" ")) for entry in entries} == {3}
    assert {entry["where"].split(" ")[0] for entry in entries} <= names


def test_the_excerpt_is_a_valid_openapi_document() -> None:
    """Checked against the meta-schema of OpenAPI 3.0."""
    schemathesis = pytest.importorskip("schemathesis")
    schemathesis.openapi.from_dict(read(SPECS / "openapi.json")).validate()
