"""The server as a process of its own that serves over HTTP, as an operator starts it. It holds no test."""

import asyncio
import re
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import anyio
import anyio.abc
import httpx2
from anyio.streams.buffered import BufferedByteReceiveStream
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from vercel_marketplace_mcp.sandbox import SANDBOX_TEAM_ID, SANDBOX_TOKEN

from ..approval.terminal import PROGRAM, variables
from ..approval.world import Person
from .knocking import Answered, head, read_answer
from .office import GUARD, HOST, OVER_HTTP

_WHERE = re.compile(r"vercel-marketplace-mcp: serving MCP at (http://\S+?)/mcp; stop it with Ctrl-C")


@dataclass(frozen=True)
class Running:
    """A process that serves: where, and what it writes to standard error from then on."""

    base: str
    process: anyio.abc.Process
    errors: BufferedByteReceiveStream

    @property
    def port(self) -> int:
        """The port that it listens at."""
        return int(self.base.rpartition(":")[2])

    def ask_to_end(self, by: signal.Signals) -> None:
        """Send it a signal."""
        self.process.send_signal(by)

    async def ended(self) -> tuple[int, str]:
        """Wait until it has ended; its exit code, and what it wrote to standard error on the way."""
        with anyio.fail_after(GUARD):
            rest = b"".join([chunk async for chunk in self.errors])
            return await self.process.wait(), rest.decode()

    @asynccontextmanager
    async def client(self, era: str, token: str | None = None, person: Person | None = None) -> AsyncIterator[Client]:
        """A client of the SDK's; without a person it can show no form."""
        headers = {"authorization": f"Bearer {token}"} if token else {}
        async with (
            httpx2.AsyncClient(headers=headers, timeout=GUARD) as http,
            Client(
                streamable_http_client(f"{self.base}/mcp", http_client=http, terminate_on_close=False),
                mode=OVER_HTTP[era],
                elicitation_callback=person,
                read_timeout_seconds=GUARD,
            ) as client,
        ):
            yield client


def serve_command(address: str) -> list[str]:
    """What an operator types."""
    return [*PROGRAM, "serve", "--http", address]


def serve_variables(folder: Path, **more: str) -> dict[str, str]:
    """What an operator sets: the sandbox's account, and a state folder."""
    account = {"VERCEL_TOKEN": SANDBOX_TOKEN, "VERCEL_TEAM_ID": SANDBOX_TEAM_ID}
    return variables(**account, VERCEL_MCP_STATE_DIR=str(folder), **more)


@asynccontextmanager
async def running(folder: Path, api_url: str, **more: str) -> AsyncIterator[Running]:
    """Serve at a free port of this machine while the block runs, before an API at this address."""
    env = serve_variables(folder, VERCEL_API_URL=api_url, **more)
    command = serve_command("127.0.0.1:0")
    process = await anyio.open_process(command, env=env, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
    async with process:
        try:
            assert process.stderr
            errors = BufferedByteReceiveStream(process.stderr)
            with anyio.fail_after(GUARD):
                line = (await errors.receive_until(b"\n", 10_000)).decode()
            found = _WHERE.fullmatch(line)
            assert found, line
            yield Running(found[1], process, errors)
        finally:
            if process.returncode is None:
                process.kill()


class Kept:
    """A connection that is kept from one request to the next."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def knock(self, sent: bytes) -> Answered:
        """The answer to one more request."""
        self._writer.write(sent)
        return await read_answer(self._reader)


@asynccontextmanager
async def kept(port: int) -> AsyncIterator[Kept]:
    """Such a connection, which has been used once."""
    reader, writer = await asyncio.open_connection(HOST, port)
    try:
        made = Kept(reader, writer)
        assert (await made.knock(head("GET", "/healthz"))).status == 200
        yield made
    finally:
        writer.close()
