"""Server processes that are killed in the middle of a purchase. It fakes nothing and judges nothing."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import anyio
import mcp_types as types
from mcp import Client
from mcp.client._transport import TransportStreams
from mcp.shared.exceptions import MCPError
from mcp.shared.message import SessionMessage

from vercel_marketplace_mcp.sandbox import Fault

from ..approval.processes import OVER_STDIO, environment
from ..approval.terminal import GUARD, variables
from ..approval.world import CREATE, Clock, Json, Person, World, buy, typed

PROGRAM = Path(__file__).with_name("killing_server.py")


@dataclass(frozen=True, kw_only=True)
class Kill:
    """When a server is killed, and what kind of purchase it was making; inside by itself, or from outside.

    step      the server's own step, of `killing_server.STEPS`
    line      the n-th line run in `rooms`, folders or files of the package
    outside   the form is open, Vercel holds the request before or after it has acted, or the reply has arrived
    seconds   after the call was made, from outside
    fresh     the server is a program started anew, not a fork of one that has imported everything
    readings  of the clock that the next server makes before the time passes by which intents are given up
    """

    name: str
    era: str
    arguments: Json
    step: str | None = None
    line: int | None = None
    rooms: tuple[str, ...] = ("",)
    outside: Literal["form", "before", "after", "reply"] | None = None
    seconds: float | None = None
    fresh: bool = False
    readings: int = 0
    reconcile: bool = True

    def life(self, world: World, url: str) -> Json:
        """What the program that forks servers is told."""
        life: Json = {"environment": environment(world, url), "fresh": self.fresh}
        if self.step:
            life["step"] = self.step
        if self.line:
            life |= {"line": self.line, "rooms": self.rooms}
        return life


class Passing(Clock):
    """The time of day, at which the clock stands; after some readings it has passed every fence, but no yes."""

    def __init__(self, readings: int) -> None:
        super().__init__(time.time())
        self._readings = readings

    def __call__(self) -> float:
        """Seconds since 1970."""
        self._readings -= 1
        return self.now + (0 if self._readings >= 0 else 121)


class Server:
    """A server process and our end of its standard streams."""

    def __init__(self, control: socket.socket, ours: socket.socket, pid: int) -> None:
        self._control = control
        self._ours = ours
        self.pid = pid

    def kill(self) -> None:
        """End it as nothing can be prepared for, unless it has just ended."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)

    async def ended(self) -> int:
        """Its exit code, or the number of the signal that killed it, negative."""
        with anyio.fail_after(GUARD):
            return int(await anyio.to_thread.run_sync(self._control.recv, 64))

    @asynccontextmanager
    async def transport(self) -> AsyncIterator[TransportStreams]:
        """The client's side of MCP over its streams."""
        to_session, received = anyio.create_memory_object_stream[SessionMessage | Exception](0)
        given, from_session = anyio.create_memory_object_stream[SessionMessage](0)
        reader, writer = await asyncio.open_connection(sock=self._ours, limit=1024 * 1024)
        with closing(writer):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(_read, reader, to_session)
                tasks.start_soon(_write, writer, from_session)
                yield received, given
                tasks.cancel_scope.cancel()


async def _read(reader: asyncio.StreamReader, to_session: Any) -> None:
    async with to_session:
        with suppress(OSError, anyio.BrokenResourceError, anyio.ClosedResourceError):
            while (line := await reader.readline()).endswith(b"\n"):
                message = types.jsonrpc_message_adapter.validate_json(line, by_name=False)
                await to_session.send(SessionMessage(message))


async def _write(writer: asyncio.StreamWriter, from_session: Any) -> None:
    async with from_session:
        with suppress(OSError):
            async for item in from_session:
                writer.write(item.message.model_dump_json(by_alias=True, exclude_unset=True).encode() + b"\n")
                await writer.drain()


class Nursery:
    """The program that forks servers, one after the other."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control

    def server(self, life: Json) -> Server:
        """A new server; the one before must have ended."""
        ours, theirs = socket.socketpair()
        with closing(theirs):
            socket.send_fds(self._control, [json.dumps(life).encode()], [theirs.fileno()])
        return Server(self._control, ours, int(self._control.recv(64)))


@contextmanager
def nursery() -> Iterator[Nursery]:
    """A program that forks servers, for as long as the block runs."""
    ours, theirs = socket.socketpair()
    command = [sys.executable, str(PROGRAM), str(theirs.fileno())]
    with subprocess.Popen(command, env=variables(), pass_fds=[theirs.fileno()]) as program:
        theirs.close()
        with closing(ours):
            yield Nursery(ours)
        program.wait(GUARD)


class _Hold:
    """Holds an answer of the sandbox back, and tells when its request has arrived."""

    def __init__(self) -> None:
        self.arrived, self.released = anyio.Event(), anyio.Event()

    async def __call__(self) -> None:
        self.arrived.set()
        await self.released.wait()


@dataclass(kw_only=True)
class Death:
    """How a server ended, who was asked until then, and whether its reply had arrived."""

    person: Person
    code: int = 0
    has_replied: bool = False


async def live_and_die(server: Server, kill: Kill, world: World) -> Death:
    """Call create-store, and let the server be killed meanwhile."""
    hold = _Hold()
    if kill.outside in ("before", "after"):
        world.sandbox.misbehave(CREATE, Fault(until=hold, drop="before" if kill.outside == "before" else None))
    death = Death(person=Person(typed("20.00"), meanwhile=server.kill if kill.outside == "form" else None))

    async def kill_from_outside() -> None:
        if kill.seconds is None:
            await hold.arrived.wait()
        else:
            await anyio.sleep(kill.seconds)
        server.kill()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(kill_from_outside)
        tasks.start_soon(_call, server, kill, death)
        death.code = await server.ended()
        hold.released.set()
        tasks.cancel_scope.cancel()
    return death


async def _call(server: Server, kill: Kill, death: Death) -> None:
    """Make the call; a server that lives until its reply has arrived is killed then."""
    client = Client(server.transport(), mode=OVER_STDIO[kill.era], elicitation_callback=death.person)
    try:
        async with client:
            await buy(client, **kill.arguments)
            death.has_replied = True
            server.kill()
            await anyio.sleep_forever()
    except* (MCPError, anyio.BrokenResourceError, anyio.ClosedResourceError):
        pass  # the server is dead
