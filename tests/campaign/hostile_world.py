"""Lets the hostile calls of one script loose on real servers over one sandbox, in a time of their own."""

from collections.abc import AsyncIterator, Awaitable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

import anyio
import mcp_types as types
from mcp import Client, MCPError
from pydantic import SecretStr

from vercel_marketplace_mcp import app
from vercel_marketplace_mcp.sandbox import SANDBOX_TEAM_ID, Fault, Sandbox
from vercel_marketplace_mcp.settings import Settings, Team
from vercel_marketplace_mcp.tools.context import Context
from vercel_marketplace_mcp.vercel.client import VercelClient

from ..approval.world import FROZEN
from ..purchase.strategies import NOW
from .hostile_api import CREATE
from .hostile_call import HostileCall, Script
from .hostile_oracle import CANARY, judge
from .hostile_people import People
from .hostile_tally import Tally
from .hostile_wishes import slug_of
from .hostile_witness import Called, Json, Posted, Witness
from .machine_life import FrailLedger, Life
from .machine_time import FreeLoop, FreeTime

GUARD = 300.0
"""Seconds, of the world's time, after which a call counts as hanging: more than all its deadlines together."""
OTHERS: tuple[Json, ...] = ({"name": "another"}, {"billingPlanId": "turbo"}, {"teamId": SANDBOX_TEAM_ID, "x": 1})
"""What an answer must not be good for, if it was given to something else."""


class Arena:
    """One world: two servers on one state folder, one of whose clients can show forms, and the calls upon them."""

    def __init__(self, folder: Path, script: Script, era: str, time: FreeTime, tally: Tally) -> None:
        plain = Settings(token=SecretStr(CANARY), team=Team(id=SANDBOX_TEAM_ID), state_dir=folder)
        self.settings = replace(plain, **script.rules)
        self.script = script
        self.era = era
        self.time = time
        self.tally = tally
        self.sandbox = Sandbox(token=CANARY)
        self.witness = Witness(self.sandbox, time)
        self.people = People(self.witness, time, is_modern=era == "auto")
        self.ledger = FrailLedger(folder, time, Life())
        for slug, plan, members in script.changes:
            self.sandbox.change_plan(slug, plan, **members)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[tuple[Client, Client]]:
        """Connect a client with forms and one without, each to a server of its own."""
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self.ledger.aclose)
            servers = []
            for _ in range(2):
                ledger = FrailLedger(self.settings.state_dir, self.time, Life())
                client = VercelClient(self.settings, self.sandbox.app)
                stack.push_async_callback(ledger.aclose)
                stack.push_async_callback(client.aclose)
                context = Context(settings=self.settings, client=client, ledger=ledger, now=lambda: NOW)
                servers.append(app.build_server(partial(_given, context)))
            with_forms = Client(servers[0], mode=self.era, elicitation_callback=self.people)
            without = Client(servers[1], mode=self.era)
            yield await stack.enter_async_context(with_forms), await stack.enter_async_context(without)

    async def run(self) -> None:
        """Make every call of the script, then look at what has happened."""
        async with self.open() as (with_forms, without):
            for call in self.script.calls:
                self.time.advance(call.pause)
                by_form = call.person != "nobody" and "terminal" not in call.person
                real = call.about(self.sandbox.stores[-1]) if self.sandbox.stores else call
                with anyio.fail_after(6 * GUARD):  # a call may be made several times
                    await self._make(real, with_forms if by_form else without)
            await self.look_back()

    async def _make(self, call: HostileCall, client: Client) -> None:
        self._prepare(call)
        self.people.errand = call
        self.witness.note(Called())
        match call.manner:
            case "at once":
                await self._at_once(call, client)
            case "under way":
                await self._under_way(call, client)
            case "replayed" | "altered" if self.era == "auto":
                await self._in_rounds(call, client)
            case _:
                await self._at_the_terminal(call, client, await self._once(call, client))
        if call.settles:
            await self._settle()

    def _prepare(self, call: HostileCall) -> None:
        """Let go wrong at Vercel what is to go wrong from this call on."""
        for operation, fault in call.faults:
            self.sandbox.misbehave(operation, fault)
        slug = slug_of(call.arguments.get("integrationProductIdOrSlug"))
        if call.turns is not None and slug is not None:
            with suppress(LookupError):  # there may be no such plan
                plan = str(call.arguments.get("billingPlanId"))
                self.sandbox.change_plan(slug, plan, after=call.after, **call.turns)
        self.witness.down |= call.down

    async def _once(self, call: HostileCall, client: Client) -> Json:
        return await self.answered(call.tool, client.call_tool(call.tool, call.arguments))

    async def answered(
        self, tool: str, answer: Awaitable[types.CallToolResult | types.InputRequiredResult], refusal: str | None = None
    ) -> Json:
        """Wait for the answer to a call and check it; return what it says, or nothing if there was none."""
        self.tally.calls += 1
        result: types.CallToolResult | types.InputRequiredResult | None = None
        with anyio.move_on_after(GUARD) as guard:
            try:
                result = await answer
            except MCPError as error:
                self.tally.refuse(error, refusal)
        self.tally.hangs += guard.cancelled_caught
        return self.tally.check(tool, result) if isinstance(result, types.CallToolResult) else {}

    async def _at_once(self, call: HostileCall, client: Client) -> None:
        """Make the same call three times at the same time."""
        async with anyio.create_task_group() as tasks:
            for _ in range(3):
                tasks.start_soon(self._once, call, client)

    async def _under_way(self, call: HostileCall, client: Client) -> None:
        """Repeat a call while Vercel keeps the first one waiting, longer than a repeat waits for its receipt."""
        arrived, release = anyio.Event(), anyio.Event()

        async def hold() -> None:
            arrived.set()
            await release.wait()

        self.sandbox.misbehave(CREATE, Fault(until=hold))
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._once, call, client)
            await arrived.wait()
            await self._once(call, client)
            release.set()

    async def _in_rounds(self, call: HostileCall, client: Client) -> None:
        """Answer a question once, and present the answer again and again, for this request and perhaps for others."""

        async def send(
            arguments: Json, replies: types.InputResponses | None = None, state: str | None = None
        ) -> types.CallToolResult | types.InputRequiredResult:
            return await client.session.call_tool(
                call.tool, arguments, input_responses=replies, request_state=state, allow_input_required=True
            )

        asked = await send(call.arguments)
        if isinstance(asked, types.CallToolResult):
            self.tally.calls += 1
            self.tally.check(call.tool, asked)
            return
        (request,) = (asked.input_requests or {}).values()
        assert isinstance(request, types.ElicitRequest)
        answer = await self.people(None, request.params)
        assert isinstance(answer, types.ElicitResult)
        final = partial(send, replies={"confirmation": answer}, state=asked.request_state)
        for changes in OTHERS if call.manner == "altered" else ():
            await self.answered(call.tool, final({**call.arguments, **changes}), FROZEN)
        async with anyio.create_task_group() as tasks:
            for _ in range(3):
                tasks.start_soon(self.answered, call.tool, final(call.arguments))

    async def _at_the_terminal(self, call: HostileCall, client: Client, found: Json) -> None:
        """Let a person answer in a terminal what nobody could be asked about; then the call is repeated."""
        if "terminal" not in call.person or found.get("status") != "confirmation_required":
            return
        code, ttl = found["approval"]["code"], self.settings.approval_ttl
        await self.people.at_the_terminal(code, self.ledger, ttl)
        self.witness.note(Called())
        await self._once(call, client)

    async def _settle(self) -> None:
        """Let a person find out what became of unclear purchases, and record it."""
        for purchase in await self.ledger.purchases(3):
            if purchase.state in {"unknown", "mismatch"} and purchase.settled_at is None:
                exists = purchase.name in [store["name"] for store in self.sandbox.stores]
                await self.ledger.settle(purchase.id, created=exists or purchase.state == "mismatch")

    async def look_back(self) -> None:
        """Judge the world from Vercel's side, and look for the token in all that is on disk."""
        posted = [(event.path, event.body) for event in self.witness.timeline if isinstance(event, Posted)]
        assert posted == [(post.path, post.json()) for post in self.sandbox.journal if post.method == "POST"]
        self.tally.add(judge(self.witness.timeline, NOW))
        self.tally.questions += self.people.seen.questions
        self.tally.sightings += self.people.seen.leaked
        self.tally.problems += self.people.seen.problems
        self.tally.search(self.settings.state_dir)
        if problem := await self.ledger.verify():
            self.tally.problems.append(f"the audit log does not verify: {problem}")


def run(folder: Path, script: Script, era: str, tally: Tally) -> None:
    """Run one world from its beginning to its end."""
    time = FreeTime()

    async def live() -> None:
        await Arena(folder, script, era, time, tally).run()

    anyio.run(live, backend_options={"loop_factory": lambda: FreeLoop(time)})
    tally.search(folder)


def _given(context: Context) -> Context:
    return context
