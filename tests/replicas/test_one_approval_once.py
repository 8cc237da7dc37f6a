"""Any number of replicas and attempts use an approval once, and share one budget.

The journal of the Vercel they all speak to is the oracle.
"""

from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from random import Random

import anyio
import httpx
import pytest

from ..approval.world import Json
from ..campaign import scale
from .town import PRINCIPALS, Replica, Town
from .wire import Agent, outcome

pytestmark = pytest.mark.anyio

Record = Callable[[str, object], None]

APPROVALS = scale.of(20, 200)
ATTEMPTS = scale.of(400, 10_000)
AT_ONCE = 250
"""Attempts in flight."""
GUARD = scale.of(120, 3000)
FREE_OF_CHARGE = "free"
"""How the names of stores begin that cost nothing."""
USED = {"created", "replayed"}
NOT_NOW = {"in_progress", "unavailable"}


class Attempts:
    """Attempts to use approvals up, at replicas drawn at random; each is repeated until its approval is used."""

    def __init__(self, replicas: list[Replica], agents: dict[str, Agent], seed: int) -> None:
        self.outcomes: Counter[str] = Counter()
        self.reasons: Counter[str] = Counter()
        self._replicas = replicas
        self._agents = agents
        self._draw = Random(seed)
        self._places = anyio.CapacityLimiter(AT_ONCE)

    async def prepare(self, names: list[str]) -> None:
        """Have purchases approved that nobody makes yet; each agent asks about its own, one after the other."""
        async with anyio.create_task_group() as tasks:
            for number, principal in enumerate(PRINCIPALS):
                tasks.start_soon(self._prepare, self._agents[principal], names[number :: len(PRINCIPALS)])

    async def _prepare(self, agent: Agent, names: list[str]) -> None:
        for name in names:
            await agent.prepare(self._draw.choice(self._replicas), name)

    async def make(self, names: list[str], number: int) -> None:
        """Make this many attempts at once, spread evenly over the names, in no order."""
        attempted = [names[each % len(names)] for each in range(number)]
        self._draw.shuffle(attempted)
        async with anyio.create_task_group() as tasks:
            for name in attempted:
                tasks.start_soon(self._attempt, self._agents[owner(names, name)], name)

    async def _attempt(self, agent: Agent, name: str) -> None:
        found: Json = {"status": "unavailable"}
        while found["status"] in NOT_NOW:
            async with self._places:
                found = await self._call(agent, name)
            self.outcomes[outcome(found)] += 1
            self.reasons[found["error"]["code"] if "error" in found else ""] += 1
            await anyio.sleep(self._draw.random() if found["status"] in NOT_NOW else 0)

    async def _call(self, agent: Agent, name: str) -> Json:
        replica = self._draw.choice(self._replicas)
        return await (agent.make(replica, name) if name.startswith(FREE_OF_CHARGE) else agent.buy(replica, name))


def owner(names: list[str], name: str) -> str:
    """Whose agent asked about the store of this name."""
    return PRINCIPALS[names.index(name) % len(PRINCIPALS)]


@asynccontextmanager
async def agents() -> AsyncIterator[dict[str, Agent]]:
    """An agent of each principal, each with connections of its own."""
    limits = httpx.Limits(max_connections=AT_ONCE, keepalive_expiry=2)  # sooner than a replica closes an idle one
    async with AsyncExitStack() as stack:
        made = {name: httpx.AsyncClient(timeout=GUARD, limits=limits) for name in PRINCIPALS}
        for http in made.values():
            await stack.enter_async_context(http)
        yield {name: Agent(principal=name, http=http) for name, http in made.items()}


@pytest.mark.parametrize("number", (2, 5) if scale.WHOLE else (2,))
async def test_an_approval_is_used_once_however_many_replicas_are_asked_to(
    town: Town, number: int, record_property: Record
) -> None:
    """Each approval gives one store and one request that may charge; every attempt is answered by the tool."""
    names = [f"store-{each}" for each in range(APPROVALS)]
    with anyio.fail_after(GUARD):
        async with agents() as known:
            attempts = Attempts(town.start(number), known, seed=number)
            await attempts.prepare(names)
            assert town.posts == []
            await attempts.make(names, ATTEMPTS)
    where = f"through {number} replicas"
    record_property(f"approvals {where}", APPROVALS)
    record_property(f"attempts {where}", ATTEMPTS)
    record_property(f"stores {where}", len(town.sandbox.stores))
    record_property(f"POSTs {where}", len(town.posts))
    for name, count in attempts.outcomes.items():
        record_property(f"answers {where}: {name}", count)
    assert sorted(post.json()["name"] for post in town.posts) == sorted(names)
    assert sorted(store["name"] for store in town.sandbox.stores) == sorted(names)
    assert set(attempts.outcomes) <= USED | NOT_NOW, attempts.reasons
    assert attempts.outcomes["created"] == APPROVALS
    assert attempts.outcomes["replayed"] == ATTEMPTS - APPROVALS
    assert await town.states() == dict.fromkeys(names, "created")
    assert await town.problem() is None


async def test_replicas_share_the_budget_of_a_day_and_the_creates_of_an_hour(
    town: Town, record_property: Record
) -> None:
    """Money for five of fifty approved stores buys five; five more creates an hour let five of fifty free ones be."""
    paid, free = ([f"{kind}-{each}" for each in range(50)] for kind in ("paid", FREE_OF_CHARGE))
    replicas = town.start(2, VERCEL_MCP_MAX_PER_DAY="100.00", VERCEL_MCP_MAX_CREATES_PER_HOUR="10")
    with anyio.fail_after(GUARD):
        async with agents() as known:
            bought, made = Attempts(replicas, known, seed=1), Attempts(replicas, known, seed=2)
            await bought.prepare(paid)
            await bought.make(paid, 50)
            await made.make(free, 50)
    bodies = [post.json() for post in town.posts]
    record_property("stores bought of 50 with money for 5, through 2 replicas", bought.outcomes["created"])
    record_property("stores made of 50 with 5 creates left, through 2 replicas", made.outcomes["created"])
    assert [body["billingPlanId"] for body in bodies] == ["pro"] * 5 + ["free"] * 5
    assert (bought.outcomes["created"], bought.outcomes["refused"]) == (5, 45)
    assert (made.outcomes["created"], made.outcomes["refused"]) == (5, 45)
    assert bought.reasons["it_costs_more_than_is_left_today"] == 45
    assert made.reasons["too_many_stores_were_created"] == 45
    assert await town.problem() is None
