"""What a ledger promises about questions and the answers to them, whatever it is kept in."""

import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from vercel_marketplace_mcp.ledger.records import Ledger, Meaning, NotApproved, Question, Wording
from vercel_marketplace_mcp.purchase.policy import (
    History,
)

from .support import (
    ACCOUNT,
    PRODUCT,
    WORDING,
    Clock,
    approve,
    ask,
    begin,
    decline,
    history,
    identity,
    needs_a_yes,
    purchase,
)

pytestmark = pytest.mark.anyio


async def is_approved(ledger: Ledger, label: str = "one", **changes: str) -> bool:
    """Whether a yes to exactly this purchase stands."""
    return (await ledger.background(identity(label, **changes), PRODUCT)).approved


async def test_a_question_waits_with_everything_that_a_person_reads(ledger: Ledger, clock: Clock) -> None:
    """What was asked stands in the ledger as it was worded, under a code that is easy to type."""
    question = await ask(ledger, identity())
    assert question == Question(
        id=question.id,
        code=question.code,
        principal="local",
        account=ACCOUNT,
        fingerprint=identity().fingerprint,
        text=WORDING.text,
        expected="20.00",
        state="pending",
        asked_at=clock.at,
        expires_at=clock.at + 3600,
    )
    assert re.fullmatch("question_[0-9a-f]{32}", question.id)
    assert re.fullmatch("[2-9A-HJKMNP-Z]{6}", question.code)
    assert await ledger.pending() == [question]


async def test_the_same_question_is_not_asked_twice(ledger: Ledger) -> None:
    """A repeated call finds the question that waits already; its code stays good."""
    question = await ask(ledger, identity())
    assert await ask(ledger, identity()) == question
    assert await ledger.ask(identity(), WORDING, "form", needs_a_yes) == question
    assert await ledger.pending() == [question]


async def test_a_question_that_reads_differently_now_replaces_the_one_that_waits(ledger: Ledger) -> None:
    """An earlier purchase may have become unsettled meanwhile: nobody answers a text that does not say so."""
    old = await ask(ledger, identity())
    new = await ask(ledger, identity(), Wording(text="CAREFUL", expected="20.00"))
    assert await ledger.pending() == [new]
    assert await ledger.answer(old.id, "local", Meaning.YES, {}, 600, "form") == "revoked"
    assert not await is_approved(ledger)


@pytest.mark.parametrize("answer_first", [False, True])
async def test_asking_at_other_terms_voids_what_was_asked_or_approved(ledger: Ledger, answer_first: bool) -> None:
    """T09: a price that changed is asked about anew, the question says so, and a yes to the old price buys nothing."""
    old = await (approve if answer_first else ask)(ledger, identity())
    assert not (await ledger.background(identity(), PRODUCT)).changed
    dearer = identity(fingerprint="dearer")
    assert (await ledger.background(dearer, PRODUCT)).changed
    new = await ask(ledger, dearer)
    assert await ledger.answer(old.id, "local", Meaning.YES, {}, 600, "form") == "revoked"
    assert await ledger.pending() == [new]
    assert isinstance(await ledger.begin(purchase(), needs_a_yes), NotApproved)


async def test_the_terms_count_as_changed_for_an_hour(ledger: Ledger, clock: Clock) -> None:
    """Nobody remembers longer what was asked, and a purchase that was made is no question any more."""
    await ask(ledger, identity())
    dearer = identity(fingerprint="dearer")
    clock.at += 3599
    assert (await ledger.background(dearer, PRODUCT)).changed
    clock.at += 1
    assert not (await ledger.background(dearer, PRODUCT)).changed
    await approve(ledger, identity())
    await begin(ledger, purchase())
    assert not (await ledger.background(dearer, PRODUCT)).changed


@pytest.mark.parametrize(
    ("meaning", "state", "waits", "approved"),
    [
        (Meaning.YES, "approved", False, True),
        (Meaning.NO, "declined", False, False),
        (Meaning.UNSEEN, "pending", True, False),
    ],
)
async def test_a_reply_settles_a_question_unless_nobody_saw_it(
    ledger: Ledger, meaning: Meaning, state: str, waits: bool, approved: bool
) -> None:
    """Only a reply that somebody may have given ends the wait."""
    question = await ask(ledger, identity())
    assert await ledger.answer(question.id, "local", meaning, {"by": "a test"}, 600, "form") == state
    assert bool(await ledger.pending()) == waits
    assert await is_approved(ledger) == approved


@pytest.mark.parametrize("first", [Meaning.YES, Meaning.NO])
@pytest.mark.parametrize("then", list(Meaning))
async def test_a_settled_question_stays_settled_but_a_no_takes_a_yes_back(
    ledger: Ledger, first: Meaning, then: Meaning
) -> None:
    """T14: no later reply makes a yes of a no, nor lengthens a yes."""
    question = await ask(ledger, identity())
    await ledger.answer(question.id, "local", first, {}, 600, "form")
    expected = Meaning.NO if Meaning.NO in (first, then) else Meaning.YES
    assert await ledger.answer(question.id, "local", then, {}, 600, "form") == str(expected)
    assert await is_approved(ledger) == (expected is Meaning.YES)


async def test_a_no_comes_too_late_once_the_yes_is_used(ledger: Ledger) -> None:
    """What was bought is not unbought by a word: the question says that it was used."""
    question = await approve(ledger, identity())
    purchase_id = await begin(ledger, purchase())
    assert await ledger.answer(question.id, "local", Meaning.NO, {}, 600, "form") == "used"
    assert await ledger.start_sending(purchase_id)


@pytest.mark.parametrize(("asked_for", "answered_with", "seconds"), [(30, 600, 30), (600, 30, 30)])
async def test_a_yes_stands_for_the_shorter_time_of_two(
    ledger: Ledger, clock: Clock, asked_for: float, answered_with: float, seconds: float
) -> None:
    """Neither the process that asks nor the one that takes the answer can lengthen what the other allows."""
    question = await ask(ledger, identity(), replace(WORDING, ttl=asked_for))
    await ledger.answer(question.id, "local", Meaning.YES, {}, answered_with, "form")
    clock.at += seconds - 0.1
    assert await is_approved(ledger)
    clock.at += 0.1
    assert not await is_approved(ledger)


async def test_nobody_answers_for_somebody_else(ledger: Ledger) -> None:
    """T56: a question of another principal can't be told from one that does not exist."""
    question = await ask(ledger, identity())
    assert await ledger.answer(question.id, "somebody else", Meaning.YES, {}, 600, "form") == "expired"
    assert await ledger.answer("question_00", "local", Meaning.YES, {}, 600, "form") == "expired"
    assert await ledger.pending() == [question]
    assert not await is_approved(ledger, principal="somebody else")


@pytest.mark.parametrize(("seconds", "holds"), [(0, True), (599.9, True), (600, False), (86_400, False)])
async def test_a_yes_holds_until_its_time_is_up(ledger: Ledger, clock: Clock, seconds: float, holds: bool) -> None:
    """T14: at the very second it has expired, for whoever looks and for whoever buys."""
    await approve(ledger, identity(), ttl=600)
    clock.at += seconds
    assert await is_approved(ledger) == holds
    assert isinstance(await ledger.begin(purchase(), needs_a_yes), NotApproved) != holds


@pytest.mark.parametrize(("seconds", "waits"), [(3599.9, True), (3600, False)])
async def test_a_question_waits_for_an_hour(ledger: Ledger, clock: Clock, seconds: float, waits: bool) -> None:
    """After that no terminal finds it, and an answer comes too late."""
    question = await ask(ledger, identity())
    clock.at += seconds
    assert bool(await ledger.pending()) == waits
    state = await ledger.answer(question.id, "local", Meaning.YES, {}, 600, "form")
    assert state == ("approved" if waits else "expired")
    assert await is_approved(ledger) == waits


@pytest.mark.parametrize(("seconds", "holds"), [(60, True), (61, False), (3600, False)])
async def test_a_clock_set_back_makes_no_yes_last_longer(
    ledger: Ledger, clock: Clock, seconds: float, holds: bool
) -> None:
    """T16: a yes that seems to lie in the future is void, a minute of drift aside, and stays so."""
    await approve(ledger, identity())
    clock.at -= seconds
    assert await is_approved(ledger) == holds
    clock.at += seconds
    assert await is_approved(ledger) == holds


async def test_a_new_question_can_be_asked_once_a_yes_has_expired(ledger: Ledger, clock: Clock) -> None:
    """Nothing that is over stands in the way."""
    old = await approve(ledger, identity())
    clock.at += 600
    new = await ask(ledger, identity())
    assert new.id != old.id
    assert await ledger.pending() == [new]


async def test_a_live_yes_is_found_instead_of_asking_again(ledger: Ledger) -> None:
    """A person who has said yes is not asked once more, however the question would read now."""
    question = await approve(ledger, identity())
    found = await ledger.ask(identity(), Wording(text="CAREFUL", expected="20.00"), "form", needs_a_yes)
    assert found == replace(question, state="approved")


async def test_others_see_nothing_of_a_question(ledger: Ledger) -> None:
    """T56: neither another principal nor another account can tell that it was asked or answered."""
    yes = await approve(ledger, identity())
    await decline(ledger, identity("two"))
    await ask(ledger, identity("three"))
    for label in ("one", "two", "three"):
        stranger = identity(label, principal="somebody else")
        dearer = identity(label, principal="somebody else", fingerprint="dearer")
        assert await history(ledger, stranger) == History()
        assert not (await ledger.background(dearer, PRODUCT)).changed
        assert not (await ledger.background(stranger, PRODUCT)).approved
        assert isinstance(await ledger.begin(purchase(label, principal="somebody else"), needs_a_yes), NotApproved)
    assert isinstance(await ledger.begin(purchase(account="another"), needs_a_yes), NotApproved)
    theirs = await ask(ledger, identity(principal="somebody else"))
    assert theirs.id != yes.id
    assert await is_approved(ledger)


async def test_questions_and_answers_survive_a_restart(ledger_factory: Callable[[], Ledger], clock: Clock) -> None:
    """T14: a process that starts anew finds the questions, the yes and its remaining time."""
    first = ledger_factory()
    waiting = await ask(first, identity("waiting"))
    await approve(first, identity())
    await decline(first, identity("declined"))
    secret = await first.secret()
    await first.aclose()
    clock.at += 599
    second = ledger_factory()
    assert await second.secret() == secret
    assert await second.pending() == [waiting]
    assert await is_approved(second)
    assert (await history(second, identity("declined"))).declines_of_this == 1
    clock.at += 1
    assert not await is_approved(second)


async def test_the_secret_is_made_once_for_all(ledger_factory: Callable[[], Ledger]) -> None:
    """What one process sealed, any other can read: 256 random bits, the same for all of them."""
    secrets = {await ledger_factory().secret() for _ in range(3)}
    assert [len(secret) for secret in secrets] == [32]


async def test_what_fails_unforeseen_changes_nothing(ledger: Ledger) -> None:
    """A rule that breaks within a transaction takes back what was written in it; the ledger goes on."""

    def broken(_history: object) -> None:
        raise ZeroDivisionError

    await approve(ledger, identity())
    with pytest.raises(ZeroDivisionError):
        await ledger.ask(identity("two"), WORDING, "form", broken)  # type: ignore[arg-type]
    assert (await history(ledger)).open_questions == 0
    assert await ledger.verify() is None
