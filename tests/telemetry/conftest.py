"""A world for every test, and a collector to which its servers report."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from ..approval.world import World, a_world
from .receiver import Collector, collecting


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """A sandbox and a state folder in which nothing has happened, at the time of day that processes read."""
    async with a_world(tmp_path / "state") as made:
        made.use_the_time_of_day()
        yield made


@pytest.fixture
def collector() -> Iterator[Collector]:
    """A collector that has received nothing."""
    with collecting() as made:
        yield made
