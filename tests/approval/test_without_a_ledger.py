"""Without a ledger that can be written nothing is created; reading goes on."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import anyio
import pytest

from .world import FREE, PRO, Json, Person, World, buy, first_round, typed

pytestmark = pytest.mark.anyio

Spoil = Callable[[Path], AbstractContextManager[None]]
CALLS: list[tuple[str, Json]] = [
    ("list-configurations", {}),
    ("list-products", {"id": PRO["integrationConfigurationId"]}),
    ("list-plans", {"integrationIdOrSlug": "brindle", "productIdOrSlug": "brindle-postgres"}),
]


@contextmanager
def corrupt(folder: Path) -> Iterator[None]:
    """The file is no database."""
    folder.mkdir(mode=0o700, exist_ok=True)
    (folder / "ledger.sqlite3").write_bytes(b"this is not a database, and never was one" * 1000)
    (folder / "ledger.sqlite3").chmod(0o600)
    yield


@contextmanager
def unwritable(folder: Path) -> Iterator[None]:
    """Something that is no folder stands in its place."""
    folder.write_text("a file", "utf-8")
    yield


@contextmanager
def exposed(folder: Path) -> Iterator[None]:
    """Everybody may write to the folder, so nothing in it can be trusted."""
    folder.mkdir()
    folder.chmod(0o777)
    yield


@contextmanager
def newer(folder: Path) -> Iterator[None]:
    """A version of this program that does not exist yet has written it."""
    folder.mkdir(mode=0o700)
    with sqlite3.connect(folder / "ledger.sqlite3") as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    (folder / "ledger.sqlite3").chmod(0o600)
    yield


@pytest.mark.parametrize("spoil", [corrupt, unwritable, exposed, newer], ids=lambda spoil: spoil.__name__)
async def test_nothing_is_created_and_the_lists_go_on(era: str, spoil: Spoil, world: World) -> None:
    """T58: free or paid, the answer is a sentence for the operator; nobody is asked, and no request leaves."""
    person = Person(typed("20.00"))
    with spoil(world.folder):
        async with world.client(era, person) as client:
            found = [await buy(client, **arguments) for arguments in (PRO, FREE, {**FREE, "billingPlanId": None})]
            listed = [await client.call_tool(name, arguments) for name, arguments in CALLS]
    assert [(one["status"], one["error"]["code"]) for one in found] == [("unavailable", "ledger_unavailable")] * 3
    assert {one["money"] for one in found} == {"This call created nothing and charged nothing."}
    assert all(one["error"]["message"].endswith(".") and one["next_steps"] for one in found)
    assert [one.is_error for one in listed] == [False] * 3
    assert (person.shown, world.sandbox.posts) == ([], [])


async def test_a_ledger_that_breaks_between_question_and_answer_buys_nothing(era: str, world: World) -> None:
    """T58: the yes can't be recorded, so it is none; with a whole ledger again the purchase is asked about again."""

    def spoil() -> None:
        for path in world.folder.glob("ledger.sqlite3*"):
            path.unlink()
        with corrupt(world.folder):
            pass

    async with world.client(era, Person(typed("20.00"), meanwhile=spoil)) as client:
        await world.close_ledgers()
        found = await buy(client)
    assert (found["status"], world.sandbox.posts) == ("unavailable", [])


async def test_a_locked_ledger_buys_nothing_until_it_is_free(world: World) -> None:
    """T58: another program holds the database in both eras; afterwards the same call goes on as if nothing had been."""
    async with (
        world.client("legacy", Person(typed("20.00"))) as older,
        world.client("auto", Person(typed("20.00"))) as newer_one,
    ):
        opened = await first_round(newer_one, name="second")
        assert (await older.call_tool("create-store", {})).is_error  # has opened the ledger, too
        db = sqlite3.connect(world.folder / "ledger.sqlite3", isolation_level=None)
        db.execute("BEGIN EXCLUSIVE")
        found: list[Json] = []

        async def keep(call: Callable[[], object]) -> None:
            found.append(await call())  # type: ignore[misc]

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(keep, lambda: buy(older))
            tasks.start_soon(keep, lambda: opened.end(newer_one))
        assert [(one["status"], one["error"]["code"]) for one in found] == [("unavailable", "ledger_unavailable")] * 2
        assert "locked by another process" in found[0]["error"]["message"]
        assert world.sandbox.posts == []
        db.execute("ROLLBACK")
        db.close()
        assert [(await buy(older))["status"], (await opened.end(newer_one))["status"]] == ["created", "created"]
    assert len(world.bodies) == 2
