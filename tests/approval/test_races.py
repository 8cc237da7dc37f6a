"""Repeats and races: however often, from wherever and however close together a yes is presented, it buys once."""

from collections import Counter
from collections.abc import Awaitable, Callable
from functools import partial

import anyio
import mcp_types as types
import pytest
from mcp import Client
from mcp.client import ClientRequestContext

from vercel_marketplace_mcp.calls import MAX_CALLS
from vercel_marketplace_mcp.sandbox.http import serving

from .processes import processes
from .world import FREE, PRO, Json, Person, Round, World, approved, buy, clicked, first_round, typed

pytestmark = pytest.mark.anyio


class Thoughtful(Person):
    """Answers once `knows` is set, and sets `reads` when a form is open."""

    def __init__(self, answer: types.ElicitResult) -> None:
        super().__init__(answer)
        self.reads, self.knows = anyio.Event(), anyio.Event()

    async def __call__(self, context: ClientRequestContext, params: types.ElicitRequestParams) -> types.ElicitResult:
        """Read the form, and take as long as it takes."""
        self.reads.set()
        await self.knows.wait()
        return await super().__call__(context, params)


async def at_once(calls: list[Callable[[], Awaitable[Json]]]) -> list[Json]:
    """Make all these calls at the same time and return their answers."""
    found: list[Json] = []

    async def one(call: Callable[[], Awaitable[Json]]) -> None:
        found.append(await call())

    async with anyio.create_task_group() as tasks:
        for call in calls:
            tasks.start_soon(one, call)
    return found


def tally(answers: list[Json]) -> Counter[tuple[str, bool]]:
    """How many answers have which status, and repeat an earlier call."""
    return Counter((answer["status"], answer.get("replayed", False)) for answer in answers)


def presenting(opened: Round, *clients: Client) -> Callable[[int], list[Callable[[], Awaitable[Json]]]]:
    """Make final rounds of one question: a number of them from each client."""
    return lambda number: [partial(opened.end, client) for client in clients for _ in range(number)]


@pytest.mark.parametrize("number", [5, 50])
async def test_a_final_round_that_is_repeated_at_once_buys_once(number: int, world: World) -> None:
    """T11, T43: one request leaves, and every repeat gets the receipt of that one."""
    async with world.client("auto", Person()) as client:
        opened = await first_round(client)
        found = await at_once(presenting(opened, client)(number))
        later = await opened.end(client)
    assert tally(found) == {("created", False): 1, ("created", True): number - 1}
    assert (later["status"], later["replayed"], world.bodies) == ("created", True, [PRO])
    (receipt,) = [answer for answer in found if "replayed" not in answer]
    for answer in (*found, later):
        assert answer["store"] == receipt["store"]
        assert answer["money"].startswith(receipt["money"])
    assert later["money"].endswith("this call sent nothing.")


async def test_a_yes_buys_once_whichever_server_it_is_presented_to(world: World) -> None:
    """T14, T59: two servers in one process and two more processes share a folder; then all of them are started anew."""
    world.use_the_time_of_day()
    async with serving(world.sandbox) as base_url:
        near: Json = {"in_process": False, "api_url": base_url}
        async with (
            world.client("auto", Person(), **near) as one,
            world.client("auto", Person(), **near) as two,
            processes(world, 2, base_url) as others,
        ):
            opened = await first_round(one)
            found = await at_once(presenting(opened, one, two, *others)(5))
        async with world.client("auto", Person(), **near) as one, processes(world, 1, base_url) as others:
            later = await at_once(presenting(opened, one, *others)(2))
    assert tally(found) == {("created", False): 1, ("created", True): 19}
    assert tally(later) == {("created", True): 4}
    assert world.bodies == [PRO]


async def test_a_state_that_is_presented_after_a_restart_buys_once(world: World) -> None:
    """T14: the key that seals a question lies with the ledger, so the answer is understood by the next process."""
    async with world.client("auto", Person()) as client:
        opened = await first_round(client)
    async with world.client("auto", Person()) as client:
        found = [await opened.end(client) for _ in range(2)]
    assert tally(found) == {("created", False): 1, ("created", True): 1}
    assert world.bodies == [PRO]


async def test_the_same_call_made_fifty_times_at_once_buys_once(era: str, world: World) -> None:
    """T11: everybody who is asked says yes, and still one request leaves; nobody is asked more than five times."""
    person = Person(typed("20.00"))
    async with world.client(era, person) as client:
        found = await at_once([partial(buy, client)] * 50)
        later = await buy(client)
    statuses = {answer["status"] for answer in found}
    assert (world.bodies, tally(found)[("created", False)]) == ([PRO], 1)
    assert statuses <= {"created", "refused"}
    assert {one["error"]["code"] for one in found if one["status"] == "refused"} <= {
        "too_many_questions_went_unanswered"
    }
    assert len(person.shown) <= 5
    assert (later["status"], later["replayed"]) == ("created", True)


async def test_a_yes_and_a_no_to_the_same_question_at_once_buy_at_most_once(world: World) -> None:
    """Whichever is read first holds; no order of the two buys twice."""
    async with world.client("auto", Person()) as client:
        opened = await first_round(client)
        answers = [typed("20.00"), typed("no"), clicked("decline"), typed("20.00"), typed("")] * 4
        found = await at_once([partial(opened.end, client, answer) for answer in answers])
    assert {answer["status"] for answer in found} <= {
        "created",
        "not_confirmed",
        "confirmation_required",
        "asked again",
    }
    assert len(world.bodies) <= 1


async def test_one_call_made_fifty_times_at_once_shows_one_form(world: World) -> None:
    """T18: where the answer comes within the call, repeats wait for it: a person reads the question once."""
    person = Person(typed("20.00"), after=0.1)
    async with world.client("legacy", person) as client:
        found = await at_once([partial(buy, client)] * 50)
    assert (tally(found), len(person.shown)) == ({("created", False): 1, ("created", True): 49}, 1)


async def test_whoever_declines_one_of_many_calls_is_asked_once(world: World) -> None:
    """T18: a no to the form that all of them wait for is a no to each, and it counts as one."""
    person = Person(typed("no"), after=0.1)
    async with world.client("legacy", person) as client:
        found = await at_once([partial(buy, client)] * 8)
        later = await buy(client)
    assert (tally(found), len(person.shown)) == ({("not_confirmed", False): 8}, 2)
    assert (later["status"], world.bodies) == ("not_confirmed", [])


async def test_calls_that_wait_for_a_person_hold_up_no_read(world: World) -> None:
    """However many forms are open, lists are answered meanwhile."""
    person = Thoughtful(typed("20.00"))
    async with world.client("legacy", person) as client, anyio.create_task_group() as tasks:
        for _ in range(2 * MAX_CALLS):
            tasks.start_soon(buy, client)
        await person.reads.wait()
        with anyio.fail_after(20):
            assert not (await client.call_tool("list-configurations", {})).is_error
        person.knows.set()
    assert (len(person.shown), world.bodies) == (1, [PRO])


async def test_an_approved_call_made_fifty_times_at_once_buys_once(era: str, world: World) -> None:
    """T11: an approval from a terminal is used up by one of them, and the others get its receipt."""
    async with world.client(era) as client:
        await approved(world, client)
        found = await at_once([partial(buy, client)] * 50)
    assert tally(found) == {("created", False): 1, ("created", True): 49}
    assert world.bodies == [PRO]


async def test_a_free_call_made_fifty_times_at_once_creates_once(era: str, world: World) -> None:
    """T43: a free store needs no yes, and a repeat makes no second one all the same."""
    async with world.client(era) as client:
        found = await at_once([partial(buy, client, **FREE)] * 50)
    assert tally(found) == {("created", False): 1, ("created", True): 49}
    assert world.bodies == [FREE]


def same_name(number: int) -> Json:
    """One of many requests for a store of one name."""
    return {"externalId": f"order-{number}"}


def another_name(number: int) -> Json:
    """One of many requests for stores of their own."""
    return {"name": f"store-{number}"}


async def fifty_approved(world: World, client: Client, request: Callable[[int], Json]) -> list[Json]:
    """Let fifty requests be approved, one after the other, and return what sets them apart."""
    requests = [request(number) for number in range(50)]
    for changes in requests:
        await approved(world, client, **changes)
    return requests


def dealt(requests: list[Json], clients: list[Client]) -> list[Callable[[], Awaitable[Json]]]:
    """The requests as calls, dealt out to the clients."""
    return [partial(buy, clients[number % len(clients)], **changes) for number, changes in enumerate(requests)]


BUDGET = {("created", "-"): 5, ("refused", "it_costs_more_than_is_left_today"): 45}
ONE_NAME = {("created", "-"): 1, ("refused", "it_conflicts_with_an_earlier_purchase"): 49}


def outcomes(answers: list[Json]) -> Counter[tuple[str, str]]:
    """How many answers have which status and rule."""
    return Counter((answer["status"], answer.get("error", {}).get("code", "-")) for answer in answers)


async def test_the_day_s_budget_holds_against_fifty_approved_purchases_at_once(era: str, world: World) -> None:
    """T13: five of 20.00 fit into 100.00, to the cent; each of the others is refused although a person said yes."""
    async with world.client(era, max_per_day=100_00) as client:
        requests = await fifty_approved(world, client, another_name)
        found = await at_once(dealt(requests, [client]))
    assert (outcomes(found), len(world.bodies)) == (BUDGET, 5)


async def test_fifty_approvals_for_one_name_buy_one_store(era: str, world: World) -> None:
    """T12: the name stands for the store, whatever else differs."""
    async with world.client(era) as client:
        requests = await fifty_approved(world, client, same_name)
        found = await at_once(dealt(requests, [client]))
    assert (outcomes(found), len(world.bodies)) == (ONE_NAME, 1)


async def test_both_hold_across_five_processes(world: World) -> None:
    """T12, T13: the budget and the name are checked in the transaction that uses up the approval."""
    world.use_the_time_of_day()
    async with serving(world.sandbox) as base_url:
        near: Json = {"in_process": False, "api_url": base_url}
        async with (
            world.client("auto", **near) as asking,
            processes(world, 5, base_url, VERCEL_MCP_MAX_PER_DAY="120.00") as clients,
        ):
            named = await fifty_approved(world, asking, same_name)
            found = await at_once(dealt(named, clients))
            assert (outcomes(found), len(world.bodies)) == (ONE_NAME, 1)
            stores = await fifty_approved(world, asking, another_name)
            found = await at_once(dealt(stores, clients))
    assert (outcomes(found), len(world.bodies)) == (BUDGET, 1 + 5)
