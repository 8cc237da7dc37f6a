"""The sandbox on a real socket, in the running loop and as a command of its own.

The only importer of uvicorn here; installs no signal handlers and listens on loopback unless told otherwise.
"""

import asyncio
import contextlib
import logging
import socket
import struct
import sys
from collections.abc import AsyncIterator

from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from vercel_marketplace_mcp.listeners import stop_listening

from .app import Sandbox

GREETING = """\
The embedded Vercel Marketplace listens on {0}; stop it with Ctrl-C. To use it:
VERCEL_API_URL={0}
VERCEL_TOKEN={1}
VERCEL_TEAM_ID={2}
"""
RESET_ON_CLOSE = struct.pack("ii", 1, 0)
LOGGER = logging.getLogger(__name__)
LOGGER.addHandler(logging.NullHandler())
LOGGER.propagate = False


class TearableProtocol(H11Protocol):
    """HTTP/1.1 that hands the application a way to break its connection, through the scope's state."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Keep uvicorn's own logger out of it: a torn connection is no error here."""
        super().connection_made(transport)
        self.logger = LOGGER
        self.app_state = {**self.app_state, "tear": self.tear}

    def tear(self, reset: bool) -> None:
        """Break the connection: by a reset, or by closing it early."""
        if reset:
            peer = self.transport.get_extra_info("socket")
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        self.transport.abort()


@contextlib.asynccontextmanager
async def serving(sandbox: Sandbox, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[str]:
    """Serve the sandbox while the block runs; yields the base URL. On leaving, every connection is cut."""
    config = Config(sandbox.app, ws="none", lifespan="off", log_config=None, access_log=False, proxy_headers=False)
    config.load()
    state = ServerState()

    def connect() -> asyncio.Protocol:
        return TearableProtocol(config=config, server_state=state, app_state={})

    server = await asyncio.get_running_loop().create_server(connect, host, port)
    try:
        yield f"http://{host}:{server.sockets[0].getsockname()[1]}"
    finally:
        await stop_listening(server)
        await _hang_up(state)
        await server.wait_closed()


async def _hang_up(state: ServerState) -> None:
    tasks = list(state.tasks)
    for connection in list(state.connections):
        connection.transport.abort()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.sleep(0)  # the turn in which the sockets close


def run(port: int = 0) -> None:
    """The command: print where the sandbox listens and how to use it, then serve until Ctrl-C."""
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(port))


async def _serve(port: int) -> None:
    sandbox = Sandbox()
    async with serving(sandbox, port=port) as base_url:
        sys.stdout.write(GREETING.format(base_url, sandbox.token, sandbox.team_id))
        sys.stdout.flush()
        await asyncio.Event().wait()
