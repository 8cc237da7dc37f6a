"""A line between a replica and the database that can fall silent: nothing is refused, and nothing arrives."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from ..sockets import listening


class Line:
    """Carries connections to a port; while it is cut it accepts them and carries nothing."""

    def __init__(self, target: int) -> None:
        self.port = 0
        self.connections = 0
        self._target = target
        self._whole = asyncio.Event()
        self._whole.set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: list[asyncio.StreamWriter] = []

    def cut(self) -> None:
        """Fall silent, for what is under way and for what comes."""
        self._whole.clear()

    def mend(self) -> None:
        """Carry again; what has waited arrives late."""
        self._whole.set()

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection until an end of it closes."""
        self.connections += 1
        self._writers.append(writer)
        await self._whole.wait()
        to_target, from_target = await asyncio.open_connection("127.0.0.1", self._target)
        self._writers.append(from_target)
        for source, sink in ((reader, from_target), (to_target, writer)):
            task = asyncio.get_running_loop().create_task(self._pump(source, sink))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while part := await source.read(65536):
                await self._whole.wait()
                sink.write(part)
                await sink.drain()
        sink.close()

    async def aclose(self) -> None:
        """Drop every connection."""
        self.mend()
        for writer in self._writers:
            writer.transport.abort()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@asynccontextmanager
async def line_to(port: int) -> AsyncIterator[Line]:
    """A line to this port of this machine."""
    line = Line(port)
    async with listening(line.carry) as line.port:
        try:
            yield line
        finally:
            await line.aclose()
