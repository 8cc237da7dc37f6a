"""create-store on a real socket: what a torn or refused connection means for the store and for the money."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Literal

import pytest

from vercel_marketplace_mcp.sandbox import Fault, Sandbox
from vercel_marketplace_mcp.sandbox.http import serving

from .calls import NOTHING, VALID, check_unclear
from .conftest import Call, Connect

pytestmark = pytest.mark.anyio

TOOL, OPERATION = "create-store", "createIntegrationStoreDirect"
FREE = "The store was created on a free plan; nothing was charged."


@pytest.mark.parametrize("drop", ["before", "after", "midway"])
async def test_a_connection_that_breaks_leaves_the_outcome_unknown(
    drop: Literal["before", "after", "midway"], call: Call, connect: Connect, sandbox: Sandbox
) -> None:
    """T40: on a real socket, with a reset or an early end, before and after the store was made."""
    sandbox.misbehave(OPERATION, Fault(drop=drop))
    async with serving(sandbox) as base_url, connect(api_url=base_url) as client:
        check_unclear(await call(client, TOOL, VALID[TOOL]), sandbox)
    assert len(sandbox.stores) == (drop != "before")


async def test_a_free_store_is_created_over_a_real_socket(call: Call, connect: Connect, sandbox: Sandbox) -> None:
    """The same answer as in process; the create request opens a connection of its own."""
    async with serving(sandbox) as base_url, connect(api_url=base_url) as client:
        reply = await call(client, TOOL, VALID[TOOL])
    assert (reply["status"], reply["money"], len(sandbox.posts)) == ("created", FREE, 1)
    assert sandbox.posts[0].headers["content-type"] == "application/json"


async def test_a_vercel_that_is_not_there_creates_nothing(call: Call, connect: Connect, sandbox: Sandbox) -> None:
    """T41: nobody listens."""
    async with serving(sandbox) as base_url:
        pass
    async with connect(api_url=base_url) as client:
        reply = await call(client, TOOL, VALID[TOOL])
    assert (reply["status"], reply["money"], reply["error"]["code"]) == ("unavailable", NOTHING, "not_reachable")
    assert sandbox.journal == []


@contextlib.asynccontextmanager
async def relaying(base_url: str) -> AsyncIterator[tuple[str, Callable[[], Awaitable[None]]]]:
    """A relay to a server; once `stop` was called no new connection is taken, and the open ones go on."""
    tasks: set[asyncio.Task[None]] = set()

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.close()

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there = await asyncio.open_connection("127.0.0.1", int(base_url.rpartition(":")[2]))
        tasks.update(map(asyncio.create_task, (pass_on(reader, there[1]), pass_on(there[0], writer))))

    server = await asyncio.start_server(relay, "127.0.0.1", 0)

    async def stop() -> None:
        server.close()

    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", stop
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_vercel_that_goes_away_before_the_request_creates_nothing(
    call: Call, connect: Connect, sandbox: Sandbox
) -> None:
    """T41: the plans were read, then nobody listened any more: no byte of the request left."""
    async with serving(sandbox) as base_url, relaying(base_url) as (relay_url, stop):
        sandbox.misbehave("getBillingPlans", Fault(until=stop))
        async with connect(api_url=relay_url) as client:
            reply = await call(client, TOOL, VALID[TOOL])
    assert (reply["status"], reply["money"], reply["error"]["code"]) == ("unavailable", NOTHING, "not_reachable")
    assert (len(sandbox.journal), sandbox.posts) == (2, [])
