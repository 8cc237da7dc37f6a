"""get-store and the wait of create-store: how a store is doing, in both eras, against the sandbox."""

import json

import pytest

from vercel_marketplace_mcp.sandbox import Fault, Sandbox

from .calls import VALID
from .conftest import Call, Connect, Json

pytestmark = pytest.mark.anyio

FREE = VALID["create-store"]
CONNECT = "Connect it to a project: call connect-store with its id as resourceId."
WAIT = "It is not ready yet: call get-store with its id in half a minute, then connect-store."
READ = "getStorageStoresById"


async def test_a_store_is_shown_with_names_of_secrets_only(connect: Connect, call: Call, sandbox: Sandbox) -> None:
    """What the next call needs: status, plan, where it is connected; values of secrets are nowhere."""
    async with connect() as client:
        made = await call(client, "create-store", FREE)
        first = await call(client, "get-store", {"id": made["store"]["id"]})
        second = await call(client, "get-store", {"id": made["store"]["id"]})
    assert (first["store"]["status"], first["ready"]) == ("initializing", False)
    assert second.structured == {
        "store": {
            "id": made["store"]["id"],
            "name": "my-db",
            "status": "available",
            "externalResourceId": sandbox.stores[0]["externalResourceId"],
            "product": "brindle-postgres",
            "integrationConfigurationId": FREE["integrationConfigurationId"],
            "billingPlan": {"id": "free", "cost": "Free"},
            "secrets": ["DATABASE_URL", "DATABASE_URL_UNPOOLED", "PGPASSWORD"],
        },
        "ready": True,
        "next_steps": [CONNECT],
    }
    assert first["next_steps"] == [WAIT]


@pytest.mark.parametrize(
    ("store", "shown", "step"),
    [
        ({"status": "suspended"}, {"id": "store_1", "status": "suspended"}, "Its status is suspended"),
        ({"status": None, "name": 5, "secrets": None}, {"id": "store_1"}, "It is not ready yet"),
        (
            {"id": "store_1", "name": "a\u202eb", "status": "available", "projectsMetadata": [{"name": "shop"}, 7]},
            {"id": "store_1", "name": "ab", "status": "available", "projects": [{"name": "shop", "environments": []}]},
            "Connect it to a project",
        ),
    ],
    ids=["suspended", "almost nothing", "odd members"],
)
async def test_whatever_vercel_says_of_a_store_is_shown_for_what_it_is(
    connect: Connect, call: Call, sandbox: Sandbox, store: Json, shown: Json, step: str
) -> None:
    """Unknown statuses and members of other types are no errors."""
    sandbox.misbehave(READ, Fault(body=json.dumps({"store": store}).encode()))
    async with connect() as client:
        reply = await call(client, "get-store", {"id": "store_1"})
    assert (reply["store"], reply["ready"]) == (shown, store.get("status") == "available")
    assert reply["next_steps"][0].startswith(step)


async def test_a_store_that_is_not_there_is_an_error(connect: Connect, call: Call, sandbox: Sandbox) -> None:
    """So is an answer that names none; each says what to do next."""
    async with connect() as client:
        unknown = await call(client, "get-store", {"id": "store_none"})
        sandbox.misbehave(READ, Fault(body=b'{"store": null}'))
        unclear = await call(client, "get-store", {"id": "store_none"})
    assert (unknown.is_error, unknown["error"]["code"], unknown["ready"]) == (True, "not_found", False)
    assert (unclear.is_error, unclear["error"]["code"], unclear["ready"]) == (True, "unreadable_answer", False)
    assert unknown["next_steps"]


async def test_a_create_waits_until_the_store_is_ready(connect: Connect, call: Call, sandbox: Sandbox) -> None:
    """The answer then names connect-store, and a repeat of the call waits for nothing."""
    async with connect(ready_wait=20.0) as client:
        made = await call(client, "create-store", FREE)
        looks = len([one for one in sandbox.journal if one.path.startswith("/v1/storage/stores/store_")])
        again = await call(client, "create-store", FREE)
    assert (made["status"], made["store"]["status"], looks) == ("created", "available", 2)
    assert made["next_steps"] == [CONNECT]
    assert (again["replayed"], again["store"]["status"]) == (True, "initializing")
    assert len(sandbox.posts) == 1


async def test_a_wait_that_fails_changes_nothing_about_what_was_bought(
    connect: Connect, call: Call, sandbox: Sandbox
) -> None:
    """The store was created, whatever the look at it says."""
    sandbox.misbehave(READ, Fault(status=500), times=9)
    async with connect(ready_wait=20.0) as client:
        made = await call(client, "create-store", FREE)
    assert (made["status"], made["store"]["status"]) == ("created", "initializing")
    assert made["next_steps"] == [WAIT]


async def test_a_wait_is_bounded_and_reports_how_far_it_has_come(connect: Connect, sandbox: Sandbox) -> None:
    """A store that takes long is answered as it stands, and the client that asked for progress got some."""
    told: list[tuple[float, float | None, str | None]] = []

    async def note(progress: float, total: float | None, message: str | None) -> None:
        told.append((progress, total, message))

    sandbox.misbehave(READ, Fault(body=b'{"store": {"status": "onboarding"}}'), times=99)
    async with connect(ready_wait=0.8) as client:
        made = await client.call_tool("create-store", FREE, progress_callback=note)
    assert made.structured_content
    assert (made.structured_content["status"], made.structured_content["store"]["status"]) == ("created", "onboarding")
    assert told[0] == (0.5, 0.8, "The store was created and is being set up.")
