"""The wire between a replica and PostgreSQL, which tests hold up and cut. What goes over it stays as it is."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import anyio
from anyio.abc import ByteStream, SocketAttribute, SocketStream

_COMMIT = b"COMMIT\x00"


class Wire:
    """A way over TCP to a port on this machine. `cut_at`: the COMMIT whose answer is lost, counted from one."""

    def __init__(self, to: int) -> None:
        self._to = to
        self._flows = anyio.Event()
        self._flows.set()
        self.port = 0
        self.commits = 0
        self.cut_at = 0

    def hold(self) -> None:
        """From now on nothing arrives, in neither direction; no connection is closed."""
        self._flows = anyio.Event()

    def let_go(self) -> None:
        """What was held up arrives, and what comes after it."""
        self._flows.set()

    async def carry(self, client: SocketStream) -> None:
        """Carry one connection until either side closes it."""
        async with client, await anyio.connect_tcp("127.0.0.1", self._to) as server:
            with suppress(anyio.ClosedResourceError, anyio.BrokenResourceError):
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(self._answer, server, client, tasks.cancel_scope)
                    await self._ask(client, server)
                    tasks.cancel_scope.cancel()

    async def _ask(self, client: ByteStream, server: ByteStream) -> None:
        with suppress(anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
            while True:
                said = await client.receive()
                await self._flows.wait()
                self.commits += _COMMIT in said
                self._cuts = _COMMIT in said and self.commits == self.cut_at
                await server.send(said)

    _cuts = False

    async def _answer(self, server: ByteStream, client: ByteStream, scope: anyio.CancelScope) -> None:
        with suppress(anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
            while True:
                said = await server.receive()
                await self._flows.wait()
                if self._cuts:  # it is committed, and nobody hears of it
                    self._cuts = False
                    break
                await client.send(said)
        scope.cancel()


@asynccontextmanager
async def wired(to: int) -> AsyncIterator[Wire]:
    """A wire for as long as the block runs."""
    wire = Wire(to)
    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener, anyio.create_task_group() as tasks:
        wire.port = listener.extra(SocketAttribute.local_port)  # noqa: S610 - no Django is here
        tasks.start_soon(listener.serve, wire.carry)
        yield wire
        tasks.cancel_scope.cancel()
