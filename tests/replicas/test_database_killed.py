"""When the database is killed nothing is created, reading goes on, and replicas recover once it is back."""

from collections import Counter
from collections.abc import Callable
from typing import Self

import anyio
import httpx
import pytest

from vercel_marketplace_mcp.sandbox import Fault

from ..approval.world import CREATE, Json
from ..calls import NOTHING
from ..campaign import scale
from .town import PRINCIPALS, Hold, Replica, Town, in_thread, start_again, until
from .wire import Agent, finally_made, keep

pytestmark = pytest.mark.anyio

Record = Callable[[str, object], None]

GUARD = 120
DEATHS = scale.of(1, 25)
"""How often the database is killed."""
BETWEEN = scale.of(6, 12)
"""Calls of each kind that are answered while it is away, before it is started again."""
MAKERS = 6
"""Agents that make stores at once."""


class Load:
    """Agents that read and make stores at all replicas without end, and what they were answered."""

    def __init__(self, replicas: list[Replica], http: httpx.AsyncClient) -> None:
        self.acknowledged: set[str] = set()
        self.attempted: dict[str, str] = {}
        self.answers: Counter[str] = Counter()
        self.reads = 0
        self.wrong: list[Json] = []
        self._replicas = replicas
        self._http = http
        self._ends = False

    async def __aenter__(self) -> Self:
        self._tasks = anyio.create_task_group()
        await self._tasks.__aenter__()
        for number in range(MAKERS):
            self._tasks.start_soon(self._make, number)
        for number in range(2):
            self._tasks.start_soon(self._read, number)
        return self

    async def __aexit__(self, *reason: object) -> None:
        self._ends = True
        await self._tasks.__aexit__(*reason)  # type: ignore[arg-type]

    async def _make(self, maker: int) -> None:
        agent, number = Agent(principal=PRINCIPALS[maker], http=self._http), 0
        while not self._ends:
            number += 1
            name = f"store-{maker}-{number}"
            self.attempted[name] = agent.principal
            answer = await agent.make(self._replicas[number % len(self._replicas)], name)
            self.answers[answer["status"]] += 1
            if answer["status"] == "created":
                self.acknowledged.add(name)
            elif answer["status"] != "unavailable" or answer["money"] != NOTHING:
                self.wrong.append(answer)
            await anyio.sleep(0 if answer["status"] == "created" else 0.1)

    async def _read(self, number: int) -> None:
        agent = Agent(principal=PRINCIPALS[number], http=self._http)
        while not self._ends:
            answer = await agent.call(self._replicas[number], "list-configurations", {})
            if "error" in answer:
                self.wrong.append(answer)
            self.reads += 1
            await anyio.sleep(0.05)

    async def goes_on(self) -> None:
        """Return once some calls of either kind were answered, counted from now."""
        reads, made = self.reads, self.answers.total()
        await until(lambda: self.reads >= reads + BETWEEN and self.answers.total() >= made + BETWEEN)

    async def makes_again(self) -> None:
        """Return once stores were made, counted from now."""
        made = self.answers["created"]
        await until(lambda: self.answers["created"] >= made + MAKERS)


async def test_a_database_killed_under_load_loses_nothing_and_nothing_is_doubled(
    town: Town, record_property: Record
) -> None:
    """Reads go on, creates say that nothing happened, what was acknowledged stands, and no replica needs a hand."""
    replicas = town.start(2)
    async with httpx.AsyncClient(timeout=GUARD, limits=httpx.Limits(keepalive_expiry=2)) as http:
        with anyio.fail_after(GUARD * DEATHS):
            async with Load(replicas, http) as load:
                for _ in range(DEATHS):
                    await load.makes_again()
                    await in_thread(town.server.kill)
                    await load.goes_on()
                    await start_again(town.server)
                await load.makes_again()
            await town.let_time_pass()
            assert {name: state for name, state in (await town.states()).items() if name in load.acknowledged} == (
                dict.fromkeys(load.acknowledged, "created")
            )
            for name in load.attempted.keys() - load.acknowledged:
                principal = load.attempted[name]
                await finally_made(Agent(principal=principal, http=http), replicas[0], town, name)
    posted = Counter(post.json()["name"] for post in town.posts)
    record_property("databases killed under load", DEATHS)
    record_property("reads answered under that load", load.reads)
    for status, count in load.answers.items():
        record_property(f"creates under that load answered {status}", count)
    record_property("stores made twice under that load", sum(count > 1 for count in posted.values()))
    assert load.wrong == []
    assert load.answers["unavailable"] >= DEATHS
    assert posted == Counter(list(load.attempted))
    assert sorted(store["name"] for store in town.sandbox.stores) == sorted(load.attempted)
    assert await town.problem() is None


async def test_a_purchase_under_way_when_the_database_is_killed_is_recorded_once_it_is_back(town: Town) -> None:
    """Vercel's answer comes while there is no ledger: it waits for one, and both replicas then know the store."""
    here, there = town.start(2)
    hold, answers = Hold(), list[Json]()
    town.sandbox.misbehave(CREATE, Fault(until=hold))
    with anyio.fail_after(GUARD):
        async with httpx.AsyncClient(timeout=GUARD) as http, anyio.create_task_group() as tasks:
            agent = Agent(principal=PRINCIPALS[0], http=http)
            await agent.prepare(here, "orders")
            tasks.start_soon(keep, agent.buy(here, "orders"), answers)
            await in_thread(hold.arrived.wait)
            await in_thread(town.server.kill)
            hold.released.set()
            other = await agent.make(here, "another")
            assert (other["status"], other["error"]["code"], other["money"]) == (
                "unavailable",
                "ledger_unavailable",
                NOTHING,
            )
            await start_again(town.server)
            await until(lambda: bool(answers))
            answers.append(await agent.buy(there, "orders"))
    assert [(one["status"], one.get("replayed")) for one in answers] == [("created", None), ("created", True)]
    assert await town.states() == {"orders": "created"}
    assert town.posts_for("orders") == 1
