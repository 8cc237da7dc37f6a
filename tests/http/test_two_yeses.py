"""VERCEL_MCP_APPROVAL: the client's form, a terminal, or both of them, in both eras, in memory and over HTTP."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import TypeAlias

import pytest
from mcp import Client

from vercel_marketplace_mcp.approval import desk
from vercel_marketplace_mcp.sandbox.http import serving

from ..approval.processes import process
from ..approval.world import PRO, Json, Person, World, buy, clicked, typed
from .office import AGENT, an_office, http_variables, static_token

pytestmark = pytest.mark.anyio

Connect: TypeAlias = Callable[[Person | None], AbstractAsyncContextManager[Client]]
ALICE, WARDEN = static_token("alice"), static_token("warden")


@dataclass(frozen=True)
class Desk:
    """A server whose questions want two yeses: a way to connect, and a person who types in a terminal."""

    world: World
    connect: Connect

    async def form(self, answer: str) -> str:
        """Make the call with a client whose person types this; the status of its answer."""
        async with self.connect(Person(typed(answer))) as client:
            return str((await buy(client))["status"])

    async def call(self) -> Json:
        """Make the call with a client that shows no form."""
        async with self.connect(None) as client:
            return await buy(client)

    async def terminal(self, answer: str) -> str:
        """Type this in a terminal under the question that waits."""
        ledger = self.world.ledger()
        (question,) = await ledger.pending()
        return str(await desk.answer(question, answer, ledger, 600, user=0))

    async def yeses(self) -> list[tuple[str, str]]:
        """Every yes that the audit log holds, oldest first: which, and by whom."""
        ledger = self.world.ledger()
        with self.world.database() as database:
            subjects = [subject for (subject,) in database.execute("SELECT id FROM questions ORDER BY asked_at, id")]
        rows = [row for subject in subjects for row in await ledger.audit(subject)]
        return [(row.kind, row.detail["by"]) for row in rows if row.kind in {"approved", "approved_in_part"}]


@pytest.fixture(params=["in memory", "over HTTP"])
async def two(request: pytest.FixtureRequest, era: str, world: World) -> AsyncIterator[Desk]:
    """A server that wants two yeses."""
    if request.param == "in memory":

        @asynccontextmanager
        async def connected(person: Person | None) -> AsyncIterator[Client]:
            async with world.client(era, person, approval="both") as client:
                yield client

        yield Desk(world, connected)
    else:
        variables = http_variables(world.folder.parent, {"alice": AGENT})
        async with an_office(world, variables, approval="both") as office:
            yield Desk(world, lambda person: office.client(era, ALICE, person))


async def test_first_the_form_and_then_the_terminal(two: Desk) -> None:
    """The form's yes buys nothing yet; the terminal's lets the same call buy, without another form."""
    steps = [await two.form("20.00"), await two.terminal("20.00"), (await two.call())["status"]]
    assert steps == ["confirmation_required", "approved", "created"]
    assert await two.yeses() == [("approved_in_part", "client"), ("approved", "terminal")]
    assert two.world.bodies == [PRO]


async def test_first_the_terminal_and_then_the_form(two: Desk) -> None:
    """The terminal's yes buys nothing yet; the form of the same call does, at once."""
    steps = [(await two.call())["status"], await two.terminal("20.00"), await two.form("20.00")]
    assert steps == ["confirmation_required", "unseen", "created"]
    assert await two.yeses() == [("approved_in_part", "terminal"), ("approved", "client")]
    assert two.world.bodies == [PRO]


async def test_a_no_in_the_form_is_a_no(two: Desk) -> None:
    """Nobody in a terminal is asked any more, and the terminal's yes from before goes with it."""
    steps = [await two.form("no")]
    assert await two.world.waiting() == []
    steps += [(await two.call())["status"], await two.terminal("20.00"), await two.form("no")]
    assert steps == ["not_confirmed", "confirmation_required", "unseen", "not_confirmed"]
    assert (await two.world.waiting(), two.world.bodies) == ([], [])


async def test_a_no_in_the_terminal_is_a_no(two: Desk) -> None:
    """The form's yes from before goes with it: whoever still wants the store is asked for both anew."""
    steps = [await two.form("20.00"), await two.terminal("no"), (await two.call())["status"]]
    steps += [await two.terminal("20.00")]
    assert steps == ["confirmation_required", "declined", "confirmation_required", "unseen"]
    assert two.world.bodies == []


async def test_the_same_yes_twice_is_one(two: Desk) -> None:
    """Two forms, or two terminals, are not a form and a terminal."""
    steps = [await two.form("20.00"), await two.form("20.00")]
    assert (steps, two.world.bodies) == (["confirmation_required"] * 2, [])
    assert [kind for kind, _ in await two.yeses()] == ["approved_in_part"]


async def test_after_the_terminal_a_client_without_forms_is_told_what_is_missing(two: Desk) -> None:
    """The same yes twice in terminals is one yes, and the agent reads that a form is wanted."""
    first = await two.call()
    assert first["next_steps"][0].startswith(
        "This takes a yes in a client that shows forms, too. Ask the person to run "
    )
    assert [await two.terminal("20.00"), await two.terminal("20.00")] == ["unseen", "unseen"]
    found = await two.call()
    assert (found["status"], two.world.bodies) == ("confirmation_required", [])
    said = "A person has approved in a terminal. A form must be answered too: use a client that shows forms."
    assert said in found["next_steps"]


async def test_one_store_is_bought_by_two_yeses_over_stdio(era: str, world: World) -> None:
    """The setting holds for a server that a host has started as a process."""
    world.use_the_time_of_day()
    person = Person(typed("20.00"))
    async with (
        serving(world.sandbox) as base_url,
        process(world, base_url, era, person, VERCEL_MCP_APPROVAL="both") as client,
    ):
        two = Desk(world, lambda _: world.client(era))
        steps = [(await buy(client))["status"], await two.terminal("20.00"), (await buy(client))["status"]]
    assert (steps, len(person.shown)) == (["confirmation_required", "approved", "created"], 1)
    assert await two.yeses() == [("approved_in_part", "client"), ("approved", "terminal")]
    assert world.bodies == [PRO]


async def test_in_terminal_mode_no_form_is_shown_over_http(era: str, world: World) -> None:
    """The right answer in a form buys nothing; a person with the scope does."""
    person = Person(typed("20.00"))
    variables = http_variables(world.folder.parent, {"alice": AGENT, "warden": ("stores:approve-all",)})
    async with an_office(world, variables, approval="terminal") as office, office.client(era, ALICE, person) as client:
        found = await buy(client)
        assert (found["status"], person.shown, world.bodies) == ("confirmation_required", [], [])
        assert (await office.answer(found["approval"]["code"], "20.00", WARDEN)).json() == {"status": "approved"}
        assert (await buy(client))["status"] == "created"
    assert world.bodies == [PRO]


async def test_in_client_mode_the_form_is_enough_over_http(era: str, world: World) -> None:
    """A closed form leaves the question to a terminal; either of them alone may say yes."""
    person = Person(clicked("cancel"), typed("20.00"))
    variables = http_variables(world.folder.parent, {"alice": AGENT, "warden": ("stores:approve-all",)})
    async with an_office(world, variables) as office, office.client(era, ALICE, person) as client:
        steps = [(await buy(client))["status"] for _ in range(2)]
        assert await office.waiting(WARDEN) == []
    assert (steps, world.bodies) == (["confirmation_required", "created"], [PRO])
