"""The client's form over stdio, with the server in a process of its own and the sandbox on a real socket."""

import json
import subprocess
from typing import Any

import anyio
import pytest
from anyio.streams.buffered import BufferedByteReceiveStream

from vercel_marketplace_mcp.sandbox.http import serving

from .processes import environment, process
from .terminal import GUARD, PROGRAM
from .world import PRO, Json, Person, World, buy, clicked, typed

pytestmark = pytest.mark.anyio


async def test_only_the_exact_amount_buys_and_only_once(era: str, world: World) -> None:
    """A wrong text is a no, an empty and an instantly closed form are nobody's answer, the exact amount buys once."""
    world.use_the_time_of_day()
    person = Person(typed("20"), typed(""), clicked("cancel"), typed("20.00"))
    async with serving(world.sandbox) as base_url, process(world, base_url, era, person) as client:
        found = [(await buy(client))["status"] for _ in range(3)]
        assert (found, world.sandbox.posts) == (["not_confirmed", *["confirmation_required"] * 2], [])
        bought, repeated = await buy(client), await buy(client)
    assert [(one["status"], one.get("replayed", False)) for one in (bought, repeated)] == [
        ("created", False),
        ("created", True),
    ]
    assert (len(person.shown), world.bodies) == (4, [PRO])


async def test_in_terminal_mode_the_right_answer_buys_nothing(era: str, world: World) -> None:
    """VERCEL_MCP_APPROVAL=terminal holds for a server that a host has started."""
    world.use_the_time_of_day()
    person = Person(typed("20.00"))
    async with (
        serving(world.sandbox) as base_url,
        process(world, base_url, era, person, VERCEL_MCP_APPROVAL="terminal") as client,
    ):
        assert (await buy(client))["status"] == "confirmation_required"
    assert (person.shown, world.sandbox.posts) == ([], [])


async def test_a_client_that_dies_while_it_is_asked_buys_nothing(world: World) -> None:
    """T44: its end of the pipes is closed with the form open: the server ends by itself, and nothing was sent."""
    world.use_the_time_of_day()
    opening: list[Any] = [
        ("initialize", 1, {"protocolVersion": "2025-11-25", "clientInfo": {"name": "a client", "version": "1"}}),
        ("notifications/initialized", None, {}),
        ("tools/call", 2, {"name": "create-store", "arguments": PRO}),
    ]
    opening[0][2]["capabilities"] = {"elicitation": {}}
    async with serving(world.sandbox) as base_url:
        env = environment(world, base_url)
        async with await anyio.open_process(PROGRAM, env=env, stderr=subprocess.DEVNULL) as server:
            assert server.stdin
            assert server.stdout
            for method, number, params in opening:
                message: Json = {"jsonrpc": "2.0", "method": method, "params": params}
                await server.stdin.send(json.dumps(message | ({"id": number} if number else {})).encode() + b"\n")
            received = BufferedByteReceiveStream(server.stdout)
            with anyio.fail_after(GUARD):
                while b'"elicitation/create"' not in await received.receive_until(b"\n", 1024 * 1024):
                    pass
                await server.stdin.aclose()
                assert await server.wait() == 0
    assert (world.sandbox.posts, len(await world.waiting())) == ([], 1)
