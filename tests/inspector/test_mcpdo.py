"""Approves a purchase with mcpdo, the Inspector's program that keeps a connection, by the commands of its how-to page.

The sandbox is served beside it, so that its journal tells what reached Vercel.
"""

import json
import os
import re
import shlex
import signal
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio import to_thread

from vercel_marketplace_mcp.approval.question import TOO_FAST, form
from vercel_marketplace_mcp.sandbox import Sandbox
from vercel_marketplace_mcp.sandbox.http import serving

from .. import node_tools
from ..approval.terminal import Done, at_the_desk
from ..hosts import installation
from .support import BOUGHT, KEYCHAIN, QUESTION, account

PAGE = node_tools.ROOT / "docs" / "how-to" / "use-the-inspector.md"
LONGEST = 120
"""Seconds: a guard against hanging."""
TOOL_IS_ERROR = 5

CONNECT, CALL, ANSWER, STOP = (
    shlex.split(line) for line in re.findall(r"^mcpdo .*$", PAGE.read_text("utf-8").replace("\\\n", ""), re.MULTILINE)
)
"""The commands of the page, word by word."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Mcpdo:
    """A connection that mcpdo keeps to a server of the served sandbox."""

    program: Path
    variables: dict[str, str]
    sandbox: Sandbox

    async def run(self, words: list[str]) -> tuple[int, str]:
        """The exit code of a documented command, and what it printed: JSON, for the most part."""
        command = [str(self.program), "--format", "json", *words[1:]]
        with anyio.fail_after(LONGEST):
            done = await anyio.run_process(command, env=self.variables, check=False)
        assert done.returncode in {0, TOOL_IS_ERROR}, done.stderr.decode()
        return done.returncode, done.stdout.decode()

    async def answer(self, *answer: str) -> tuple[int, dict[str, Any]]:
        """Make the documented call, look at the question, answer it, and return what the tool says then."""
        _, asked = await self.run(CALL)
        pending = json.loads(asked)["elicitationPending"]
        form_shown = {"mode": "form", "message": QUESTION, "requestedSchema": form("20.00")}
        assert {name: pending[name] for name in form_shown} == form_shown
        assert self.sandbox.posts == []
        await anyio.sleep(TOO_FAST)  # an answer that comes sooner counts as nobody's
        code, result = await self.run([*ANSWER[:2], pending["elicitationId"], *answer])
        return code, json.loads(result)

    def in_a_terminal(self, words: list[str], typed: bytes) -> Done:
        """Run a documented command as a person does, who types this when asked."""
        command = [str(self.program), "--plain", *words[1:]]
        return at_the_desk(command, typed, env=self.variables, prompt=b"\r\n  : ")


@pytest.fixture(scope="module")
def program() -> Path:
    """The command, from node_modules."""
    return node_tools.program("mcpdo")


@pytest.fixture(params=["legacy", "modern"])
async def mcpdo(request: pytest.FixtureRequest, program: Path, tmp_path: Path) -> AsyncIterator[Mcpdo]:
    """A connection in one protocol era; the process that keeps it in the background is stopped at the end."""
    sandbox = Sandbox()
    with tempfile.TemporaryDirectory(prefix="mcpdo-") as folder:  # it holds a socket, whose path has to be short
        variables = {**installation.environment(tmp_path), "MCP_INSPECTOR_DAEMON_DIR": folder, KEYCHAIN: "memory"}
        connection = Mcpdo(program=program, variables=variables, sandbox=sandbox)
        async with serving(sandbox) as api_url:
            try:
                given = [word for item in account(api_url, tmp_path).items() for word in ("-e", "=".join(item))]
                assert (CONNECT[2], CONNECT[-1]) == ("--", "--sandbox")  # in its place comes the served one
                connect = [*CONNECT[:2], "--era", request.param, *given, *CONNECT[2:-1]]
                _, connected = await connection.run(connect)
                assert json.loads(connected)["protocolEra"] == request.param
                yield connection
            finally:
                await stop(connection, anyio.Path(folder, "mcpdod.lock"))


async def stop(connection: Mcpdo, lock: anyio.Path) -> None:
    """Stop the process in the background, which takes its lock away when it ends; kill it if it does not."""
    process = int(await lock.read_text("utf-8")) if await lock.exists() else 0
    try:
        with anyio.fail_after(LONGEST):
            await connection.run(STOP)
            while await lock.exists():  # noqa: ASYNC110 - it is not our child, and tells its end by nothing else
                await anyio.sleep(0.05)
    except BaseException:
        if process:
            os.kill(process, signal.SIGKILL)
        raise


@pytest.mark.anyio
async def test_a_store_is_bought_by_the_commands_of_the_page(mcpdo: Mcpdo) -> None:
    """The question is shown whole, the amount is given as the page says, and one store is bought."""
    code, result = await mcpdo.answer(*ANSWER[3:])
    answer = result["structuredContent"]
    (store,) = mcpdo.sandbox.stores
    assert (code, answer["status"], answer["store"]["id"]) == (0, "created", store["id"])
    assert result["content"][0]["text"].splitlines()[0] == BOUGHT
    assert (store["name"], len(mcpdo.sandbox.posts)) == ("orders", 1)


@pytest.mark.anyio
async def test_any_other_answer_buys_nothing(mcpdo: Mcpdo) -> None:
    """To decline is a no; an amount that is sent as a number, which nobody typed as text, counts as no answer."""
    for given, status in (("--decline", "not_confirmed"), ("amount:=20.00", "confirmation_required")):
        code, result = await mcpdo.answer(given)
        assert (code, result["structuredContent"]["status"]) == (TOOL_IS_ERROR, status)
        assert result["structuredContent"]["money"] == "This call created nothing and charged nothing."
    assert (mcpdo.sandbox.posts, mcpdo.sandbox.stores) == ([], [])


@pytest.mark.anyio
async def test_in_a_terminal_the_amount_is_typed_at_once(mcpdo: Mcpdo) -> None:
    """The same call asks there and then: the amount, Enter, and Enter again to send it."""
    done = await to_thread.run_sync(mcpdo.in_a_terminal, CALL, b"20.00\n\n")
    assert (done.code, QUESTION in done.shown, BOUGHT in done.shown.splitlines()) == (0, True, True), done.shown
    assert ([store["name"] for store in mcpdo.sandbox.stores], len(mcpdo.sandbox.posts)) == (["orders"], 1)
