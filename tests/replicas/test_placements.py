"""The handshake era behind a balancer that knows no sessions: where each request may arrive, and what comes of it.

A session lives in the replica that opened it. A call elsewhere is told so at once; an answer elsewhere is lost to the
call that waits for it, and then the question waits in the ledger for the same person to answer it at the server.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain, combinations

import anyio
import httpx
import pytest
from mcp.shared.exceptions import MCPError

from ..approval.world import Json, Person, buy, typed
from .clients import PATIENCE, Kind, Placed, connected
from .town import PRINCIPALS, Town
from .wire import PRICE, Agent

pytestmark = pytest.mark.anyio

Record = Callable[[str, object], None]

MOVABLE: tuple[Kind, ...] = ("initialized", "call", "answer", "stream")
PLACEMENTS = tuple(chain.from_iterable(combinations(MOVABLE, count) for count in range(len(MOVABLE) + 1)))
"""What reaches another replica than `initialize` did: all ways."""


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """What came of a purchase: the answer or the error of the protocol, and how often its person was shown a form."""

    answer: Json
    error: str
    shown: int
    statuses: dict[Kind, int]

    @property
    def outcome(self) -> str:
        """The status of the purchase, or else the error."""
        return str(self.answer.get("status", self.error))


async def attempt(url: str, principal: str, name: str, transport: Placed | None = None) -> Attempt:
    """Buy a store as a client of the handshake era, whose person says yes."""
    person, answer, error = Person(typed(PRICE)), {}, ""
    async with connected(url, "legacy", person, principal=principal, transport=transport) as client:
        try:
            answer = await buy(client, name=name)
        except MCPError as failure:
            error = failure.message
    statuses = dict(transport.answered) if transport else {}
    return Attempt(answer=answer, error=error, shown=len(person.shown), statuses=statuses)


def expected(elsewhere: tuple[Kind, ...]) -> tuple[str, int]:
    """What the agent must be told, and how often the person is asked, if these requests reach another replica."""
    if "call" in elsewhere:
        return "Session not found", 0
    return ("confirmation_required" if "answer" in elsewhere else "created"), 1


async def test_without_sticky_routing_a_purchase_is_made_or_can_be_confirmed_at_the_server(
    town: Town, record_property: Record
) -> None:
    """Nothing hangs, nothing is bought without its answer, and no question is lost, wherever each request arrives."""
    here, there = town.start(2, VERCEL_MCP_FORM_WAIT="10")
    found: dict[tuple[Kind, ...], Attempt] = {}

    async def place(elsewhere: tuple[Kind, ...], principal: str) -> None:
        transport = Placed(here.url, dict.fromkeys(elsewhere, there.url))
        found[elsewhere] = await attempt(here.url, principal, "-".join(("store", *elsewhere)), transport)

    with anyio.fail_after(PATIENCE):
        async with anyio.create_task_group() as tasks:
            for elsewhere, principal in zip(PLACEMENTS, PRINCIPALS, strict=True):
                tasks.start_soon(place, elsewhere, principal)
        assert {each: (one.outcome, one.shown) for each, one in found.items()} == {
            each: expected(each) for each in PLACEMENTS
        }
        for elsewhere, one in found.items():
            made = int(one.outcome == "created")
            assert town.posts_for("-".join(("store", *elsewhere))) == made
            assert all(one.statuses.get(kind, 404) == 404 for kind in elsewhere)
        for elsewhere, principal in zip(PLACEMENTS, PRINCIPALS, strict=True):
            if found[elsewhere].outcome == "confirmation_required":
                await _confirm_at_the_server(town, principal, "-".join(("store", *elsewhere)), found[elsewhere])
    outcomes = [one.outcome for one in found.values()]
    for outcome in sorted(set(outcomes)):
        record_property(f"placements of a handshake client's requests that end as {outcome}", outcomes.count(outcome))
    assert await town.problem() is None


async def _confirm_at_the_server(town: Town, principal: str, name: str, left: Attempt) -> None:
    """Answer a question that was left by its code, at either replica; the same call then makes the one store."""
    here, there = town.replicas
    code = left.answer["approval"]["code"]
    assert f" approve {code} --server " in left.answer["approval"]["command"]
    async with httpx.AsyncClient() as http:
        agent = Agent(principal=principal, http=http)
        answered = await http.post(f"{there.base}/approvals/{code}", headers=agent.headers, json={"typed": PRICE})
    assert answered.json() == {"status": "approved"}
    again = await attempt(here.url, principal, name)
    assert (again.outcome, again.shown, town.posts_for(name)) == ("created", 0, 1)
