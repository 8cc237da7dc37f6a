"""What is published, built once for all tests of this folder, and an environment without a network."""

from pathlib import Path

import pytest

from . import building


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built by way of the source distribution."""
    return building.wheel(tmp_path_factory.getbasetemp())


@pytest.fixture(scope="session")
def wheelhouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a wheel of every package that the server needs here."""
    return building.wheelhouse(tmp_path_factory.getbasetemp())


@pytest.fixture
def offline(wheelhouse: Path, tmp_path: Path) -> dict[str, str]:
    """The environment of an installer that reaches no network and finds the pinned packages in a folder."""
    return building.offline(wheelhouse, tmp_path)
