"""A process that is asked to end, or whose client leaves, finishes the purchase that is under way: nothing is torn."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest

from vercel_marketplace_mcp.ledger.sqlite import SqliteLedger
from vercel_marketplace_mcp.sandbox import SANDBOX_TEAM_ID, SANDBOX_TOKEN, Fault, Sandbox
from vercel_marketplace_mcp.sandbox.http import serving

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parents[2]
OPENING = [
    {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}},
    },
    {"jsonrpc": "2.0", "method": "notifications/initialized"},
]
FREE = {
    "name": "orders",
    "integrationConfigurationId": "icfg_BrindleData000000000001",
    "integrationProductIdOrSlug": "brindle-postgres",
    "billingPlanId": "free",
}
CREATE = {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": "create-store", "arguments": FREE}}
LIST = {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": "list-configurations", "arguments": {}}}

Process = subprocess.Popen[bytes]


@pytest.fixture
def anyio_backend() -> str:
    """The sandbox is served by uvicorn, which knows asyncio only."""
    return "asyncio"


class Hold:
    """Holds an answer of the sandbox back until it is released, and tells when its request has arrived."""

    def __init__(self) -> None:
        self.arrived, self.released = anyio.Event(), anyio.Event()

    async def __call__(self) -> None:
        """Wait for the release."""
        self.arrived.set()
        await self.released.wait()


def start(url: str, folder: Path) -> Process:
    """A server process that speaks to `url` and keeps its ledger in `folder`."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT / "server"),
        "VERCEL_TOKEN": SANDBOX_TOKEN,
        "VERCEL_TEAM_ID": SANDBOX_TEAM_ID,
        "VERCEL_API_URL": url,
        "VERCEL_MCP_STATE_DIR": str(folder),
    }
    command = [sys.executable, "-m", "vercel_marketplace_mcp"]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)


@asynccontextmanager
async def held_at(operation: str, sandbox: Sandbox, folder: Path) -> AsyncIterator[tuple[Process, Hold]]:
    """A server process in the middle of a create-store call, at the moment when this operation has reached the API."""
    hold = Hold()
    sandbox.misbehave(operation, Fault(until=hold))
    with anyio.fail_after(60):
        async with serving(sandbox) as url:
            process = start(url, folder / "state")
            say(process, *OPENING, CREATE)
            await hold.arrived.wait()
            yield process, hold


def say(process: Process, *messages: Any) -> None:
    """Write messages to the server."""
    assert process.stdin is not None
    process.stdin.write(b"".join(json.dumps(message).encode() + b"\n" for message in messages))
    process.stdin.flush()


def hang_up(process: Process) -> None:
    """Close the server's input."""
    assert process.stdin is not None
    process.stdin.close()


async def end(process: Process) -> tuple[int, dict[int, Any]]:
    """The exit code, and the answers by their id."""
    assert process.stdout is not None
    written = await anyio.to_thread.run_sync(process.stdout.read)
    process.stdout.close()
    code = await anyio.to_thread.run_sync(process.wait)
    hang_up(process)
    return code, {answer["id"]: answer for answer in map(json.loads, written.splitlines()) if "id" in answer}


async def recorded(folder: Path) -> list[str]:
    """The states of the purchases in the ledger, which must be whole."""
    ledger = SqliteLedger(folder)
    try:
        assert await ledger.verify() is None
        return [purchase.state for purchase in await ledger.purchases(10)]
    finally:
        await ledger.aclose()


def interrupt_twice(process: Process) -> None:
    """Press Ctrl-C, and once more: a terminal and whatever passes it on may both send it."""
    process.send_signal(signal.SIGINT)
    time.sleep(0.5)  # or the two would be one
    process.send_signal(signal.SIGINT)


ENDINGS: dict[str, Callable[[Process], object]] = {
    "SIGTERM": lambda process: process.send_signal(signal.SIGTERM),
    "SIGINT": lambda process: process.send_signal(signal.SIGINT),
    "SIGINT twice": interrupt_twice,
    "end of input": hang_up,
}


@pytest.mark.parametrize("ending", ENDINGS.values(), ids=ENDINGS.keys())
async def test_a_purchase_under_way_is_finished_recorded_and_answered(
    ending: Callable[[Process], object], tmp_path: Path
) -> None:
    """T44: asked to end while Vercel holds its answer back, the process waits for it, records it and answers."""
    sandbox = Sandbox()
    async with held_at("createIntegrationStoreDirect", sandbox, tmp_path) as (process, hold):
        ending(process)
        hold.released.set()
        code, answers = await end(process)
    assert (code, answers[2]["result"]["structuredContent"]["status"]) == (0, "created")
    assert (await recorded(tmp_path / "state"), len(sandbox.posts)) == (["created"], 1)


async def test_a_cancelled_call_is_finished_and_recorded(tmp_path: Path) -> None:
    """T44: the client may lose interest in the answer; the purchase is recorded all the same, and a repeat reads it."""
    sandbox = Sandbox()
    async with held_at("createIntegrationStoreDirect", sandbox, tmp_path) as (process, hold):
        say(process, {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 2}})
        hold.released.set()
        say(process, {**CREATE, "id": 3})
        hang_up(process)
        code, answers = await end(process)
    assert (code, set(answers), len(sandbox.posts)) == (0, {1, 3}, 1)
    again = answers[3]["result"]["structuredContent"]
    assert (again["status"], again["replayed"]) == ("created", True)


@pytest.mark.parametrize("ending", ENDINGS.values(), ids=ENDINGS.keys())
async def test_before_anything_was_sent_a_purchase_is_given_up(
    ending: Callable[[Process], object], tmp_path: Path
) -> None:
    """T44: asked to end while the plans are being read for too long, the process sends nothing and leaves."""
    sandbox = Sandbox()
    async with held_at("getBillingPlans", sandbox, tmp_path) as (process, _):
        ending(process)
        code, _ = await end(process)
    assert (code, sandbox.posts, await recorded(tmp_path / "state")) == (0, [], [])


async def test_the_last_call_before_the_end_of_input_is_answered(tmp_path: Path) -> None:
    """Messages in a pipe that ends at once are all answered: the server can be tried with printf."""
    sandbox = Sandbox()
    with anyio.fail_after(60):
        async with serving(sandbox) as url:
            process = start(url, tmp_path / "state")
            say(process, *OPENING, LIST)
            hang_up(process)
            code, answers = await end(process)
    assert (code, answers[2]["result"]["structuredContent"]["count"]) == (0, 12)
