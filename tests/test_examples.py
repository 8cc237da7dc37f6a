"""Runs the example program against the sandbox, which it starts itself or which is served to it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from anyio import to_thread

from vercel_marketplace_mcp.sandbox import Fault, Sandbox
from vercel_marketplace_mcp.sandbox.http import serving

from .hosts.installation import environment

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "examples" / "provision_free_store.py"
MAX_LINES = 80


@pytest.fixture
def anyio_backend() -> str:
    """The sandbox is served by uvicorn, which knows asyncio only."""
    return "asyncio"


@pytest.fixture
def installed(tmp_path: Path) -> dict[str, str]:
    """An environment whose PATH holds the command, which runs this checkout and keeps its state apart."""
    return environment(tmp_path)


def run_example(environment: dict[str, str], *arguments: str) -> tuple[int, dict[str, Any], str]:
    """The exit code of the example, the answer that it printed, and its complaints."""
    command = [sys.executable, str(EXAMPLE), *arguments]
    done = subprocess.run(
        command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=120
    )
    return done.returncode, json.loads(done.stdout or "{}"), done.stderr


def test_the_example_provisions_a_free_store_in_the_sandbox(installed: dict[str, str]) -> None:
    """Without a token it starts the server's sandbox, and prints the store that it got on a free plan."""
    code, answer, complaints = run_example(installed, "orders")
    assert (code, complaints, answer["status"]) == (0, "", "created")
    assert answer["money"] == "The store was created on a free plan; nothing was charged."
    assert (answer["store"]["name"], answer["store"]["billingPlan"]["cost"]) == ("orders", "Free")


@pytest.mark.anyio
async def test_with_a_token_the_example_uses_the_account(installed: dict[str, str]) -> None:
    """With VERCEL_TOKEN set it passes the settings on and sends one request that creates: here to a served sandbox."""
    sandbox = Sandbox()
    async with serving(sandbox) as api_url:
        account = {"VERCEL_TOKEN": sandbox.token, "VERCEL_TEAM_ID": sandbox.team_id, "VERCEL_API_URL": api_url}
        code = await run_in_thread(installed | account)
    assert (code, [store["name"] for store in sandbox.stores], len(sandbox.posts)) == (0, ["example-store"], 1)


@pytest.mark.anyio
async def test_the_example_fails_where_nothing_can_be_listed(installed: dict[str, str]) -> None:
    """An answer that is an error ends it with the server's message and exit code 1, and nothing is sent."""
    sandbox = Sandbox()
    sandbox.misbehave("getConfigurations", Fault(status=403), times=9)
    async with serving(sandbox) as api_url:
        account = {"VERCEL_TOKEN": sandbox.token, "VERCEL_TEAM_ID": sandbox.team_id, "VERCEL_API_URL": api_url}
        code = await run_in_thread(installed | account)
    assert (code, sandbox.posts) == (1, [])


async def run_in_thread(environment: dict[str, str]) -> int:
    """The exit code of the example, run while this process goes on serving."""
    code, _, _ = await to_thread.run_sync(run_example, environment)
    return code


def test_the_example_is_short() -> None:
    """A reader takes it in at one look."""
    assert len(EXAMPLE.read_text("utf-8").splitlines()) <= MAX_LINES
