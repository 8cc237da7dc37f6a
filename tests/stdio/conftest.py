"""The server as a process of its own, spoken to in raw lines. Fakes nothing of ours."""

import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, NoReturn, TypeAlias

import anyio
import anyio.abc
import pytest
from anyio.streams.buffered import BufferedByteReceiveStream

Json: TypeAlias = dict[str, Any]
Connect: TypeAlias = Callable[..., Awaitable["Connection"]]

ROOT = Path(__file__).parents[2]
SERVE = ("-m", "vercel_marketplace_mcp", "serve", "--sandbox")
GUARD = 60
"""Seconds after which a test gives up on a process; none comes near it unless something hangs."""


def read_strictly(line: bytes) -> Json:
    """The JSON object on a line; NaN and its like are no JSON."""

    def refuse(word: str) -> NoReturn:
        raise AssertionError(f"{word} is no JSON")

    value = json.loads(line.decode("utf-8"), parse_constant=refuse)
    assert isinstance(value, dict)
    return value


class Connection:
    """A server process and the two ends of its pipes."""

    def __init__(self, process: anyio.abc.Process) -> None:
        assert process.stdin
        assert process.stdout
        self.process = process
        self._stdin = process.stdin
        self._stdout = BufferedByteReceiveStream(process.stdout)

    async def send(self, message: bytes | Json, end: bytes = b"\n") -> None:
        """Send one message, or any bytes as a line."""
        line = message if isinstance(message, bytes) else json.dumps(message).encode()
        with anyio.fail_after(GUARD):
            await self._stdin.send(line + end)

    async def receive(self) -> Json:
        """The next line, which must be one JSON object."""
        with anyio.fail_after(GUARD):
            return read_strictly(await self._stdout.receive_until(b"\n", 16 * 1024 * 1024))

    async def ask(self, message: bytes | Json) -> Json:
        """Send one message and return the next line."""
        await self.send(message)
        return await self.receive()

    async def end(self) -> tuple[int, bytes, str]:
        """Close the server's input; its exit code, what it still wrote, and its standard error."""
        assert self.process.stderr
        with anyio.fail_after(GUARD):
            await self._stdin.aclose()
            rest = b"".join([chunk async for chunk in self._stdout])
            errors = b"".join([chunk async for chunk in self.process.stderr])
            return await self.process.wait(), rest, errors.decode("utf-8")


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """One process serves several tests, so its loop outlives each of them."""
    return "asyncio"


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home folder that holds nothing of the machine's."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="session")
def variables(home: Path) -> dict[str, str]:
    """What a host passes to the process: this checkout, and no account."""
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ}
    return {**kept, "HOME": str(home), "PYTHONPATH": str(ROOT / "server")}


async def _started(stack: AsyncExitStack, arguments: Sequence[str], env: dict[str, str]) -> Connection:
    process = await anyio.open_process([sys.executable, *arguments], env=env, stderr=subprocess.PIPE)
    connection = Connection(await stack.enter_async_context(process))
    stack.callback(lambda: process.returncode is None and process.kill())
    return connection


@pytest.fixture
async def connect(variables: dict[str, str]) -> AsyncIterator[Connect]:
    """Start a server of one's own: the sandbox's, or whatever the arguments and variables say."""
    async with AsyncExitStack() as stack:

        async def start(*arguments: str, **more: str) -> Connection:
            return await _started(stack, arguments or SERVE, {**variables, **more})

        yield start


@pytest.fixture(scope="session")
def initialize() -> Json:
    """The request that opens a connection of the handshake era."""
    client = {"name": "a client", "version": "1"}
    parameters = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client}
    return {"jsonrpc": "2.0", "id": "opening", "method": "initialize", "params": parameters}


@pytest.fixture(scope="session")
def initialized() -> Json:
    """The notification with which a client of the handshake era ends the opening."""
    return {"jsonrpc": "2.0", "method": "notifications/initialized"}


@pytest.fixture(scope="session")
def modern() -> Json:
    """The `_meta` with which every request of the 2026-07-28 era says what it is."""
    prefix = "io.modelcontextprotocol"
    return {
        f"{prefix}/protocolVersion": "2026-07-28",
        f"{prefix}/clientCapabilities": {},
        f"{prefix}/clientInfo": {"name": "a client", "version": "1"},
    }


@pytest.fixture(scope="module")
async def shared(variables: dict[str, str], initialize: Json, initialized: Json) -> AsyncIterator[Connection]:
    """One opened connection for every test that leaves it as it found it."""
    async with AsyncExitStack() as stack:
        connection = await _started(stack, SERVE, variables)
        assert (await connection.ask(initialize))["result"]["protocolVersion"] == "2025-11-25"
        await connection.send(initialized)
        yield connection
        code, rest, errors = await connection.end()
        assert (code, rest) == (0, b"")
        assert [char for char in errors if not char.isprintable() and char != "\n"] == []
