"""Serves MCP over standard input and output: bounded lines, strict JSON, and any order of opening.

The SDK's own reader takes lines of any length, drops what it can't parse without an answer, and merges duplicate
keys before a handler could see them; so lines are read here, and the SDK serves what comes out.
"""

import logging
import math
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import anyio
import anyio.lowlevel
import mcp_types as types
from anyio.abc import ObjectReceiveStream
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.server.lowlevel import Server
from mcp.shared.message import ServerMessageMetadata, SessionMessage
from pydantic_core import PydanticSerializationError

from vercel_marketplace_mcp import messages, pipes
from vercel_marketplace_mcp.callers import Arrival

logger = logging.getLogger(__name__)

_LAST_ANSWERS = 2.0
"""Seconds in which a client may still read, once the process is about to end."""
_STEPS_TO_SETTLE = 50
"""Turns of the event loop in which a message passes through the server; it takes a handful."""

Received = SessionMessage | Exception


async def _settle_down() -> None:
    """Let what was received reach its handler, and what a handler has answered be on its way out."""
    for _ in range(_STEPS_TO_SETTLE):
        await anyio.lowlevel.checkpoint()


async def serve(server: Server[Any], drain: Callable[[], Awaitable[None]] = _settle_down) -> None:
    """Serve `server` on this process's standard streams until the client closes them or a signal asks to end.

    Either way no purchase is torn: what is under way is finished, recorded and, if the client still reads, answered.
    """
    with pipes.standard_streams() as (stdin, stdout):
        # Answers wait here for a client that reads late: whoever has one must go on, to see that it is time to end.
        answers, to_client = anyio.create_memory_object_stream[SessionMessage](math.inf)
        refusals = answers.clone()
        received = _Lines(stdin, refusals)
        async with anyio.create_task_group() as listening:
            listening.start_soon(_close_on_signal, received)
            async with anyio.create_task_group() as writing:
                writing.start_soon(_write_lines, to_client, stdout)
                await run(server, received, answers, drain)
                refusals.close()
                writing.cancel_scope.deadline = anyio.current_time() + _LAST_ANSWERS
            listening.cancel_scope.cancel()


async def _close_on_signal(received: "_Lines") -> None:
    """Take a request to end the process as the end of input."""
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async for _ in signals:  # a second one changes nothing: what must be finished has deadlines of its own
            await received.aclose()


async def run(
    server: Server[Any],
    received: ObjectReceiveStream[Received],
    answers: MemoryObjectSendStream[SessionMessage],
    drain: Callable[[], Awaitable[None]] = _settle_down,
) -> None:
    """Serve one connection, whichever way it opens, and `drain` before it ends.

    A client may ask `server/discover` before it decides how to open, and then send `initialize`. The SDK would hold
    it to the newer protocol from its first request on, so such questions are each served as a connection of their own.
    """
    async for item in received:
        method = _method(item)
        if method == "server/discover":
            await answers.send(await _answer_alone(server, item))
        elif method is not None:
            opened = _Opened(item, received, drain)
            await server.run(opened, answers, server.create_initialization_options())
            return
    await drain()
    answers.close()


class _Opened(ObjectReceiveStream[Received]):
    """What a client sends from its opening on. It ends once all that was asked for has been answered."""

    def __init__(
        self, first: Received, rest: ObjectReceiveStream[Received], drain: Callable[[], Awaitable[None]]
    ) -> None:
        self._first: Received | None = first
        self._rest = rest
        self._drain = drain

    async def receive(self) -> Received:
        if self._first is not None:
            first, self._first = self._first, None
            return first
        try:
            return await self._rest.receive()
        except anyio.EndOfStream:
            await _settle_down()
            await self._drain()
            await _settle_down()
            raise

    async def aclose(self) -> None:
        await self._rest.aclose()


def _method(item: Received) -> str | None:
    is_request = isinstance(item, SessionMessage) and isinstance(item.message, types.JSONRPCRequest)
    return item.message.method if is_request else None  # type: ignore[union-attr]


async def _answer_alone(server: Server[Any], item: Received) -> SessionMessage:
    """Return the answer to one request, served as a connection of its own."""
    to_server, forwarded = anyio.create_memory_object_stream[Received](1)
    answers, received = anyio.create_memory_object_stream[SessionMessage](1)
    async with anyio.create_task_group() as tasks, to_server, received:
        tasks.start_soon(server.run, forwarded, answers, server.create_initialization_options())
        await to_server.send(item)
        answer = await received.receive()
        to_server.close()
    return answer


def read_line(line: bytes) -> SessionMessage | types.JSONRPCError:
    """Return the message that a line holds, or the JSON-RPC error to answer it with."""
    found = messages.read(line)
    if isinstance(found, types.JSONRPCError):
        return found
    if not found.duplicate_keys:
        return SessionMessage(found.message)
    arrival = Arrival(duplicate_keys=found.duplicate_keys)
    return SessionMessage(found.message, metadata=ServerMessageMetadata(request_context=arrival))


class _Lines(ObjectReceiveStream[Received]):
    """The messages of standard input, each read when it is asked for. A line that holds none is answered here."""

    def __init__(self, stdin: int, answers: MemoryObjectSendStream[SessionMessage]) -> None:
        self._lines = pipes.read_lines(stdin, messages.MAX_BYTES)
        self._answers = answers
        self._reading = anyio.CancelScope()
        self._ended = False

    async def receive(self) -> Received:
        with suppress(OSError), anyio.CancelScope() as self._reading:
            while not self._ended and (line := await anext(self._lines, None)) is not None:
                item = read_line(line) if line.strip() else None
                if isinstance(item, SessionMessage):
                    return item
                if item is not None:
                    await self._answers.send(SessionMessage(item))
        raise anyio.EndOfStream

    async def aclose(self) -> None:
        """End the stream, also for whoever waits for more."""
        self._ended = True
        self._reading.cancel()


async def _write_lines(answers: MemoryObjectReceiveStream[SessionMessage], stdout: int) -> None:
    async with answers:
        async for answer in answers:
            with suppress(OSError):  # the client is gone: what is left is dropped
                await pipes.write(stdout, _to_line(answer.message).encode() + b"\n")


def _to_line(message: types.JSONRPCMessage) -> str:
    """Return the line for a message; one that JSON can't carry becomes an error, since its client waits."""
    try:
        return message.model_dump_json(by_alias=True, exclude_unset=True)
    except PydanticSerializationError:
        logger.exception("an answer could not be written")
        error = types.ErrorData(code=types.INTERNAL_ERROR, message="The server could not write its answer.")
        failed = types.JSONRPCError(jsonrpc="2.0", id=getattr(message, "id", None), error=error)
        return failed.model_dump_json(by_alias=True, exclude_unset=True)
