"""The client over real sockets: against the sandbox, or a server that says whatever bytes a test wants said."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import stamina
from pydantic import SecretStr

from vercel_marketplace_mcp.sandbox import SANDBOX_TEAM_ID, SANDBOX_TOKEN, Sandbox
from vercel_marketplace_mcp.sandbox.http import serving
from vercel_marketplace_mcp.settings import Settings, Team
from vercel_marketplace_mcp.vercel.client import Deadlines, VercelClient

from ..sockets import HOST, MACHINE_VARIABLES, Said, Seen, Then, as_http, listening, read_request, say

MakeClient = Callable[..., VercelClient]


@dataclass
class Wire:
    """An HTTP server without manners: it sends what a test scripted, and keeps what it was sent."""

    url: str = ""
    connections: int = 0
    seen: list[Seen] = field(default_factory=list)
    raw: bytearray = field(default_factory=bytearray)
    script: list[Said] = field(default_factory=list)

    def will_answer(self, status: int = 200, body: Any = None, /, times: int = 1, **headers: str) -> None:
        """Answer as a server should; a body that is not bytes goes out as JSON, and `_` in a header means `-`."""
        self.will_send(as_http(status, body, **headers), times=times)

    def will_send(
        self,
        *pieces: bytes,
        then: Then = "wait for more",
        times: int = 1,
    ) -> None:
        """Send these bytes for a request, then go on as told."""
        self.script.extend([Said(pieces=pieces, then=then)] * times)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection, one scripted answer each; without one left, hang up."""
        self.connections += 1
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            goes_on = True
            while goes_on:
                seen = await read_request(reader, writer)
                self.raw += seen.raw
                if not self.script:
                    break
                said = self.script.pop(0)
                self.seen.append(seen)
                goes_on = await say(said, reader, writer)
        writer.close()


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """The sandbox is served by uvicorn, which knows asyncio only."""
    return "asyncio"


@pytest.fixture(autouse=True)
def no_waiting() -> Iterator[None]:
    """Repetitions follow each other at once; how many there are stays as it is."""
    with stamina.set_testing(True, attempts=9, cap=True):
        yield


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the machine's variables say about proxies and certificates is no business of these tests."""
    for name in MACHINE_VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
async def listen() -> AsyncIterator[Callable[..., Any]]:
    """Start a scripted server of one's own, with TLS if there is a context."""
    async with AsyncExitStack() as stack:

        async def start(context: ssl.SSLContext | None = None) -> Wire:
            wire = Wire()
            port = await stack.enter_async_context(listening(wire.serve, context))
            wire.url = f"{'https' if context else 'http'}://{HOST}:{port}"
            return wire

        yield start


@pytest.fixture
async def wire(listen: Callable[..., Any]) -> Wire:
    """A scripted server."""
    started: Wire = await listen()
    return started


@pytest.fixture
async def make_client() -> AsyncIterator[MakeClient]:
    """Make a client for an address; it is closed when the test ends."""
    async with AsyncExitStack() as stack:

        def make(url: str, *, token: str = SANDBOX_TOKEN, deadlines: Deadlines | None = None) -> VercelClient:
            settings = Settings(token=SecretStr(token), api_url=url, state_dir=Path("/nowhere"))
            client = VercelClient(settings, deadlines=deadlines)
            stack.push_async_callback(client.aclose)
            return client

        yield make


@pytest.fixture
async def dripping() -> AsyncIterator[str]:
    """The address of a server whose answer never ends: a byte comes every 0.02 s, until the client hangs up."""

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 1000000\r\n\r\n")
        gone = asyncio.ensure_future(reader.read())
        while not gone.done():
            writer.write(b" ")
            await asyncio.wait([gone], timeout=0.02)
        assert isinstance(gone.exception(), ConnectionError | None)
        writer.close()

    async with listening(drip) as port:
        yield f"http://{HOST}:{port}"


@pytest.fixture
def client(wire: Wire, make_client: MakeClient) -> VercelClient:
    """A client of the scripted server."""
    return make_client(wire.url)


@pytest.fixture
def team() -> Team:
    """The sandbox's team."""
    return Team(id=SANDBOX_TEAM_ID)


@pytest.fixture
def sandbox() -> Sandbox:
    """A sandbox in which nothing has happened."""
    return Sandbox()


@pytest.fixture
async def sandbox_client(sandbox: Sandbox, make_client: MakeClient) -> AsyncIterator[VercelClient]:
    """A client of the sandbox on a real socket."""
    async with serving(sandbox) as url:
        yield make_client(url)
