"""When nobody can know whether Vercel acted: nothing is sent twice, and a person settles it."""

from datetime import UTC, datetime

import pytest

from vercel_marketplace_mcp.sandbox import Fault
from vercel_marketplace_mcp.sandbox.http import serving

from ..sockets import gated
from .world import CREATE, FREE, PRO, Json, Person, World, approved, buy, first_round, typed

pytestmark = pytest.mark.anyio

UNCLEAR = [
    Fault(drop="after"),
    Fault(drop="midway"),
    Fault(status=500, acted=True),
    Fault(status=502),
    Fault(status=408),
    Fault(status=307, headers={"location": "https://elsewhere.example/"}, acted=True),
    Fault(body=b"{", acted=True),
    Fault(body=b'{"store": null}', acted=True),
    Fault(body=b"<html>", headers={"content-type": "text/html"}, acted=True),
    Fault(body=b"[" * 100_000, acted=True),
    Fault(body=b'{"store": {"id": "a", "id": "b"}}', acted=True),
]


@pytest.mark.parametrize("arguments", [PRO, FREE], ids=["paid", "free"])
@pytest.mark.parametrize("fault", UNCLEAR, ids=lambda fault: repr(fault.drop or fault.status or fault.body[:12]))
async def test_an_unclear_answer_is_never_tried_again(era: str, fault: Fault, arguments: Json, world: World) -> None:
    """T40: one request leaves; a repeat of the call says the same and sends nothing, and nobody is asked again."""
    world.sandbox.misbehave(CREATE, fault)
    person = Person(typed("20.00"))
    async with world.client(era, person) as client:
        found = [await buy(client, **arguments) for _ in range(3)]
        conflict = await buy(client, **{**arguments, "externalId": "other"})
    assert [(one["status"], one.get("replayed", False)) for one in found] == [
        ("outcome_unknown", False),
        ("outcome_unknown", True),
        ("outcome_unknown", True),
    ]
    assert all(one["money"] == found[0]["money"] and "may exist" in one["money"] for one in found)
    assert (conflict["status"], conflict["error"]["code"]) == ("refused", "it_conflicts_with_an_earlier_purchase")
    assert (len(person.shown), world.bodies) == (1 if arguments == PRO else 0, [arguments])


async def test_a_failure_of_our_own_after_the_request_left_is_an_unknown_outcome(era: str, world: World) -> None:
    """Whatever breaks in this process once Vercel has answered, the answer does not claim that nothing happened."""
    readings = iter([datetime(2027, 1, 15, tzinfo=UTC)])  # one for the plans, and none for what came back
    async with world.client(era, time=lambda: next(readings)) as client:
        found = [await buy(client, **FREE)]
    async with world.client(era) as client:
        found.append(await buy(client, **FREE))
    assert [(one["status"], one.get("replayed", False)) for one in found] == [
        ("outcome_unknown", False),
        ("outcome_unknown", True),
    ]
    assert world.bodies == [FREE]


async def test_on_a_real_connection_a_lost_answer_is_never_tried_again(era: str, world: World) -> None:
    """T40: the connection is reset after Vercel has acted: one store exists, and the server does not know it."""
    world.sandbox.misbehave(CREATE, Fault(drop="after"))
    async with (
        serving(world.sandbox) as base_url,
        world.client(era, Person(typed("20.00")), in_process=False, api_url=base_url) as client,
    ):
        found = [(await buy(client))["status"] for _ in range(2)]
    assert (found, len(world.bodies), len(world.sandbox.stores)) == (["outcome_unknown"] * 2, 1, 1)


async def test_what_a_person_found_out_settles_it(era: str, world: World) -> None:
    """Not created: the next call asks anew. Created: the next call answers so, and sends nothing."""
    world.sandbox.misbehave(CREATE, Fault(drop="before"))
    world.sandbox.misbehave(CREATE, Fault(drop="after"))
    person = Person(typed("20.00"))
    async with world.client(era, person) as client:
        for number, created in ((1, False), (2, True)):
            found = await buy(client)
            (purchase,) = await world.ledger().purchases(1)
            resolve = f"ledger resolve {purchase.id} --state-dir {world.folder} --created (or --not-created)"
            assert (found["status"], len(world.bodies), len(person.shown)) == ("outcome_unknown", number, number)
            assert resolve in found["next_steps"][1]
            assert await world.ledger().settle(purchase.id, created=created)
            world.clock.now += 1
        found = await buy(client)
    assert (found["status"], found["replayed"], len(world.sandbox.stores)) == ("created", True, 1)
    assert found["money"] == "A person has recorded that the store exists; this call sent nothing."
    assert (len(person.shown), world.bodies) == (2, [PRO, PRO])


async def test_the_next_question_about_the_product_warns_of_it(era: str, world: World) -> None:
    """Another store of the same product can be bought, by somebody who knows that one may exist already."""
    world.sandbox.misbehave(CREATE, Fault(drop="after"))
    person = Person(typed("20.00"))
    async with world.client(era, person) as client:
        await buy(client)
        await buy(client, name="another")
    warned = ["CAREFUL: an earlier purchase of this product is not settled" in text for text in person.shown]
    assert warned == [False, True]


async def test_a_refused_connection_sends_nothing_and_keeps_the_yes(era: str, world: World) -> None:
    """T41: no byte left, so the same approval buys when the same call is made again, without another question."""
    async with gated(world.sandbox) as gate, world.client(era, in_process=False, api_url=gate.base_url) as client:
        await approved(world, client)
        await gate.shut()
        failed = await buy(client)
        await gate.open()
        found = await buy(client)
    assert (failed["status"], failed["error"]["code"]) == ("unavailable", "not_reachable")
    assert failed["money"] == "This call created nothing and charged nothing."
    assert (found["status"], found.get("replayed"), world.bodies) == ("created", None, [PRO])


async def test_a_refused_connection_gives_the_budget_back(era: str, world: World) -> None:
    """T41: what was never sent does not count, neither against the day nor against the hour."""
    changes: Json = {"max_per_day": 20_00, "max_creates_per_hour": 1}
    async with (
        gated(world.sandbox) as gate,
        world.client(era, in_process=False, api_url=gate.base_url, **changes) as client,
    ):
        await approved(world, client)
        await gate.shut()
        assert [(await buy(client))["status"] for _ in range(2)] == ["unavailable"] * 2
        await gate.open()
        assert (await buy(client))["status"] == "created"
    assert world.bodies == [PRO]


async def test_a_final_round_that_could_not_be_sent_may_be_repeated(world: World) -> None:
    """T41, T43: the era of 2026-07-28 repeats its last round with the same state, and the yes in it still holds."""
    async with (
        gated(world.sandbox) as gate,
        world.client("auto", Person(), in_process=False, api_url=gate.base_url) as client,
    ):
        opened = await first_round(client)
        await gate.shut()
        failed = await opened.end(client)
        await gate.open()
        found = [(await opened.end(client))["status"] for _ in range(2)]
    assert (failed["status"], found, world.bodies) == ("unavailable", ["created", "created"], [PRO])
