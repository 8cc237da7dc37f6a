"""Runs the application under uvicorn, and ends without tearing a purchase.

Order of an end: no further connections, no further requests, purchases finished and recorded, then the rest is cut.
"""

import asyncio
import logging
import signal
import socket
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from types import FrameType

from starlette.types import ASGIApp
from uvicorn import Config, Server
from uvicorn.protocols.http.h11_impl import H11Protocol

from vercel_marketplace_mcp.http.settings import PATH, HttpSettings
from vercel_marketplace_mcp.listeners import stop_listening

HEADER_SECONDS = 10.0
"""Seconds in which the head of a request must have arrived, from the connection or the answer before it."""
IDLE_SECONDS = 9
"""Seconds after which an idle connection is closed: later than clients give theirs up (5 is common), so that none is
closed just as a request goes out on it."""
MAX_CONNECTIONS = 1000
"""Connections that are served at once; more are answered 503."""
_CUT_AFTER = 2
"""Seconds that answers may still take once all purchases are finished."""
_CUT = "ASGI callable returned without completing response."
"""What uvicorn says of a stream that was open to the end, as those of the handshake era are."""
_TOO_SLOW = b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class ImpatientProtocol(H11Protocol):
    """HTTP/1.1 that closes a connection whose next request does not begin in time."""

    seconds = HEADER_SECONDS
    _impatience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for the first request."""
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Take what came; while it is not a whole head, time goes on."""
        super().data_received(data)
        if self._is_idle():
            self._wait()
        else:
            self._stop_waiting()

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        super().on_response_complete()
        if self._is_idle():
            self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._stop_waiting()
        super().connection_lost(exc)

    def _is_idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete  # type: ignore[redundant-expr] # None at first

    def _wait(self) -> None:
        if self._impatience is None:
            self._impatience = self.loop.call_later(self.seconds, self._give_up)

    def _stop_waiting(self) -> None:
        if self._impatience is not None:
            self._impatience.cancel()
            self._impatience = None

    def _give_up(self) -> None:
        self._impatience = None
        if self._is_idle() and not self.transport.is_closing():
            self.transport.write(_TOO_SLOW)
            self.transport.close()


class DrainingServer(Server):
    """uvicorn that waits for what must not be torn before it ends.

    `should_exit` is set only then: the SDK's streams end as soon as they see it, and with them answers under way.
    """

    def __init__(self, config: Config, drain: Callable[[], Awaitable[None]]) -> None:
        super().__init__(config)
        self._drain = drain
        self._is_asked_to_end = False

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - a signal's handler is given both
        """Take a signal as the wish to end; Ctrl-C once more cuts what is left after the purchases."""
        self.force_exit = self._is_asked_to_end and sig == signal.SIGINT
        self._is_asked_to_end = True

    async def on_tick(self, counter: int) -> bool:
        """Say whether the end should begin."""
        return await super().on_tick(counter) or self._is_asked_to_end

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take no further connections, drain, and then end as usual."""
        for server in self.servers:
            await stop_listening(server)
        await self._drain()
        self.should_exit = True
        log = logging.getLogger("uvicorn.error")
        log.addFilter(_is_news)
        try:
            await super().shutdown(sockets)
        finally:
            log.removeFilter(_is_news)


def _is_news(record: logging.LogRecord) -> bool:
    """Say whether a record is worth a line once all that must not be torn is finished: a cut stream is not."""
    return record.getMessage() != _CUT


def configure(
    app: ASGIApp, protocol: type[ImpatientProtocol] = ImpatientProtocol, max_connections: int = MAX_CONNECTIONS
) -> Config:
    """Return how uvicorn serves the application: HTTP/1.1 alone, without a word about itself or its requests."""
    return Config(
        app,
        http=protocol,
        ws="none",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=IDLE_SECONDS,
        limit_concurrency=max_connections + 1,  # uvicorn counts the one that is being answered
        timeout_graceful_shutdown=_CUT_AFTER,
    )


async def serve(
    app: ASGIApp, chosen: HttpSettings, listener: socket.socket, drain: Callable[[], Awaitable[None]]
) -> None:
    """Serve what comes to `listener` until a signal asks to end, then `drain`."""
    where = f"[{chosen.host}]" if ":" in chosen.host else chosen.host
    address = f"http://{where}:{chosen.port}{PATH}"
    sys.stderr.write(f"vercel-marketplace-mcp: serving MCP at {address}; stop it with Ctrl-C\n")
    sys.stderr.flush()
    await DrainingServer(configure(app), drain).serve(sockets=[listener])


def listen(chosen: HttpSettings) -> tuple[socket.socket, HttpSettings]:
    """Return a socket that listens, and the settings with the port that it took: any free one for port 0.

    Raises:
        OSError: the address can't be used.
    """
    found = socket.getaddrinfo(chosen.host, chosen.port, type=socket.SOCK_STREAM)
    family, kind, protocol, _, address = found[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError:
        listener.close()
        raise
    listener.listen()
    return listener, replace(chosen, port=listener.getsockname()[1])
