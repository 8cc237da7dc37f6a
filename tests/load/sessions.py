"""Sessions of the handshake era, spoken in raw HTTP: closed, abandoned, or dropped in the middle of an answer."""

import json
from dataclasses import dataclass
from typing import Any

import httpx

from ..approval.world import Json
from ..replicas.town import Replica, token

VERSION = "2025-11-25"
_ACCEPT = {"accept": "application/json, text/event-stream"}


@dataclass(frozen=True, kw_only=True)
class Session:
    """One session of a principal at one server."""

    http: httpx.AsyncClient
    url: str
    headers: dict[str, str]

    async def call(self, tool: str, arguments: Json) -> httpx.Response:
        """Call a tool and read the whole answer."""
        return await self.ask("tools/call", name=tool, arguments=arguments)

    async def ask(self, method: str, **parameters: Any) -> httpx.Response:
        """Make a request and read the whole answer."""
        return await self.http.post(self.url, headers=self.headers, json=_request(method, parameters))

    async def drop(self, tool: str, arguments: Json) -> bytes:
        """Call a tool, read the first that comes, and hang up."""
        body = _request("tools/call", {"name": tool, "arguments": arguments})
        async with self.http.stream("POST", self.url, headers=self.headers, json=body) as response:
            return await anext(response.aiter_raw())

    async def listen_and_drop(self) -> int:
        """Open the stream for what the server says by itself, and hang up; the status."""
        async with self.http.stream("GET", self.url, headers=self.headers) as response:
            return response.status_code

    async def close(self) -> int:
        """End the session; the status."""
        return (await self.http.delete(self.url, headers=self.headers)).status_code


def _request(method: str, parameters: Json) -> Json:
    return {"jsonrpc": "2.0", "id": 2, "method": method, "params": parameters}


async def opened(http: httpx.AsyncClient, replica: Replica, principal: str) -> Session:
    """A new session of a client that can show forms."""
    headers = {**_ACCEPT, "authorization": f"Bearer {token(principal)}"}
    client = {"name": "a client", "version": "1"}
    hello = {"protocolVersion": VERSION, "capabilities": {"elicitation": {}}, "clientInfo": client}
    body = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello}
    answer = await http.post(replica.url, headers=headers, json=body)
    assert answer.status_code == 200, answer.text
    known = {**headers, "mcp-session-id": answer.headers["mcp-session-id"], "mcp-protocol-version": VERSION}
    ready = await http.post(replica.url, headers=known, json={"jsonrpc": "2.0", "method": "notifications/initialized"})
    assert ready.status_code == 202
    return Session(http=http, url=replica.url, headers=known)


def result(answer: httpx.Response) -> Json:
    """The result in an answer, be it a document or the last event of a stream."""
    text = answer.text
    if answer.headers["content-type"].startswith("text/event-stream"):
        text = [line for line in text.splitlines() if line.startswith("data: ")][-1].removeprefix("data: ")
    found = json.loads(text)["result"]
    assert isinstance(found, dict)
    return found
