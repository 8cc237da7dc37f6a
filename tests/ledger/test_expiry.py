"""What is over does nothing, also where nobody has looked since: each method of a ledger finds that out by itself."""

import pytest

from vercel_marketplace_mcp.ledger.records import Begun, Ledger, Meaning, NotApproved, Question, Wording

from .support import WORDING, Clock, approve, ask, begin, identity, is_free, needs_a_yes, purchase

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(("seconds", "state"), [(3599.9, "approved"), (3600, "expired")])
async def test_an_answer_after_an_hour_comes_too_late(ledger: Ledger, clock: Clock, seconds: float, state: str) -> None:
    """T14: a terminal that was left open takes a reply, but it makes no yes."""
    question = await ask(ledger, identity())
    clock.at += seconds
    assert await ledger.answer(question.id, "local", Meaning.YES, {}, 600, "form") == state
    assert isinstance(await ledger.begin(purchase(), needs_a_yes), Begun) == (state == "approved")


@pytest.mark.parametrize(("seconds", "kind"), [(599.9, Begun), (600, NotApproved)])
async def test_a_yes_that_is_over_buys_nothing(ledger: Ledger, clock: Clock, seconds: float, kind: type) -> None:
    """T14: the transaction that buys looks at the clock."""
    await approve(ledger, identity())
    clock.at += seconds
    assert type(await ledger.begin(purchase(), needs_a_yes)) is kind


@pytest.mark.parametrize(("seconds", "made"), [(599.9, True), (600, False)])
async def test_a_yes_that_is_over_changes_nothing(ledger: Ledger, clock: Clock, seconds: float, made: bool) -> None:
    """T14: so does the one that writes down a change."""
    await approve(ledger, identity())
    clock.at += seconds
    assert (await ledger.begin_change(identity(), {}, needs_yes=True) is not None) == made


async def test_a_yes_that_is_over_is_asked_about_anew(ledger: Ledger, clock: Clock) -> None:
    """Nobody is told that a yes stands which no longer does."""
    old = await approve(ledger, identity())
    clock.at += 600
    new = await ledger.ask(identity(), WORDING, "form", needs_a_yes)
    assert isinstance(new, Question)
    assert (new.state, new.id == old.id) == ("pending", False)


async def test_an_intent_that_is_over_stands_in_nobodys_way(ledger: Ledger, clock: Clock) -> None:
    """The transaction that buys gives up what was not sent in time, and uses the yes that this gives back."""
    await approve(ledger, identity())
    first = await begin(ledger, purchase())
    clock.at += 30
    second = await begin(ledger, purchase())
    assert [row.kind for row in await ledger.audit(first)] == ["prepared", "never_sent"]
    assert [row.kind for row in await ledger.audit(second)] == ["prepared"]


@pytest.mark.parametrize(("seconds", "holds"), [(60, True), (61, False)])
async def test_a_clock_set_back_makes_nothing_wait_longer(
    ledger: Ledger, clock: Clock, seconds: float, holds: bool
) -> None:
    """T16: what seems to lie in the future is given up, a minute of drift aside."""
    question = await ask(ledger, identity("waiting"))
    prepared = await begin(ledger, purchase("prepared"), is_free)
    sending = await begin(ledger, purchase("sending"), is_free)
    assert await ledger.start_sending(sending)
    clock.at -= seconds
    assert await ledger.pending() == ([question] if holds else [])
    found = [await ledger.purchase(each) for each in (prepared, sending)]
    expected = ["prepared", "sending"] if holds else ["never_sent", "unknown"]
    assert [each.state for each in found if each] == expected


async def test_all_that_is_stale_is_given_up_at_once(ledger: Ledger, clock: Clock) -> None:
    """Several processes may have been killed together."""
    made = [await begin(ledger, purchase(f"{number}"), is_free) for number in range(10)]
    for each in made[::2]:
        assert await ledger.start_sending(each)
    clock.at += 120
    assert await ledger.open_unknowns() == 5
    told = {each: [row.kind for row in await ledger.audit(each)][1:] for each in made}
    expected = {each: ["never_sent"] for each in made} | {each: ["sending", "unknown"] for each in made[::2]}
    assert told == expected


def test_a_yes_stands_for_ten_minutes_unless_it_is_said_otherwise() -> None:
    """What a question does not say about its yes is what the operator's default says."""
    assert Wording(text="?", expected="yes") == Wording(text="?", expected="yes", ttl=600)
