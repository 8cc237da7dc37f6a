"""The server in process against a fresh sandbox, and a client of it in both protocol eras. Fakes nothing of ours."""

import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias

import mcp_types as types
import pytest
import stamina
from jsonschema import Draft202012Validator
from mcp import Client
from pydantic import SecretStr

from vercel_marketplace_mcp import app, specs
from vercel_marketplace_mcp.ledger.sqlite import SqliteLedger
from vercel_marketplace_mcp.sandbox import SANDBOX_TEAM_ID, SANDBOX_TOKEN, Sandbox
from vercel_marketplace_mcp.settings import Settings, Team
from vercel_marketplace_mcp.tools.context import Context
from vercel_marketplace_mcp.vercel.client import VercelClient

Json: TypeAlias = dict[str, Any]
Call: TypeAlias = Callable[..., Awaitable["Reply"]]
Connect: TypeAlias = Callable[..., AbstractAsyncContextManager[Client]]


@dataclass(kw_only=True, slots=True)
class Clock:
    """The time of the server, which passes only when a test lets it."""

    moment: datetime = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)

    def now(self) -> datetime:
        """The moment."""
        return self.moment

    def seconds(self) -> float:
        """The moment in seconds since 1970."""
        return self.moment.timestamp()

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.moment += timedelta(seconds=seconds)


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """What a tool answered: the structured content, the text, and whether it is an error."""

    structured: Json
    text: str
    is_error: bool

    def __getitem__(self, member: str) -> Any:
        return self.structured[member]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print at the end what tests have recorded as their "summary", whichever process ran them."""
    reports = [*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")]
    for told in sorted(str(told) for one in reports for name, told in one.user_properties if name == "summary"):
        terminalreporter.write_line(told)


@pytest.fixture(scope="session", autouse=True)
def _interruptible() -> None:
    """Whoever starts the tests in the background may have them ignore SIGINT, and each process they start as well."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def anyio_backend() -> str:
    """The sandbox is served by uvicorn, which knows asyncio only."""
    return "asyncio"


@pytest.fixture
def clock() -> Clock:
    """A clock that stands still."""
    return Clock()


@pytest.fixture
def sandbox() -> Sandbox:
    """A sandbox in which nothing has happened."""
    return Sandbox()


@pytest.fixture(params=["legacy", "auto"], ids=["handshake", "2026-07-28"])
def era(request: pytest.FixtureRequest) -> str:
    """Both protocol eras: with the handshake, and since 2026-07-28."""
    return str(request.param)


@pytest.fixture
def no_waiting() -> Iterator[None]:
    """Reads are repeated as often as ever, but at once."""
    with stamina.set_testing(True, attempts=3):
        yield


@pytest.fixture
def settings(tmp_path: Path) -> Callable[..., Settings]:
    """Make the operator's settings for the sandbox, with members changed."""

    def make(**changes: Any) -> Settings:
        token, team = SecretStr(SANDBOX_TOKEN), Team(id=SANDBOX_TEAM_ID)
        members: Json = {"token": token, "team": team, "state_dir": tmp_path / "state", **changes}
        return Settings(**members)

    return make


@pytest.fixture
def connect(sandbox: Sandbox, settings: Callable[..., Settings], clock: Clock, era: str, no_waiting: None) -> Connect:  # noqa: ARG001 - for its effect
    """Connect a client to a server of its own; arguments change the settings.

    The server talks to the sandbox in process, or to `api_url` over a socket. `form` answers its questions.
    """

    @asynccontextmanager
    async def connected(form: Any = None, ready_wait: float = 0, **changes: Any) -> AsyncIterator[Client]:
        chosen = settings(**changes)
        vercel = VercelClient(chosen, None if "api_url" in changes else sandbox.app, now=clock.seconds)
        ledger = SqliteLedger(chosen.state_dir, clock.seconds)
        context = Context(settings=chosen, client=vercel, ledger=ledger, now=clock.now, ready_wait=ready_wait)
        server = app.build_server(lambda: context)
        try:
            async with Client(server, mode=era, elicitation_callback=form, read_timeout_seconds=60) as client:
                yield client
        finally:
            await vercel.aclose()
            await ledger.aclose()

    return connected


@pytest.fixture
async def client(connect: Connect) -> AsyncIterator[Client]:
    """A client of a server with plain settings."""
    async with connect() as connected:
        yield connected


@pytest.fixture
def call() -> Call:
    """Call a tool and check what holds for every answer: it fits the tool's outputSchema and is told as text, too."""

    async def run(client: Client, tool: str, arguments: Json | None = None) -> Reply:
        result = await client.call_tool(tool, arguments or {})
        assert isinstance(result, types.CallToolResult)
        structured, (content,) = result.structured_content, result.content
        Draft202012Validator(specs.load()[tool].definition["outputSchema"]).validate(structured)
        assert isinstance(structured, dict)
        assert isinstance(content, types.TextContent)
        reply = Reply(structured=structured, text=content.text, is_error=bool(result.is_error))
        _check_told(reply)
        return reply

    return run


def _check_told(reply: Reply) -> None:
    """The text tells clients that read no structured content what happened, why, and what to do next."""
    error = reply.structured.get("error", {})
    done = reply.structured.get("status", "created") in {"created", "connected"}
    assert reply.is_error == (bool(error) or not done)
    told = [
        reply.structured.get("money", ""),
        reply.structured.get("changes", ""),
        error.get("message", ""),
        *reply.structured["next_steps"],
    ]
    assert [line for line in told if line not in reply.text] == []
    assert reply.text.isprintable() or set(filter(lambda char: not char.isprintable(), reply.text)) == {"\n"}
