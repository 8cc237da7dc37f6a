"""Agents that speak HTTP themselves, for where only what reaches a replica counts. It fakes nothing of ours."""

import json
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from ..approval.wire import modern
from ..approval.world import FREE, PRO, Json
from .town import Replica, Town, token

VERSION = "2026-07-28"
PRICE = "20.00"
"""What a person types to buy the store of `PRO`."""


@dataclass(frozen=True, kw_only=True)
class Agent:
    """A principal and its connections; its client can show no form, so a person answers elsewhere."""

    principal: str
    http: httpx.AsyncClient

    @property
    def headers(self) -> dict[str, str]:
        """What says who calls."""
        return {"authorization": f"Bearer {token(self.principal)}"}

    async def ask(self, url: str, method: str, **parameters: Any) -> httpx.Response:
        """Make a request of the era of 2026-07-28."""
        named = {"mcp-name": parameters["name"]} if "name" in parameters else {}
        headers = {
            **self.headers,
            "accept": "application/json, text/event-stream",
            "mcp-protocol-version": VERSION,
            "mcp-method": method,
            **named,
        }
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": {**parameters, "_meta": modern(None)}}
        return await self.http.post(url, headers=headers, json=body)

    async def call(self, replica: Replica, tool: str, arguments: Mapping[str, Any]) -> Json:
        """Call a tool and return its structured answer; there is one, whatever happens to the money."""
        response = await self.ask(replica.url, "tools/call", name=tool, arguments=dict(arguments))
        message = _message(response)
        assert response.status_code == 200, message
        found = message["result"]["structuredContent"]
        assert isinstance(found, dict)
        return found

    async def buy(self, replica: Replica, name: str) -> Json:
        """Call create-store for a store of this name at $20.00 a month."""
        return await self.call(replica, "create-store", {**PRO, "name": name})

    async def make(self, replica: Replica, name: str) -> Json:
        """Call create-store for a free store of this name."""
        return await self.call(replica, "create-store", {**FREE, "name": name})

    async def prepare(self, replica: Replica, name: str) -> None:
        """Have a purchase asked about and approved, by a person who answers at the server, and not made yet."""
        found = await self.buy(replica, name)
        assert found["status"] == "confirmation_required", found
        answered = await self.http.post(
            f"{replica.base}/approvals/{found['approval']['code']}", headers=self.headers, json={"typed": PRICE}
        )
        assert answered.json() == {"status": "approved"}


def _message(response: httpx.Response) -> Json:
    """The answer in a response, whether it is one document or the last event of a stream."""
    text = response.text
    if response.headers["content-type"].startswith("text/event-stream"):
        text = [line for line in text.splitlines() if line.startswith("data: ")][-1].removeprefix("data: ")
    found = json.loads(text)
    assert isinstance(found, dict)
    return found


def outcome(answer: Json) -> str:
    """What came of a call: its status, or that it only repeats what an earlier call did."""
    return "replayed" if answer["status"] == "created" and answer.get("replayed") else str(answer["status"])


async def keep(answer: Awaitable[Json], answers: list[Json]) -> None:
    """Put an answer among others once it is there."""
    answers.append(await answer)


async def finally_made(agent: Agent, replica: Replica, town: Town, name: str) -> None:
    """Make the same call until its store is there; a person says what became of a purchase that nobody knows."""
    answer: Json = {"status": "unavailable"}
    while answer["status"] != "created":
        assert answer["status"] in {"unavailable", "outcome_unknown"}, answer
        if answer["status"] == "outcome_unknown":
            ((purchase_id,),) = await town.select(_unknown(name))
            await town.settle(str(purchase_id), created=any(one["name"] == name for one in town.sandbox.stores))
        answer = await agent.make(replica, name)


def _unknown(name: str) -> str:
    assert name.replace("-", "").isalnum()
    return f"SELECT id FROM vercel_marketplace_mcp.purchases WHERE state = 'unknown' AND name = '{name}'"  # noqa: S608
