"""A sandbox, servers of it on one state folder and one clock, and people who answer. Fakes nothing of ours."""

import sqlite3
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias

import anyio
import mcp_types as types
from mcp import Client
from mcp.client import ClientRequestContext
from mcp.server.lowlevel import Server
from pydantic import SecretStr

from vercel_marketplace_mcp import app
from vercel_marketplace_mcp.approval import desk
from vercel_marketplace_mcp.ledger.files import FILE_NAME
from vercel_marketplace_mcp.ledger.records import Question
from vercel_marketplace_mcp.ledger.sqlite import SqliteLedger
from vercel_marketplace_mcp.sandbox import SANDBOX_TEAM_ID, SANDBOX_TOKEN, Sandbox
from vercel_marketplace_mcp.settings import Settings, Team
from vercel_marketplace_mcp.tools.context import Context
from vercel_marketplace_mcp.vercel.client import Deadlines, VercelClient

Json: TypeAlias = dict[str, Any]

CREATE = "createIntegrationStoreDirect"
BRINDLE, QUARRY = "icfg_BrindleData000000000001", "icfg_cuwj0AdCdH3BwWT4LPijCC7t"
PRO: Json = {
    "name": "orders",
    "integrationConfigurationId": BRINDLE,
    "integrationProductIdOrSlug": "brindle-postgres",
    "billingPlanId": "pro",
    "metadata": {"region": "iad1"},
}
"""A store at $20.00 a month."""
FREE: Json = {**PRO, "billingPlanId": "free"}
FROZEN = "Invalid or expired requestState"
"""The one message for every state that this server did not seal for exactly this call."""


class Clock:
    """A clock that stands still until it is told."""

    def __init__(self, now: float = 1_800_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        """Seconds since 1970."""
        return self.now


def typed(text: object) -> types.ElicitResult:
    """The form, sent off with this in its field, whatever it is."""
    return types.ElicitResult.model_construct(action="accept", content={"amount": text})


def clicked(action: str) -> types.ElicitResult:
    """The form, declined or closed."""
    return types.ElicitResult.model_validate({"action": action})


class Person:
    """Answers forms, the last answer again and again; `after` is how many seconds it takes to read one."""

    def __init__(self, *answers: types.ElicitResult, after: float = 0, meanwhile: Callable[[], object] | None = None):
        self.shown: list[str] = []
        self._answers = answers
        self._after = after
        self._meanwhile = meanwhile

    async def __call__(
        self,
        context: ClientRequestContext,  # noqa: ARG002 - the SDK gives it by name
        params: types.ElicitRequestParams,
    ) -> types.ElicitResult:
        """Read the form and answer it."""
        self.shown.append(params.message)
        await anyio.sleep(self._after)
        if self._meanwhile:
            self._meanwhile()
        return self._answers[min(len(self.shown), len(self._answers)) - 1]


def _now() -> datetime:
    return datetime(2027, 1, 15, 8, tzinfo=UTC)


@dataclass(kw_only=True)
class World:
    """Everything that one test needs; `now` is the ledger's clock."""

    folder: Path
    sandbox: Sandbox
    clock: Clock

    def __post_init__(self) -> None:
        self._opened: list[VercelClient | SqliteLedger] = []

    async def aclose(self) -> None:
        """Close all that was opened."""
        for one in self._opened:
            await one.aclose()

    async def close_ledgers(self) -> None:
        """Close every ledger, as happens after a failure: each is opened again when it is next used."""
        for one in self._opened:
            if isinstance(one, SqliteLedger):
                await one.aclose()

    def ledger(self, now: Callable[[], float] | None = None) -> SqliteLedger:
        """The ledger, opened once more, as another process would."""
        ledger = SqliteLedger(self.folder, now or self.clock)
        self._opened.append(ledger)
        return ledger

    def database(self) -> "closing[sqlite3.Connection]":
        """The ledger's file, to be looked at."""
        return closing(sqlite3.connect(self.folder / FILE_NAME))

    def server(
        self,
        *,
        in_process: bool = True,
        time: Callable[[], datetime] = _now,
        deadlines: Deadlines | None = None,
        **changes: Any,
    ) -> Server[Any]:
        """A server on this state folder, its settings changed; not in process, it speaks to `api_url` over HTTP."""
        chosen = Settings(
            token=SecretStr(SANDBOX_TOKEN),
            team=Team(id=SANDBOX_TEAM_ID),
            state_dir=self.folder,
            form_wait=5,
            max_creates_per_hour=1000,
            reconcile=False,
        )
        chosen = replace(chosen, **changes)
        client = VercelClient(chosen, self.sandbox.app if in_process else None, deadlines=deadlines)
        self._opened.append(client)
        context = Context(settings=chosen, client=client, ledger=self.ledger(), now=time, ready_wait=0)
        return app.build_server(lambda: context)

    def client(self, era: str, person: Person | None = None, **changes: Any) -> Client:
        """A client of a new server on this folder; without a person it can show no form."""
        return Client(self.server(**changes), mode=era, elicitation_callback=person)

    def the_time_of_day(self) -> float:
        """The time that other processes read."""
        return time.time()

    def use_the_time_of_day(self) -> None:
        """Set the clock for a test in which another process looks at the ledger."""
        self.clock.now = self.the_time_of_day()

    async def waiting(self) -> list[Question]:
        """The questions that wait for an answer."""
        return await self.ledger().pending()

    async def approve(self, code: str, ttl: float = 600) -> None:
        """Type the right answer to the question of this code, as the terminal's command would record it."""
        ledger = self.ledger()
        question = desk.choose(await ledger.pending(), code)
        assert await desk.answer(question, question.expected, ledger, ttl) == "approved"

    @property
    def bodies(self) -> list[Json]:
        """What was asked of Vercel to create, in this order: the oracle."""
        return [post.json() for post in self.sandbox.posts]


async def buy(client: Client, **changes: Any) -> Json:
    """Call create-store for the store at $20.00 a month, or what the changes make of it (None: left out)."""
    given = {name: value for name, value in {**PRO, **changes}.items() if value is not None}
    result = await client.call_tool("create-store", given)
    found = result.structured_content
    assert isinstance(found, dict)
    assert result.is_error == (found["status"] != "created")
    return found


async def approved(world: World, client: Client, **changes: Any) -> Json:
    """Let a call that nobody could be asked about be approved in a terminal; return its answer."""
    found = await buy(client, **changes)
    assert found["status"] == "confirmation_required", found
    await world.approve(found["approval"]["code"])
    return found


@dataclass(frozen=True, kw_only=True)
class Round:
    """The first round of a call in the era of 2026-07-28: its arguments, the question, and the sealed state."""

    arguments: Json
    text: str
    state: str

    async def end(self, client: Client, answer: types.ElicitResult | None = None, **changes: Any) -> Json:
        """Make the final round, with another state or other arguments if they are given."""
        state = changes.pop("state", self.state)
        given = {name: value for name, value in {**self.arguments, **changes}.items() if value is not None}
        replies: types.InputResponses = {"confirmation": answer or typed("20.00")}
        result = await client.session.call_tool(
            changes.pop("tool", "create-store"),
            given,
            input_responses=replies,
            request_state=state,
            allow_input_required=True,
        )
        return _read(result)


async def first_round(client: Client, **changes: Any) -> Round:
    """Ask for a purchase and leave the question open."""
    given = {name: value for name, value in {**PRO, **changes}.items() if value is not None}
    result = await client.session.call_tool("create-store", given, allow_input_required=True)
    assert isinstance(result, types.InputRequiredResult), result
    assert result.request_state
    return Round(arguments=given, text=_question(result), state=result.request_state)


def _question(result: types.InputRequiredResult) -> str:
    (request,) = (result.input_requests or {}).values()
    assert isinstance(request, types.ElicitRequest)
    return request.params.message


def _read(result: types.CallToolResult | types.InputRequiredResult) -> Json:
    if isinstance(result, types.InputRequiredResult):
        return {"status": "asked again", "text": _question(result), "state": result.request_state}
    assert isinstance(result.structured_content, dict)
    return result.structured_content


@asynccontextmanager
async def a_world(folder: Path) -> AsyncIterator[World]:
    """A world in which nothing has happened."""
    world = World(folder=folder, sandbox=Sandbox(), clock=Clock())
    try:
        yield world
    finally:
        await world.aclose()
