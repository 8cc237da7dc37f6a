"""Ledgers that share one storage and one clock, as several processes on one machine would."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from vercel_marketplace_mcp.ledger.records import Ledger
from vercel_marketplace_mcp.ledger.sqlite import SqliteLedger

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


@pytest.fixture(params=["sqlite"])
async def ledger_factory(
    request: pytest.FixtureRequest, folder: Path, clock: Clock
) -> AsyncIterator[Callable[[], Ledger]]:
    """Makes ledgers on the same storage: each is what a process that was just started would use."""
    makers: dict[str, Callable[[], Ledger]] = {"sqlite": lambda: SqliteLedger(folder, clock)}
    made: list[Ledger] = []

    def make() -> Ledger:
        made.append(makers[request.param]())
        return made[-1]

    yield make
    for each in made:
        await each.aclose()


@pytest.fixture
def ledger(ledger_factory: Callable[[], Ledger]) -> Ledger:
    """A ledger in which nothing has happened."""
    return ledger_factory()
