"""Changes that cost nothing: recorded, after a yes where one is needed, and that yes is used once."""

import re

import pytest

from vercel_marketplace_mcp.ledger.records import Ledger

from .support import Clock, approve, ask, identity

pytestmark = pytest.mark.anyio

DETAIL = {"projectId": "prj_1"}


async def test_a_change_that_needs_no_yes_is_recorded(ledger: Ledger) -> None:
    """What was changed, and what came of it."""
    change = await ledger.begin_change(identity(), DETAIL, needs_yes=False)
    assert change is not None
    assert re.fullmatch("change_[0-9a-f]{16}", change)
    await ledger.end_change(change, "connected", {"status": "connected"})
    rows = [(row.kind, row.detail) for row in await ledger.audit(change)]
    changing = {"principal": "local", **DETAIL, "question": None}
    assert rows == [("changing", changing), ("connected", {"status": "connected"})]


async def test_a_yes_to_a_change_is_used_once(ledger: Ledger) -> None:
    """Without one nothing is recorded, and what is asked meanwhile is void once the change is made."""
    assert await ledger.begin_change(identity(), DETAIL, needs_yes=True) is None
    await approve(ledger, identity())
    change = await ledger.begin_change(identity(), DETAIL, needs_yes=True)
    assert change is not None
    assert await ledger.begin_change(identity(), DETAIL, needs_yes=True) is None
    await ask(ledger, identity())
    await ledger.end_change(change, "connected", {})
    assert await ledger.pending() == []
    assert await ledger.verify() is None


async def test_a_yes_to_a_change_that_was_never_sent_stands_again(ledger: Ledger, clock: Clock) -> None:
    """For as long as it would have."""
    await approve(ledger, identity(), ttl=60)
    for _ in range(2):
        change = await ledger.begin_change(identity(), DETAIL, needs_yes=True)
        assert change is not None
        await ledger.end_change(change, "never_sent", {})
    clock.at += 60
    assert await ledger.begin_change(identity(), DETAIL, needs_yes=True) is None


async def test_a_change_that_needs_no_yes_uses_none(ledger: Ledger) -> None:
    """One that was given for the same stands for the purchase, or the change, that needs it."""
    await approve(ledger, identity())
    assert await ledger.begin_change(identity(), DETAIL, needs_yes=False)
    assert await ledger.begin_change(identity(), DETAIL, needs_yes=True)


@pytest.mark.parametrize("outcome", ["connected", "rejected"])
async def test_a_yes_given_while_a_change_is_made_is_void(ledger: Ledger, outcome: str) -> None:
    """T14: the next change needs its own."""
    await approve(ledger, identity())
    change = await ledger.begin_change(identity(), DETAIL, needs_yes=True)
    assert change is not None
    await approve(ledger, identity())
    await ledger.end_change(change, outcome, {})
    assert await ledger.begin_change(identity(), DETAIL, needs_yes=True) is None


async def test_a_change_that_ends_twice_brings_no_void_yes_back(ledger: Ledger) -> None:
    """T14: what was given back, and replaced since by a question at other terms, stays replaced."""
    await approve(ledger, identity())
    change = await ledger.begin_change(identity(), DETAIL, needs_yes=True)
    assert change is not None
    await ledger.end_change(change, "never_sent", {})
    await ask(ledger, identity(fingerprint="at other terms"))
    await ledger.end_change(change, "never_sent", {})
    assert await ledger.begin_change(identity(), DETAIL, needs_yes=True) is None


async def test_a_question_from_the_future_waits_for_nobody(ledger: Ledger, clock: Clock) -> None:
    """A clock that was a day ahead leaves no question that keeps others from being asked."""
    clock.at += 86_400
    await ask(ledger, identity())
    clock.at -= 86_400
    assert await ledger.pending() == []
