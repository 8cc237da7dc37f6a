"""A world for every test, and nothing of the machine's proxies. Fakes nothing of ours."""

from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path

import pytest

from ..approval.world import World, a_world
from ..sockets import MACHINE_VARIABLES
from .approving import Approve, approve_at
from .office import AGENT, PERSON, Office, an_office, http_variables
from .refusing import APP, NAMES


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """A sandbox and a state folder in which nothing has happened."""
    async with a_world(tmp_path / "state") as made:
        yield made


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the machine's variables say about proxies and certificates is no business of these tests."""
    for name in MACHINE_VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
async def office(world: World) -> AsyncIterator[Office]:
    """A server with an agent, somebody who may only read, and a person who may only approve."""
    scopes = {"alice": AGENT, "reader": ("stores:read",), "clerk": PERSON}
    more = {"VERCEL_MCP_HTTP_ALLOWED_HOSTS": NAMES, "VERCEL_MCP_HTTP_ALLOWED_ORIGINS": APP}
    async with an_office(world, http_variables(world.folder.parent, scopes, **more)) as made:
        yield made


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A home folder that does not exist, and must not at the end."""
    folder = tmp_path / "home"
    yield folder
    assert not folder.exists()


@pytest.fixture
def approve(home: Path) -> Approve:
    """Run the command `approve --server` in a terminal of a person without a home."""
    return partial(approve_at, home)
