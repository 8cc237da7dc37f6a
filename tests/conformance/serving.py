"""Serves an MCP server over Streamable HTTP on a free loopback port, in the running loop. It holds no test."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import uvicorn
from mcp.server.lowlevel import Server
from mcp.server.streamable_http import EventCallback, EventId, EventMessage, EventStore, StreamId
from mcp.server.transport_security import TransportSecuritySettings
from mcp_types import JSONRPCMessage
from starlette.types import Receive, Scope, Send

from vercel_marketplace_mcp.http.doors import StrictBody

RETRY_MS = 100
"""After how long a client whose stream was cut may come back."""


@asynccontextmanager
async def serving(server: Server[Any], events: EventStore | None = None) -> AsyncIterator[str]:
    """Serve while the block runs; yields the address. With `events`, a stream that was cut can be resumed."""
    # It listens before the server runs: whoever connects early waits, so nobody has to ask whether it is up.
    with socket.create_server(("127.0.0.1", 0)) as listening:
        host = "127.0.0.1:{1}".format(*listening.getsockname())
        guarded = TransportSecuritySettings(allowed_hosts=[host], allowed_origins=[f"http://{host}"])
        application = server.streamable_http_app(
            transport_security=guarded, event_store=events, retry_interval=RETRY_MS if events else None
        )
        body = StrictBody(application)

        async def passed(scope: Scope, receive: Receive, send: Send) -> None:
            await (body if scope["type"] == "http" else application)(scope, receive, send)

        config = uvicorn.Config(passed, ws="none", log_config=None, access_log=False, timeout_graceful_shutdown=1)
        running = uvicorn.Server(config)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(running.serve, [listening])
            yield f"http://{host}/mcp"
            running.should_exit = True


class Events(EventStore):
    """Keeps everything that was sent, in order; an event's id is its place."""

    def __init__(self) -> None:
        self._kept: list[tuple[StreamId, JSONRPCMessage | None]] = []

    async def store_event(self, stream_id: StreamId, message: JSONRPCMessage | None) -> EventId:
        """Keep one event."""
        self._kept.append((stream_id, message))
        return str(len(self._kept))

    async def replay_events_after(self, last_event_id: EventId, send_callback: EventCallback) -> StreamId | None:
        """Send again what the same stream carried after that event."""
        place = int(last_event_id)
        stream_id = self._kept[place - 1][0]
        for number, (stream, message) in enumerate(self._kept[place:], place + 1):
            if stream == stream_id and message is not None:
                await send_callback(EventMessage(message, str(number)))
        return stream_id
