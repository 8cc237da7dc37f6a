"""One fault of the clock or of a file, at every step of a purchase: the ledger verifies, the purchase can be settled.

The sandbox's journal is the oracle; no fault makes a second request, or one without a yes.
"""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from vercel_marketplace_mcp.ledger.files import FILE_NAME
from vercel_marketplace_mcp.ledger.records import LedgerError
from vercel_marketplace_mcp.ledger.sqlite import SqliteLedger

from ..approval.world import FREE, PRO, Clock, World, a_world, buy
from ..ledger import support
from .killing_interruptions import CLOCK_FAULTS, FATAL, HARMLESS, bought, cases, moved_away, the_disk_fails
from .killing_judge import breaches

pytestmark = pytest.mark.anyio

Record = Callable[[str, object], None]

CASES = list(cases())
LOST, DAMAGED = "The ledger that was here is gone", "The ledger is damaged"
CREATED = ["created"] * 2
"""A purchase, and the same call once more."""


@pytest.mark.parametrize("fault", CLOCK_FAULTS)
async def test_a_clock_that_is_set_costs_a_question_at_most(
    fault: str, tmp_path: Path, record_property: Record
) -> None:
    """T16: one request leaves, the ledger verifies, and at the latest the next call brings the store."""
    for number, (moment, era, arguments) in enumerate(CASES):
        async with a_world(tmp_path / f"{number}") as world:
            found, asked = await bought(world, CLOCK_FAULTS[fault], moment, era, arguments)
            done = (found[-1]["status"], len(world.bodies), await breaches(world, paid=arguments == PRO))
            assert done == ("created", 1, []), (moment, era, found)
            assert asked in ((1, 2) if arguments == PRO else (0,)), (moment, era, found)
    record_property(f"purchases in which {fault}", len(CASES))


@pytest.mark.parametrize("fault", HARMLESS)
async def test_a_file_beside_the_ledger_is_missed_by_nobody(
    fault: str, tmp_path: Path, record_property: Record
) -> None:
    """T58: the purchase goes on as if nothing had happened, and all of it is recorded."""
    for number, (moment, era, arguments) in enumerate(CASES):
        async with a_world(tmp_path / f"{number}") as world:
            found, asked = await bought(world, HARMLESS[fault], moment, era, arguments)
            world.folder.chmod(0o700)
            done = ([one["status"] for one in found], asked, len(world.bodies))
            assert done == (["created"], int(arguments == PRO), 1), (moment, era, found)
            assert await breaches(world, paid=arguments == PRO) == [], (moment, era)
    record_property(f"purchases in which {fault}", len(CASES))


@pytest.mark.parametrize("fault", FATAL)
async def test_without_its_ledger_a_server_creates_nothing_more(
    fault: str, tmp_path: Path, record_property: Record
) -> None:
    """T58: nothing passes for a new ledger; once a person has moved it all away, a purchase needs a new yes."""
    for number, (moment, era, arguments) in enumerate(CASES):
        async with a_world(tmp_path / f"{number}") as world:
            found, _ = await bought(world, FATAL[fault], moment, era, arguments)
            said = {one["error"]["message"] for one in found if one["status"] != "created"}
            assert {one["status"] for one in found} <= {"created", "unavailable"}, (moment, era, found)
            assert all(text.startswith((LOST, DAMAGED)) for text in said), (moment, era, said)
            assert len(world.bodies) <= 1, (moment, era)
            shutil.rmtree(world.folder)
            again, asked = await bought(world, lambda _: None, 1, era, arguments)
            assert asked == int(arguments == PRO), (moment, era, again)
    record_property(f"purchases in which {fault}", len(CASES))


async def test_a_transaction_that_fails_is_made_up_for(tmp_path: Path, record_property: Record) -> None:
    """T58: before the request nothing is sent; after it the answer is given all the same, and later found out."""
    # The first reads the key that seals a question, which a client of the newer era could then not bring back.
    moments = [case for case in CASES if isinstance(case[0], int) and case[:2] != (1, "auto")]
    for number, (moment, era, arguments) in enumerate(moments):
        async with a_world(tmp_path / f"{number}") as world:
            found, asked = await bought(world, the_disk_fails, moment, era, arguments)
            async with world.client(era, reconcile=True) as client:
                found.append(await buy(client, **arguments))
            assert [one["status"] for one in found] in (CREATED, ["unavailable", *CREATED]), (moment, era, found)
            assert (asked <= 2, len(world.bodies)) == (True, 1), (moment, era, found)
            assert await breaches(world, paid=arguments == PRO) == [], (moment, era)
            assert [one.state for one in await world.ledger().purchases(9)][:1] == ["created"], (moment, era)
    record_property("purchases in which the disk fails", len(moments))


async def test_a_folder_that_is_moved_away_and_back_can_be_settled(tmp_path: Path, record_property: Record) -> None:
    """What the new ledger does needs a yes of its own, and the old one goes on where it was, and verifies."""
    for number, (moment, era, arguments) in enumerate(CASES):
        async with a_world(tmp_path / f"{number}" / "state") as world:
            found, asked = await bought(world, moved_away, moment, era, arguments)
            assert found[-1]["status"] in ("created", "rejected"), (moment, era, found)
            assert arguments == FREE or len(world.bodies) <= asked, (moment, era, found)
            shutil.rmtree(world.folder, ignore_errors=True)
            world.folder.with_name("aside").rename(world.folder)
            await can_be_settled(world)
    record_property("purchases in which the folder is moved away", len(CASES))


async def can_be_settled(world: World) -> None:
    """Nothing stays under way in a ledger that verifies."""
    world.clock = Clock(world.clock.now + 121)
    ledger = world.ledger()
    for purchase in await ledger.purchases(10):
        late = await ledger.purchase(purchase.id)
        assert late is not None
        assert late.state in ("never_sent", "unknown", "created", "rejected"), late
        assert late.state != "unknown" or await ledger.settle(late.id, created=False)
    assert await ledger.verify() is None


async def test_what_follows_the_loss_of_sqlites_log_is_on_disk(tmp_path: Path) -> None:
    """T58: a server notices at its next transaction, loses nothing, and leaves nothing to lose to a kill."""
    folder, killed = tmp_path / "state", tmp_path / "killed"
    ledger, other = SqliteLedger(folder), SqliteLedger(folder)
    before = await support.buy(ledger, "before")
    folder.joinpath(f"{FILE_NAME}-wal").unlink()
    both = {before, await support.buy(ledger, "after")}
    shutil.copytree(folder, killed)
    for one in (ledger, other, SqliteLedger(killed)):
        assert {purchase.id for purchase in await one.purchases(9)} == both
        assert await one.verify() is None
        await one.aclose()


async def test_a_ledger_that_is_emptied_under_a_server_is_not_written_on(tmp_path: Path) -> None:
    """T58: what can't be read afterwards is not on disk, so nothing more is bought."""
    ledger = SqliteLedger(tmp_path / "state")
    for label in ("before", "after the first start"):
        await support.buy(ledger, label)
        await ledger.aclose()
    await support.buy(ledger, "third")
    os.truncate(tmp_path / "state" / FILE_NAME, 0)
    with pytest.raises(LedgerError, match=f"{DAMAGED}|{LOST}"):
        await support.buy(ledger, "fourth")


@pytest.mark.parametrize("ahead", [61, 86_400, 315_360_000])
async def test_what_a_clock_that_was_ahead_has_left_under_way_can_be_settled(ahead: float, tmp_path: Path) -> None:
    """T16: a process died while the clock was wrong: the purchase does not wait for that time to come."""
    clock = support.Clock()
    fast, ledger = SqliteLedger(tmp_path / "state", lambda: clock() + ahead), SqliteLedger(tmp_path / "state", clock)
    sent = await support.send(fast, "sent")
    await support.approve(fast, support.identity("begun"))
    begun = await support.begin(fast, support.purchase("begun"))
    found = [await ledger.purchase(each) for each in (sent, begun)]
    assert [purchase.state for purchase in found if purchase] == ["unknown", "never_sent"]
    assert await ledger.settle(sent, created=False)
    assert await ledger.verify() is None
    await fast.aclose()
    await ledger.aclose()


async def test_what_a_clock_that_was_a_little_ahead_has_sent_is_still_under_way(tmp_path: Path) -> None:
    """T16: to set a clock right by a few seconds gives nothing up."""
    clock = support.Clock()
    fast, ledger = SqliteLedger(tmp_path / "state", lambda: clock() + 59), SqliteLedger(tmp_path / "state", clock)
    found = await ledger.purchase(await support.send(fast))
    assert found is not None
    assert found.state == "sending"
    await fast.aclose()
    await ledger.aclose()
