"""The lists of purchases and of questions that wait: page by page, and each principal's own."""

import pytest

from vercel_marketplace_mcp.ledger.records import Ledger

from .support import Clock, ask, buy, identity

pytestmark = pytest.mark.anyio

OTHER = {"principal": "somebody else"}


async def pages(ledger: Ledger, limit: int) -> list[list[str]]:
    """The names of all purchases, in pages."""
    found: list[list[str]] = []
    before = None
    while page := await ledger.purchases(limit, before):
        found.append([purchase.name for purchase in page])
        before = page[-1].id
    return found


async def test_purchases_are_listed_newest_first(ledger: Ledger, clock: Clock) -> None:
    """A page at a time, the next one beginning where this one ends."""
    for label in ("one", "two", "three"):
        await buy(ledger, label)
        clock.at += 1
    assert await pages(ledger, 2) == [["store-three", "store-two"], ["store-one"]]


@pytest.mark.parametrize("limit", [1, 2, 3, 7])
async def test_purchases_of_one_moment_are_neither_skipped_nor_repeated(ledger: Ledger, limit: int) -> None:
    """Several replicas may buy at the same time."""
    names = {f"store-{number}" for number in range(7)}
    for number in range(7):
        await buy(ledger, f"{number}")
    listed = [name for page in await pages(ledger, limit) for name in page]
    assert (len(listed), set(listed)) == (7, names)


async def test_a_list_after_a_purchase_that_does_not_exist_is_empty(ledger: Ledger) -> None:
    """Nobody knows where it would go on."""
    await buy(ledger)
    assert await ledger.purchases(9, "purchase_00") == []


async def test_a_list_shows_what_one_principal_bought(ledger: Ledger, clock: Clock) -> None:
    """T56: theirs or everybody's, for whichever account, page by page."""
    for label, changes in (
        ("a", {}),
        ("b", OTHER),
        ("c", {"account": "another"}),
        ("d", {**OTHER, "account": "another"}),
    ):
        await buy(ledger, label, **changes)
        clock.at += 1

    async def names(**chosen: str) -> str:
        found = await ledger.purchases(9, **chosen)
        assert found[1:] == await ledger.purchases(9, found[0].id, **chosen)
        return "".join(purchase.name[-1] for purchase in found)

    assert await names() == "dcba"
    assert await names(principal="local") == "ca"
    assert await names(principal="somebody else") == "db"
    assert [purchase.principal for purchase in await ledger.purchases(2)] == ["somebody else", "local"]


async def test_each_principal_sees_the_questions_of_their_own(ledger: Ledger) -> None:
    """T56: whoever may answer all of them sees all."""
    mine, theirs = await ask(ledger, identity()), await ask(ledger, identity(**OTHER))
    assert await ledger.pending("local") == [mine]
    assert await ledger.pending("somebody else") == [theirs]
    assert await ledger.pending("nobody") == []
    assert sorted(question.id for question in await ledger.pending()) == sorted([mine.id, theirs.id])
