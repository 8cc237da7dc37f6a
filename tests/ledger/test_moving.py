"""Moving a ledger from SQLite into PostgreSQL: all of it, once, and nobody spends from the old one afterwards."""

# ruff: noqa: ASYNC240 - a test may wait for the disk

import sqlite3
from contextlib import closing
from pathlib import Path

import anyio
import pytest
from pydantic import SecretStr

from vercel_marketplace_mcp import cli
from vercel_marketplace_mcp.ledger import postgres_errors, postgres_server
from vercel_marketplace_mcp.ledger.files import FILE_NAME
from vercel_marketplace_mcp.ledger.moving import move
from vercel_marketplace_mcp.ledger.opening import open_ledger
from vercel_marketplace_mcp.ledger.postgres import PostgresLedger
from vercel_marketplace_mcp.ledger.records import Begun, Ledger, LedgerError
from vercel_marketplace_mcp.ledger.sqlite import SqliteLedger
from vercel_marketplace_mcp.settings import load_policy

from .places import Database
from .support import Clock, approve, ask, buy, history, identity, needs_a_yes, purchase, send

pytestmark = pytest.mark.anyio

MOVED = (
    "The ledger in this state folder was moved into PostgreSQL. Set VERCEL_MCP_LEDGER_URL, or choose another "
    "VERCEL_MCP_STATE_DIR."
)


async def lived_in(folder: Path, clock: Clock) -> SqliteLedger:
    """A ledger with purchases of every kind, a question that waits and a yes that stands."""
    ledger = SqliteLedger(folder, clock)
    await ledger.secret()
    for state in ("created", "rejected", "unknown", "never_sent", "mismatch"):
        await buy(ledger, state, state=state)
        clock.at += 1
    await send(ledger, "under way")
    await ask(ledger, identity("waiting"))
    await approve(ledger, identity("approved"))
    return ledger


async def told(ledger: Ledger) -> list[object]:
    """All that a ledger tells."""
    purchases = await ledger.purchases(99)
    questions = await ledger.pending()
    rows = [await ledger.audit(one) for one in [found.id for found in purchases] + [found.id for found in questions]]
    return [purchases, questions, rows, await ledger.secret(), await history(ledger), await ledger.verify()]


async def refusal(ledger: Ledger) -> str:
    """What a ledger says that can't be used."""
    with pytest.raises(LedgerError) as caught:
        await ledger.background(identity(), "p/q")
    return str(caught.value)


async def test_all_of_a_ledger_moves_and_the_old_one_is_set_aside(
    folder: Path, database: Database, clock: Clock
) -> None:
    """Whatever it told, the new one tells; a server that runs on the old one stops at once, and none starts."""
    running = await lived_in(folder, clock)
    before = await told(running)
    target = database.ledger(clock)
    assert await move(folder, target) == 6
    assert await told(target) == before
    assert await refusal(running) == MOVED
    assert await refusal(SqliteLedger(folder)) == MOVED
    assert isinstance(await target.begin(purchase("approved"), needs_a_yes), Begun)
    await ask(target, identity("later"))
    assert await target.verify() is None
    await target.aclose()
    await running.aclose()


async def test_a_move_that_failed_halfway_is_run_again(folder: Path, database: Database, clock: Clock) -> None:
    """The old ledger is set aside first: there are never two that buy. Once it is moved, once more does nothing."""
    old = await lived_in(folder, clock)
    before = await told(old)
    away = PostgresLedger(database.server.url(database.name, port=1))
    with pytest.raises(LedgerError, match="can't be reached"):
        await move(folder, away)
    assert await told(old) == before
    target = database.ledger(clock)
    await database.rows("CREATE SCHEMA vercel_marketplace_mcp CREATE TABLE questions (id int)")
    with pytest.raises(LedgerError):
        await move(folder, target)
    await database.rows("DROP SCHEMA vercel_marketplace_mcp CASCADE")
    for _ in range(2):
        assert await move(folder, target) == 6
    assert await told(target) == before
    assert await refusal(old) == MOVED
    await old.aclose()
    await target.aclose()


async def test_a_copy_that_breaks_off_leaves_the_old_ledger_set_aside(
    folder: Path, database: Database, clock: Clock
) -> None:
    """Nobody knows how far it got, so nobody buys until the command has ended well."""
    old = await lived_in(folder, clock)
    before = await told(old)
    target = database.ledger(clock)
    await target.secret()
    await database.rows("ALTER TABLE purchases ADD CONSTRAINT none CHECK (state <> 'mismatch')")
    with pytest.raises(LedgerError) as caught:
        await move(folder, target)
    assert str(caught.value) == postgres_errors.OTHERWISE
    assert await refusal(old) == MOVED
    assert await target.purchases(9) == []
    await database.rows("ALTER TABLE purchases DROP CONSTRAINT none")
    assert await move(folder, target) == 6
    assert await told(target) == before
    await old.aclose()
    await target.aclose()


async def test_a_ledger_is_moved_into_an_empty_one_only(folder: Path, database: Database, clock: Clock) -> None:
    """Two ledgers can't be one: each has a log and a budget of its own."""
    old, target = await lived_in(folder, clock), database.ledger(clock)
    await ask(target, identity("its own"))
    with pytest.raises(LedgerError) as caught:
        await move(folder, target)
    assert str(caught.value) == postgres_server.NOT_EMPTY
    assert len(await target.pending()) == 1
    assert await old.verify() is None
    await old.aclose()
    await target.aclose()


async def test_only_a_whole_ledger_is_moved(folder: Path, database: Database, clock: Clock) -> None:
    """What is missing, changed or no database is not carried on as if nothing were."""
    target = database.ledger(clock)
    with pytest.raises(LedgerError, match="There is no ledger in"):
        await move(folder, target)
    old = await lived_in(folder, clock)
    await old.aclose()
    with closing(sqlite3.connect(folder / FILE_NAME, isolation_level=None)) as db:
        db.execute("DROP TRIGGER audit_is_never_changed")
        db.execute("UPDATE audit SET kind = 'declined' WHERE seq = 3")
    with pytest.raises(LedgerError, match="The ledger does not verify: row 3"):
        await move(folder, target)
    (folder / FILE_NAME).write_bytes(b"no database" * 1000)
    with pytest.raises(LedgerError, match="The ledger is damaged"):
        await move(folder, target)
    assert await target.purchases(9) == []
    await target.aclose()


async def test_a_copy_that_does_not_verify_is_an_error(folder: Path, database: Database, clock: Clock) -> None:
    """What was copied is read again before anybody is told that it is there."""
    old, target = await lived_in(folder, clock), database.ledger(clock)
    assert await move(folder, target) == 6
    await database.rows("ALTER TABLE audit DISABLE TRIGGER USER")
    await database.rows("UPDATE audit SET kind = 'declined' WHERE seq = 3")
    with pytest.raises(LedgerError, match="The ledger in PostgreSQL does not verify: row 3"):
        await move(folder, target)
    await old.aclose()
    await target.aclose()


async def test_the_settings_say_where_the_ledger_is(folder: Path) -> None:
    """An address of PostgreSQL, or else the state folder."""
    where = {"VERCEL_MCP_STATE_DIR": str(folder)}
    assert isinstance(open_ledger(load_policy(where)), SqliteLedger)
    assert isinstance(open_ledger(load_policy({**where, "VERCEL_MCP_LEDGER_URL": "postgresql://h/db"})), PostgresLedger)
    assert not folder.exists()


def test_the_command_moves_a_ledger(
    folder: Path, database: Database, clock: Clock, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It says where the ledger is from now on, and every other command finds it there."""

    async def live() -> None:
        await (await lived_in(folder, clock)).aclose()

    anyio.run(live)
    assert command("import", "--state-dir", str(folder)) == 2
    assert "Set VERCEL_MCP_LEDGER_URL to the database" in capsys.readouterr().err
    monkeypatch.setenv("VERCEL_MCP_LEDGER_URL", database.address)
    assert command("import", "--state-dir", str(folder)) == 0
    assert capsys.readouterr().out == f"Moved, 6 purchases. No server uses the ledger in {folder} any more.\n"
    assert command("list") == 0
    assert len(capsys.readouterr().out.splitlines()) == 6
    assert command("verify") == 0
    monkeypatch.delenv("VERCEL_MCP_LEDGER_URL")
    assert command("list", "--state-dir", str(folder)) == 2
    assert MOVED in capsys.readouterr().err


def command(*arguments: str) -> int:
    """The exit code of a command about the ledger."""
    with pytest.raises(SystemExit) as ended:
        cli.main(["ledger", *arguments])
    assert isinstance(ended.value.code, int)
    return ended.value.code


def test_the_address_of_a_ledger_is_wrapped() -> None:
    """T51: whoever prints one prints no password."""
    assert "secret" not in repr(PostgresLedger(SecretStr("postgresql://user:secret@h/db")))
