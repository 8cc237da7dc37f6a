"""Purchases through a server whose ledger is in PostgreSQL, when the answer to any of its commits is lost."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import mcp
import mcp_types as types
import pytest

from vercel_marketplace_mcp import app
from vercel_marketplace_mcp.ledger.postgres import PostgresLedger
from vercel_marketplace_mcp.ledger.records import Meaning
from vercel_marketplace_mcp.sandbox import SANDBOX_TEAM_ID, SANDBOX_TOKEN, Sandbox
from vercel_marketplace_mcp.settings import load_for_sandbox
from vercel_marketplace_mcp.tools.context import Context
from vercel_marketplace_mcp.vercel.client import VercelClient

from .places import Database
from .support import Clock, ask, identity
from .wire import Wire, wired

pytestmark = pytest.mark.anyio

CALL = {
    "name": "my-store",
    "integrationConfigurationId": "icfg_BrindleData000000000001",
    "integrationProductIdOrSlug": "brindle-postgres",
    "billingPlanId": "pro",
}


class Shop:
    """A server in this process, its sandbox, and a client of it."""

    def __init__(self, sandbox: Sandbox, ledger: PostgresLedger, client: mcp.Client) -> None:
        self.sandbox = sandbox
        self.ledger = ledger
        self._client = client

    async def buy(self) -> dict[str, Any]:
        """What the agent reads."""
        result = await self._client.call_tool("create-store", CALL)
        assert isinstance(result, types.CallToolResult)
        assert isinstance(result.structured_content, dict)
        return result.structured_content

    async def approve(self) -> None:
        """Say yes to the one question that waits."""
        (question,) = await self.ledger.pending()
        note = {"by": "terminal", "typed": "20.00"}
        assert await self.ledger.answer(question.id, "local", Meaning.YES, note, 600, "terminal") == "approved"


@asynccontextmanager
async def shop(database: Database, wire: Wire, folder: Path, clock: Clock) -> AsyncIterator[Shop]:
    """A shop whose ledger is at the other end of a wire."""
    settings = load_for_sandbox(SANDBOX_TOKEN, SANDBOX_TEAM_ID, {"VERCEL_MCP_STATE_DIR": str(folder)})
    sandbox = Sandbox()
    ledger = PostgresLedger(database.server.url(database.name, port=wire.port), clock)
    context = Context(settings=settings, client=VercelClient(settings, sandbox.app), ledger=ledger, ready_wait=0)
    async with mcp.Client(app.build_server(lambda: context), mode="legacy") as client:
        yield Shop(sandbox, ledger, client)
    await ledger.aclose()


STEPS = {"background": 1, "begin": 2, "start_sending": 3, "finish": 4, "none": 5}


@pytest.mark.parametrize("step", STEPS)
async def test_a_commit_whose_answer_is_lost_never_leads_to_a_second_request(
    database: Database, folder: Path, clock: Clock, step: str
) -> None:
    """T11, T42: whichever commit of a purchase it is, at most one request leaves; what was sent is on record."""
    async with wired(database.server.port) as wire, shop(database, wire, folder, clock) as found:
        assert (await found.buy())["status"] == "confirmation_required"
        await found.approve()
        wire.commits, wire.cut_at = 0, STEPS[step]
        first = await found.buy()
        wire.cut_at = 0
        assert (first["status"] == "created") == (step in {"finish", "none"})
        assert len(found.sandbox.posts) == (step in {"finish", "none"})
        clock.at += 200
        second = await found.buy()
        assert second["status"] == "created"
        assert len(found.sandbox.posts) == len(found.sandbox.stores) == 1
        assert await found.ledger.verify() is None


async def test_a_call_that_is_torn_off_leaves_a_ledger_that_goes_on(database: Database) -> None:
    """Nobody knows how far the transaction got: the connection is not used again."""
    async with wired(database.server.port) as wire:
        ledger = PostgresLedger(database.server.url(database.name, port=wire.port))
        await ask(ledger, identity())
        wire.hold()
        torn = asyncio.get_running_loop().create_task(ledger.pending())
        await anyio.wait_all_tasks_blocked()
        torn.cancel()
        with pytest.raises(asyncio.CancelledError):
            await torn
        wire.let_go()
        assert len(await ledger.pending()) == 1
        await ledger.aclose()
