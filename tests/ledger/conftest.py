"""Ledgers that share one storage and one clock, as several processes on one machine would."""

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from vercel_marketplace_mcp.ledger.records import Ledger

from . import postgres
from .places import Database, Folder, Place
from .postgres import Server
from .support import Clock


@pytest.fixture
def anyio_backend() -> str:
    """The ledger leaves the event loop to anyio; asyncio is what the server runs on."""
    return "asyncio"


@pytest.fixture
def clock() -> Clock:
    """The clock of every ledger in this test."""
    return Clock()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A state folder that does not exist yet."""
    return tmp_path / "state"


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A PostgreSQL server of this process alone."""
    with postgres.serving_or_skipped() as found:
        yield found


@pytest.fixture
def database(server: Server) -> Iterator[Database]:
    """A database in which nothing is."""
    name = server.new_database()
    yield Database(server=server, name=name)
    server.drop_database(name)


@pytest.fixture(params=["sqlite", "postgres"])
def kind(request: pytest.FixtureRequest) -> str:
    """What the ledgers of a test are kept in."""
    return str(request.param)


@pytest.fixture
def place(request: pytest.FixtureRequest, kind: str, folder: Path) -> Place:
    """Where the ledgers of this test are kept; nothing is there yet."""
    if kind == "sqlite":
        return Folder(path=folder)
    found: Database = request.getfixturevalue("database")
    return found


@pytest.fixture
async def ledger_factory(place: Place, clock: Clock) -> AsyncIterator[Callable[[], Ledger]]:
    """Makes ledgers on the same storage: each is what a process that was just started would use."""
    made: list[Ledger] = []

    def make() -> Ledger:
        made.append(place.ledger(clock))
        return made[-1]

    yield make
    for each in made:
        await each.aclose()


@pytest.fixture
def ledger(ledger_factory: Callable[[], Ledger]) -> Ledger:
    """A ledger in which nothing has happened."""
    return ledger_factory()
