"""Takes each guard of tests/guards.toml out of a copy of this checkout, and sees its tests fail.

Exit codes: 0 every removal was noticed, 1 one was not.
"""

import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
PARTS = ("server", "tests", "tool_specs", "scripts", "examples", "pyproject.toml", "README.md")
PACKAGE = Path("server", "vercel_marketplace_mcp")
LONGEST = 900
"""Seconds after which a removal counts as noticed: the tests hang without the guard."""


def main() -> int:
    """Print a line for each guard, and how many there were."""
    guards = tomllib.loads((ROOT / "tests" / "guards.toml").read_text("utf-8"))["guard"]
    wanted = [guard for guard in guards if not sys.argv[1:] or guard["name"] in sys.argv[1:]]
    unnoticed = 0
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        for part in PARTS:
            source = ROOT / part
            (shutil.copytree if source.is_dir() else shutil.copy)(source, copy / part)
        for guard in wanted:
            found = noticed_by(copy, guard)
            unnoticed += len(guard["tests"]) - len(found)
            say(f"{guard['name']}: noticed by {len(found)} of {len(guard['tests'])}")
    say(f"{len(wanted)} guards removed, {unnoticed} removals not noticed")
    return 1 if unnoticed else 0


def noticed_by(copy: Path, guard: dict[str, str]) -> list[str]:
    """The tests that fail in the copy once the guard is gone; the copy is whole again afterwards."""
    path = copy / PACKAGE / guard["file"]
    text = path.read_text("utf-8")
    path.write_text(text.replace(guard["guard"], guard["removed"]), "utf-8")
    try:
        return [test for test in guard["tests"] if fails(copy, test)]
    finally:
        path.write_text(text, "utf-8")


def fails(copy: Path, test: str) -> bool:
    """Whether a test file fails in the copy, or never ends."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", test]
    try:
        done = subprocess.run(command, cwd=copy, capture_output=True, check=False, timeout=LONGEST)  # noqa: S603 - our tests
    except subprocess.TimeoutExpired:
        return True
    return done.returncode == 1


def say(text: str) -> None:
    """Write a line at once: a removal takes a while."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
