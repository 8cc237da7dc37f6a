"""Requests byte by byte, as no client of the SDK's would send them, and the answers to them. It holds no test."""

import asyncio
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import anyio

from ..approval.wire import modern
from .office import GUARD, HOST


@dataclass(frozen=True, kw_only=True)
class Answered:
    """An answer to a request: its status, its headers in lower case, and its body."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


def call(tool: str, arguments: object = None, number: int = 7) -> dict[str, Any]:
    """A call of a tool in the era of 2026-07-28, which needs no session."""
    params = {"name": tool, "arguments": {} if arguments is None else arguments, "_meta": modern({})}
    return {"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params}


def head(method: str = "POST", path: str = "/mcp", **headers: str | None) -> bytes:
    """The head of a request: what a call of a tool needs, changed and extended; None leaves a header out."""
    lines = {
        "host": HOST,
        "accept": "application/json, text/event-stream",
        "content-type": "application/json",
        "mcp-protocol-version": "2026-07-28",
        "mcp-method": "tools/call",
        "mcp-name": "list-configurations",
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    spelled = "".join(f"{name}: {value}\r\n" for name, value in lines.items() if value is not None)
    return f"{method} {path} HTTP/1.1\r\n{spelled}\r\n".encode("latin-1")


def request(message: object, method: str = "POST", path: str = "/mcp", **headers: str | None) -> bytes:
    """A whole request with this message, or with any bytes, for its body."""
    body = message if isinstance(message, bytes) else json.dumps(message).encode()
    name = message.get("params", {}).get("name") if isinstance(message, dict) else None
    named = {"mcp_name": name} if isinstance(name, str) else {}
    return head(method, path, content_length=str(len(body)), **{**named, **headers}) + body


async def knock(port: int, *pieces: bytes, drip: bytes = b"") -> Answered:
    """The answer to what these pieces make together; then it drips, until somebody has had enough."""
    with anyio.fail_after(GUARD):
        reader, writer = await asyncio.open_connection(HOST, port)
        try:
            async with anyio.create_task_group() as tasks:
                for piece in pieces:
                    writer.write(piece)
                    await writer.drain()
                tasks.start_soon(_drip, writer, drip)
                answer = await read_answer(reader)
                tasks.cancel_scope.cancel()
            return answer
        finally:
            writer.close()


async def _drip(writer: asyncio.StreamWriter, drip: bytes) -> None:
    with suppress(ConnectionError):
        while drip:
            writer.write(drip)
            await writer.drain()
            await anyio.sleep(0.02)


async def read_answer(reader: asyncio.StreamReader) -> Answered:
    """The next answer on a connection."""
    line, *rest = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").strip().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (text.partition(":") for text in rest)}
    body = await reader.readexactly(int(headers["content-length"])) if "content-length" in headers else b""
    return Answered(status=int(line.split(" ")[1]), headers=headers, body=body)


def statuses(found: dict[str, Answered]) -> dict[str, int]:
    """The status of each answer."""
    return {name: answer.status for name, answer in found.items()}
