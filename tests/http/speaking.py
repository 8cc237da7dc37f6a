"""A server that says whatever a test wants said, and keeps what it was asked. It holds no test."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import anyio

from ..sockets import HOST, Said, Seen, as_http, listening, read_request, say


@dataclass
class Speaker:
    """One such server: what it `says` at a path, and what it has `seen`."""

    url: str = ""
    says: dict[str, Said] = field(default_factory=dict)
    seen: list[Seen] = field(default_factory=list)
    was_asked: anyio.Event = field(default_factory=anyio.Event)

    @property
    def asked(self) -> list[str]:
        """The paths that it was asked for, in this order."""
        return [one.target for one in self.seen]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection."""
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            goes_on = True
            while goes_on:
                seen = await read_request(reader, writer)
                self.seen.append(seen)
                self.was_asked.set()
                goes_on = await say(self.says.get(seen.target) or self.usual(seen.target), reader, writer)
        writer.close()

    def usual(self, path: str) -> Said:  # noqa: ARG002 - others know paths
        """What it says where it was not told."""
        return told({}, 404)


def told(document: object, status: int = 200, **headers: str) -> Said:
    """An answer as a server should give it."""
    return Said(pieces=[as_http(status, document, **headers)])


@asynccontextmanager
async def speaking(speaker: Speaker, path: str = "") -> AsyncIterator[None]:
    """Serve while the block runs; `path` is a part of its address."""
    async with listening(speaker.serve) as port:
        speaker.url = f"http://{HOST}:{port}{path}"
        yield
