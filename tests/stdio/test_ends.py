"""The process ends when its client is gone, and writes nothing but the protocol until then."""

import json
import subprocess
import sys
from collections.abc import AsyncIterator
from typing import Any

import anyio
import pytest

from vercel_marketplace_mcp.sandbox import SANDBOX_TEAM_ID, SANDBOX_TOKEN, Fault, Sandbox
from vercel_marketplace_mcp.sandbox.http import serving

pytestmark = pytest.mark.anyio

PING = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
CHATTY = """
import os, subprocess, sys
import anyio, mcp_types as types
from mcp.server.lowlevel import Server
from vercel_marketplace_mcp import stdio

print("before the server starts", flush=True, file=sys.stderr)

async def call_tool(request, params):
    print("from print", flush=True)
    print("from the original stream", flush=True, file=sys.__stdout__)
    os.write(1, b"from the descriptor\\n")
    subprocess.run([sys.executable, "-c", "print('from a child')"], check=True)
    read = os.read(0, 100)
    return types.CallToolResult(content=[types.TextContent(type="text", text=f"read {read!r}")])

anyio.run(stdio.serve, Server("chatty", on_call_tool=call_tool))
print("after the server's end", flush=True)
"""

BROKEN = """
import anyio, mcp_types as types
from mcp.server.lowlevel import Server
from vercel_marketplace_mcp import stdio

async def call_tool(request, params):
    return types.CallToolResult(content=[], structured_content={"half": "\\ud800"})

anyio.run(stdio.serve, Server("broken", on_call_tool=call_tool))
"""


@pytest.fixture
def market() -> Sandbox:
    """A Vercel on a socket, whose journal tells what reached it."""
    return Sandbox()


@pytest.fixture
async def account(market: Sandbox) -> AsyncIterator[dict[str, str]]:
    """The variables of a server that works for it."""
    async with serving(market) as url:
        yield {"VERCEL_API_URL": url, "VERCEL_TOKEN": SANDBOX_TOKEN, "VERCEL_TEAM_ID": SANDBOX_TEAM_ID}


async def test_the_end_of_input_ends_a_server_that_was_never_opened(connect: Any) -> None:
    """Nothing was asked, nothing is said, and the exit code is 0."""
    server = await connect()
    assert await server.end() == (0, b"", "")


async def test_a_last_line_without_an_end_is_read_too(connect: Any) -> None:
    """A line that the end of input cut off is answered like any other."""
    server = await connect()
    await server.send(json.dumps(PING).encode() + b'\n{"id":2,"method":"pi', end=b"")
    answers = [await server.receive()]
    code, rest, errors = await server.end()
    answers.append(json.loads(rest))
    assert [answer["id"] for answer in answers] == [1, 2]
    assert "result" in answers[0]
    assert answers[1]["error"]["code"] == -32700
    assert (code, errors) == (0, "")


async def test_the_end_of_input_ends_a_server_that_waits_for_vercel(
    connect: Any, initialize: Any, market: Sandbox, account: dict[str, str]
) -> None:
    """A read that is under way does not keep the process alive after its client has gone."""
    arrived = anyio.Event()

    async def until() -> None:
        arrived.set()
        await anyio.sleep_forever()

    market.misbehave("getConfigurations", Fault(until=until))
    server = await connect("-m", "vercel_marketplace_mcp", **account)
    await server.ask(initialize)
    await server.send(
        {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "list-configurations", "arguments": {}}}
    )
    await arrived.wait()
    code, _, errors = await server.end()
    assert (code, errors) == (0, "")


def test_a_client_that_stops_listening_ends_the_server_quietly(variables: dict[str, str], initialize: Any) -> None:
    """Answers that nobody reads are dropped; the end of input then ends the process as usual."""
    command = [sys.executable, "-m", "vercel_marketplace_mcp", "serve", "--sandbox"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=variables, stdin=pipe, stdout=pipe, stderr=pipe, bufsize=0) as server:
        assert server.stdin
        assert server.stdout
        assert server.stderr
        server.stdin.write(json.dumps(initialize).encode() + b"\n")
        assert server.stdout.readline()
        server.stdout.close()
        for number in range(3):
            server.stdin.write(json.dumps({**PING, "id": number}).encode() + b"\n")
        server.stdin.write(b"garbage\n" * 3)
        server.stdin.close()
        errors = server.stderr.read()
        assert (server.wait(), errors) == (0, b"")


async def test_stray_output_never_reaches_the_client(connect: Any, initialize: Any) -> None:
    """What a handler or a child process prints goes to standard error, and there is nothing for it to read."""
    server = await connect("-c", CHATTY)
    await server.ask(initialize)
    answer = await server.ask({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "a"}})
    code, rest, errors = await server.end()
    assert answer["result"]["content"] == [{"type": "text", "text": "read b''"}]
    assert (code, rest) == (0, b"after the server's end\n")
    assert set(errors.splitlines()) == {
        "before the server starts",
        "from print",
        "from the original stream",
        "from the descriptor",
        "from a child",
    }


async def test_an_answer_that_can_t_be_written_is_told(connect: Any, initialize: Any) -> None:
    """A result that no JSON can carry becomes an error under the request's id, and the server goes on."""
    server = await connect("-c", BROKEN)
    await server.ask(initialize)
    answers = [await server.ask({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "a"}})]
    answers.append(await server.ask({**PING, "id": 2}))
    code, rest, _ = await server.end()
    assert [answer["id"] for answer in answers] == [1, 2]
    assert answers[0]["error"] == {"code": -32603, "message": "The server could not write its answer."}
    assert (code, rest) == (0, b"")


async def test_a_key_given_twice_sends_nothing_to_vercel(
    connect: Any, initialize: Any, market: Sandbox, account: dict[str, str]
) -> None:
    """A call whose arguments can be read in two ways ends before any request; the same call without them does not."""
    server = await connect("-m", "vercel_marketplace_mcp", **account)
    await server.ask(initialize)
    head = b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"list-configurations","arguments":'
    twice = (await server.ask(head + b'{"view":"account","view":"project"}}}'))["result"]
    assert (twice["isError"], twice["structuredContent"]["error"]["argument"]) == (True, "view")
    assert market.journal == []
    once = (await server.ask(head + b'{"view":"account"}}}'))["result"]
    assert (once["isError"], len(market.journal)) == (False, 1)
    assert await server.end() == (0, b"", "")
