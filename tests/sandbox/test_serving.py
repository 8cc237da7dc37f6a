"""The sandbox as a server: one that is used, two at once, the command, and no price for whoever does without."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import httpx
import pytest

from vercel_marketplace_mcp.sandbox import SANDBOX_TEAM_ID, SANDBOX_TOKEN, Sandbox
from vercel_marketplace_mcp.sandbox.http import serving

ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}


@contextmanager
def python(code: str) -> Iterator["subprocess.Popen[str]"]:
    """A Python process that runs the code."""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=ENVIRONMENT) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.anyio
async def test_two_sandboxes_are_served_at_once_and_know_nothing_of_each_other() -> None:
    """Each on a port of its own."""
    first, second = Sandbox(), Sandbox()
    async with serving(first) as one, serving(second) as other, httpx.AsyncClient(trust_env=False) as client:
        for base_url in (one, one, other):
            await client.get(f"{base_url}/v1/storage/stores")
    assert (len(first.journal), len(second.journal)) == (2, 1)


@pytest.mark.anyio
async def test_the_port_can_be_chosen() -> None:
    """The one that was used a moment ago: a server that has stopped keeps nothing."""
    async with serving(Sandbox()) as first:
        port = int(first.rpartition(":")[2])
    async with httpx.AsyncClient(trust_env=False) as client:
        with pytest.raises(httpx.ConnectError):
            await client.get(first)
        async with serving(Sandbox(), port=port) as second:
            assert second == first
            assert (await client.get(second)).status_code == 401


@pytest.mark.anyio
@pytest.mark.parametrize("turns", range(8))
async def test_who_connects_just_as_it_ends_is_hung_up_on(turns: int) -> None:
    """However far asyncio has come with the connection, none is left open."""
    async with serving(Sandbox()) as base_url:
        host, _, port = base_url.removeprefix("http://").partition(":")
        client = socket.create_connection((host, int(port)), timeout=5)
        for _ in range(turns):
            await asyncio.sleep(0)
    with client, suppress(ConnectionResetError):
        assert client.recv(1) == b""


def test_the_command_prints_how_to_use_it_and_stops_on_interruption() -> None:
    """The three settings, which work as they are printed."""
    with python("from vercel_marketplace_mcp.sandbox.http import run; run()") as process:
        assert process.stdout is not None
        printed = [process.stdout.readline().strip() for _ in range(4)]
        settings = dict(line.split("=", 1) for line in printed[1:])
        base_url = settings["VERCEL_API_URL"]
        assert printed[0] == (f"The embedded Vercel Marketplace listens on {base_url}; stop it with Ctrl-C. To use it:")
        assert settings == {
            "VERCEL_API_URL": base_url,
            "VERCEL_TOKEN": SANDBOX_TOKEN,
            "VERCEL_TEAM_ID": SANDBOX_TEAM_ID,
        }
        response = httpx.get(
            f"{base_url}/v1/integrations/configurations",
            params={"view": "account", "teamId": settings["VERCEL_TEAM_ID"]},
            headers={"authorization": f"Bearer {settings['VERCEL_TOKEN']}"},
            trust_env=False,
        )
        assert response.json()[0]["id"] == "icfg_BrindleData000000000001"
        process.send_signal(signal.SIGINT)
        assert process.wait() == 0


def test_whoever_uses_the_sandbox_in_process_loads_no_server() -> None:
    """uvicorn is for http.py alone."""
    code = "import sys, vercel_marketplace_mcp.sandbox as s; s.Sandbox(); print('uvicorn' in sys.modules)"
    with python(code) as process:
        assert process.communicate()[0] == "False\n"
