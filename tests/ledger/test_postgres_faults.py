"""PostgreSQL that can't be used, is gone, hangs or is cut off: a sentence within seconds; then the ledger goes on."""

import logging
import signal
import sys
import traceback
from collections.abc import Iterator

import anyio
import anyio.to_thread
import asyncpg  # type: ignore[import-untyped]
import pytest
from pydantic import SecretStr

from vercel_marketplace_mcp.ledger import postgres_errors, postgres_server
from vercel_marketplace_mcp.ledger.postgres import PostgresLedger
from vercel_marketplace_mcp.ledger.postgres_errors import PassingError
from vercel_marketplace_mcp.ledger.records import Ledger, LedgerError

from . import postgres
from .places import Database
from .postgres import Server
from .support import Clock, approve, ask, begin, identity, needs_a_yes, purchase, send, start
from .test_processes import acknowledged, assert_acknowledged, assert_no_yes_is_used_and_usable
from .wire import wired

pytestmark = pytest.mark.anyio

BOUND = 20
"""Seconds within which a call has to fail, whatever does not answer; the machine may be busy."""


@pytest.fixture
def own_server(server: Server) -> Iterator[Server]:  # noqa: ARG001 - where none can be started, the reason is there
    """A server that a test may kill."""
    with postgres.serving() as found:
        yield found


async def problem(ledger: Ledger) -> str:
    """What the ledger says when it can't be used, in a bounded time."""
    with anyio.fail_after(BOUND), pytest.raises(LedgerError) as caught:
        await ask(ledger, identity())
    await ledger.aclose()
    return str(caught.value)


async def test_what_keeps_a_ledger_from_being_reached_is_a_sentence(database: Database) -> None:
    """T58: a wrong password, a database that does not exist, and nobody who listens."""
    server = database.server
    said = [
        await problem(PostgresLedger(server.url(database.name, password="another"))),
        await problem(PostgresLedger(server.url("nowhere"))),
        await problem(PostgresLedger(server.url(database.name, port=1))),
        await problem(PostgresLedger(SecretStr("postgresql://ledger:p@ss:word@[host/db"))),
    ]
    assert said == [
        postgres_errors.REFUSED,
        postgres_errors.MISSING,
        postgres_errors.UNREACHABLE,
        postgres_errors.UNREADABLE,
    ]


async def test_a_login_that_may_not_write_is_told_so(database: Database) -> None:
    """T58: it can neither make the ledger's schema nor use another's."""
    await database.rows("CREATE ROLE reader LOGIN PASSWORD 'reader'")
    try:
        url = database.address.replace(f"//{postgres.USER}:", "//reader:")
        address = url[: url.index("reader:")] + "reader:reader" + url[url.index("@127.0.0.1") :]
        assert await problem(PostgresLedger(SecretStr(address))) == postgres_errors.FORBIDDEN
        whole = database.ledger()
        await ask(whole, identity())
        await whole.aclose()
        assert await problem(PostgresLedger(SecretStr(address))) == postgres_errors.FORBIDDEN
    finally:
        await database.rows("DROP ROLE reader")


async def test_a_copy_that_can_only_be_read_is_refused(own_server: Server) -> None:
    """T58: a ledger on a standby would know nothing of what was just bought."""
    ledger = PostgresLedger(own_server.url("postgres"))
    await ask(ledger, identity())
    await anyio.to_thread.run_sync(own_server.stop)
    own_server.data.joinpath("standby.signal").touch()
    await anyio.to_thread.run_sync(own_server.start)
    assert await problem(ledger) == postgres_errors.READ_ONLY


async def test_without_asyncpg_the_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an extra, which most people do not need."""
    monkeypatch.setitem(sys.modules, "asyncpg", None)
    said = "A ledger in PostgreSQL needs asyncpg. Install it: pip install 'vercel-marketplace-mcp[postgres]'"
    assert await problem(PostgresLedger(SecretStr("postgresql://h/db"))) == said


PASSWORD = "hunter2"
SENTENCES = [
    (asyncpg.DiskFullError, postgres_errors.FULL),
    (asyncpg.TooManyConnectionsError, postgres_errors.CROWDED),
    (asyncpg.ReadOnlySQLTransactionError, postgres_errors.READ_ONLY),
    (asyncpg.DataCorruptedError, postgres_errors.DAMAGED),
    (asyncpg.LockNotAvailableError, postgres_errors.LOCKED),
    (asyncpg.DeadlockDetectedError, postgres_errors.LOCKED),
    (asyncpg.AdminShutdownError, postgres_errors.UNREACHABLE),
    (asyncpg.UndefinedTableError, postgres_errors.OTHERWISE),
    (asyncpg.InterfaceError, postgres_errors.UNREACHABLE),
    (TimeoutError, postgres_errors.UNREACHABLE),
]


@pytest.mark.parametrize(("kind", "said"), SENTENCES)
def test_every_trouble_has_a_sentence_without_the_server_s_words(kind: type[Exception], said: str) -> None:
    """T51: those may name the address, and with it the password."""
    found = postgres_errors.explained(kind(PASSWORD))
    assert str(found) == said
    passing = {postgres_errors.CROWDED, postgres_errors.LOCKED, postgres_errors.UNREACHABLE}
    assert isinstance(found, PassingError) == (said in passing)


def test_what_is_no_trouble_of_the_database_s_is_not_explained() -> None:
    """A mistake in our own code is not blamed on the server."""
    assert postgres_errors.explained(ZeroDivisionError()) is None


async def test_a_ledger_that_was_never_used_is_closed_without_a_word() -> None:
    """Nobody connects only to take leave."""
    await PostgresLedger(SecretStr("postgresql://h/db")).aclose()


async def test_no_message_holds_the_password(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    """T51: neither what is raised, with all that led to it, nor what any library logs on the way."""
    caplog.set_level(logging.DEBUG)
    server, said = database.server, ""
    for url in (
        server.url(database.name, password=PASSWORD),
        server.url(database.name, password=PASSWORD, port=1),
        SecretStr(f"postgresql://ledger:x@{PASSWORD}:5432:x/db"),
        SecretStr(f"postgresql://ledger:{PASSWORD}@127.0.0.1:{server.port}/db?sslmode={PASSWORD}"),
    ):
        ledger = PostgresLedger(url)
        with pytest.raises(LedgerError) as caught:
            await ledger.pending()
        said += "".join(traceback.format_exception(caught.value)) + repr(ledger) + str(vars(ledger))
    assert PASSWORD not in said
    assert PASSWORD not in caplog.text


async def test_a_ledger_of_a_newer_program_is_not_touched(database: Database) -> None:
    """An older program does not know what it would break, whether it connects now or has been connected."""
    open_one, fresh = database.ledger(), database.ledger()
    await open_one.secret()
    await database.rows("UPDATE meta SET value = '99' WHERE name = 'schema_version'")
    assert await problem(open_one) == postgres_server.NEWER
    assert await problem(fresh) == postgres_server.NEWER
    await database.rows(f"UPDATE meta SET value = '{postgres_server.SCHEMA_VERSION}' WHERE name = 'schema_version'")  # noqa: S608
    await ask(fresh, identity())
    await fresh.aclose()


async def test_a_killed_replica_leaves_nothing_half_done_and_no_lock(database: Database) -> None:
    """T42: killed between the first statement of a transaction and its end."""
    process = start(database.address, "freeze")
    assert process.stdout
    assert process.stdout.readline() == '"held"\n'
    process.kill()
    process.communicate()
    ledger = database.ledger()
    question = await ask(ledger, identity("two"))
    assert await ledger.pending() == [question]
    await ledger.aclose()


async def test_a_frozen_replica_holds_nobody_up_for_long(database: Database) -> None:
    """The server ends its transaction before the others have stopped waiting: they are late, but nothing fails."""
    process = start(database.address, "freeze")
    assert process.stdout
    assert process.stdout.readline() == '"held"\n'
    process.send_signal(signal.SIGSTOP)
    ledger, other = database.ledger(), database.ledger()
    try:
        with anyio.fail_after(BOUND):
            questions = [await ask(ledger, identity("two")), await ask(other, identity("three"))]
        assert await ledger.pending() == questions
    finally:
        process.send_signal(signal.SIGCONT)
    _, errors = process.communicate("\n")
    assert errors.rstrip().endswith(f"PassingError: {postgres_errors.UNREACHABLE}")
    await ledger.aclose()
    await other.aclose()


async def test_a_server_that_is_killed_and_started_again_has_lost_nothing(own_server: Server) -> None:
    """T42, T58: what was acknowledged is there, what was not is whole or absent, and replicas go on by themselves."""
    database = Database(server=own_server, name="postgres")
    ledger = database.ledger()
    await ask(ledger, identity("before"))
    with start(database.address, "live", "0") as living:
        assert living.stdout
        assert living.stderr
        said = [living.stdout.readline() for _ in range(20)]
        await anyio.to_thread.run_sync(own_server.kill)
        said.append(await anyio.to_thread.run_sync(living.stdout.read))
        errors = await anyio.to_thread.run_sync(living.stderr.read)
    assert errors.rstrip().endswith(f"PassingError: {postgres_errors.UNREACHABLE}")
    with anyio.fail_after(BOUND), pytest.raises(PassingError, match="can't be reached"):
        await ledger.pending()
    await anyio.to_thread.run_sync(own_server.start)
    assert [question.fingerprint for question in await ledger.pending()][:1] == [identity("before").fingerprint]
    await assert_acknowledged(database, acknowledged("".join(said)))
    await assert_no_yes_is_used_and_usable(database)
    assert await ledger.verify() is None
    await ledger.aclose()


async def test_an_outcome_is_recorded_although_the_server_is_away_meanwhile(own_server: Server) -> None:
    """What Vercel has answered is not lost with a restart of the database."""
    ledger = Database(server=own_server, name="postgres").ledger()
    purchase_id = await send(ledger)
    await anyio.to_thread.run_sync(own_server.kill)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ledger.finish, purchase_id, "created", {"status": "created"})
        await anyio.to_thread.run_sync(own_server.start)
    found = await ledger.purchase(purchase_id)
    assert found is not None
    assert found.state == "created"
    await ledger.aclose()


async def test_a_cut_wire_is_an_error_in_a_bounded_time_for_all_who_wait(database: Database) -> None:
    """T58: fifty calls at once into a network that swallows everything, then into one that is back."""
    async with wired(database.server.port) as wire:
        ledger = PostgresLedger(database.server.url(database.name, port=wire.port))
        await ask(ledger, identity("before"))
        wire.hold()
        said: list[str] = []

        async def attempt(number: int) -> None:
            with pytest.raises(LedgerError) as caught:
                await ask(ledger, identity(f"{number}"))
            said.append(str(caught.value))

        with anyio.fail_after(BOUND):
            async with anyio.create_task_group() as tasks:
                for number in range(50):
                    tasks.start_soon(attempt, number)
        assert said == [postgres_errors.UNREACHABLE] * 50
        assert await problem(ledger) == postgres_errors.UNREACHABLE
        wire.let_go()
        assert [question.fingerprint for question in await ledger.pending()] == [identity("before").fingerprint]
        await ledger.aclose()


async def test_an_outcome_that_can_not_be_recorded_is_an_error_in_the_end(database: Database) -> None:
    """Nobody is told that it was; the purchase counts as unknown, and a person looks."""
    ledger = database.ledger()
    purchase_id = await send(ledger)
    await ledger.aclose()
    away = PostgresLedger(database.server.url(database.name, port=1), patience=1)
    with anyio.fail_after(BOUND), pytest.raises(PassingError):
        await away.finish(purchase_id, "created", {})


async def test_a_commit_whose_answer_is_lost_is_an_error_and_buys_nothing_twice(
    database: Database, clock: Clock
) -> None:
    """T11: the yes may be used and the intent written, but nobody was told to send; after its time it is given back."""
    async with wired(database.server.port) as wire:
        ledger = PostgresLedger(database.server.url(database.name, port=wire.port), clock)
        await approve(ledger, identity())
        wire.cut_at = wire.commits + 1
        with pytest.raises(PassingError):
            await ledger.begin(purchase(), needs_a_yes)
        (intent,) = await ledger.purchases(9)
        assert intent.state == "prepared"
        clock.at += 30
        purchase_id = await begin(ledger, purchase())
        wire.cut_at = wire.commits + 1
        with pytest.raises(PassingError):
            await ledger.start_sending(purchase_id)
        assert [found.state for found in await ledger.purchases(9)] == ["never_sent", "never_sent"]
        await begin(ledger, purchase())
        await ledger.aclose()


async def test_an_outcome_whose_answer_is_lost_is_recorded_once(database: Database) -> None:
    """It is recorded again, which changes nothing."""
    async with wired(database.server.port) as wire:
        ledger = PostgresLedger(database.server.url(database.name, port=wire.port))
        purchase_id = await send(ledger)
        wire.cut_at = wire.commits + 1
        await ledger.finish(purchase_id, "created", {"status": "created"})
        assert [row.kind for row in await ledger.audit(purchase_id)] == ["prepared", "sending", "created"]
        assert await ledger.verify() is None
        await ledger.aclose()
