"""Stands at the sandbox's door: what came, what was answered, what people said, in one order. It judges nothing."""

import json
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeAlias
from urllib.parse import parse_qs, unquote

import anyio
import httpx
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vercel_marketplace_mcp.sandbox import Sandbox

Json: TypeAlias = dict[str, Any]

ODD = (TypeError, ValueError, AttributeError, LookupError, ArithmeticError)
"""What reading an answer without manners may raise."""

CREATING = "/v1/storage/stores/integration/direct"
"""Where stores are created."""
CONNECTING = "/v1/integrations/installations/{}/resources/{}/connections"
"""Where the store of a configuration is connected to a project."""
_PRODUCTS = re.compile(r"/v1/integrations/configuration/([^/]+)/products")
_PLANS = re.compile(r"/v1/integrations/integration/[^/]+/products/([^/]+)/plans")


@dataclass(frozen=True, kw_only=True, slots=True)
class Called:
    """A tool call begins: what was told before is out of date."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """A good answer that left the sandbox, and the task that had asked."""

    task: int
    path: str
    query: str
    value: Any


@dataclass(frozen=True, kw_only=True, slots=True)
class Posted:
    """A request to change something that reached the sandbox, and the task that made it."""

    task: int
    path: str
    body: Json
    at: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Said:
    """What a person said to one request; a no takes back an earlier yes.

    A purchase is meant under the plan as it stood: there are several only if calls at once were told different ones.
    """

    wish: str
    plans: frozenset[str]
    yes: bool
    at: float


Event = Called | Told | Posted | Said


def canonical(value: Any) -> str:
    """One text for one JSON value."""
    return json.dumps(value, sort_keys=True)


def wish(path: str, body: Json) -> str:
    """One text for one request."""
    return canonical([path, body])


class Offered:
    """The products and plans that one task was told within a call, as last told."""

    def __init__(self) -> None:
        self._products: dict[str, Any] = {}
        self._plans: dict[tuple[str, str], Any] = {}

    def hear(self, event: Told) -> None:
        """Take in what was told."""
        if found := _PRODUCTS.fullmatch(event.path):
            self._products[unquote(found[1])] = event.value
        elif found := _PLANS.fullmatch(event.path):
            metadata = json.loads(parse_qs(event.query).get("metadata", ["{}"])[0])
            self._plans[unquote(found[1]), canonical(metadata)] = event.value

    def product(self, body: Json) -> Json:
        """The one product that a create request names; anything else is an error."""
        products, wanted = self._products[body["integrationConfigurationId"]]["products"], "integrationProductIdOrSlug"
        (found,) = [each for each in products if _is(each, body[wanted], "id", "slug")]
        return dict(found)

    def resolved(self, body: Json) -> Json:
        """A request with its product's id: to ask for a product by its slug is to ask for the same."""
        with suppress(*ODD):
            return {**body, "integrationProductIdOrSlug": self.product(body)["id"]}
        return body

    def plans(self, body: Json) -> list[Any]:
        """The plans of a create request's product, for its metadata."""
        found = self._plans[self.product(body)["id"], canonical(body.get("metadata", {}))]["plans"]
        return list(found)

    def plan(self, body: Json) -> Json:
        """The one plan that a create request names; anything else is an error."""
        (found,) = [each for each in self.plans(body) if _is(each, body["billingPlanId"], "id")]
        return dict(found)


def _is(entry: Any, wanted: str, *names: str) -> bool:
    return isinstance(entry, dict) and wanted in [entry.get(name) for name in names]


class Offers:
    """What each task was told within a call, the latest last."""

    def __init__(self) -> None:
        self._told: dict[int, Offered] = {}

    def hear(self, event: Called | Told) -> None:
        """Take in what a task was told, or that another call begins."""
        if isinstance(event, Called):
            self._told.clear()
            return
        told = self._told[event.task] = self._told.pop(event.task, Offered())
        told.hear(event)

    def to(self, task: int) -> Offered:
        """What this task was told."""
        return self._told.get(task, Offered())

    @property
    def latest(self) -> list[Offered]:
        """What all tasks were told, the latest first."""
        return list(self._told.values())[::-1]


class Witness:
    """Keeps the timeline of one sandbox; while the way for a method is `down`, nothing comes near the door."""

    def __init__(self, sandbox: Sandbox, clock: Callable[[], float]) -> None:
        self.timeline: list[Event] = []
        self.offers = Offers()
        self.down: set[str] = set()
        self._clock = clock
        self._inner: ASGIApp = sandbox.app.middleware_stack
        sandbox.app.middleware_stack = self

    def note(self, event: Event) -> None:
        """Put an event at the end of the timeline."""
        self.timeline.append(event)
        if isinstance(event, Called | Told):
            self.offers.hear(event)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and keep what came and what was answered."""
        path, method = scope["raw_path"].decode("ascii"), scope["method"]
        if method in self.down:
            self.down.discard(method)
            raise httpx.ConnectError("no route to host")
        task = anyio.get_current_task().id
        heard, answered, status = bytearray(), bytearray(), 0

        async def listen() -> Message:
            message = await receive()
            heard.extend(message.get("body", b""))
            is_whole = message["type"] == "http.request" and not message.get("more_body")
            if is_whole and method == "POST":
                self.note(Posted(task=task, path=path, body=json.loads(heard), at=self._clock()))
            return message

        async def tell(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            answered.extend(message.get("body", b""))
            await send(message)

        await self._inner(scope, listen, tell)
        if method == "GET" and status == 200:
            with suppress(ValueError, RecursionError):  # what is no JSON tells nothing
                query = scope["query_string"].decode("ascii")
                self.note(Told(task=task, path=path, query=query, value=json.loads(answered)))
