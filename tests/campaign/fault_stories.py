"""Plays a scenario: a real client, a real server, a Vercel on a socket that fails once, and people who look into it."""

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
from mcp import Client

from vercel_marketplace_mcp.sandbox import SANDBOX_TOKEN
from vercel_marketplace_mcp.vercel.client import Deadlines

from ..approval.world import FREE, PRO, Json, Person, World, a_world, typed
from ..calls import VALID
from .faults_table import Sort
from .faulty_vercel import FaultyVercel, Trouble, faulty_vercel
from .outcome_judge import Run, Scenario, Step, rows
from .outcome_rules import HELP, MONEY, Move

Call = Callable[..., Awaitable[Any]]

GUARD = 60
"""Seconds after which a scenario counts as hanging."""
SOON = Deadlines(read=1, reads=3, create=1)
"""Deadlines where only a deadline ends the wait."""
SETTLES: dict[Move, bool] = {"a person says that it exists": True, "a person says that it does not exist": False}


@dataclass(kw_only=True)
class Play:
    """One scenario while it goes on. `call` calls a tool and checks its answer against the published schema."""

    scenario: Scenario
    world: World
    vercel: FaultyVercel
    person: Person
    call: Call
    steps: list[Step] = field(default_factory=list)
    second_posts: int = 0
    leaks: int = 0
    unaided: int = 0
    _may_exist: bool = False

    async def act(self, client: Client, move: Move) -> None:
        """Make one move of the story: settle what is open, then call."""
        if move in SETTLES:
            await self._settle(created=SETTLES[move])
        self.vercel.hides_stores = self.vercel.hides_stores and move != "the list shows the store"
        tool, arguments = self._request(move)
        before = len(self.vercel.posts)
        reply = await self.call(client, tool, arguments)
        step = self._step(reply)
        self.steps.append(step)
        self._look_at_posts(step, len(self.vercel.posts) - before, is_the_same=move != "call for another store")
        self.leaks += SANDBOX_TOKEN in f"{reply.structured}{reply.text}"
        self.unaided += not (_helps(reply) and await self._says_how_to_settle(reply.structured))
        self.world.clock.now += 1

    def _request(self, move: Move) -> tuple[str, Json]:
        tool = self.scenario.place.tool
        if tool != "create-store":
            return tool, VALID[tool]
        if move == "call for another store":
            return tool, {**FREE, "name": "another"}
        return tool, PRO if self.scenario.place.paid else FREE

    def _step(self, reply: Any) -> Step:
        listed = "not listed" if reply.is_error else "listed"
        sentence = reply.structured.get("money", "")
        return Step(
            status=reply.structured.get("status", listed),
            money=next((name for name, words in MONEY.items() if sentence.startswith(words)), sentence),
            code=reply.structured.get("error", {}).get("code"),
            replayed=reply.structured.get("replayed", False),
            posts=len(self.vercel.posts),
            stores=sum(one.made for one in self.vercel.journal),
            questions=len(self.person.shown),
        )

    def _look_at_posts(self, step: Step, posts: int, *, is_the_same: bool) -> None:
        """Count the requests that left although an earlier one for the same store may have made it."""
        if is_the_same:
            self.second_posts += max(0, posts - (not self._may_exist))
            self._may_exist = step.status in {"created", "outcome_unknown", "billing_mismatch", "in_progress"}

    async def _says_how_to_settle(self, answer: Json) -> bool:
        if answer.get("status") != "outcome_unknown":
            return True
        (purchase,) = await self.world.ledger().purchases(1)
        command = f"ledger resolve {purchase.id} --state-dir {self.world.folder}"
        return any(command in step for step in answer["next_steps"])

    async def _settle(self, *, created: bool) -> None:
        """Record what a person found out, as the command `ledger resolve` does."""
        (purchase,) = [one for one in await self.world.ledger().purchases(9) if one.state in {"unknown", "mismatch"}]
        assert purchase.settled_at is None
        assert await self.world.ledger().settle(purchase.id, created=created)
        self._may_exist = created

    async def report(self) -> Run:
        """Return how it went."""
        return Run(
            steps=tuple(self.steps),
            hits=self.vercel.hits,
            warnings=sum("CHANGED: the plan or its price" in text for text in self.person.shown),
            second_posts=self.second_posts,
            visits_elsewhere=self.vercel.visits_elsewhere,
            leaks=self.leaks,
            unaided=self.unaided,
            broken_ledger=await self.world.ledger().verify(),
        )


def _helps(reply: Any) -> bool:
    """Say whether an answer says what to do next, and a refusal what is needed; an unclear one says how to look."""
    answer = reply.structured
    code = "" if answer.get("status") == "outcome_unknown" else answer.get("error", {}).get("code", "")
    return bool(answer["next_steps"]) and all(word in reply.text for word in HELP.get(code, ()))


async def play(scenario: Scenario, era: str, folder: Path, call: Call, meanwhile: Any = None) -> Run:
    """Play a scenario from the first call to the end, and say how it went; `meanwhile` is awaited after the first."""
    fault, place = scenario.fault, scenario.place
    trouble = Trouble(
        operation=place.operation,
        spoil=fault.spoil,
        line=fault.line,
        after=place.after,
        acts=place.acts,
        times=1 if scenario.passing else 1_000,
    )
    tls = fault.line in {"untrusted", "another host"}
    with anyio.fail_after(GUARD):
        async with AsyncExitStack() as stack:
            world = await stack.enter_async_context(a_world(folder / "state"))
            vercel = await stack.enter_async_context(faulty_vercel(world.sandbox, folder, tls=tls))
            answers = ("20.00", "no", "20.00") if fault.sort is Sort.ASKED_AGAIN else ("20.00",)
            person = Person(*map(typed, answers))
            changes: Json = {"api_url": vercel.url, "reconcile": True, "deadlines": SOON if fault.is_slow else None}
            client = await stack.enter_async_context(world.client(era, person, in_process=False, **changes))
            it = Play(scenario=scenario, world=world, vercel=vercel, person=person, call=call)
            await vercel.get_into(trouble)
            for row in rows(scenario):
                await it.act(client, row.do)
                if vercel.trouble:
                    await vercel.mend()
                    await (meanwhile(vercel) if meanwhile else anyio.lowlevel.checkpoint())
            return await it.report()
