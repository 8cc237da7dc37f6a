"""A real PostgreSQL server for the replicas of this folder, and a town for each file. Fakes nothing of ours."""

from collections.abc import Iterator

import pytest

from ..ledger import postgres
from .town import Town, a_town


@pytest.fixture(scope="session")
def server() -> Iterator[postgres.Server]:
    """A PostgreSQL server of this process alone."""
    with postgres.serving_or_skipped() as found:
        yield found


@pytest.fixture
def town(server: postgres.Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A town in which nothing has happened."""
    with a_town(server, tmp_path_factory.mktemp("town")) as found:
        yield found
