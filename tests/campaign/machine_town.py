"""A marketplace that forgets removed stores, and server processes that may die at any step. Fakes only the wire."""

import json
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Protocol

import httpx
from mcp.server.lowlevel import Server
from pydantic import SecretStr
from starlette.requests import Request
from starlette.types import Message, Receive, Scope, Send

from vercel_marketplace_mcp import app
from vercel_marketplace_mcp.ledger.sqlite import SqliteLedger
from vercel_marketplace_mcp.sandbox import SANDBOX_TEAM_ID, SANDBOX_TOKEN, Fault, Sandbox
from vercel_marketplace_mcp.settings import Settings, Team
from vercel_marketplace_mcp.tools.context import Context
from vercel_marketplace_mcp.vercel.client import VercelClient

from ..approval.world import CREATE, Json, World
from .machine_life import FrailLedger, Life
from .machine_prices import key
from .machine_time import FreeTime


class Marketplace(Sandbox):
    """The sandbox, from which stores can be removed. Each leaves its place empty, so that no id comes again."""

    @property
    def stores(self) -> list[Json]:
        """The stores that exist."""
        return [store for store in super().stores if store["name"] is not None]

    def remove(self, request: Json) -> bool:
        """Remove the configuration's store of this name; say whether there was one."""
        found = self.find(request)
        for store in self._market.stores:
            if found and store["id"] == found["id"]:
                nowhere = {**store["product"], "integrationConfigurationId": None}
                store.update(id=f"removed {store['id']}", name=None, product=nowhere)
        return found is not None

    def find(self, request: Json) -> Json | None:
        """The configuration's store of this name, if it has one."""
        configuration, _, name = key(request)
        places = {(store["product"]["integrationConfigurationId"], store["name"]): store for store in self.stores}
        return places.get((configuration, name))


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """What befalls a create request: there is no connection, it meets a fault, or the process dies with the answer.

    `is_unclear`: nobody can know what became of it.
    """

    fault: Fault | None = None
    is_deadly: bool = False
    is_unclear: bool = False


@dataclass(kw_only=True)
class Seen:
    """A create request as the wire saw it, how it was answered, and the plan of the store that it made."""

    sender: "Wire"
    request: Json
    trouble: Trouble | None = None
    status: int | None = None
    made_on: Json | None = None

    @property
    def acted(self) -> bool:
        """Whether it made a store."""
        return self.made_on is not None


class Witness(Protocol):
    """Who is told of every create request, before Vercel acts on it."""

    def posting(self, seen: Seen, plans: list[Json] | None) -> None:
        """Judge a request, with the plans of its product as they were last served to its sender in this call."""


class Wire:
    """The way from one process to the marketplace. It sees everything, and may break."""

    def __init__(self, market: Marketplace, troubles: list[Trouble], witness: Witness) -> None:
        self.life = Life()
        self.served: dict[str, list[Json]] = {}
        self._market = market
        self._troubles = troubles
        self._witness = witness

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Carry one request and its answer; the process may die before it, and before the answer is read."""
        self.life.step()
        if scope["method"] == "POST":
            await self._create(scope, receive, send)
        else:
            await self._read(scope, receive, send)
        self.life.step()

    async def _create(self, scope: Scope, receive: Receive, send: Send) -> None:
        trouble = self._troubles.pop(0) if self._troubles else None
        if trouble and not (trouble.fault or trouble.is_deadly):
            raise httpx.ConnectError("there is no way to the marketplace")
        body = await Request(scope, receive).body()
        seen = Seen(sender=self, request=json.loads(body), trouble=trouble)
        was_there = self._market.find(seen.request)
        self._witness.posting(seen, self.served.get(key(seen.request)[1]))

        async def again() -> Message:
            if trouble and trouble.fault:  # not sooner: it would befall another process's request
                self._market.misbehave(CREATE, trouble.fault)
            return {"type": "http.request", "body": body}

        async def watch(message: MutableMapping[str, Any]) -> None:
            seen.status = message.get("status", seen.status)
            await send(message)

        try:
            await self._market.app(scope, again, watch)
        finally:
            made = None if was_there else self._market.find(seen.request)
            seen.made_on = made["billingPlan"] if made else None
            if trouble and trouble.is_deadly:
                self.life.left = 0

    async def _read(self, scope: Scope, receive: Receive, send: Send) -> None:
        whole = bytearray()

        async def watch(message: MutableMapping[str, Any]) -> None:
            whole.extend(message.get("body", b""))
            await send(message)

        await self._market.app(scope, receive, watch)
        *_, product, last = scope["path"].split("/")
        if last == "plans":
            self.served[product] = _plans(bytes(whole))


def _plans(answer: bytes) -> list[Json]:
    try:
        return list(json.loads(answer)["plans"])
    except (ValueError, KeyError):
        return []


@dataclass(frozen=True, kw_only=True)
class Process:
    """A server, its way to the marketplace and its ledger."""

    server: Server[Any]
    wire: Wire


@dataclass(kw_only=True)
class Town(World):
    """A world whose processes share a state folder and the time, and die; `troubles` wait for the next creates."""

    sandbox: Marketplace
    clock: FreeTime
    witness: Witness
    settings: dict[str, Any]
    troubles: list[Trouble] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__post_init__()
        self._desk = FrailLedger(self.folder, self.clock, Life())
        self._opened.append(self._desk)
        self._lives: list[Life] = []

    async def aclose(self) -> None:
        """Close all that was opened, what the dead have left behind as well."""
        for life in self._lives:
            life.left = None
        await super().aclose()

    def ledger(self, now: Callable[[], float] | None = None) -> SqliteLedger:  # noqa: ARG002 - there is one time
        """The ledger as people open it in a terminal."""
        return self._desk

    def start(self) -> Process:
        """Start one more server on the state folder."""
        wire = Wire(self.sandbox, self.troubles, self.witness)
        plain = Settings(
            token=SecretStr(SANDBOX_TOKEN), team=Team(id=SANDBOX_TEAM_ID), state_dir=self.folder, form_wait=10
        )
        chosen = replace(plain, **self.settings)
        client, ledger = VercelClient(chosen, wire), FrailLedger(self.folder, self.clock, wire.life)
        self._opened += [client, ledger]
        self._lives.append(wire.life)
        context = Context(settings=chosen, client=client, ledger=ledger, now=self.moment, ready_wait=0)
        return Process(server=app.build_server(lambda: context), wire=wire)

    def moment(self) -> datetime:
        """The time, as servers read it."""
        return datetime.fromtimestamp(self.clock.now, UTC)
