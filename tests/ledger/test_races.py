"""Many at once, in one process: a yes buys once, a budget is spent once, a store is created once."""

from collections import Counter
from collections.abc import Callable

import anyio
import pytest

from vercel_marketplace_mcp.ledger.records import Ledger, Meaning, NotApproved, Purchase
from vercel_marketplace_mcp.purchase.policy import Refuse

from ..campaign.scale import of
from .support import PRICE, approve, ask, begin, contend, history, identity, needs_a_yes, purchase, rules

pytestmark = pytest.mark.anyio


async def test_of_ten_thousand_attempts_each_yes_buys_once(ledger: Ledger, kind: str) -> None:
    """T11: 200 approved purchases, each attempted by 50 calls at once (ten: see `scale`): one wins, the others see."""
    purchases = [purchase(f"{number}") for number in range(200)]
    for new in purchases:
        await approve(ledger, new.identity)
    times = 50 if kind == "sqlite" else of(10, 50)
    assert await contend(ledger, purchases, times) == {new.identity.fingerprint: 1 for new in purchases}
    assert len(await ledger.purchases(1000)) == 200
    assert await ledger.verify() is None


async def test_a_yes_buys_once_whatever_it_is_used_for(ledger: Ledger) -> None:
    """T11: the approval itself is single-use, also where nothing else would stand in the way."""
    purchases = [purchase(f"{number}", fingerprint="the same") for number in range(50)]
    await approve(ledger, purchases[0].identity)
    assert await contend(ledger, purchases, 4) == {"the same": 1}


async def test_fifty_approved_purchases_share_a_budget_for_five(ledger: Ledger) -> None:
    """T13: the day's limit is held in the transaction that buys, so no two calls see the same remainder."""
    purchases = [purchase(f"{number}") for number in range(50)]
    for new in purchases:
        await approve(ledger, new.identity)
    begun = await contend(ledger, purchases, 2, rules(max_per_day=5 * PRICE))
    assert Counter(begun.values()) == {1: 5, 0: 45}
    assert (await history(ledger)).spent_today == 5 * PRICE


async def test_five_replicas_share_a_budget_for_five(ledger_factory: Callable[[], Ledger]) -> None:
    """T13, T59: each begins with another purchase, at the same moment: nothing but the ledger keeps them apart."""
    replicas = [ledger_factory() for _ in range(5)]
    purchases = [purchase(f"{number}") for number in range(50)]
    for new in purchases:
        await approve(replicas[0], new.identity)
    for replica in replicas:
        await replica.secret()
    begun: Counter[str] = Counter()

    async def attempt(replica: Ledger, first: int) -> None:
        in_turn = [*purchases[first:], *purchases[:first]]
        begun.update(await contend(replica, in_turn, 2, rules(max_per_day=5 * PRICE)))

    async with anyio.create_task_group() as tasks:
        for number, replica in enumerate(replicas):
            tasks.start_soon(attempt, replica, 10 * number)
    assert Counter(begun.values()) == {1: 5, 0: 45}
    assert (await history(replicas[-1])).spent_today == 5 * PRICE
    assert await replicas[0].verify() is None


async def test_no_more_stores_begin_in_an_hour_than_the_operator_allows(ledger: Ledger) -> None:
    """T17: the number of creates is held as the budget is."""
    purchases = [purchase(f"{number}") for number in range(50)]
    for new in purchases:
        await approve(ledger, new.identity)
    begun = await contend(ledger, purchases, 1, rules(max_per_day=10**9, max_creates_per_hour=20))
    assert Counter(begun.values()) == {1: 20, 0: 30}


async def test_fifty_yeses_for_one_store_create_it_once(ledger: Ledger) -> None:
    """T12: different confirmations for one name of one product: one goes through, the others conflict."""
    purchases = [purchase(f"{number}", key="the same") for number in range(50)]
    for new in purchases:
        await approve(ledger, new.identity)
    begun = await contend(ledger, purchases, 2, rules())
    assert Counter(begun.values()) == {1: 1, 0: 49}


async def test_the_calls_that_come_second_find_what_the_first_has_done(ledger: Ledger) -> None:
    """The losers of a race are told what there is: the same purchase, or a conflict."""
    for new in (purchase(), purchase("two", key=identity().key)):
        await approve(ledger, new.identity)
    first = await begin(ledger, purchase())
    again = await ledger.begin(purchase(), rules())
    assert isinstance(again, Purchase)
    assert again.id == first
    other = await ledger.begin(purchase("two", key=identity().key), rules())
    assert other == Refuse(("it_conflicts_with_an_earlier_purchase",))


async def test_a_yes_and_a_no_at_once_settle_a_question_once(ledger: Ledger) -> None:
    """T14: a no among the replies is what counts in the end, and each is told how the question stands after it."""
    for number in range(20):
        question = await ask(ledger, identity(f"{number}"))
        said: list[str] = []

        async def reply(meaning: Meaning, question_id: str = question.id, said: list[str] = said) -> None:
            said.append(await ledger.answer(question_id, "local", meaning, {}, 600, "form"))

        async with anyio.create_task_group() as tasks:
            for meaning in (Meaning.YES, Meaning.NO, Meaning.YES, Meaning.NO):
                tasks.start_soon(reply, meaning)
        assert said == sorted(said)
        assert said[-1] == "declined"
        assert isinstance(await ledger.begin(purchase(f"{number}"), needs_a_yes), NotApproved)


async def test_an_intent_is_sent_by_one_of_fifty(ledger: Ledger) -> None:
    """The step right before the request is single-use as well."""
    await approve(ledger, identity())
    purchase_id = await begin(ledger, purchase())
    told: list[bool] = []

    async def start() -> None:
        told.append(await ledger.start_sending(purchase_id))

    async with anyio.create_task_group() as tasks:
        for _ in range(50):
            tasks.start_soon(start)
    assert sorted(told) == [False] * 49 + [True]
