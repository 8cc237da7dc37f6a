"""The client over real sockets: against the sandbox, or a server that says whatever bytes a test wants said."""

import asyncio
import json
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest
import stamina
from pydantic import SecretStr

from vercel_marketplace_mcp.sandbox import SANDBOX_TEAM_ID, SANDBOX_TOKEN, Sandbox
from vercel_marketplace_mcp.sandbox.http import serving
from vercel_marketplace_mcp.settings import Settings, Team
from vercel_marketplace_mcp.vercel.client import Deadlines, VercelClient

MakeClient = Callable[..., VercelClient]


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A request, byte for byte as it arrived, and the port that it came from."""

    line: str
    headers: list[tuple[str, str]]
    body: bytes
    port: int

    @property
    def target(self) -> str:
        """The path and the query of the request line."""
        return self.line.split(" ")[1]

    def all(self, name: str) -> list[str]:
        """Every value of a header."""
        return [value for key, value in self.headers if key.lower() == name.lower()]


@dataclass(frozen=True, kw_only=True)
class Said:
    """What the server sends for one request, and what it does then."""

    pieces: tuple[bytes, ...]
    then: Literal["wait for more", "close", "reset", "stay silent"]


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
        content = body if isinstance(body, bytes) else json.dumps({} if body is None else body).encode()
        lines = {"content-type": "application/json", "content-length": str(len(content))}
        lines |= {name.replace("_", "-"): text for name, text in headers.items()}
        head = "".join(f"{name}: {text}\r\n" for name, text in lines.items())
        self.will_send(f"HTTP/1.1 {status} Whatever\r\n{head}\r\n".encode() + content, times=times)

    def will_send(
        self,
        *pieces: bytes,
        then: Literal["wait for more", "close", "reset", "stay silent"] = "wait for more",
        times: int = 1,
    ) -> None:
        """Send these bytes for a request, then go on as told."""
        self.script.extend([Said(pieces=pieces, then=then)] * times)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection, one scripted answer each; without one left, hang up."""
        self.connections += 1
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while (seen := await self._read(reader, writer)) is not None and self.script:
                said = self.script.pop(0)
                self.seen.append(seen)
                for piece in said.pieces:
                    writer.write(piece)
                    await writer.drain()
                if said.then == "stay silent":
                    await reader.read()
                if said.then == "reset":
                    linger = struct.pack("ii", 1, 0)
                    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                if said.then != "wait for more":
                    break
        writer.close()

    async def _read(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Seen | None:
        head = await reader.readuntil(b"\r\n\r\n")
        self.raw += head
        line, *rest = head.decode("latin-1").strip().split("\r\n")
        headers = [(name, value.strip()) for name, _, value in (text.partition(":") for text in rest)]
        length = next((int(value) for name, value in headers if name.lower() == "content-length"), 0)
        body = await reader.readexactly(length)
        self.raw += body
        return Seen(line=line, headers=headers, body=body, port=writer.get_extra_info("peername")[1])


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
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
async def listen() -> AsyncIterator[Callable[..., Any]]:
    """Start a scripted server of one's own, with TLS if there is a context."""
    servers: list[asyncio.Server] = []

    async def start(context: ssl.SSLContext | None = None) -> Wire:
        wire = Wire()
        server = await asyncio.start_server(wire.serve, "127.0.0.1", 0, ssl=context)
        servers.append(server)
        port = server.sockets[0].getsockname()[1]
        wire.url = f"{'https' if context else 'http'}://127.0.0.1:{port}"
        return wire

    yield start
    for server in servers:
        server.close()


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
