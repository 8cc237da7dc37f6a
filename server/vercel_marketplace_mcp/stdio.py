"""Serves MCP over standard input and output: bounded lines, strict JSON, and any order of opening.

The SDK's own reader takes lines of any length, drops what it can't parse without an answer, and merges duplicate
keys before a handler could see them; so lines are read here, and the SDK serves what comes out.
"""

import logging
import signal
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, BinaryIO

import anyio
import anyio.from_thread
import anyio.lowlevel
import mcp_types as types
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.server.lowlevel import Server
from mcp.shared.message import ServerMessageMetadata, SessionMessage
from pydantic_core import PydanticSerializationError

from vercel_marketplace_mcp import messages, pipes
from vercel_marketplace_mcp.callers import Arrival

logger = logging.getLogger(__name__)

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
        to_server, received = anyio.create_memory_object_stream[Received](0)
        answers, to_client = anyio.create_memory_object_stream[SessionMessage](0)
        refusals = answers.clone()
        reading = (stdin, to_server, refusals, anyio.lowlevel.current_token())
        threading.Thread(target=_read_lines, args=reading, name="stdin", daemon=True).start()
        async with anyio.create_task_group() as listening:
            listening.start_soon(_close_on_signal, received)
            async with anyio.create_task_group() as writing:
                writing.start_soon(_write_lines, to_client, stdout)
                await run(server, received, answers, drain)
                refusals.close()
            listening.cancel_scope.cancel()


async def _close_on_signal(received: MemoryObjectReceiveStream[Received]) -> None:
    """Take a request to end the process as the end of input."""
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async for _ in signals:
            received.close()
            return


async def run(
    server: Server[Any],
    received: MemoryObjectReceiveStream[Received],
    answers: MemoryObjectSendStream[SessionMessage],
    drain: Callable[[], Awaitable[None]] = _settle_down,
) -> None:
    """Serve one connection, whichever way it opens, and `drain` before it ends.

    A client may ask `server/discover` before it decides how to open, and then send `initialize`. The SDK would hold
    it to the newer protocol from its first request on, so such questions are each served as a connection of their own.
    """
    to_server, forwarded = anyio.create_memory_object_stream[Received](0)
    async with anyio.create_task_group() as tasks, received, to_server:
        opened = False
        with suppress(anyio.ClosedResourceError):  # a signal asked to end
            async for item in received:
                method = _method(item)
                if not opened and method == "server/discover":
                    await answers.send(await _answer_alone(server, item))
                    continue
                if not opened and method is not None:
                    opened = True
                    tasks.start_soon(server.run, forwarded, answers, server.create_initialization_options())
                if opened:
                    await to_server.send(item)
        await _settle_down()
        await drain()
        await _settle_down()
    if not opened:
        answers.close()


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


def _read_lines(
    stdin: BinaryIO,
    requests: MemoryObjectSendStream[Received],
    answers: MemoryObjectSendStream[SessionMessage],
    token: anyio.lowlevel.EventLoopToken,
) -> None:
    """Read until the end of input, in a thread that a blocking read can't keep the process alive with."""
    try:
        while line := pipes.read_capped(stdin, messages.MAX_BYTES):
            item = read_line(line) if line.strip() else None
            if isinstance(item, types.JSONRPCError):
                anyio.from_thread.run(answers.send, SessionMessage(item), token=token)
            elif item is not None:
                anyio.from_thread.run(requests.send, item, token=token)
    except (anyio.BrokenResourceError, anyio.ClosedResourceError):
        logger.debug("the client is gone")
    finally:
        with suppress(RuntimeError):  # the event loop may have ended first
            anyio.from_thread.run_sync(requests.close, token=token)
            anyio.from_thread.run_sync(answers.close, token=token)


async def _write_lines(answers: MemoryObjectReceiveStream[SessionMessage], stdout: BinaryIO) -> None:
    def write(line: str) -> None:
        stdout.write(line.encode() + b"\n")
        stdout.flush()

    async with answers:
        async for answer in answers:
            try:
                await anyio.to_thread.run_sync(write, _to_line(answer.message))
            except (BrokenPipeError, ValueError):  # the client is gone
                return


def _to_line(message: types.JSONRPCMessage) -> str:
    """Return the line for a message; one that JSON can't carry becomes an error, since its client waits."""
    try:
        return message.model_dump_json(by_alias=True, exclude_unset=True)
    except PydanticSerializationError:
        logger.exception("an answer could not be written")
        error = types.ErrorData(code=types.INTERNAL_ERROR, message="The server could not write its answer.")
        failed = types.JSONRPCError(jsonrpc="2.0", id=getattr(message, "id", None), error=error)
        return failed.model_dump_json(by_alias=True, exclude_unset=True)
