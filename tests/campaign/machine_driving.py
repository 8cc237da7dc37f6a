"""Lets processes and people do things in a town, and shows the model all of it. It chooses nothing by itself."""

import shutil
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import mcp_types as types
from hypothesis.stateful import RuleBasedStateMachine
from mcp import Client
from mcp.shared.exceptions import MCPError

from vercel_marketplace_mcp.approval import desk
from vercel_marketplace_mcp.ledger.records import Purchase, Question

from ..approval.world import FROZEN
from .machine_model import Asked, Model
from .machine_people import Mind, Opened, Visitor, answer, call, content, text_of
from .machine_prices import INTEGRATIONS, Json, chosen, key, price, resolved
from .machine_time import FreeLoop, FreeTime
from .machine_town import Marketplace, Process, Town

Work: TypeAlias = Callable[[Process], Awaitable[Json | None]]

UNWRITTEN = ("decline", "close")
"""In the newer era it depends on real time whether these count, so there a no is always written."""


class Driving(RuleBasedStateMachine):
    """A town, two processes and a model; `calls` are those made, `rounds` the questions that they ended with."""

    def __init__(self, base: Path, figures: Counter[str], believed: Json | None = None) -> None:
        """Live in a folder of its own; `believed` are limits that the model holds instead of the operator's."""
        super().__init__()
        self.believed = believed or {}
        figures["runs"] += 1
        self.folder = base / f"run-{figures['runs']}"
        self.figures = figures
        self.time = FreeTime()
        self.loop = FreeLoop(self.time)
        self.calls: list[Json] = []
        self.rounds: list[Opened] = []
        self.waiting: list[Question] = []
        self.unsettled: list[Purchase] = []

    def settle_in(self, limits: Json) -> None:
        """Start two processes under some limits."""
        names = ("max_per_day", "max_creates_per_hour", "approval_ttl")
        self.model = Model(time=self.time, **{name: {**limits, **self.believed}[name] for name in names})
        self.town = Town(
            folder=self.folder,
            sandbox=Marketplace(),
            clock=self.time,
            witness=self.model,
            settings=limits,
        )
        self.processes = [self.town.start() for _ in range(2)]
        self.loop.run_until_complete(self.look())

    def do(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something in the world's own time, then look what has come of it."""

        async def both() -> None:
            await work
            await self.look()

        self.loop.run_until_complete(both())

    def teardown(self) -> None:
        """End everything, if it has begun."""
        if hasattr(self, "town"):
            self.end()
        self.loop.close()

    def end(self) -> None:
        """End everything, and count it."""
        self.loop.run_until_complete(self.town.aclose())
        self.loop.run_until_complete(self.loop.shutdown_asyncgens())
        shutil.rmtree(self.folder, ignore_errors=True)
        self.figures["create requests"] += len(self.model.posts)
        self.figures["questions"] += len(self.model.asked)
        self.figures["approvals"] += sum(one.yeses for one in self.model.asked.values())

    async def attempt(self, number: int, given: Json, work: Work) -> None:
        """Let a process work on a request, and hold its answer against what was seen."""
        judge = await self.made(number, given, work)
        judge()

    async def made(self, number: int, given: Json, work: Work) -> Callable[[], None]:
        """Let a process work on a request, and replace it if it died; return what then holds its answer to account."""
        process = self.processes[number]
        process.wire.served.clear()
        since, start, found = self.time.now, len(self.model.posts), None
        try:
            found = await work(process)
        except BaseException:
            if not process.wire.life.is_over:
                raise
            self.figures["processes killed"] += 1
            self.model.killed.add(key(given))
            self.processes[number] = self.town.start()
        await self.learn(process, given)
        if found is None:
            return partial(self.model.lost, given, since)
        self.figures[found["status"]] += 1
        return partial(self.model.told, given, found, self.model.sent_by(process.wire, start))

    async def learn(self, process: Process, given: Json) -> None:
        """Note the questions about a request that nobody knew of."""
        served = process.wire.served.get(key(given)[1])
        for question in await self.town.waiting():
            is_new = question.id not in self.model.asked
            if is_new and served and _concerns(question.text, given):
                self.model.ask(question.id, given, chosen(given, served), question.text)

    async def read(self, process: Process, given: Json, text: str) -> Asked:
        """Return the question that a form shows: it is about the call, at the price that was served to it."""
        self.figures["forms shown"] += 1
        await self.learn(process, given)
        asked = [asked for asked in self.model.asked.values() if asked.text == text][-1]
        plan = chosen(given, process.wire.served[key(given)[1]])
        self.model.check((asked.request, asked.plan) == (resolved(given), plan), "a form is about another purchase")
        return asked

    def buying(
        self,
        given: Json,
        era: str,
        mind: Mind | None,
        meanwhile: Callable[[], object] = lambda: None,
        opened: Opened | None = None,
        *,
        leaves_open: bool = False,
    ) -> Work:
        """Call create-store and answer its questions; without a mind the client can show none."""

        async def work(process: Process) -> Json | None:
            sure: Mind = "wrong" if era == "auto" and mind in UNWRITTEN else mind or "blank"
            visitor = Visitor(mind=sure, time=self.time, read=partial(self.read, process, given), meanwhile=meanwhile)
            ending = opened
            async with Client(process.server, mode=era, elicitation_callback=visitor if mind else None) as client:
                while True:
                    words = await visitor.answer(ending.asked) if ending else None
                    result = await call(client, "create-store", given, ending, words)
                    if isinstance(result, types.CallToolResult):
                        return content(result)
                    ending = Opened(
                        given=given, state=result.request_state or "", asked=await visitor.read(text_of(result))
                    )
                    self.rounds.append(ending)
                    if leaves_open:
                        return {"status": "asked"}

        return work

    def twisting(self, opened: Opened, given: Json) -> Work:
        """Answer the question of one call with the final round of another."""

        async def work(process: Process) -> Json | None:
            words = answer("right", Asked(request={}, plan={}, text=opened.asked.text), self.time.now)
            async with Client(process.server) as client:
                try:
                    await call(client, "create-store", given, opened, words)
                except MCPError as error:
                    self.model.check(str(error) == FROZEN, f"a state of another call is refused by {error}")
                else:
                    self.model.broken.append("a state was taken for another call's")
            return {"status": "frozen"}

        return work

    def listing(self, given: Json) -> Work:
        """Read the plans of a product; what the tool calls free is free."""

        async def work(process: Process) -> Json | None:
            product, plan_id = given["integrationProductIdOrSlug"], given.get("billingPlanId")
            arguments = {"integrationIdOrSlug": INTEGRATIONS[key(given)[0]], "productIdOrSlug": product}
            async with Client(process.server) as client:
                result = await call(client, "list-plans", arguments)
            assert isinstance(result, types.CallToolResult)
            for shown in content(result)["plans"]:
                if shown["id"] == plan_id:
                    is_free = price({}, chosen(given, process.wire.served[product])).is_free
                    self.model.check((shown["billing"] == "free") == is_free, "a plan is listed as what it is not")
            return {"status": "listed"}

        return work

    async def at_desk(self, question: Question, mind: Mind) -> None:
        """Answer a question in a terminal."""
        words = answer(mind, self.model.asked[question.id], self.time.now)
        typed = str((words.content or {}).get("amount", ""))
        settled = await desk.answer(question, typed, self.town.ledger(), self.model.approval_ttl)
        is_yes = settled == "approved"
        self.model.check(is_yes == (mind == "right"), "the answer at the desk was taken for another")

    async def settle(self, purchase: Purchase, *, is_honest: bool) -> None:
        """Record what a person found out about a purchase, or believes to have found."""
        posts = [
            post
            for post in self.model.posts
            if (post.seen.request["name"], post.at) == (purchase.name, purchase.created_at) and not post.is_refused
        ]
        created = any(post.seen.acted for post in posts) == is_honest
        assert await self.town.ledger().settle(purchase.id, created=created)
        self.figures["purchases settled"] += 1
        for post in posts:
            post.found, post.is_alarming = created, False

    def remove(self, given: Json) -> None:
        """Remove the store of this name at Vercel, if it still exists."""
        if self.town.sandbox.remove(given):
            self.figures["stores removed"] += 1
        for post in self.model.posts:
            post.is_removed |= post.seen.acted and key(post.seen.request) == key(given)

    def reprice(self, given: Json, cost: str, after: int = 0) -> None:
        """Change the price of the plan that a request names, now or after the plans were read some more times."""
        if given.get("billingPlanId") not in (None, "prp"):
            product = given["integrationProductIdOrSlug"]
            self.town.sandbox.change_plan(product, given["billingPlanId"], after=after, cost=cost)
            self.figures["price changes"] += 1

    async def look(self) -> None:
        """Look into the ledger as people do, and hold it against what was seen."""
        ledger = self.town.ledger()
        purchases = await ledger.purchases(1000)
        self.waiting = await ledger.pending()
        self.unsettled = [one for one in purchases if one.state in ("unknown", "mismatch") and one.settled_at is None]
        states = [(one.name, one.created_at, "settled" if one.settled_at else one.state) for one in purchases]
        self.model.recorded(states)
        self.model.check(
            len(self.model.posts) == len(self.town.sandbox.posts), "a request reached Vercel that no process sent"
        )
        problem = await ledger.verify()
        self.model.check(problem is None, f"the audit log does not verify: {problem}")


def _concerns(text: str, given: Json) -> bool:
    """Whether a question is about this request."""
    lines = text.splitlines()
    is_named = {f'Store name: "{given["name"]}"', f"Billing plan: {given.get('billingPlanId')}"} <= set(lines)
    chosen_id = next((line for line in lines if line.startswith("  externalId = ")), None)
    expected = f'  externalId = "{given["externalId"]}"' if "externalId" in given else None
    return is_named and chosen_id == expected
