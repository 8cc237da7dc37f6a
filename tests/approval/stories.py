"""What may have happened in a state folder before somebody looks at it with a command."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio

from vercel_marketplace_mcp.sandbox import Fault

from .world import CREATE, Json, Person, World, a_world, buy, typed


def happened(folder: Path, story: Callable[[World], Any]) -> Any:
    """Let something happen in a world on this folder, at the time of day, and return what the story returns."""

    async def play() -> Any:
        async with a_world(folder) as world:
            world.use_the_time_of_day()
            return await story(world)

    return anyio.run(play)


async def one_of_each(world: World) -> Json:
    """A paid store, a rejected one, one of unknown outcome, and a question that waits."""
    found = {}
    async with world.client("auto", Person(typed("20.00"))) as client:
        for name, fault in (("paid", None), ("rejected", Fault(status=402)), ("lost", Fault(drop="after"))):
            if fault:
                world.sandbox.misbehave(CREATE, fault)
            await buy(client, name=name)
            world.clock.now += 1
    async with world.client("auto") as client:
        found["code"] = (await buy(client, name="waits"))["approval"]["code"]
    purchases = await world.ledger().purchases(10)
    return {**found, "now": world.clock.now, "ids": {purchase.name: purchase.id for purchase in purchases}}


async def lost(world: World, **arguments: Any) -> str:
    """A purchase of which nobody knows whether it was made; its id."""
    world.sandbox.misbehave(CREATE, Fault(drop="after"))
    async with world.client("auto", Person(typed("20.00"))) as client:
        assert (await buy(client, **arguments))["status"] == "outcome_unknown"
    return (await world.ledger().purchases(1))[0].id


async def mismatched(world: World) -> str:
    """A purchase that came with another plan; its id."""
    dearer = {"id": "pro", "cost": "$99.00/month"}
    world.sandbox.misbehave(CREATE, Fault(edit=lambda answer: {"store": {**answer["store"], "billingPlan": dearer}}))
    async with world.client("auto", Person(typed("20.00"))) as client:
        assert (await buy(client))["status"] == "billing_mismatch"
    return (await world.ledger().purchases(1))[0].id
