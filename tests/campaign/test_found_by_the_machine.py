"""What the machine of purchases has found, each as a story of its own."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from vercel_marketplace_mcp.ledger.records import PREPARED_LIFETIME, Meaning, NotApproved
from vercel_marketplace_mcp.ledger.sqlite import SqliteLedger
from vercel_marketplace_mcp.sandbox import Fault

from ..approval.world import CREATE, PRO, Person, World, a_world, buy, typed
from ..ledger.support import PRODUCT, Clock, approve, begin, identity, needs_a_yes, purchase

pytestmark = pytest.mark.anyio


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """A sandbox and a state folder in which nothing has happened."""
    async with a_world(tmp_path / "state") as made:
        yield made


@pytest.mark.parametrize("after", [2, 3], ids=["before it was bought", "afterwards"])
async def test_a_store_that_is_found_is_held_against_what_was_confirmed(era: str, after: int, world: World) -> None:
    """The answer was lost and the price has changed: no store passes for confirmed at a price that nobody confirmed."""
    world.sandbox.change_plan("brindle-postgres", "pro", after=after, cost="$31.00/month")
    world.sandbox.misbehave(CREATE, Fault(drop="after"))
    async with world.client(era, Person(typed("20.00")), reconcile=True) as client:
        found = [await buy(client) for _ in range(3)]
    assert [(one["status"], one.get("replayed", False)) for one in found] == [
        ("outcome_unknown", False),
        ("created" if after == 3 else "outcome_unknown", True),
        ("created" if after == 3 else "outcome_unknown", True),
    ]
    assert "31.00" not in str(found)
    assert world.bodies == [PRO]


async def test_a_no_to_a_yes_that_is_in_use_keeps_it_from_being_given_back(tmp_path: Path) -> None:
    """A process died before it sent anything, and somebody has said no since: the yes buys nothing any more."""
    clock = Clock()
    ledger = SqliteLedger(tmp_path / "state", clock)
    question = await approve(ledger, identity())
    await begin(ledger, purchase())
    assert await ledger.answer(question.id, "local", Meaning.NO, {"by": "client"}, 600, "form") == "used"
    clock.at += PREPARED_LIFETIME + 1
    assert not (await ledger.background(identity(), PRODUCT)).approved
    assert isinstance(await ledger.begin(purchase(), needs_a_yes), NotApproved)
    assert [row.kind for row in await ledger.audit(question.id)] == [
        "question",
        "asked",
        "approved",
        "used",
        "declined",
    ]
    await ledger.aclose()
