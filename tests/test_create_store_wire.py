"""create-store on a real socket: what a torn or refused connection means for the store and for the money."""

from typing import Literal

import pytest

from vercel_marketplace_mcp.sandbox import Fault, Sandbox
from vercel_marketplace_mcp.sandbox.http import serving

from .calls import NOTHING, VALID, check_unclear
from .conftest import Call, Connect
from .sockets import gated

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


async def test_a_vercel_that_goes_away_before_the_request_creates_nothing(
    call: Call, connect: Connect, sandbox: Sandbox
) -> None:
    """T41: the plans were read, then nobody listened any more: no byte of the request left."""
    async with gated(sandbox) as gate, connect(api_url=gate.base_url) as client:
        sandbox.misbehave("getBillingPlans", Fault(until=gate.shut))
        reply = await call(client, TOOL, VALID[TOOL])
    assert (reply["status"], reply["money"], reply["error"]["code"]) == ("unavailable", NOTHING, "not_reachable")
    assert (len(sandbox.journal), sandbox.posts) == (2, [])
