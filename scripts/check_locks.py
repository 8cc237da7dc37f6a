"""Checks that the lock files pin all that is declared, by hash, and hold no address and no path of a machine.

No network: whether something newer exists is not its business. It writes no file.
"""

import json
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

RUNTIME = "requirements.txt"
TEAM = "requirements-team.txt"
EVERYTHING = "requirements-dev.txt"
LANGGRAPH = "examples/agents/requirements-langgraph.txt"
PIN = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;\\]+)(?P<rest>.*?)(?=^\S|\Z)", re.MULTILINE | re.DOTALL)
FOREIGN = re.compile(r"://|\bfile:|^-(?!-hash)|(?<![\w.])/[A-Za-z]|[A-Za-z]:\\", re.MULTILINE)

Pins = dict[str, Version]


def main(root: Path) -> int:
    """Print every problem of the checkout at `root`; 0 if there is none."""
    problems = list(problems_of(root))
    for problem in problems:
        sys.stdout.write(problem + "\n")
    return 1 if problems else 0


def problems_of(root: Path) -> Iterator[str]:
    """All that is wrong with the lock files of the checkout at `root`."""
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))
    groups = project["dependency-groups"]
    texts = {name: (root / name).read_text("utf-8") for name in (RUNTIME, TEAM, EVERYTHING, LANGGRAPH)}
    pins = {name: pins_of(text) for name, text in texts.items()}
    declared = [*project["project"]["dependencies"], *group(groups, "build")]
    for name, text in texts.items():
        yield from foreign_text(name, text)
        yield from pins_without_hash(name, text)
    yield from unpinned(RUNTIME, pins[RUNTIME], declared)
    yield from unpinned(EVERYTHING, pins[EVERYTHING], [*declared, *group(groups, "dev")])
    yield from unpinned(LANGGRAPH, pins[LANGGRAPH], group(groups, "langgraph"))
    yield from unpinned(TEAM, pins[TEAM], [*declared, *chain(*project["project"]["optional-dependencies"].values())])
    for name in (RUNTIME, TEAM):
        yield from differing(name, pins[name], pins[EVERYTHING])
    if project["build-system"]["requires"] != list(group(groups, "build")):
        yield "pyproject.toml: build-system.requires and the dependency group build differ"
    yield from npm_problems(root)
    yield from environment_problems(root / "benchmarks" / "environments")


def group(groups: dict[str, list[Any]], name: str) -> Iterator[str]:
    """The requirements of a dependency group, those of the groups it includes among them."""
    for entry in groups[name]:
        if isinstance(entry, str):
            yield entry
        else:
            yield from group(groups, entry["include-group"])


def pins_of(text: str) -> Pins:
    """Which version of which package a requirements file pins."""
    return {canonicalize_name(pin["name"]): Version(pin["version"]) for pin in PIN.finditer(text)}


def foreign_text(name: str, text: str) -> Iterator[str]:
    """Addresses, options and paths: another machine has other ones."""
    for number, line in enumerate(text.splitlines(), 1):
        if FOREIGN.search(line):
            yield f"{name}:{number}: holds an address, an option or a path: {line.strip()}"


def pins_without_hash(name: str, text: str) -> Iterator[str]:
    """Pins that pip would refuse, or that no published wheel and source distribution stand behind."""
    pins = list(PIN.finditer(text))
    if len(pins) != len(re.findall(r"^[^\s#]", text, re.MULTILINE)):
        yield f"{name}: holds a line that is no pin"
    for pin in pins:
        if "--hash=sha256:" not in pin["rest"]:
            yield f"{name}: {pin['name']} has no hash"


def unpinned(name: str, pins: Pins, declared: Iterable[str]) -> Iterator[str]:
    """Declared requirements that the file does not meet."""
    for text in declared:
        requirement = Requirement(text)
        pinned = pins.get(canonicalize_name(requirement.name))
        if pinned is None or pinned not in requirement.specifier:
            yield f"{name}: {text} is declared, {pinned or 'nothing'} is pinned; run scripts/lock"


def differing(file: str, pins: Pins, everything: Pins) -> Iterator[str]:
    """Packages that tests would use in another version than the server."""
    for name, version in pins.items():
        if everything.get(name) != version:
            yield f"{EVERYTHING}: {name} is {everything.get(name)}, but {version} in {file}"


def npm_problems(root: Path) -> Iterator[str]:
    """What is wrong with package.json and its lock file."""
    manifest = json.loads((root / "package.json").read_text("utf-8"))
    packages = json.loads((root / "package-lock.json").read_text("utf-8"))["packages"]
    groups = ("devDependencies", "optionalDependencies")
    if any(packages[""].get(name) != manifest.get(name) for name in groups) or "dependencies" in manifest:
        yield "package-lock.json: does not belong to package.json; run scripts/lock"
    wanted = {name: version for group in groups for name, version in manifest.get(group, {}).items()}
    for name, version in wanted.items():
        if packages.get(f"node_modules/{name}", {}).get("version") != version:
            yield f"package-lock.json: {name} {version} is not pinned exactly"
    yield from npm_pins("package-lock.json", packages)


def npm_pins(name: str, packages: dict[str, dict[str, Any]]) -> Iterator[str]:
    """What is wrong with the packages of a lock file of npm's."""
    for path, package in packages.items():
        if "resolved" in package:
            yield f"{name}: {path} holds a download address"
        if path and "integrity" not in package and not package.get("inBundle"):
            yield f"{name}: {path} has no hash"


def environment_problems(folder: Path) -> Iterator[str]:
    """What is wrong with the locks of the environments that the benchmarks make for the alternatives."""
    for path in sorted(folder.glob("*.txt")):
        yield from foreign_text(path.name, path.read_text("utf-8"))
        yield from pins_without_hash(path.name, path.read_text("utf-8"))
    for path in sorted(folder.glob("*/package-lock.json")):
        yield from npm_pins(f"{path.parent.name}/{path.name}", json.loads(path.read_text("utf-8"))["packages"])


if __name__ == "__main__":
    sys.exit(main(Path(*sys.argv[1:2]) if sys.argv[1:] else Path(__file__).parents[1]))
