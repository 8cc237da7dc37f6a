"""connect-store in both eras: what production costs is a person's phrase, and everything else is done at once."""

from typing import Any

import pytest
from mcp import Client

from vercel_marketplace_mcp.sandbox import Fault

from .world import BRINDLE, FREE, Json, Person, World, buy, clicked, first_round, typed

pytestmark = pytest.mark.anyio

SHOP, OFFICE = "prj_sandboxStorefront", "prj_sandboxBackoffice"
CONNECT = "connectIntegrationResourceToProject"
NAMES = ["DATABASE_URL", "DATABASE_URL_UNPOOLED", "PGPASSWORD"]
NOTHING = "This call changed nothing."


class Reader(Person):
    """Reads the phrase at the end of a question and types it, as the question asks."""

    async def __call__(self, context: Any, params: Any) -> Any:  # noqa: ARG002 - the SDK gives it by name
        """Answer with the phrase; the form has one field, whatever it is called."""
        self.shown.append(params.message)
        (field,) = params.requested_schema["properties"]
        phrase = params.message.split("type ", 1)[1].split(" ", 1)[0]
        return type(typed("")).model_construct(action="accept", content={field: phrase})


async def link(client: Client, store: str, **changes: Any) -> Json:
    """Connect a store to the shop, or to what the changes say (None: left out)."""
    given = {"integrationConfigurationId": BRINDLE, "resourceId": store, "projectId": SHOP, **changes}
    result = await client.call_tool(
        "connect-store", {name: value for name, value in given.items() if value is not None}
    )
    found = result.structured_content
    assert isinstance(found, dict)
    assert result.is_error == (found["status"] != "connected")
    return found


async def a_store(client: Client) -> str:
    """A free store, to be connected."""
    return str((await buy(client, **FREE))["store"]["id"])


def set_in(world: World, project: str = SHOP) -> dict[str, list[str]]:
    """The environments of each variable that a project has."""
    return {one["key"]: one["target"] for one in world.sandbox.variables(project)}


async def test_outside_production_nobody_is_asked(world: World, era: str) -> None:
    """The project's environment then lists the store's variables, and get-store the project."""
    person = Reader()
    async with world.client(era, person) as client:
        store = await a_store(client)
        found = await link(client, store, envVarEnvironments=["preview", "staging"], makeEnvVarsSensitive=True)
        shown = await client.call_tool("get-store", {"id": store})
    assert found == {
        "status": "connected",
        "changes": "The store's variables were set in the project, in: preview, staging.",
        "next_steps": ["Deploy the project again: a deployment that runs keeps the variables it was made with."],
        "connection": {"projectId": SHOP, "environments": ["preview", "staging"], "variables": NAMES},
    }
    assert (set_in(world), person.shown) == ({name: ["preview", "staging"] for name in NAMES}, [])
    assert {one["type"] for one in world.sandbox.variables(SHOP)} == {"sensitive"}
    assert shown.structured_content
    assert shown.structured_content["store"]["projects"] == [
        {"id": SHOP, "name": "storefront", "environments": ["preview", "staging"]}
    ]


@pytest.mark.parametrize("environments", [None, ["production"], ["preview", "production"]])
async def test_production_is_connected_after_the_exact_phrase_and_once(
    world: World, era: str, environments: list[str] | None
) -> None:
    """Left out means all, production included; a repeat finds it done and asks nobody."""
    person = Reader()
    async with world.client(era, person) as client:
        store = await a_store(client)
        found = await link(client, store, envVarEnvironments=environments)
        again = await link(client, store, envVarEnvironments=environments)
    wanted = environments or ["production", "preview", "development"]
    assert (found["status"], set_in(world)) == ("connected", dict.fromkeys(NAMES, wanted))
    assert again["changes"] == "The project has been connected to the store before; this call changed nothing."
    assert (len(person.shown), len(world.sandbox.connections)) == (1, 1)
    assert await world.ledger().verify() is None


async def test_the_question_says_what_is_changed_and_where(world: World, era: str) -> None:
    """All of it in our words but for the names, which are cleaned and quoted where they could be read as words."""
    person = Reader()
    async with world.client(era, person) as client:
        store = str((await buy(client, **{**FREE, "name": "my orders"}))["store"]["id"])
        await link(client, store, envVarEnvironments=["production", "my own"], makeEnvVarsSensitive=False)
    (text,) = person.shown
    *lines, last = text.splitlines()
    assert lines == [
        f"Set environment variables of the project {SHOP} in production, team team_1a2b3c4d5e6f7g8h9i0j1k2l?",
        f'They are the secrets of the store "my orders" ({store}).',
        "Product: brindle-postgres",
        'Environments: production, "my own"',
        "Variables: DATABASE_URL, DATABASE_URL_UNPOOLED, PGPASSWORD",
        "Marked as sensitive: no",
    ]
    assert last.startswith("To connect, type PRODUCTION-")


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (typed("production"), "not_confirmed"),
        (typed("PRODUCTION-0000"), "not_confirmed"),
        (typed("yes"), "not_confirmed"),
        (typed(True), "confirmation_required"),
        (typed(""), "confirmation_required"),
        (clicked("accept"), "confirmation_required"),
    ],
    ids=str,
)
async def test_anything_but_the_phrase_changes_nothing(world: World, era: str, answer: Any, status: str) -> None:
    """An answer that nobody can have typed leads to the terminal."""
    async with world.client(era, Person(answer)) as client:
        found = await link(client, await a_store(client))
    assert (found["status"], found["changes"]) == (status, NOTHING)
    assert (set_in(world), world.sandbox.connections) == ({}, [])


async def test_without_a_form_a_person_approves_in_the_terminal(world: World, era: str) -> None:
    """The same call then goes through, once."""
    async with world.client(era) as client:
        store = await a_store(client)
        found = await link(client, store)
        assert (found["status"], set_in(world)) == ("confirmation_required", {})
        assert found["approval"]["command"].endswith(str(world.folder))
        await world.approve(found["approval"]["code"])
        done = await link(client, store)
    assert (done["status"], len(world.sandbox.connections)) == ("connected", 1)
    kinds = [row.kind for row in await world.ledger().audit((await changes_of(world))[0])]
    assert kinds == ["changing", "connected"]


async def changes_of(world: World) -> list[str]:
    """The changes that the ledger knows, by the question that each used."""
    with world.database() as db:
        rows = db.execute("SELECT subject FROM audit WHERE kind = 'changing' ORDER BY seq").fetchall()
    return [str(subject) for (subject,) in rows]


async def test_a_yes_to_one_connection_is_none_to_another(world: World, era: str) -> None:
    """Another project, other environments or another store are asked about anew."""
    async with world.client(era) as client:
        store = await a_store(client)
        found = await link(client, store)
        await world.approve(found["approval"]["code"])
        for changes in ({"projectId": OFFICE}, {"envVarEnvironments": ["production"]}, {"makeEnvVarsSensitive": True}):
            assert (await link(client, store, **changes))["status"] != "connected"
    assert world.sandbox.connections == []


async def test_what_is_asked_about_a_purchase_is_no_yes_to_a_connection(world: World) -> None:
    """A sealed state opens for the tool and the arguments that it was sealed for, and for nothing else."""
    async with world.client("auto", Person(typed("20.00"))) as client:
        store = await a_store(client)
        opened = await first_round(client, name="another")
        given = {"integrationConfigurationId": BRINDLE, "resourceId": store, "projectId": SHOP}
        with pytest.raises(Exception, match="Invalid or expired requestState"):
            await client.session.call_tool(
                "connect-store", given, request_state=opened.state, input_responses={}, allow_input_required=True
            )
    assert world.sandbox.connections == []


async def test_a_variable_that_exists_is_named(world: World, era: str) -> None:
    """The answer says which, that nothing was changed, and what can be done."""
    async with world.client(era, Reader()) as client:
        store = await a_store(client)
        found = await link(client, store, projectId=OFFICE)
        other = await link(client, store, projectId=OFFICE, envVarEnvironments=["preview"])
    assert (found["status"], found["changes"], found["error"]["code"]) == ("rejected", NOTHING, "variable_exists")
    assert "DATABASE_URL" in found["error"]["message"]
    assert "rename or remove DATABASE_URL" in found["next_steps"][0]
    assert other["status"] == "connected"


@pytest.mark.parametrize(
    ("changes", "argument"),
    [
        ({"resourceId": "store_none"}, "resourceId"),
        ({"resourceId": "../stores"}, "resourceId"),
        ({"integrationConfigurationId": "icfg_AnotherOne0000000001"}, "integrationConfigurationId"),
        ({"envVarEnvironments": []}, "envVarEnvironments"),
        ({"envVarEnvironments": ["Production"]}, "envVarEnvironments"),
        ({"envVarEnvironments": [" production"]}, "envVarEnvironments"),
        ({"envVarEnvironments": ["preview", "preview"]}, "envVarEnvironments"),
        ({"envVarEnvironments": "production"}, "envVarEnvironments"),
        ({"projectId": "a/b"}, "projectId"),
        ({"confirm": True}, "confirm"),
    ],
    ids=str,
)
async def test_what_is_malformed_is_named(world: World, era: str, changes: Json, argument: str) -> None:
    """A spelling that Vercel might read as production does not slip past the question."""
    async with world.client(era, Reader()) as client:
        found = await link(client, await a_store(client), **changes)
    assert (found["status"], found["changes"]) == ("invalid_arguments", NOTHING)
    assert found["error"]["argument"] == argument
    assert world.sandbox.connections == []


async def test_an_answer_that_is_lost_is_looked_up(world: World, era: str) -> None:
    """The store's own list of projects tells whether it is connected."""
    world.sandbox.misbehave(CONNECT, Fault(drop="after"))
    async with world.client(era, Reader()) as client:
        found = await link(client, await a_store(client))
    assert (found["status"], len(world.sandbox.connections)) == ("connected", 1)


async def test_what_nobody_knows_is_said(world: World, era: str) -> None:
    """Where the look tells nothing, the agent is told how to look; a yes is used up."""
    world.sandbox.misbehave(CONNECT, Fault(status=500))
    async with world.client(era, Reader()) as client:
        store = await a_store(client)
        found = await link(client, store)
        again = await link(client, store)
    assert (found["status"], found["error"]["code"]) == ("outcome_unknown", "server_error")
    assert "call get-store" in found["next_steps"][0].lower()
    assert (again["status"], len(world.sandbox.connections)) == ("connected", 2)


async def test_a_yes_is_given_back_where_nothing_was_sent(world: World, era: str) -> None:
    """The same call goes through once Vercel can be reached, without another question."""
    async with world.client(era) as client:
        store = await a_store(client)
        await world.approve((await link(client, store))["approval"]["code"])
    async with world.client(era, in_process=False, api_url="http://127.0.0.1:9") as client:
        assert (await link(client, store))["status"] == "unavailable"
    async with world.client(era) as client:
        assert (await link(client, store))["status"] == "connected"


async def test_without_a_team_nothing_is_connected(world: World, era: str) -> None:
    """As for stores: the operator chooses the team."""
    async with world.client(era, Reader()) as client:
        store = await a_store(client)
    async with world.client(era, Reader(), team=None) as client:
        assert (await link(client, store))["error"]["code"] == "no_team_is_set"
    assert world.sandbox.connections == []


async def test_a_person_is_not_worn_down(world: World, era: str) -> None:
    """Two declines of one connection pause it, like those of a purchase."""
    async with world.client(era, Person(typed("no"))) as client:
        store = await a_store(client)
        for _ in range(2):
            assert (await link(client, store))["status"] == "not_confirmed"
        found = await link(client, store)
    assert (found["status"], found["error"]["code"]) == ("refused", "it_was_declined_twice")
