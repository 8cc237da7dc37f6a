"""Runs the example program against the sandbox, and starts the server the way every host's file says."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from anyio import to_thread
from mcp import Client, StdioServerParameters

from vercel_marketplace_mcp import specs
from vercel_marketplace_mcp.sandbox import Fault, Sandbox
from vercel_marketplace_mcp.sandbox.http import serving

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "examples" / "provision_free_store.py"
HOSTS = ROOT / "examples" / "hosts"
HOST_FILES = (".mcp.json", ".cursor/mcp.json", ".vscode/mcp.json")
COMMAND = "vercel-marketplace-mcp"
MAX_LINES = 80
REFERENCE = re.compile(r"\$\{(?:(?:env:)?VERCEL_[A-Z_]+|input:[a-z-]+)\}")


@pytest.fixture
def anyio_backend() -> str:
    """The sandbox is served by uvicorn, which knows asyncio only."""
    return "asyncio"


@pytest.fixture
def installed(tmp_path: Path) -> dict[str, str]:
    """An environment whose PATH holds the command, which runs this checkout and keeps its state apart."""
    program = tmp_path / "bin" / COMMAND
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}/server" exec "{sys.executable}" -m {specs.__package__} "$@"\n')
    program.chmod(0o755)
    path = os.pathsep.join([str(program.parent), os.environ["PATH"]])
    return {"PATH": path, "HOME": str(tmp_path), "VERCEL_MCP_STATE_DIR": str(tmp_path / "state")}


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


def test_the_hosts_files_are_those_that_the_hosts_read() -> None:
    """Either folder can be opened in every host as it is, and holds nothing else."""
    found = {path.relative_to(HOSTS).as_posix() for path in HOSTS.rglob("*") if path.is_file()}
    assert found == {f"{folder}/{name}" for folder in ("account", "sandbox") for name in HOST_FILES}


def read_entry(folder: str, name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """A host's whole file, and the one server that it starts."""
    document = json.loads((HOSTS / folder / name).read_text("utf-8"))
    servers = document["servers" if name.startswith(".vscode") else "mcpServers"]
    assert list(servers) == ["vercel-marketplace"]
    return document, servers["vercel-marketplace"]


@pytest.mark.parametrize("name", HOST_FILES)
def test_a_hosts_file_holds_no_token(name: str) -> None:
    """The token comes from the host's own mechanism, in that host's own spelling, and so does the team."""
    document, entry = read_entry("account", name)
    prefix = {".mcp.json": "${", ".cursor/mcp.json": "${env:", ".vscode/mcp.json": "${input:"}[name]
    assert set(entry) == {"type", "command", "env"}
    assert (entry["type"], entry["command"]) == ("stdio", COMMAND)
    assert set(entry["env"]) == {"VERCEL_TOKEN", "VERCEL_TEAM_ID"}
    assert all(REFERENCE.fullmatch(value) and value.startswith(prefix) for value in entry["env"].values())
    asked = {f"${{input:{one['id']}}}": one.get("password", False) for one in document.get("inputs", [])}
    expected = {entry["env"]["VERCEL_TOKEN"]: True, entry["env"]["VERCEL_TEAM_ID"]: False}
    assert asked == (expected if name.startswith(".vscode") else {})


@pytest.mark.anyio
@pytest.mark.parametrize("name", HOST_FILES)
async def test_a_hosts_sandbox_file_starts_a_server_that_works(name: str, installed: dict[str, str]) -> None:
    """What the file says starts a server that lists the four tools, without a token and without an account."""
    document, entry = read_entry("sandbox", name)
    assert (set(entry), "inputs" in document) == ({"type", "command", "args"}, False)
    assert (entry.pop("type"), entry["command"]) == ("stdio", COMMAND)
    async with Client(StdioServerParameters(**entry, env=installed), read_timeout_seconds=60) as client:
        listed = await client.list_tools()
    assert [tool.name for tool in listed.tools] == list(specs.TOOL_NAMES)
