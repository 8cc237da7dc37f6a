"""Serves MCP over standard input and output: bounded lines, strict JSON, and any order of opening.

The SDK's own reader takes lines of any length, drops what it can't parse without an answer, and merges duplicate
keys before a handler could see them; so lines are read here, and the SDK serves what comes out.
"""

import logging
import os
import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, BinaryIO

import anyio
import anyio.from_thread
import anyio.lowlevel
import mcp_types as types
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.server.lowlevel import Server
from mcp.shared.message import ServerMessageMetadata, SessionMessage
from pydantic import ValidationError
from pydantic_core import PydanticSerializationError

from vercel_marketplace_mcp import strict_json
from vercel_marketplace_mcp.app import LineFindings
from vercel_marketplace_mcp.text import clean

logger = logging.getLogger(__name__)

MAX_LINE = 1024 * 1024
"""Bytes that one message may take."""

Received = SessionMessage | Exception
_ID = rb'"id"\s*:\s*(?P<id>-?[0-9]{1,15}|"[^"\\\x00-\x1f]{1,100}")\s*'
_PLAIN_MEMBER = rb'"(?:jsonrpc|method)"\s*:\s*"[^"\\]*"\s*,\s*'
_ID_IN_FRONT = re.compile(rb"\s*\{\s*(?:" + _PLAIN_MEMBER + rb")*" + _ID + rb"[,}]")
_ID_AT_THE_END = re.compile(rb',\s*(?:"jsonrpc"\s*:\s*"2\.0"\s*,\s*)?' + _ID + rb"\}\s*\Z")


async def serve(server: Server[Any]) -> None:
    """Serve `server` on this process's standard streams until the client closes them."""
    with _standard_streams() as (stdin, stdout):
        to_server, received = anyio.create_memory_object_stream[Received](0)
        answers, to_client = anyio.create_memory_object_stream[SessionMessage](0)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_write_lines, to_client, stdout)
            token = anyio.lowlevel.current_token()
            reader = threading.Thread(
                target=_read_lines, args=(stdin, to_server, answers.clone(), token), name="stdin", daemon=True
            )
            reader.start()
            await run(server, received, answers)


async def run(
    server: Server[Any],
    received: MemoryObjectReceiveStream[Received],
    answers: MemoryObjectSendStream[SessionMessage],
) -> None:
    """Serve one connection, whichever way it opens.

    A client may ask `server/discover` before it decides how to open, and then send `initialize`. The SDK would hold
    it to the newer protocol from its first request on, so such questions are each served as a connection of their own.
    """
    to_server, forwarded = anyio.create_memory_object_stream[Received](0)
    async with anyio.create_task_group() as tasks, received, to_server:
        opened = False
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
    """Return the message that a line holds, or the JSON-RPC error to answer it with.

    An error carries the request's id where that can be told for certain.
    """
    if len(line) > MAX_LINE:
        return _error(types.INVALID_REQUEST, f"The message is longer than {MAX_LINE} bytes.", _guess_id(line))
    try:
        document = strict_json.parse(line)
    except strict_json.NotJsonError as error:
        return _error(types.PARSE_ERROR, f"The message is {error}.", _guess_id(line))
    return _read_message(document)


def _read_message(document: strict_json.Document) -> SessionMessage | types.JSONRPCError:
    def refused(reason: str) -> types.JSONRPCError:
        return _error(types.INVALID_REQUEST, f"The message {reason}.", _id(document))

    try:
        message = types.jsonrpc_message_adapter.validate_python(document.value, by_name=False)
    except ValidationError:
        return refused("is not a JSON-RPC 2.0 message")
    if isinstance(message, types.JSONRPCNotification) and "id" in document.value:
        return refused("has an id that is neither a text nor a whole number")
    if not strict_json.is_unicode(_envelope(document.value)):
        return refused("holds half of a surrogate pair")
    if not document.duplicate_keys:
        return SessionMessage(message)
    is_call = isinstance(message, types.JSONRPCRequest) and message.method == "tools/call"
    if is_call and not document.duplicate_members:
        findings = LineFindings(duplicate_keys=document.duplicate_keys)
        return SessionMessage(message, metadata=ServerMessageMetadata(request_context=findings))
    return refused(f"gives {clean(document.duplicate_keys[0])} more than once")


def _envelope(message: dict[str, Any]) -> dict[str, Any]:
    """Return a message without the arguments of a tool: what is wrong with those is answered by the tool."""
    params = message.get("params")
    if message.get("method") != "tools/call" or not isinstance(params, dict):
        return message
    return {**message, "params": {name: value for name, value in params.items() if name != "arguments"}}


def _error(code: int, message: str, request_id: str | int | None) -> types.JSONRPCError:
    return types.JSONRPCError(jsonrpc="2.0", id=request_id, error=types.ErrorData(code=code, message=message))


def _id(document: strict_json.Document) -> str | int | None:
    """Return the id of a message that is no usable request."""
    found = document.value.get("id") if isinstance(document.value, dict) else None
    is_id = isinstance(found, str | int) and not isinstance(found, bool) and strict_json.is_unicode(found)
    return found if is_id and "id" not in document.duplicate_members else None


def _guess_id(line: bytes) -> str | int | None:
    """Return the id of a message that can't be parsed, if it stands where only the message's own id can stand."""
    found = _ID_IN_FRONT.match(line[:1024]) or _ID_AT_THE_END.search(line[-256:])
    if not found:
        return None
    try:
        text = found["id"].decode("utf-8")
    except UnicodeDecodeError:
        return None
    return text[1:-1] if text.startswith('"') else int(text)


def _read_lines(
    stdin: BinaryIO,
    messages: MemoryObjectSendStream[Received],
    answers: MemoryObjectSendStream[SessionMessage],
    token: anyio.lowlevel.EventLoopToken,
) -> None:
    """Read until the end of input, in a thread that a blocking read can't keep the process alive with."""
    try:
        while line := _read_capped(stdin):
            item = read_line(line) if line.strip() else None
            if isinstance(item, types.JSONRPCError):
                anyio.from_thread.run(answers.send, SessionMessage(item), token=token)
            elif item is not None:
                anyio.from_thread.run(messages.send, item, token=token)
    except (anyio.BrokenResourceError, anyio.ClosedResourceError):
        logger.debug("the client is gone")
    finally:
        with suppress(RuntimeError):  # the event loop may have ended first
            anyio.from_thread.run_sync(messages.close, token=token)
            anyio.from_thread.run_sync(answers.close, token=token)


def _read_capped(stdin: BinaryIO) -> bytes:
    """Return the next line. Of one that is too long, return its beginning and its end, still too long."""
    line = stdin.readline(MAX_LINE + 1)
    if len(line) <= MAX_LINE or line.endswith(b"\n"):
        return line
    tail = b""
    while part := stdin.readline(MAX_LINE):
        tail = (tail + part)[-1024:]
        if part.endswith(b"\n"):
            break
    return line + tail


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


@contextmanager
def _standard_streams() -> Iterator[tuple[BinaryIO, BinaryIO]]:
    """Take the standard streams for the protocol: a stray print goes to standard error, a stray read finds nothing."""
    sys.stdout.flush()
    stdin, stdout = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    try:
        yield stdin, stdout
    finally:
        with suppress(OSError):
            stdout.flush()
            os.dup2(stdout.fileno(), 1)
