"""HTTP byte by byte, for servers without manners: reads requests, says whatever it is told. It holds no test."""

import asyncio
import ipaddress
import json
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, TypeAlias

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from vercel_marketplace_mcp.listeners import stop_listening
from vercel_marketplace_mcp.sandbox import Sandbox
from vercel_marketplace_mcp.sandbox.http import serving

HOST = "127.0.0.1"
Serve: TypeAlias = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Then: TypeAlias = Literal["wait for more", "close", "reset", "stay silent"]

MACHINE_VARIABLES = tuple(
    spelled
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR")
    for spelled in (name, name.lower())
)
"""What a machine may say about proxies and certificates, which is no business of a test."""


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A request, byte for byte as it arrived, and the port that it came from."""

    line: str
    headers: list[tuple[str, str]]
    body: bytes
    port: int
    raw: bytes

    @property
    def method(self) -> str:
        """The method of the request line."""
        return self.line.split(" ")[0]

    @property
    def target(self) -> str:
        """The path and the query of the request line."""
        return self.line.split(" ")[1]

    def all(self, name: str) -> list[str]:
        """Every value of a header."""
        return [value for key, value in self.headers if key.lower() == name.lower()]


@dataclass(frozen=True, kw_only=True)
class Said:
    """What a server sends for one request, with a pause after each piece, and what it does then."""

    pieces: Iterable[bytes] = ()
    then: Then = "wait for more"
    pause: float = 0


@asynccontextmanager
async def listening(serve: Serve, context: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Serve while the block runs, at the port that it yields; connections that are open then are cut."""
    writers: list[asyncio.StreamWriter] = []

    async def served(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        await serve(reader, writer)

    server = await asyncio.start_server(served, HOST, 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        await stop_listening(server)
        for writer in writers:
            writer.transport.abort()
        await asyncio.sleep(0)  # the turn in which they close


class Gate:
    """A way to a server on this machine that can refuse new connections while those that exist go on."""

    def __init__(self, upstream: int) -> None:
        self._upstream = upstream
        self._port = 0
        self._server: asyncio.Server | None = None
        self._writers: list[asyncio.StreamWriter] = []

    @property
    def base_url(self) -> str:
        """Where it is, open or not."""
        return f"http://{HOST}:{self._port}"

    async def open(self) -> None:
        """Let connections in; at the same address as before, if it was open before."""
        self._server = await asyncio.start_server(self._join, HOST, self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    async def shut(self) -> None:
        """Refuse new connections."""
        assert self._server
        await stop_listening(self._server)

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(HOST, self._upstream)
        self._writers += [writer, far_writer]
        await asyncio.gather(self._pump(reader, far_writer), self._pump(far_reader, writer))

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while part := await reader.read(65536):
                writer.write(part)
                await writer.drain()
        writer.close()

    async def hang_up(self) -> None:
        """End everything."""
        await self.shut()
        for writer in self._writers:
            writer.close()
        for writer in self._writers:
            with suppress(ConnectionError):
                await writer.wait_closed()


@asynccontextmanager
async def gated(sandbox: Sandbox) -> AsyncIterator[Gate]:
    """The sandbox on a real socket, behind a gate that is open."""
    async with serving(sandbox) as base_url:
        gate = Gate(int(base_url.rpartition(":")[2]))
        await gate.open()
        try:
            yield gate
        finally:
            await gate.hang_up()


async def read_request(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Seen:
    """Read one request.

    Raises:
        IncompleteReadError, ConnectionError: the client has hung up.
    """
    head = await reader.readuntil(b"\r\n\r\n")
    line, *rest = head.decode("latin-1").strip().split("\r\n")
    headers = [(name, value.strip()) for name, _, value in (text.partition(":") for text in rest)]
    length = next((int(value) for name, value in headers if name.lower() == "content-length"), 0)
    body = await reader.readexactly(length)
    return Seen(line=line, headers=headers, body=body, port=writer.get_extra_info("peername")[1], raw=head + body)


async def say(said: Said, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    """Send what is to be sent, until the client hangs up; return whether the connection goes on."""
    for piece in said.pieces:
        writer.write(piece)
        await writer.drain()
        if said.pause:
            await asyncio.sleep(said.pause)
        if reader.at_eof():
            return False
    if said.then == "stay silent":
        await reader.read()
    if said.then == "reset":
        linger = struct.pack("ii", 1, 0)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    return said.then == "wait for more"


def as_http(status: int, body: Any = None, **headers: str) -> bytes:
    """Return an answer as a server should give it; a body that is not bytes goes out as JSON, `_` in a name is `-`."""
    content = body if isinstance(body, bytes) else json.dumps({} if body is None else body).encode()
    lines = {"content-type": "application/json", "content-length": str(len(content))}
    lines |= {name.replace("_", "-"): text for name, text in headers.items()}
    head = "".join(f"{name}: {text}\r\n" for name, text in lines.items())
    return f"HTTP/1.1 {status} Whatever\r\n{head}\r\n".encode() + content


def self_signed(host: str) -> tuple[bytes, bytes]:
    """Return a certificate that vouches for itself under an address or a name, and the private key with it, as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host)])
    named = x509.IPAddress(ipaddress.ip_address(host)) if host[0].isdigit() else x509.DNSName(host)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2120, 1, 1, tzinfo=UTC))
        .add_extension(x509.SubjectAlternativeName([named]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    form = serialization.PrivateFormat.PKCS8
    private = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    return pem, private + pem
