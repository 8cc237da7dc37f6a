"""Holds tests/guards.toml against the code: every guard is where it says. It removes none of them."""

import ast
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
GUARDS: list[dict[str, Any]] = tomllib.loads((ROOT / "tests" / "guards.toml").read_text("utf-8"))["guard"]


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard["name"])
def test_a_guard_can_be_removed_as_the_list_says(guard: dict[str, Any]) -> None:
    """It stands once in its file, without it the file is still Python, and the tests that would notice exist."""
    text = (ROOT / "server" / "vercel_marketplace_mcp" / guard["file"]).read_text("utf-8")
    assert text.count(guard["guard"]) == 1
    ast.parse(text.replace(guard["guard"], guard["removed"]))
    assert guard["tests"]
    assert [test for test in guard["tests"] if not (ROOT / test).is_file()] == []


def test_no_guard_is_listed_twice() -> None:
    """Each entry is a guard of its own."""
    assert len({(guard["file"], guard["guard"]) for guard in GUARDS}) == len({guard["name"] for guard in GUARDS})
    assert len(GUARDS) >= 20
