"""A connection may open in any order: either era, with a question first or without."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, StdioServerParameters

from vercel_marketplace_mcp import specs

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parents[2]
TOOLS = list(specs.TOOL_NAMES)


def request(number: int, method: str, **parameters: Any) -> dict[str, Any]:
    """A JSON-RPC request."""
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": parameters}


@pytest.mark.parametrize("mode", ["legacy", "auto", "2026-07-28"])
async def test_the_sdk_s_client_creates_a_free_store(mode: str, variables: dict[str, str]) -> None:
    """In both eras the client of the SDK gets the published tools, and a free store out of the sandbox."""
    server = StdioServerParameters(
        command=sys.executable, args=["-m", "vercel_marketplace_mcp", "serve", "--sandbox"], env=variables
    )
    async with Client(server, mode=mode) as client:
        tools = (await client.list_tools()).tools
        created = await client.call_tool(
            "create-store",
            {
                "name": "my-store",
                "integrationConfigurationId": "icfg_BrindleData000000000001",
                "integrationProductIdOrSlug": "brindle-postgres",
                "billingPlanId": "free",
            },
        )
    published = [json.loads((ROOT / "tool_specs" / f"{name}.json").read_text("utf-8")) for name in TOOLS]
    assert [tool.model_dump(mode="json", by_alias=True, exclude_none=True) for tool in tools] == published
    assert not created.is_error
    assert created.structured_content
    assert created.structured_content["status"] == "created"
    assert created.structured_content["store"]["name"] == "my-store"


async def test_a_client_may_ask_what_the_server_is_before_the_handshake(
    connect: Any, initialize: Any, initialized: Any, modern: Any
) -> None:
    """`server/discover`, asked twice, and then `initialize` on one connection: all are answered."""
    server = await connect()
    for number in (1, 2):
        told = await server.ask(request(number, "server/discover", _meta=modern))
        assert told["id"] == number
        assert "2026-07-28" in told["result"]["supportedVersions"]
    opened = await server.ask(initialize)
    await server.send(initialized)
    listed = await server.ask(request(3, "tools/list"))
    assert (opened["id"], opened["result"]["protocolVersion"]) == ("opening", "2025-11-25")
    assert [tool["name"] for tool in listed["result"]["tools"]] == TOOLS
    assert await server.end() == (0, b"", "")


async def test_a_question_before_the_handshake_that_makes_no_sense_is_answered(connect: Any, initialize: Any) -> None:
    """`server/discover` without or with a broken `_meta` gets an error, and the connection still opens."""
    server = await connect()
    senseless: list[dict[str, Any]] = [{}, {"_meta": 5}, {"_meta": {"io.modelcontextprotocol/protocolVersion": 5}}]
    answers = [await server.ask(request(number, "server/discover", **each)) for number, each in enumerate(senseless)]
    assert [(answer["id"], "error" in answer) for answer in answers] == [(0, True), (1, True), (2, True)]
    assert (await server.ask(initialize))["result"]["protocolVersion"] == "2025-11-25"
    assert await server.end() == (0, b"", "")


async def test_a_client_of_the_new_era_needs_no_opening(connect: Any, modern: Any) -> None:
    """The first request may be `tools/list`; a call and `server/discover` may follow on the same connection."""
    server = await connect()
    listed = await server.ask(request(1, "tools/list", _meta=modern))
    called = await server.ask(request(2, "tools/call", name="list-configurations", arguments={}, _meta=modern))
    told = await server.ask(request(3, "server/discover", _meta=modern))
    assert [tool["name"] for tool in listed["result"]["tools"]] == TOOLS
    assert called["result"]["structuredContent"]["count"] > 0
    assert "2026-07-28" in told["result"]["supportedVersions"]
    assert await server.end() == (0, b"", "")


async def test_a_request_before_the_handshake_does_not_prevent_it(connect: Any, initialize: Any) -> None:
    """Whatever came first and however it was answered, `initialize` opens the connection."""
    server = await connect()
    methods = ["ping", "tools/list", "no/such/method"]
    assert [(await server.ask(request(number, method)))["id"] for number, method in enumerate(methods)] == [0, 1, 2]
    assert (await server.ask(initialize))["result"]["protocolVersion"] == "2025-11-25"
    assert await server.end() == (0, b"", "")


async def test_what_is_no_request_does_not_open_a_connection(connect: Any, initialize: Any, initialized: Any) -> None:
    """Notifications, answers to nothing, garbage and empty lines may come first."""
    server = await connect()
    await server.send(initialized)
    await server.send({"jsonrpc": "2.0", "id": 7, "result": {}})
    await server.send(b"")
    assert (await server.ask(b"garbage"))["error"]["code"] == -32700
    assert (await server.ask(initialize))["result"]["protocolVersion"] == "2025-11-25"
    assert await server.end() == (0, b"", "")
