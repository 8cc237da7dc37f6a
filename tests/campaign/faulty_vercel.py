"""A Vercel on a real socket that fails in one way at one place. Its journal, not our answers, says what reached it.

Whatever it is not told to spoil, the sandbox answers. It shares no code with the server.
"""

import asyncio
import json
import re
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

import httpx

from vercel_marketplace_mcp.listeners import stop_listening
from vercel_marketplace_mcp.sandbox import Sandbox
from vercel_marketplace_mcp.sandbox.operations import OPERATIONS

from ..sockets import Said, Seen, as_http, listening, read_request, say, self_signed

Line: TypeAlias = Literal["closed", "untrusted", "another host"]
"""What is wrong before a byte of HTTP: nobody listens, nobody vouches for it, or it has another host's certificate."""

_PATHS = {
    (operation.method, re.compile(re.sub(r"\{\w+\}", "[^/]+", operation.path))): operation.id
    for operation in OPERATIONS
}


@dataclass(frozen=True, kw_only=True)
class Material:
    """What a fault may make its answer of: the genuine body, what was asked, and an address that nobody may visit."""

    operation: str
    body: bytes
    credentials: str
    elsewhere: str

    def value(self) -> Any:
        """The genuine body as JSON."""
        return json.loads(self.body)


Spoil: TypeAlias = Callable[[Material], Said]
"""How a fault answers."""


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """One fault at one operation: it begins once `after` requests were answered, and lasts for `times` or until mended.

    acts    the API does what it is asked to before the fault shows
    line    the fault is one of the line; there is no answer then
    """

    operation: str
    spoil: Spoil | None = None
    line: Line | None = None
    after: int = 0
    acts: bool = True
    times: int = 1_000


@dataclass(frozen=True, kw_only=True)
class Arrived:
    """A request that reached this Vercel; `made` says that a store was made of it."""

    operation: str
    body: bytes
    spoilt: bool
    made: bool


@dataclass
class FaultyVercel:
    """A Vercel that is in trouble, or not."""

    sandbox: Sandbox
    folder: Path
    trouble: Trouble | None = None
    journal: list[Arrived] = field(default_factory=list)
    visits_elsewhere: int = 0
    elsewhere_port: int = 0
    hides_stores: bool = True
    _context: ssl.SSLContext | None = None
    _server: asyncio.Server | None = None
    _port: int = 0
    _answered: int = 0

    @property
    def url(self) -> str:
        """Where it listens, or would."""
        return f"{'https' if self._context else 'http'}://127.0.0.1:{self._port}"

    @property
    def trusted(self) -> Path:
        """The certificates that the system should trust: its own and another host's."""
        return self.folder / "trusted.pem"

    @property
    def posts(self) -> list[Arrived]:
        """The requests to create a store."""
        return [one for one in self.journal if one.operation == "createIntegrationStoreDirect"]

    @property
    def hits(self) -> int:
        """The requests that met the trouble."""
        return sum(one.spoilt for one in self.journal)

    def encrypt(self) -> None:
        """Speak TLS, from before it is opened."""
        own, private = self_signed("127.0.0.1")
        other, others_private = self_signed("another.example")
        _, nobodys = self_signed("127.0.0.1")
        self.trusted.write_bytes(own + other)
        for name, content in (("own", private), ("another host", others_private), ("untrusted", nobodys)):
            (self.folder / f"{name}.pem").write_bytes(content)
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(self.folder / "own.pem")

    async def open(self) -> None:
        """Listen; at the same address as before, if it has listened before."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._port, ssl=self._context)
        self._port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Refuse connections; those that are open go on."""
        if self._server:
            await stop_listening(self._server)

    async def get_into(self, trouble: Trouble) -> None:
        """Fail from here on, as told."""
        self.trouble, self._answered = trouble, 0
        await self._cut_the_line_in_time()

    async def mend(self) -> None:
        """Be well again."""
        line = self.trouble.line if self.trouble else None
        self.trouble = None
        if line == "closed":
            await self.open()
        elif line and self._context:
            self._context.load_cert_chain(self.folder / "own.pem")

    async def _cut_the_line_in_time(self) -> None:
        if self.trouble is None or self.trouble.line is None or self._answered != self.trouble.after:
            return
        if self.trouble.line == "closed":
            await self.close()
        elif self._context:
            self._context.load_cert_chain(self.folder / f"{self.trouble.line}.pem")

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            goes_on = True
            while goes_on:
                goes_on = await say(await self._handle(await read_request(reader, writer)), reader, writer)
        writer.close()

    async def _handle(self, seen: Seen) -> Said:
        operation = _operation(seen)
        trouble = self._met(operation)
        stores = len(self.sandbox.stores)
        answer = await self._ask(seen) if trouble is None or trouble.acts else None
        made = len(self.sandbox.stores) > stores
        self.journal.append(Arrived(operation=operation, body=seen.body, spoilt=trouble is not None, made=made))
        self._answered += 1
        if trouble and trouble.spoil:
            material = Material(
                operation=operation,
                body=answer.content if answer else b"{}",
                credentials=seen.all("authorization")[0],
                elsewhere=f"http://127.0.0.1:{self.elsewhere_port}/v1/elsewhere",
            )
            return trouble.spoil(material)
        assert answer is not None
        return await self._plainly(operation, answer.status_code, answer.content)

    def _met(self, operation: str) -> Trouble | None:
        """Return the trouble that this request meets."""
        trouble = self.trouble
        if trouble is None or trouble.operation != operation or trouble.line or self._answered < trouble.after:
            return None
        return trouble if self.hits < trouble.times else None

    async def _plainly(self, operation: str, status: int, body: bytes) -> Said:
        """Answer as a server should, and close the connection if a fault of the line must be met on a new one."""
        if operation == "listStores" and self.hides_stores:
            body = b'{"stores": []}'
        await self._cut_the_line_in_time()
        parting = bool(self.trouble and self.trouble.line)
        headers: Mapping[str, str] = {"connection": "close"} if parting else {}
        return Said(pieces=(as_http(status, body, **headers),), then="close" if parting else "wait for more")

    async def _ask(self, seen: Seen) -> httpx.Response:
        """Have the sandbox do and answer it."""
        headers = [(name, value) for name, value in seen.headers if name.lower() not in {"host", "content-length"}]
        transport = httpx.ASGITransport(app=self.sandbox.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://sandbox") as client:
            return await client.request(seen.method, seen.target, headers=headers, content=seen.body)

    async def visit(self, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Count whoever comes to the address that nobody may visit."""
        self.visits_elsewhere += 1
        writer.close()


def _operation(seen: Seen) -> str:
    path = seen.target.partition("?")[0]
    known = (name for (method, pattern), name in _PATHS.items() if method == seen.method and pattern.fullmatch(path))
    return next(known, f"{seen.method} {path}")


@asynccontextmanager
async def faulty_vercel(sandbox: Sandbox, folder: Path, *, tls: bool = False) -> AsyncIterator[FaultyVercel]:
    """Open a Vercel that is well so far, before this sandbox."""
    vercel = FaultyVercel(sandbox=sandbox, folder=folder)
    if tls:
        vercel.encrypt()
    async with listening(vercel.visit) as vercel.elsewhere_port:
        await vercel.open()
        try:
            yield vercel
        finally:
            await vercel.close()
