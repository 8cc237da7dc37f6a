"""Real MCP clients of replicas over Streamable HTTP, and one whose requests are spread as a balancer might."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Literal, TypeAlias

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from ..approval.world import Person
from .town import PRINCIPALS, token

Kind: TypeAlias = Literal["initialize", "initialized", "call", "answer", "stream", "farewell", "other"]
"""What a client of the handshake era sends: messages, its open stream, and the request that ends its session."""
PATIENCE = 60
"""Seconds after which a client gives up on an answer; none comes near it unless something hangs."""
_BY_METHOD: Mapping[str, Kind] = {
    "initialize": "initialize",
    "notifications/initialized": "initialized",
    "tools/call": "call",
}


def kind_of(request: httpx2.Request) -> Kind:
    """What a client sends with this request."""
    if request.method == "GET":
        return "stream"
    if request.method == "DELETE":
        return "farewell"
    message = json.loads(request.content)
    return _BY_METHOD.get(message.get("method"), "other") if "method" in message else "answer"


class Placed(httpx2.AsyncBaseTransport):
    """Sends each kind of request to the replica that is named for it, or else to the usual one."""

    def __init__(self, usual: str, places: Mapping[Kind, str]) -> None:
        self._usual = usual
        self._places = places
        self._inner = httpx2.AsyncHTTPTransport(limits=httpx2.Limits(keepalive_expiry=2))
        self.answered: list[tuple[Kind, int]] = []

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request where it belongs."""
        kind = kind_of(request)
        request.url = httpx2.URL(self._places.get(kind, self._usual))
        request.headers["host"] = request.url.netloc.decode()
        response = await self._inner.handle_async_request(request)
        self.answered.append((kind, response.status_code))
        return response

    async def aclose(self) -> None:
        """Close every connection."""
        await self._inner.aclose()


@asynccontextmanager
async def connected(
    url: str,
    mode: str,
    person: Person | None = None,
    *,
    principal: str = PRINCIPALS[0],
    transport: httpx2.AsyncBaseTransport | None = None,
) -> AsyncIterator[Client]:
    """A client of the server at this address; without a person it can show no form."""
    headers = {"authorization": f"Bearer {token(principal)}"}
    async with httpx2.AsyncClient(headers=headers, transport=transport, timeout=PATIENCE) as http:
        way = streamable_http_client(url, http_client=http)
        async with Client(way, mode=mode, elicitation_callback=person, read_timeout_seconds=PATIENCE) as client:
            yield client
