"""The whole workflow over HTTP, in both protocol eras, with everything that clients do on the way."""

import json
from typing import Any

import anyio
import httpx
import mcp_types as types
import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError

from vercel_marketplace_mcp.sandbox import Fault

from ..approval.wire import modern
from ..approval.world import BRINDLE, FREE, PRO, Json, Person, World, buy, clicked, first_round, typed
from ..stdio.test_draining import Hold
from .knocking import request
from .office import AGENT, GUARD, HOST, Office, an_office, http_variables, static_token

pytestmark = pytest.mark.anyio

ALICE, WARDEN = static_token("alice"), static_token("warden")
SCOPES = {"alice": AGENT, "warden": ("stores:approve-all",)}
LEGACY = {"accept": "application/json, text/event-stream", "content-type": "application/json"}


async def called(client: Client, tool: str, arguments: Json) -> Any:
    """The structured content of what a tool answers, which must be no error."""
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, result
    return result.structured_content


async def test_a_store_is_found_confirmed_in_the_form_bought_and_connected(era: str, world: World) -> None:
    """Every tool is used; one request creates, and the person saw the price before it left."""
    person = Person(typed("20.00"))
    async with (
        an_office(world, http_variables(world.folder.parent, SCOPES)) as office,
        office.client(era, ALICE, person) as client,
    ):
        assert len((await client.list_tools()).tools) == 6
        configurations = (await called(client, "list-configurations", {}))["configurations"]
        assert BRINDLE in [one.get("id") for one in configurations]
        products = (await called(client, "list-products", {"id": BRINDLE}))["products"]
        plans = {"integrationIdOrSlug": "brindle", "productIdOrSlug": "brindle-postgres"}
        offered = (await called(client, "list-plans", plans))["plans"]
        assert (products[0]["slug"], "pro" in [one["id"] for one in offered]) == ("brindle-postgres", True)
        store = (await called(client, "create-store", PRO))["store"]
        found = await called(client, "get-store", {"id": store["id"]})
        connect = {
            "integrationConfigurationId": BRINDLE,
            "resourceId": store["id"],
            "projectId": "prj_sandboxStorefront",
        }
        connected = await called(client, "connect-store", {**connect, "envVarEnvironments": ["preview"]})
        assert (await client.read_resource("vercel-marketplace://guide")).contents
    assert (found["store"]["id"], connected["status"]) == (store["id"], "connected")
    assert (world.bodies, len(person.shown), person.shown[0].startswith("Buy a store for 20.00 USD")) == (
        [PRO],
        1,
        True,
    )


async def test_a_client_without_forms_is_sent_to_where_a_person_can_answer(era: str, world: World) -> None:
    """The command names this server; after the person's yes the same call buys, once."""
    async with (
        an_office(world, http_variables(world.folder.parent, SCOPES)) as office,
        office.client(era, ALICE) as client,
    ):
        found = await buy(client)
        code = found["approval"]["code"]
        assert found["approval"]["command"] == f"vercel-marketplace-mcp approve {code} --server {office.base}"
        assert (await office.answer(code, "20.00", WARDEN)).json() == {"status": "approved"}
        again = [await buy(client) for _ in range(2)]
    assert [(one["status"], one.get("replayed", False)) for one in again] == [("created", False), ("created", True)]
    assert world.bodies == [PRO]


@pytest.mark.parametrize(
    "answer", [typed("20"), typed(""), typed("yes"), clicked("decline"), clicked("cancel")], ids=str
)
async def test_any_other_answer_buys_nothing(answer: types.ElicitResult, era: str, world: World) -> None:
    """Over HTTP as over stdio: only the exact text is a yes."""
    async with (
        an_office(world, http_variables(world.folder.parent, SCOPES)) as office,
        office.client(era, ALICE, Person(answer)) as client,
    ):
        assert (await buy(client))["status"] in {"not_confirmed", "confirmation_required"}
    assert world.bodies == []


async def test_progress_is_reported_while_a_person_reads(world: World) -> None:
    """In the era in which the call stays open: a host that counts its seconds hears what is waited for."""
    told: list[tuple[float, float | None, str | None]] = []

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        told.append((progress, total, message))

    async with (
        an_office(world, http_variables(world.folder.parent, SCOPES)) as office,
        office.client("legacy", ALICE, Person(typed("20.00"), after=0.1)) as client,
    ):
        result = await client.call_tool("create-store", PRO, progress_callback=hear)
    assert (result.is_error, told[0]) == (False, (0.0, 5.0, "Waiting for a person's answer."))


async def gone(office: Office, sent: bytes, hold: Hold) -> None:
    """Send a request, and hang up once Vercel has it in its hands."""
    stream = await anyio.connect_tcp(HOST, office.port)
    await stream.send(sent)
    await hold.arrived.wait()
    await stream.aclose()


async def opened(office: Office) -> tuple[str, str]:
    """Open a session of the handshake era; its id, and the protocol version that it speaks."""
    parameters = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "x", "version": "1"}}
    message = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": parameters}
    answer = await office.ask("POST", "/mcp", ALICE, json=message, headers=LEGACY)
    session = answer.headers["mcp-session-id"]
    ready = {"jsonrpc": "2.0", "method": "notifications/initialized"}
    await office.ask("POST", "/mcp", ALICE, json=ready, headers={**LEGACY, "mcp-session-id": session})
    return session, "2025-11-25"


async def test_a_client_that_goes_away_in_the_middle_tears_nothing(era: str, world: World) -> None:
    """T44: its connection is cut while Vercel works: the purchase is finished, recorded, and told to a repeat."""
    hold = Hold()
    world.sandbox.misbehave("createIntegrationStoreDirect", Fault(until=hold))
    message: Json = {
        "jsonrpc": "2.0",
        "id": 7,
        "method": "tools/call",
        "params": {"name": "create-store", "arguments": FREE},
    }
    headers: dict[str, Any] = {"authorization": f"Bearer {ALICE}"}
    async with an_office(world, http_variables(world.folder.parent, SCOPES)) as office:
        if era == "legacy":
            session, version = await opened(office)
            headers |= {
                "mcp_session_id": session,
                "mcp_protocol_version": version,
                "mcp_method": None,
                "mcp_name": None,
            }
        else:
            message["params"]["_meta"] = modern({})
        await gone(office, request(message, **headers), hold)
        hold.released.set()
        async with office.client(era, ALICE) as client:
            again = await buy(client, **FREE)
    assert (again["status"], again["replayed"], world.bodies) == ("created", True, [FREE])
    assert [one.state for one in await world.ledger().purchases(10)] == ["created"]


async def test_a_call_that_is_sent_again_buys_once(world: World) -> None:
    """T43: the newer era's clients repeat a call whose answer was lost, also while it is under way."""
    hold = Hold()
    world.sandbox.misbehave("createIntegrationStoreDirect", Fault(until=hold))
    found: list[Json] = []
    async with (
        an_office(world, http_variables(world.folder.parent, SCOPES)) as office,
        office.client("auto", ALICE, Person()) as client,
        office.client("auto", ALICE, Person()) as other,
    ):
        question = await first_round(client)

        async def end(of: Client) -> None:
            found.append(await question.end(of))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(end, client)
            await hold.arrived.wait()
            tasks.start_soon(end, other)
            hold.released.set()
        await end(client)
    assert sorted((one["status"], one.get("replayed", False)) for one in found) == [
        ("created", False),
        ("created", True),
        ("created", True),
    ]
    assert world.bodies == [PRO]


async def test_a_session_that_nobody_knows_is_said_to_be_gone(world: World) -> None:
    """Another replica's, or one of an earlier process: 404, as the protocol says, and a fresh client is served."""
    variables = http_variables(world.folder.parent, SCOPES)
    ping = {"jsonrpc": "2.0", "id": 2, "method": "ping"}
    async with an_office(world, variables) as office:
        session, _ = await opened(office)
    async with an_office(world, variables) as office:
        answer: httpx.Response = await office.ask(
            "POST", "/mcp", ALICE, json=ping, headers={**LEGACY, "mcp-session-id": session}
        )
        async with office.client("legacy", ALICE) as client:
            assert (await buy(client, **FREE))["status"] == "created"
    assert (answer.status_code, answer.json()["error"]["message"]) == (404, "Session not found")


async def test_a_session_that_was_ended_is_gone(world: World) -> None:
    """The client's DELETE ends it for good; whoever goes on gets an error of the protocol, and nothing hangs."""
    async with an_office(world, http_variables(world.folder.parent, SCOPES)) as office:
        session, _ = await opened(office)
        headers = {**LEGACY, "mcp-session-id": session}
        ended = await office.ask("DELETE", "/mcp", ALICE, headers=headers)
        ping = {"jsonrpc": "2.0", "id": 2, "method": "ping"}
        after = await office.ask("POST", "/mcp", ALICE, json=ping, headers=headers)
    assert (ended.status_code, after.status_code) == (200, 404)


async def test_an_unknown_tool_and_a_wrong_argument_are_told_apart(era: str, world: World) -> None:
    """An error of the protocol for a tool that does not exist, the tool's own answer for what it can't take."""
    async with (
        an_office(world, http_variables(world.folder.parent, SCOPES)) as office,
        office.client(era, ALICE) as client,
    ):
        with anyio.fail_after(GUARD):
            with pytest.raises(MCPError, match="There is no tool creat-store. Did you mean create-store?"):
                await client.call_tool("creat-store", PRO)
            found = await buy(client, confirm=True)
    assert (found["status"], found["error"]["argument"], world.bodies) == ("invalid_arguments", "confirm", [])
    assert json.dumps(found).count("created nothing") > 0
