"""Runs the conformance suite of the Model Context Protocol and reads what it found. It judges nothing.

The suite wants Node 22 or newer: the one on the PATH, else the one that package-lock.json pins for this platform.
"""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio

from .. import node_tools

OLDEST_NODE = 22
NOTHING = "nothing was checked"
LASTS = 200.0
"""Seconds after which a run of the suite counts as hung."""
_RESULT = re.compile(r"server-(?P<scenario>.+)-\d{4}-\d\d-\d\dT[\d-]+Z")


@dataclass(frozen=True, kw_only=True, slots=True)
class Ended:
    """What a scenario ended with: the checks that succeeded, and the names of those that did not."""

    succeeded: int
    not_succeeded: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Suite:
    """The suite, and the Node that runs it."""

    node: str
    program: Path

    async def run(self, url: str, results: Path, *options: str) -> Mapping[str, Ended]:
        """Run scenarios against the server at `url`, and return what each ended with, by name."""
        command = [self.node, str(self.program), "server", "--url", url, "--output-dir", str(results), *options]
        environment = {"PATH": os.environ["PATH"], "HOME": str(results.parent)}
        with anyio.fail_after(LASTS):
            done = await anyio.run_process(
                command, env=environment, stdin=subprocess.DEVNULL, stderr=subprocess.STDOUT, check=False
            )
        assert done.returncode in {0, 1}, done.stdout.decode()[-2000:]
        return read(results)


def installed() -> Suite:
    """The suite as package-lock.json pins it; skips the test, or fails it in CI, where there is no fitting Node."""
    program = node_tools.program("conformance")
    places = (shutil.which("node"), str(node_tools.PROGRAMS / "node"))
    node = next((place for place in places if place and _version(place) >= OLDEST_NODE), None)
    if node is None:
        node_tools.give_up("conformance", f"there is no Node {OLDEST_NODE} or newer, on the PATH or for this platform")
    return Suite(node=node, program=program)


def _version(node: str) -> int:
    try:
        shown = subprocess.run([node, "--version"], capture_output=True, text=True, check=False, timeout=60).stdout
    except OSError:  # none is installed, or it is one for another platform
        return 0
    return int((re.findall(r"\d+", shown) or ["0"])[0])


def read(results: Path) -> Mapping[str, Ended]:
    """Return what each scenario ended with, from the files that the suite wrote."""
    found = {}
    for path in sorted(results.glob("*/checks.json")):
        named = _RESULT.fullmatch(path.parent.name)
        assert named, path
        found[named["scenario"]] = judged(json.loads(path.read_text("utf-8")))
    return found


def judged(checks: Iterable[Mapping[str, Any]]) -> Ended:
    """Sort the checks of a scenario. Warnings and what was skipped have not succeeded; remarks are no checks."""
    judgements = [(str(check["id"]), check["status"]) for check in checks if check["status"] != "INFO"]
    succeeded = sum(status == "SUCCESS" for _, status in judgements)
    others = sorted({name for name, status in judgements if status != "SUCCESS"})
    return Ended(succeeded=succeeded, not_succeeded=tuple(others if succeeded or others else [NOTHING]))
