"""The resource that tells of the purchases, through a real client in both eras, with a ledger whole and broken."""

import json
import logging
from pathlib import Path

import mcp_types as types
import pytest
from mcp import Client

from vercel_marketplace_mcp.sandbox import SANDBOX_TEAM_ID, SANDBOX_TOKEN, Fault, Sandbox

from .approval.test_without_a_ledger import Spoil, corrupt, exposed, newer, unwritable
from .approval.world import FREE, a_world, buy
from .conftest import Call, Clock, Connect, Json
from .ledger import support
from .reading import FIXED, PURCHASES, UNFORESEEN, error_of, text_of

pytestmark = pytest.mark.anyio


async def purchases_of(client: Client) -> Json:
    """What the resource tells of the purchases."""
    found = json.loads(await text_of(client, PURCHASES))
    assert isinstance(found, dict)
    return found


async def test_the_purchases_are_told_newest_first(
    connect: Connect, call: Call, clock: Clock, sandbox: Sandbox
) -> None:
    """What was bought and what was not, whole; the store's ids lead on to connect-store."""
    async with connect() as client:
        assert await purchases_of(client) == {"purchases": [], "truncated": False}
        made = await call(client, "create-store", {**FREE, "name": "first"})
        clock.advance(60)
        sandbox.misbehave("createIntegrationStoreDirect", Fault(status=402))
        await call(client, "create-store", {**FREE, "name": "second"})
        found = await purchases_of(client)
    second, first = found.pop("purchases")
    assert found == {"truncated": False}
    common: Json = {"account": f"https://api.vercel.com {SANDBOX_TEAM_ID}", "product": "brindle/brindle-postgres"}
    common |= {"plan": "free", "counts_usd": "0.00", "settled_at": None}
    assert first == {
        **common,
        "id": first["id"],
        "name": "first",
        "state": "created",
        "created_at": "2026-11-22T12:00:00+00:00",
        "finished_at": "2026-11-22T12:00:00+00:00",
        "store": {"id": made["store"]["id"], "integrationConfigurationId": FREE["integrationConfigurationId"]},
    }
    assert second == {
        **common,
        "id": second["id"],
        "name": "second",
        "state": "rejected",
        "created_at": "2026-11-22T12:01:00+00:00",
        "finished_at": "2026-11-22T12:01:00+00:00",
    }


async def test_many_purchases_are_cut_and_no_text_of_theirs_misleads(era: str, tmp_path: Path) -> None:
    """The newest fifty, cleaned; neither digests nor what a person was asked leave the ledger."""
    async with a_world(tmp_path / "state") as world:
        ledger = world.ledger()
        for number in range(51):
            world.clock.now += 1
            await support.buy(ledger, f"{number}", product="evil/\u202eproduct\n[x](http://evil.example)")
        secret = await ledger.secret()
        async with world.client(era) as client:
            text = await text_of(client, PURCHASES)
    found = json.loads(text)
    assert found["truncated"] is True
    assert [one["name"] for one in found["purchases"]] == [f"store-{number}" for number in range(50, 0, -1)]
    assert {one["product"] for one in found["purchases"]} == {"evil/product [x] (http://evil.example)"}
    assert {one["counts_usd"] for one in found["purchases"]} == {"20.00"}
    hidden = ("fingerprint of", "request of", "key of", secret.hex(), SANDBOX_TOKEN, "To buy, type")
    assert [word for word in hidden if word in text] == []


@pytest.mark.parametrize("spoil", [corrupt, unwritable, exposed, newer], ids=lambda spoil: spoil.__name__)
async def test_without_a_ledger_the_purchases_are_an_error_and_the_rest_goes_on(
    era: str, spoil: Spoil, tmp_path: Path
) -> None:
    """The error says what to mend, in our words, and names no path; the other resources are read."""
    async with a_world(tmp_path / "state") as world:
        with spoil(world.folder):
            async with world.client(era) as client:
                error = await error_of(client.read_resource(PURCHASES))
                for uri in FIXED[:2]:
                    assert (await client.read_resource(uri)).contents
    assert (error.code, error.data) == (types.INTERNAL_ERROR, {"code": "ledger_unavailable"})
    assert (error.message.endswith("."), str(tmp_path) in error.message) == (True, False)


@pytest.mark.parametrize("era", ["auto"], indirect=True)
async def test_a_locked_ledger_is_an_error_until_it_is_free(era: str, tmp_path: Path) -> None:
    """Another program holds the database; afterwards the same request is answered."""
    async with a_world(tmp_path / "state") as world, world.client(era) as client:
        await buy(client, **FREE)
        with world.database() as db:
            db.isolation_level = None
            db.execute("BEGIN EXCLUSIVE")
            error = await error_of(client.read_resource(PURCHASES))
            db.execute("ROLLBACK")
        assert "locked by another process" in error.message
        assert [one["state"] for one in (await purchases_of(client))["purchases"]] == ["created"]


async def test_an_unforeseen_failure_is_logged_and_told_in_our_words(
    era: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A receipt that nobody can read stands for whatever nobody thought of: its text reaches the log and no client."""
    async with a_world(tmp_path / "state") as world, world.client(era) as client:
        await buy(client, **FREE)
        with world.database() as db, db:
            db.execute("UPDATE purchases SET receipt = 'broken words'")
        error = await error_of(client.read_resource(PURCHASES))
        assert (await client.list_resources()).resources  # the connection is well
    assert error == UNFORESEEN
    (record,) = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert (record.getMessage(), bool(record.exc_info)) == ("resources/read failed in an unforeseen way", True)
