"""A replica that is killed in the middle of a purchase over HTTP leaves one that another replica settles, never two.

The journal of the Vercel they speak to is the oracle.
"""

import signal
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import cycle

import anyio
import anyio.to_thread
import httpx2
import pytest
from mcp.shared.exceptions import MCPError

from vercel_marketplace_mcp.sandbox import Fault

from ..approval.world import CREATE, FREE, PRO, Json, Person, buy, typed
from ..campaign import scale
from ..campaign.killing_aftermath import expected
from .clients import PATIENCE, connected
from .forking import STEPS
from .forks import Forks, forks
from .judging import breaches, read, stores_named
from .town import PRINCIPALS, Hold, Replica, Town
from .wire import PRICE

pytestmark = pytest.mark.anyio

Record = Callable[[str, object], None]

ERAS = ("legacy", "auto")
FORM, BEFORE, AFTER, REPLY = (
    "the form is open",
    "Vercel holds the request and has not acted",
    "Vercel has acted and holds its answer",
    "the reply has arrived",
)
"""What is seen from outside."""
NAMED = (*STEPS, FORM, BEFORE, AFTER, REPLY)
ONLY_PAID = {FORM, *(name for name, step in STEPS.items() if not step.free)}
ROUNDS = scale.of(1, 6)
CALLS = 4
"""A call may find that an earlier one gave up before anything was sent, and say: call again."""


@dataclass(frozen=True, kw_only=True)
class Kill:
    """When a replica is killed, and what kind of purchase it was making, for whom."""

    name: str
    moment: str
    era: str
    arguments: Json
    principal: str

    @property
    def is_paid(self) -> bool:
        """Whether somebody must say yes."""
        return bool(self.arguments["billingPlanId"] == PRO["billingPlanId"])


def kills() -> Iterator[Kill]:
    """Kills at every named step: of a paid purchase in either era in turn, or of all kinds in both eras, repeatedly."""
    turns, principals, number = cycle(ERAS), cycle(PRINCIPALS), 0
    for _ in range(ROUNDS):
        for moment in NAMED:
            for arguments in (PRO, FREE) if scale.WHOLE and moment not in ONLY_PAID else (PRO,):
                for era in ERAS if scale.WHOLE else (next(turns),):
                    number += 1
                    name = f"store-{number}"
                    wanted = {**arguments, "name": name}
                    yield Kill(name=name, moment=moment, era=era, arguments=wanted, principal=next(principals))


async def died(town: Town, forked: Forks, kill: Kill) -> None:
    """Let a replica be killed while it makes a purchase."""
    hold, step = Hold(), kill.moment if kill.moment in STEPS else None
    if kill.moment in {BEFORE, AFTER}:
        town.sandbox.misbehave(CREATE, Fault(until=hold, drop="before" if kill.moment == BEFORE else None))
    replica = await anyio.to_thread.run_sync(forked.replica, town.environment(), step)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_call, replica, kill)
        if kill.moment in {BEFORE, AFTER}:
            await anyio.to_thread.run_sync(hold.arrived.wait, PATIENCE)
            replica.kill()
        code = await anyio.to_thread.run_sync(forked.ended, replica)
        hold.released.set()
        tasks.cancel_scope.cancel()
    assert code == -signal.SIGKILL, (kill, replica.log.read_text("utf-8"))


async def _call(replica: Replica, kill: Kill) -> None:
    """Make the call; a replica that lives until its reply has arrived is killed then."""
    person = Person(typed(PRICE), meanwhile=replica.kill if kill.moment == FORM else None)
    try:
        async with connected(replica.url, kill.era, person, principal=kill.principal) as client:
            await buy(client, **kill.arguments)
            assert kill.moment == REPLY, kill
            replica.kill()
    except* (MCPError, httpx2.HTTPError, anyio.BrokenResourceError, anyio.ClosedResourceError):
        pass  # the replica is dead


async def settled(town: Town, survivor: Replica, kill: Kill, *, reconcile: bool) -> tuple[str, list[str]]:
    """Make the same call at a replica that lives, and settle what nobody knows; how far it had come, and what is wrong.

    Whoever waits for the purchase of the dead replica sees it given up once it is too old.
    """
    wrong = await breaches(town, kill.name, paid=kill.is_paid)
    phase, was_made = (await read(town, kill.name)).phase, bool(stores_named(town, kill.name))
    await town.let_time_pass()
    found = await _call_again(survivor, kill)
    if found not in expected(phase, paid=kill.is_paid, was_made=was_made, reconcile=reconcile):
        wrong.append(f"the same call: {found}")
    if found[0] == "outcome_unknown":
        wrong += await _settle(town, survivor, kill)
    wrong += await breaches(town, kill.name, paid=kill.is_paid)
    states = list((await read(town, kill.name)).states.values())
    if (stores_named(town, kill.name), states.count("created")) != (1, 1):
        wrong.append(f"in the end: {stores_named(town, kill.name)} stores, recorded: {states}")
    return phase, [f"{kill}: {one}" for one in wrong]


async def _call_again(survivor: Replica, kill: Kill) -> tuple[str, int]:
    """The status of the same call elsewhere, as often as it says to call again; and how many were asked for it."""
    person, found = Person(typed(PRICE)), {"status": "unavailable"}
    async with connected(survivor.url, kill.era, person, principal=kill.principal) as client:
        for _ in range(CALLS):
            if found["status"] == "unavailable":
                found = await buy(client, **kill.arguments)
    return found["status"], len(person.shown)


async def _settle(town: Town, survivor: Replica, kill: Kill) -> list[str]:
    """Settle the one unknown purchase as it is, and make the call once more."""
    (unknown,) = [each for each, state in (await read(town, kill.name)).states.items() if state == "unknown"]
    made = bool(stores_named(town, kill.name))
    await town.settle(unknown, created=made)
    found = await _call_again(survivor, kill)
    return [] if found == ("created", int(kill.is_paid and not made)) else [f"once settled: {found}"]


@pytest.mark.parametrize("reconcile", (False, True) if scale.WHOLE else (False,))
async def test_a_replica_killed_at_any_step_leaves_a_purchase_that_another_one_settles(
    town: Town, reconcile: bool, record_property: Record
) -> None:
    """At most one request was sent, none is denied, and the same call elsewhere or a person's look brings the store."""
    (survivor,) = town.start(1, VERCEL_MCP_RECONCILE="on" if reconcile else "off")
    phases: Counter[str] = Counter()
    moments: Counter[str] = Counter()
    wrong: list[str] = []
    with forks(town.folder) as forked:
        for kill in kills():
            with anyio.fail_after(PATIENCE):
                await died(town, forked, kill)
                phase, found = await settled(town, survivor, kill, reconcile=reconcile)
            phases[phase] += 1
            moments[kill.moment] += 1
            wrong += found
    record_property("replicas killed at a named step", moments.total())
    for moment, count in moments.items():
        record_property(f"replicas killed at a named step: {moment}", count)
    record_property("replicas killed that led to a second store", len(town.sandbox.stores) - moments.total())
    assert wrong == []
    assert set(phases) == {"nothing", "pending", "approved", "prepared", "sending", "created"}
