"""Both ends of a connection in memory, spoken to in raw lines: what the SDK's client would never send arrives too."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import mcp_types as types
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.server.lowlevel import Server
from mcp.shared.message import SessionMessage

from vercel_marketplace_mcp import stdio

from .world import PRO, Json

GUARD = 60
"""Seconds after which a test gives up; none comes near it unless something hangs."""
_PREFIX = "io.modelcontextprotocol"


class Wire:
    """The client's side of one connection."""

    def __init__(
        self, to_server: MemoryObjectSendStream[stdio.Received], from_server: MemoryObjectReceiveStream[SessionMessage]
    ) -> None:
        self._to_server = to_server
        self._from_server = from_server

    async def send(self, message: Json | str) -> None:
        """Send a message, or any text as a line; a line that the server's reader refuses goes no further."""
        line = message if isinstance(message, str) else json.dumps(message)
        item = stdio.read_line(line.encode())
        if not isinstance(item, types.JSONRPCError):
            await self._to_server.send(item)

    async def receive(self) -> Json:
        """The next message of the server."""
        with anyio.fail_after(GUARD):
            answer = await self._from_server.receive()
        return answer.message.model_dump(mode="json", by_alias=True, exclude_unset=True)

    async def answer_to(self, number: int) -> Json:
        """The answer to the call of this number, whatever else the server says before."""
        while (message := await self.receive()).get("id") != number or "method" in message:
            pass
        return message

    async def hang_up(self) -> None:
        """Go away, as a client does that died."""
        await self._to_server.aclose()

    async def open(self, elicitation: Any) -> None:
        """Open a connection of the handshake era that declares this of its forms (None: nothing)."""
        client = {"name": "a client", "version": "1"}
        capabilities = {} if elicitation is None else {"elicitation": elicitation}
        parameters = {"protocolVersion": "2025-11-25", "capabilities": capabilities, "clientInfo": client}
        await self.send({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": parameters})
        assert "result" in await self.receive()
        await self.send({"jsonrpc": "2.0", "method": "notifications/initialized"})

    async def call(self, number: int = 2, **parameters: Any) -> Json:
        """Call create-store, and return the next message of the server: an answer, or a request of its own."""
        parameters = {"name": "create-store", "arguments": PRO, **parameters}
        await self.send({"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": parameters})
        return await self.receive()


def modern(elicitation: Any) -> Json:
    """The `_meta` of a request in the era of 2026-07-28 that declares this of its client's forms (None: nothing)."""
    return {
        f"{_PREFIX}/protocolVersion": "2026-07-28",
        f"{_PREFIX}/clientCapabilities": {} if elicitation is None else {"elicitation": elicitation},
        f"{_PREFIX}/clientInfo": {"name": "a client", "version": "1"},
    }


@asynccontextmanager
async def wired(server: Server[Any]) -> AsyncIterator[Wire]:
    """A connection to the server, as over stdio but for the pipes."""
    to_server, received = anyio.create_memory_object_stream[stdio.Received](8)
    answers, from_server = anyio.create_memory_object_stream[SessionMessage](8)
    async with anyio.create_task_group() as tasks, from_server:
        tasks.start_soon(stdio.run, server, received, answers)
        async with to_server:
            yield Wire(to_server, from_server)
