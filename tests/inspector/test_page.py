"""Opens the Inspector's page in a browser and buys a store there, in the form that it makes of our question.

The sandbox is served beside it, so that its journal tells what reached Vercel. UPDATE_SCREENSHOT=1 keeps the picture.
"""

import json
import os
import re
import shutil
import signal
import socket
import struct
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import anyio
import pytest

from vercel_marketplace_mcp.sandbox import Sandbox
from vercel_marketplace_mcp.sandbox.http import serving

from .. import node_tools
from . import browser
from .support import BOUGHT, KEYCHAIN, QUESTION, account

SCRIPT = Path(__file__).with_name("page.mjs")
KEPT = node_tools.ROOT / "docs" / "images" / "inspector.png"
LONGEST = 120
"""Seconds: a guard against hanging."""
SET_UP = "Set-up: $25.00, invoiced at once"
PLANS = [
    "4 plans",
    "free: free, Free, Storage: 0.5 GB, Branches: 10",
    "pro: may_charge, $20.00/month, Storage: 50 GB, Backups: Seven days",
    "pro-yearly: may_charge, $192.00/year, Storage: 50 GB",
    f"scale: may_charge, $49.00/month, initialCharge 25.00, preauthorizationAmount 10.53, {SET_UP}",
]
ASKED = QUESTION.replace('fra1"\n', 'fra1"\n  source = "marketplace"\n').split()
"""The words of the question; the page sends the default of an argument, too."""


@pytest.fixture(scope="module")
def browser_variables() -> dict[str, str]:
    """What page.mjs needs to start the browser."""
    return browser.environment()


@pytest.fixture(scope="module")
def program() -> Path:
    """The Inspector."""
    return node_tools.program("mcp-inspector")


@asynccontextmanager
async def inspector(program: Path, config: Path) -> AsyncIterator[str]:
    """The address of the page, while the Inspector serves it for the servers of this file."""
    variables = {
        "PATH": os.environ["PATH"],
        "HOME": str(config.parent),
        "CLIENT_PORT": str(free_port()),
        "MCP_SANDBOX_PORT": "0",
        "MCP_APP_ORIGIN_PORT": "0",
        "MCP_AUTO_OPEN_ENABLED": "false",
        KEYCHAIN: "memory",
    }
    command = [str(program), "--web", "--config", str(config)]
    async with await anyio.open_process(command, env=variables, stderr=None) as process:
        try:
            said = b""
            while not (found := re.search(rb"http://127\.0\.0\.1:\d+\?\S+(?=\n)", said)):
                said += await process.stdout.receive() if process.stdout else b""
            yield found[0].decode()
        finally:
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)


def free_port() -> int:
    """A port below those that a system gives away by itself: the Inspector wants to be told one."""
    for port in range(20000 + os.getpid() % 10000, 32768):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return port
    raise AssertionError("no port is free")


async def drive(variables: dict[str, str], address: str, screenshot: Path) -> dict[str, Any]:
    """What the page showed to the script that uses it as a person would."""
    command = [str(shutil.which("node")), str(SCRIPT), address, str(screenshot)]
    done = await anyio.run_process(command, env=variables, check=False)
    assert done.returncode == 0, done.stderr.decode()
    seen: dict[str, Any] = json.loads(done.stdout)
    return seen


def check_picture(picture: Path) -> None:
    """It is a PNG of the page's size, and not an empty one."""
    content = picture.read_bytes()
    signature, width, height = struct.unpack(">16sII", content[:24])
    assert (signature, width, height) == (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", 1280, 900)
    assert len(content) > 50_000


@pytest.mark.anyio
@pytest.mark.parametrize(("era", "protocol"), [("legacy", "MCP 2025-11-25"), ("modern", "MCP 2026-07-28")])
async def test_a_store_is_bought_on_the_page_of_the_inspector(
    era: str, protocol: str, program: Path, browser_variables: dict[str, str], tmp_path: Path
) -> None:
    """The plans are listed, the question is shown whole with one field, the amount typed there buys one store."""
    sandbox, config, screenshot = Sandbox(), tmp_path / "mcp.json", tmp_path / "page.png"
    with anyio.fail_after(LONGEST):
        async with serving(sandbox) as api_url:
            arguments = ["-m", "vercel_marketplace_mcp"]
            entry = {"command": sys.executable, "args": arguments, "env": account(api_url, tmp_path)}
            servers = {"vercel-marketplace": {**entry, "protocolEra": era}}
            config.write_text(json.dumps({"mcpServers": servers}), "utf-8")
            async with inspector(program, config) as address:
                seen = await drive(browser_variables, address, screenshot)
    plans, answer = seen.pop("plans").splitlines(), seen.pop("answer").splitlines()
    assert seen == {"protocol": protocol, "question": f"“{' '.join(ASKED)}”", "fields": 1, "errors": []}
    assert (plans[:5], answer[0]) == (PLANS, BOUGHT)
    (store,) = sandbox.stores
    assert (store["name"], f"store {store['id']} is available" in answer, len(sandbox.posts)) == ("orders", True, 1)
    check_picture(screenshot)
    if os.environ.get("UPDATE_SCREENSHOT") == "1" and era == "legacy":
        KEPT.write_bytes(screenshot.read_bytes())


def test_the_picture_in_the_documentation_is_one_of_the_page() -> None:
    """It has the size of a screenshot that this test takes."""
    check_picture(KEPT)
