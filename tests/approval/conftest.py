"""A world for every test, on a state folder of its own."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from .world import World, a_world


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """A sandbox and a state folder in which nothing has happened."""
    async with a_world(tmp_path / "state") as made:
        yield made
