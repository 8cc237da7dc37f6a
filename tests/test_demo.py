"""Runs the demonstration: in a pipe, in a terminal, and against a sandbox that makes a step go wrong."""

import fcntl
import io
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from contextlib import suppress
from pathlib import Path

import pytest

from vercel_marketplace_mcp import demo
from vercel_marketplace_mcp.sandbox import Fault, Sandbox

ROOT = Path(__file__).parents[1]
COMMAND = [sys.executable, "-m", "vercel_marketplace_mcp", "demo"]
CREATE = "createIntegrationStoreDirect"
DONE = "Done: the free store was created, and nothing was bought without a person's yes."


@pytest.fixture
def anyio_backend() -> str:
    """The sandbox is served by uvicorn, which knows asyncio only."""
    return "asyncio"


def environment(**more: str) -> dict[str, str]:
    """What the demonstration's process sees: this checkout, and neither a token nor a terminal's settings."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "SYSTEMROOT") if name in os.environ}
    return {**kept, "PYTHONPATH": str(ROOT / "server"), **more}


@pytest.fixture(scope="module")
def piped() -> tuple[int, str]:
    """One run in a pipe, for the tests that only look at it."""
    return in_a_pipe(COLUMNS="300")


def in_a_pipe(**more: str) -> tuple[int, str]:
    """The exit code of the demonstration without a terminal, and all that it wrote."""
    done = subprocess.run(
        COMMAND,
        env=environment(**more),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        check=False,
        timeout=120,
    )
    return done.returncode, done.stdout


def in_a_terminal(columns: int, term: str = "xterm", typed: str = "20.00", **more: str) -> tuple[int, str]:
    """The exit code of the demonstration in a terminal of this width, and all that it wrote; a person types once."""
    screen, side = pty.openpty()
    fcntl.ioctl(side, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    with subprocess.Popen(COMMAND, env=environment(TERM=term, **more), stdin=side, stdout=side, stderr=side) as child:
        os.close(side)
        written = b""
        with suppress(OSError):  # Linux says so when the last process has left the terminal
            while part := os.read(screen, 65536):
                written += part
                if written.endswith(b"\r\n> "):
                    os.write(screen, f"{typed}\n".encode())
        os.close(screen)
        return child.wait(timeout=120), written.decode().replace("\r\n", "\n")


def section(shown: str, number: int) -> str:
    """One numbered section of the demonstration, on one line."""
    return " ".join(shown.split(f"\n\n{number}. ", 1)[1].split("\n\n", maxsplit=1)[0].split())


def test_in_a_pipe_it_shows_the_whole_workflow(piped: tuple[int, str]) -> None:
    """It ends well: every tool was asked, the free store exists, and the paid one does not."""
    code, shown = piped
    tools = ["list-configurations", "list-products", "list-plans", "create-store", "create-store"]
    assert (code, re.findall(r"^> (\S+) \{", shown, re.MULTILINE)) == (0, tools), shown
    assert "status created money The store was created on a free plan; nothing was charged." in section(shown, 4)
    stopped = section(shown, 5)
    assert re.search(r"status \w+ money This call created nothing and charged nothing\. ", stopped)
    assert "needs a payment method" in stopped
    assert "price $20.00/month" in stopped
    assert section(shown, 6).endswith("store product plan status demo-free Brindle Postgres free available")
    assert re.findall(r"created \S+ / (\S+) .*(The audit log is whole\.)$", section(shown, 7)) == [
        ("demo-free", "The audit log is whole.")
    ]
    assert shown.endswith(f"\n\n{DONE}\n")


def test_in_a_pipe_it_is_plain_text_of_bounded_width(piped: tuple[int, str]) -> None:
    """No control character but the line feed is written, and no line is wider than 100 characters."""
    _, shown = piped
    assert (re.findall(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", shown), max(map(len, shown.splitlines())) <= 100) == ([], True)


def test_a_token_of_the_caller_stays_out_of_it() -> None:
    """Settings for a real account change nothing and are not shown: the demonstration has its own."""
    token = "a-token-that-must-not-be-used"
    code, shown = in_a_pipe(VERCEL_TOKEN=token, VERCEL_API_URL="https://api.vercel.invalid", VERCEL_MCP_PAID="?")
    assert (code, token in shown) == (0, False), shown


def test_an_encoding_without_the_partners_characters_is_enough() -> None:
    """A terminal or pipe that knows ASCII alone does not stop it."""
    code, shown = in_a_pipe(PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert (code, shown.isascii()) == (0, True), shown


def test_a_reader_that_leaves_early_does_not_stop_it() -> None:
    """`demo | head -1` ends without a traceback, and the exit code still tells how the demonstration ended."""
    with subprocess.Popen(COMMAND, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        child.stdout.close()
        complaints = child.stderr.read()
        assert (child.wait(timeout=120), complaints) == (0, b"")


def test_a_terminal_gets_bold_headings_and_dim_asides() -> None:
    """Where a person watches, headings stand out; nothing else is sent than bold, dim and back to plain."""
    code, shown = in_a_terminal(columns=120)
    assert (code, set(re.findall(r"\x1b[^m]*m", shown))) == (0, {"\x1b[1m", "\x1b[2m", "\x1b[0m"}), shown
    assert re.sub(r"\x1b\[[0-9]m", "", shown).endswith(f"{DONE}\n")


@pytest.mark.parametrize(
    ("columns", "plainly"), [(50, {"NO_COLOR": "1"}), (160, {"term": "dumb"})], ids=["NO_COLOR", "a dumb terminal"]
)
def test_lines_fit_a_terminal_that_is_left_plain(columns: int, plainly: dict[str, str]) -> None:
    """Tables and paragraphs are wrapped to the terminal's width, nothing is lost by it, and no sequence is sent."""
    code, shown = in_a_terminal(columns=columns, **plainly)
    shown = re.sub(r"Buy a store .*?\nApproved.*?\n", "", shown, flags=re.DOTALL)  # the command's own words
    assert (code, "\x1b" in shown, max(map(len, shown.splitlines())) <= columns) == (0, False, True), shown
    assert "".join(DONE.split()) in "".join(shown.split())


@pytest.mark.parametrize(("typed", "bought"), [("20.00", True), ("20", False)], ids=["the amount", "something else"])
def test_in_a_terminal_a_person_approves_the_paid_store(typed: str, bought: bool) -> None:
    """Typing the exact amount buys the paid store, once; typing anything else buys nothing, and both end well."""
    code, shown = in_a_terminal(columns=300, typed=typed, NO_COLOR="1")
    assert (code, "Buy a store for 20.00 USD" in shown) == (0, True), shown
    assert ("demo-paid" in section(shown, 6)) is bought
    assert len(re.findall(r"created +brindle/brindle-postgres / demo-paid", section(shown, 7))) == bought


async def shown_with(sandbox: Sandbox) -> tuple[int, str]:
    """The exit code of the demonstration against this sandbox, and the last line it wrote."""
    out = io.StringIO()
    code = await demo.run(sandbox, out)
    return code, " ".join(out.getvalue().rsplit("\n\n", 1)[1].split())


@pytest.mark.anyio
async def test_a_free_store_that_is_not_created_fails_it() -> None:
    """Where Vercel refuses the free store, the demonstration says so and fails."""
    sandbox = Sandbox()
    sandbox.misbehave(CREATE, Fault(status=409))
    failure = "FAILED: The free store should have been created. The answer was rejected."
    assert (await shown_with(sandbox), sandbox.stores) == ((1, failure), [])


@pytest.mark.anyio
async def test_a_paid_store_that_is_created_fails_it() -> None:
    """Were the server to send what the agent had just read as paid, the demonstration would say so and fail."""
    sandbox = Sandbox()
    free = {"cost": "Free", "paymentMethodRequired": False, "details": None, "highlightedDetails": None}
    sandbox.change_plan("brindle-postgres", "pro", after=2, **free)
    failure = "FAILED: Nothing that may be billed should have been sent. The answer was created."
    assert await shown_with(sandbox) == (1, failure)
    assert [store["name"] for store in sandbox.stores] == ["demo-free", "demo-paid"]


@pytest.mark.anyio
async def test_a_list_that_can_not_be_read_fails_it() -> None:
    """Where a list tool answers with an error, its message is the reason."""
    sandbox = Sandbox()
    sandbox.misbehave("getConfigurations", Fault(status=403), times=9)
    code, reason = await shown_with(sandbox)
    said = "FAILED: list-configurations failed: The token may not do this in the team "
    assert (code, reason.startswith(said)) == (1, True)


@pytest.mark.anyio
async def test_a_marketplace_without_a_fitting_plan_fails_it() -> None:
    """Where nothing is installed there is nothing to show, and that is a failure, not a success."""
    sandbox = Sandbox()
    sandbox.misbehave("getConfigurations", Fault(body=b"[]"))
    code, reason = await shown_with(sandbox)
    assert (code, reason.startswith("FAILED: No usable configuration has a storage product")) == (1, True)


@pytest.mark.anyio
async def test_a_server_that_does_not_start_fails_it() -> None:
    """A server that ends before it answers is a failure in one line, not a traceback."""
    assert await shown_with(Sandbox(token="not a token")) == (1, "FAILED: Connection closed")
