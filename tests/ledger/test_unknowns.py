"""How many purchases wait for somebody to find out whether they were made."""

import pytest

from vercel_marketplace_mcp.ledger.records import SENDING_LIFETIME, Ledger

from .support import Clock, begin, is_free, purchase

pytestmark = pytest.mark.anyio


async def test_unknown_purchases_are_counted_until_they_are_settled(ledger: Ledger, clock: Clock) -> None:
    """One that no process finished counts once its time is over; whoever made it, and for whichever team."""
    assert await ledger.open_unknowns() == 0
    made = []
    for label in ("one", "two"):
        made.append(await begin(ledger, purchase(label), is_free))
        assert await ledger.start_sending(made[-1])
    assert await ledger.open_unknowns() == 0
    await ledger.finish(made[0], "unknown", {"status": "outcome_unknown"})
    assert await ledger.open_unknowns() == 1
    clock.at += SENDING_LIFETIME + 1
    assert await ledger.open_unknowns() == 2
    for purchase_id, created in zip(made, (True, False), strict=True):
        await ledger.settle(purchase_id, created=created)
    assert await ledger.open_unknowns() == 0
