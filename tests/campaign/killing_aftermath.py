"""What is done after a server was killed: the same call again, and what nobody knows is settled. It fakes nothing."""

import shutil
from dataclasses import dataclass

from vercel_marketplace_mcp.ledger.records import Purchase
from vercel_marketplace_mcp.ledger.sqlite import SqliteLedger

from ..approval.world import PRO, Json, Person, World, buy
from .killing import Kill, Passing
from .killing_judge import breaches, read

_NOTHING_YET = ("nothing", "pending", "approved")
_CALLS = 4
"""A call may find that an earlier one gave up before anything was sent, and say: call again."""


@dataclass(frozen=True, kw_only=True)
class End:
    """How far the purchase had come when the server was killed, what the next one answered, and all that was wrong."""

    phase: str
    answer: str
    wrong: tuple[str, ...]


async def look_after(kill: Kill, world: World, url: str, person: Person) -> End:
    """Make the same call again, settle what nobody knows as it is, and see that there is one store in the end."""
    wrong = await _breaches(kill, world, "at death")
    phase, was_made, asked = read(world.folder).phase, bool(world.sandbox.stores), len(person.shown)
    world.clock = Passing(kill.readings)
    answer = await _call_again(kill, world, url, person)
    wrong += await _breaches(kill, world, "after the same call")
    if (answer, len(person.shown) - asked) not in expected(
        phase, paid=kill.arguments == PRO, was_made=was_made, reconcile=kill.reconcile
    ):
        wrong.append(f"the same call: {answer}, {len(person.shown) - asked} questions")
    if answer == "outcome_unknown":
        wrong += await _settle(kill, world)
        asked = len(person.shown)
        made = bool(world.sandbox.stores)
        answer_then = await _call_again(kill, world, url, person)
        if (answer_then, len(person.shown) - asked) != ("created", int(kill.arguments == PRO and not made)):
            wrong.append(f"once settled: {answer_then}, {len(person.shown) - asked} questions")
        wrong += await _breaches(kill, world, "once settled")
    states = [purchase.state for purchase in await world.ledger().purchases(100)]
    if (len(world.sandbox.stores), states.count("created")) != (1, 1):
        wrong.append(f"in the end: {len(world.sandbox.stores)} stores, recorded: {states}")
    return End(phase=phase, answer=answer, wrong=tuple(wrong))


async def _breaches(kill: Kill, world: World, when: str) -> list[str]:
    return [f"{when}: {one}" for one in await breaches(world, paid=kill.arguments == PRO)]


async def _call_again(kill: Kill, world: World, url: str, person: Person) -> str:
    """The status that the same call is answered with by a new server, as often as that says to call again."""
    found: Json = {"status": "unavailable"}
    async with world.client(kill.era, person, api_url=url, reconcile=kill.reconcile) as client:
        for _ in range(_CALLS):
            if found["status"] == "unavailable":
                found = await buy(client, **kill.arguments)
    return str(found["status"])


def expected(phase: str, *, paid: bool, was_made: bool, reconcile: bool) -> list[tuple[str, int]]:
    """The answers that the same call may be given, each with how often somebody is asked for it."""
    if phase in _NOTHING_YET:
        return [("created", int(paid and phase != "approved"))]
    if phase in ("prepared", "created"):
        return [("created", 0)]
    return [("created", 0)] if was_made and reconcile else [("outcome_unknown", 0)]


async def _settle(kill: Kill, world: World) -> list[str]:
    """Settle the one unknown purchase both ways in copies of the ledger, and in the ledger itself as it is."""
    await world.close_ledgers()
    (purchase_id,) = [each for each, state in read(world.folder).states.items() if state == "unknown"]
    wrong = []
    for created in (True, False):
        copy = world.folder.with_name(f"settled as {created}")
        shutil.copytree(world.folder, copy)
        settled = await _settled(SqliteLedger(copy, world.clock), purchase_id, created=created)
        if settled is None or settled.state != ("created" if created else "not_created"):
            wrong.append(f"it could not be settled as {created}: {settled}")
    await world.ledger().settle(purchase_id, created=bool(world.sandbox.stores))
    return [*wrong, *await _breaches(kill, world, "settled")]


async def _settled(ledger: SqliteLedger, purchase_id: str, *, created: bool) -> Purchase | None:
    """The purchase, settled; None also if the ledger does not verify afterwards."""
    try:
        settled = await ledger.settle(purchase_id, created=created)
        return settled if await ledger.verify() is None else None
    finally:
        await ledger.aclose()
