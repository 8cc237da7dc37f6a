"""What may be read beside the tools, through a real client in both eras, and once over stdio."""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mcp_types as types
import pytest
from mcp import Client, StdioServerParameters

from vercel_marketplace_mcp import settings, specs
from vercel_marketplace_mcp.purchase import policy
from vercel_marketplace_mcp.sandbox import SANDBOX_TEAM_ID, Sandbox

from .conftest import Connect, Json
from .reading import FIXED, GUIDE, OPERATION, PURCHASES, RULES, SCHEME, error_of, text_of

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parents[1]
NOT_FOUND = {"legacy": -32002, "auto": types.INVALID_PARAMS}
"""What "no such resource" is called in the two eras."""
TIGHT: Json = {
    "paid": False,
    "approval": "terminal",
    "max_per_purchase": 0,
    "max_per_day": 12_34,
    "unpriced": False,
    "max_creates_per_hour": 7,
    "allowed_products": frozenset({"brindle/brindle-postgres", "a/b"}),
}


def references(node: Any) -> Iterator[str]:
    """Every reference in a document."""
    if isinstance(node, dict) and isinstance(node.get("$ref"), str):
        yield node["$ref"]
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from references(child)


async def test_the_server_declares_what_it_has_and_no_more(client: Client) -> None:
    """Nothing here changes while a process lives, so nothing is announced or subscribed to."""
    declared = client.server_capabilities.model_dump(mode="json", by_alias=True, exclude_none=True)
    assert declared == {
        "prompts": {"listChanged": False},
        "resources": {"subscribe": False, "listChanged": False},
        "tools": {"listChanged": False},
        "completions": {},
    }


@pytest.mark.parametrize("era", ["auto"], indirect=True)
async def test_what_may_be_kept_is_said_and_purchases_are_always_fresh(client: Client) -> None:
    """Lists are the same for everybody; what a resource holds is this account's, and purchases change any time."""
    lists: list[types.CacheableResult] = [
        await client.list_prompts(),
        await client.list_resources(),
        await client.list_resource_templates(),
    ]
    assert {(one.ttl_ms, one.cache_scope) for one in lists} == {(3_600_000, "public")}
    read = {uri: await client.read_resource(uri) for uri in (*FIXED, f"{OPERATION}get-store")}
    assert {uri: one.ttl_ms for uri, one in read.items() if one.ttl_ms} == dict.fromkeys(
        (GUIDE, f"{OPERATION}get-store"), 3_600_000
    )
    assert {one.cache_scope for one in read.values()} == {"private"}


async def test_the_resources_are_listed_for_people_and_agents(client: Client) -> None:
    """Addresses, names, titles, types, and for whom they are."""
    listed = (await client.list_resources()).resources
    found = [one.model_dump(mode="json", by_alias=True, exclude_none=True) for one in listed]
    assert all(one.pop("description").endswith(".") for one in found)
    everybody = ["user", "assistant"]
    assert found == [
        {
            "uri": GUIDE,
            "name": "guide",
            "title": "How to provision a store",
            "mimeType": "text/markdown",
            "annotations": {"audience": everybody, "priority": 0.8},
        },
        {
            "uri": RULES,
            "name": "rules",
            "title": "Purchase rules",
            "mimeType": "text/markdown",
            "annotations": {"audience": everybody, "priority": 0.6},
        },
        {
            "uri": PURCHASES,
            "name": "purchases",
            "title": "Purchases",
            "mimeType": "application/json",
            "annotations": {"audience": everybody, "priority": 0.5},
        },
    ]


async def test_one_template_leads_to_vercel_s_operations(client: Client) -> None:
    """It names the tools that may stand in it."""
    (template,) = (await client.list_resource_templates()).resource_templates
    assert template.model_dump(mode="json", by_alias=True, exclude_none=True) == {
        "uriTemplate": f"{OPERATION}{{tool}}",
        "name": "openapi",
        "title": "Vercel's operation behind a tool",
        "description": f"An OpenAPI document of the one operation that a tool calls: {', '.join(specs.TOOL_NAMES)}.",
        "mimeType": "application/json",
        "annotations": {"audience": ["assistant"], "priority": 0.2},
    }


async def test_the_guide_is_the_file_of_the_package(client: Client) -> None:
    """It is short, and every address in it can be read or is the template."""
    text = await text_of(client, GUIDE, "text/markdown")
    assert text == (ROOT / "server" / "vercel_marketplace_mcp" / "guides" / "workflow.md").read_text("utf-8")
    assert len(text) < 4000
    assert set(re.findall(rf"{SCHEME}[^`]+", text)) == {*FIXED[1:], f"{OPERATION}{{tool}}"}


@pytest.mark.parametrize("changes", [{}, TIGHT], ids=["as they are by default", "tight"])
async def test_the_rules_are_those_that_judge_with_the_limits_of_the_operator(
    connect: Connect, changes: Json, tmp_path: Path
) -> None:
    """Each rule by its name and docstring; the table, read as an environment, gives the same settings again."""
    async with connect(**changes) as client:
        text = await text_of(client, RULES, "text/markdown")
    told = dict(re.findall(r"^- `(\w+)`: (.+)$", text, re.MULTILINE))
    assert told == {rule.__name__: rule.__doc__ for rule in (*policy.RULES, *policy.ASKING_RULES)}
    table = dict(re.findall(r"^\| `(VERCEL_\w+)` \| (.+) \|$", text, re.MULTILINE))
    environment = {name: value for name, value in table.items() if value != "all products"}
    read = settings.load_policy({"VERCEL_MCP_STATE_DIR": str(tmp_path), **environment})
    assert {name: getattr(read, name) for name in TIGHT} == {
        name: changes.get(name, getattr(settings.Settings(token=read.token, state_dir=tmp_path), name))
        for name in TIGHT
    }
    assert f"Team: `{SANDBOX_TEAM_ID}`. A call that names another one is refused." in text


async def test_rules_say_when_nothing_can_be_created_and_cut_a_long_list(connect: Connect) -> None:
    """Without a team nothing is created; a list of products is shown in part and counted."""
    products = frozenset(f"acme/p{number:03}" for number in range(250))
    async with connect(team=None, allowed_products=products) as client:
        text = await text_of(client, RULES, "text/markdown")
    assert "Team: none is set, so nothing can be created." in text
    assert "acme/p099 and 150 more |" in text


@pytest.mark.parametrize("tool", specs.TOOL_NAMES)
async def test_each_tool_has_its_operation_with_all_that_it_refers_to(client: Client, tool: str) -> None:
    """An OpenAPI document of one operation, letter for letter that of tool_specs/; nothing dangles or is idle."""
    document = json.loads(await text_of(client, OPERATION + tool))
    whole = json.loads((ROOT / "tool_specs" / "openapi.json").read_text("utf-8"))
    ours = json.loads((ROOT / "tool_specs" / "tools.json").read_text("utf-8"))
    ((path, operations),) = document["paths"].items()
    ((method, operation),) = operations.items()
    assert (operation["operationId"], operation) == (ours["tools"][tool]["operationId"], whole["paths"][path][method])
    assert [document[name] for name in ("openapi", "servers", "security")] == [
        whole[name] for name in ("openapi", "servers", "security")
    ]
    held = {f"#/components/{kind}/{name}" for kind, pieces in document["components"].items() for name in pieces}
    assert held == {"#/components/securitySchemes/bearerToken", *references(document)}
    assert all(
        piece == whole["components"][kind][name]
        for kind, pieces in document["components"].items()
        for name, piece in pieces.items()
    )


@pytest.mark.parametrize(
    "uri",
    [
        "",
        SCHEME,
        f"{SCHEME}Guide",
        f"{SCHEME}guide/",
        f"{SCHEME}guide?x=1",
        OPERATION,
        f"{OPERATION}create-store/",
        f"{OPERATION}../tools",
        f"{OPERATION}%63reate-store",
        f"{OPERATION}{{tool}}",
        "create-store",
        "https://vercel.com",
        "file:///etc/passwd",
        f"{SCHEME}\u202e\x1b[2J" + "x" * 10_000,
    ],
)
async def test_an_unknown_address_is_an_error_that_names_the_known_ones(client: Client, era: str, uri: str) -> None:
    """Nothing but the exact addresses is read; what was asked comes back cleaned and short."""
    error = await error_of(client.read_resource(uri))
    assert (error.code, list(error.data)) == (NOT_FOUND[era], ["uri"])
    assert error.message.startswith(f"There is no resource {error.data['uri']}. Valid: {GUIDE}, ")
    assert (len(error.message) < 500, error.message.isprintable()) == (True, True)


async def test_there_is_one_page_of_everything(client: Client) -> None:
    """No cursor was ever given out, so none is taken."""
    lists = (client.list_tools, client.list_prompts, client.list_resources, client.list_resource_templates)
    found = [await error_of(ask(cursor="2")) for ask in lists]
    assert (
        found
        == [types.ErrorData(code=types.INVALID_PARAMS, message="There is one page only: leave the cursor out.")] * 4
    )


async def test_reading_asks_vercel_nothing(client: Client, sandbox: Sandbox) -> None:
    """All of it is known here, so a Vercel that is down changes nothing."""
    for uri in (*FIXED, *(OPERATION + tool for tool in specs.TOOL_NAMES)):
        assert (await client.read_resource(uri)).contents
    assert sandbox.journal == []


@pytest.mark.parametrize("mode", ["legacy", "2026-07-28"])
async def test_all_of_it_is_there_over_stdio(mode: str, tmp_path: Path) -> None:
    """The same in a process of its own: prompt, completions, resources, and an error."""
    environment = {"PYTHONPATH": str(ROOT / "server"), "VERCEL_MCP_STATE_DIR": str(tmp_path / "state")}
    command = ["-m", "vercel_marketplace_mcp", "serve", "--sandbox"]
    server = StdioServerParameters(command=sys.executable, args=command, env=environment)
    async with Client(server, mode=mode, read_timeout_seconds=60) as client:
        assert [one.name for one in (await client.list_prompts()).prompts] == ["provision-storage"]
        (message,) = (await client.get_prompt("provision-storage", {"need": "a queue"})).messages
        assert '- What is needed: "a queue"' in message.model_dump()["content"]["text"]
        reference = types.PromptReference(type="ref/prompt", name="provision-storage")
        completed = await client.complete(reference, {"name": "product", "value": "brindle/"})
        assert completed.completion.values == ["brindle/brindle-postgres", "brindle/brindle-preview"]
        assert [one.uri for one in (await client.list_resources()).resources] == FIXED
        assert len((await client.list_resource_templates()).resource_templates) == 1
        for uri in (*FIXED, f"{OPERATION}create-store"):
            assert (await client.read_resource(uri)).contents
        assert (await error_of(client.read_resource(OPERATION))).code == NOT_FOUND[
            "legacy" if mode == "legacy" else "auto"
        ]
