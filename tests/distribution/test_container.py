"""Lints the recipe of the container image, and carries its steps out in a folder: there need be no container engine.

The one step that needs a network is left out; wheels of the packages that are installed here stand in for its own.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client, StdioServerParameters

from ..calls import VALID
from .building import PROGRAMS, ROOT, VERSION, clean_environment, run

RECIPE = (ROOT / "Dockerfile").read_text("utf-8")
IGNORED = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
LINT = ("--failure-threshold", "style", "--disable-ignore-pragma", "--trusted-registry", "docker.io", "--no-color")
UNCHECKED = 1
"""The flag in byte code that is used whatever the time or the contents of its source."""


def stages(recipe: str) -> list[list[tuple[str, str]]]:
    """The instructions of each stage, with lines that continue another joined to it and without remarks."""
    lines = re.sub(r"^ *#.*\n", "", recipe, flags=re.MULTILINE).replace("\\\n", " ").splitlines()
    found: list[list[tuple[str, str]]] = []
    for line in filter(None, lines):
        word, _, rest = line.partition(" ")
        found += [[]] if word == "FROM" else []
        found[-1].append((word, re.sub(r" {2,}", " ", rest)))
    return found


def pairs(stage: list[tuple[str, str]], word: str) -> dict[str, str]:
    """What the ENV or LABEL instructions of a stage set."""
    text = " ".join(rest for instruction, rest in stage if instruction == word)
    return {name: value.strip('"') for name, value in re.findall(r'(\S+?)=("[^"]*"|\S+)', text)}


BUILD, IMAGE = stages(RECIPE)


def lint(folder: Path, recipe: str) -> tuple[int, str]:
    """The exit code and the findings of the linter for a recipe."""
    (folder / "Dockerfile").write_text(recipe, "utf-8")
    command = (PROGRAMS / "hadolint", *LINT, "Dockerfile")
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=60)
    return done.returncode, done.stdout + done.stderr


def test_the_linter_has_nothing_to_say(tmp_path: Path) -> None:
    """Not even in matters of style, and without any rule being passed over."""
    assert lint(tmp_path, RECIPE) == (0, "")


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        (r":3\.13\.15-slim-trixie@sha256:[0-9a-f]{64} AS", " AS", "DL3006"),
        (r"FROM python:", "FROM registry.example/python:", "DL3026"),
        ("USER 65532:65532", "USER root", "DL3002"),
        (r'ENTRYPOINT \["vercel-marketplace-mcp"\]', "ENTRYPOINT vercel-marketplace-mcp", "DL3025"),
        (r'"\$\(echo /wheels/vercel_marketplace_mcp-\*\.whl\)\[.*\]"', "vercel-marketplace-mcp", "DL3013"),
        ("WORKDIR /source", "WORKDIR source", "DL3000"),
        ("PIP_NO_CACHE_DIR=1 ", "", "DL3042"),
    ],
)
def test_a_careless_recipe_is_noticed(tmp_path: Path, old: str, new: str, rule: str) -> None:
    """Each guard of the recipe is missed once it is gone."""
    careless = re.sub(old, new, RECIPE)
    code, output = lint(tmp_path, careless)
    assert (careless != RECIPE, code, rule in output) == (True, 1, True), output


def test_both_stages_stand_on_one_base_that_cannot_change() -> None:
    """The base is named by version for people and by digest for machines, and its Python is one that is tested."""
    bases = [rest.removesuffix(" AS build") for stage in (BUILD, IMAGE) for word, rest in stage if word == "FROM"]
    (base,) = set(bases)
    version = re.fullmatch(r"python:(3\.\d+)\.\d+-slim-\w+@sha256:[0-9a-f]{64}", base)
    assert version
    assert f'"Programming Language :: Python :: {version[1]}"' in (ROOT / "pyproject.toml").read_text("utf-8")


def test_the_image_gives_its_user_nothing_but_the_state_folder() -> None:
    """No root, no port, no shell around the server, no value of a setting but the folder, which is a volume."""
    assert dict(IMAGE)["USER"] == "65532:65532"
    assert json.loads(dict(IMAGE)["ENTRYPOINT"]) + json.loads(dict(IMAGE)["CMD"]) == ["vercel-marketplace-mcp", "serve"]
    assert (json.loads(dict(IMAGE)["VOLUME"]), dict(IMAGE)["WORKDIR"]) == (["/state"], "/state")
    assert {name: value for name, value in pairs(IMAGE, "ENV").items() if name.startswith("VERCEL")} == {
        "VERCEL_MCP_STATE_DIR": "/state"
    }
    assert {word for word, _ in [*BUILD, *IMAGE]} & {"EXPOSE", "ADD", "ARG", "SHELL", "ONBUILD"} == set()
    assert [rest for word, rest in IMAGE if word in {"RUN", "COPY"} and "--from=build" not in rest] == []


def test_the_labels_say_what_the_other_files_say() -> None:
    """Name, version, license and description; the registry looks for the first on the image."""
    labels = pairs(IMAGE, "LABEL")
    name = json.loads((ROOT / "server.json").read_text("utf-8"))["name"]
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    opencontainers = "org.opencontainers.image"
    assert labels["io.modelcontextprotocol.server.name"] == name
    assert labels[f"{opencontainers}.version"] == VERSION
    for key, member in (("title", "name"), ("description", "description"), ("licenses", "license")):
        assert f'\n{member} = "{labels[f"{opencontainers}.{key}"]}"\n' in project


@pytest.fixture(scope="module")
def image(wheelhouse: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the steps of the build stage were carried out, with only what .dockerignore lets through."""
    folder = tmp_path_factory.mktemp("image")
    copied = [line.removeprefix("!") for line in IGNORED if line.startswith("!")]
    for name in copied:
        target = folder / "source" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, target)
    shutil.copytree(wheelhouse, folder / "wheels")
    download, *steps = [rest for word, rest in BUILD if word == "RUN"]
    assert (download.startswith("pip download --require-hashes --only-binary :all: "), len(steps)) == (True, 1)
    environment = {**clean_environment(folder), **pairs(BUILD, "ENV"), "PIP_CONFIG_FILE": os.devnull}
    environment["PATH"] = os.pathsep.join([str(programs(folder / "bin")), os.defpath])
    for step in steps:
        here = re.sub(r"(?<= )/(wheels|opt/server|state)\b", rf"{folder}/\1", step)
        run("/bin/sh", "-ec", here, cwd=folder / "source", environment=environment)
    return folder


def programs(folder: Path) -> Path:
    """A folder with the `python` and the `pip` of this environment, as the base has them."""
    folder.mkdir()
    for name, call in (("python", ""), ("pip", "-m pip ")):
        (folder / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" {call}"$@"\n', "utf-8")
        (folder / name).chmod(0o755)
    return folder


def test_only_what_is_named_reaches_the_build() -> None:
    """Everything is kept out first: a token, a ledger or a test is never sent to whoever builds."""
    rules = [line for line in IGNORED if line and not line.startswith("#")]
    assert (rules[0], rules[-1], all(rule.startswith("!") for rule in rules[1:-1])) == ("*", "**/__pycache__", True)


def test_the_image_holds_what_the_server_needs_in_byte_code(image: Path) -> None:
    """What teams need too, neither pip nor the build backend; byte code for all, whatever the time of its source."""
    (packages,) = (image / "opt" / "server" / "lib").glob("python3*/site-packages")
    names = {path.name.partition("-")[0] for path in packages.iterdir()}
    assert (names & {"pip", "hatchling", "pluggy", "pathspec"}, "vercel_marketplace_mcp" in names) == (set(), True)
    assert {"asyncpg", "opentelemetry_sdk", "opentelemetry_exporter_otlp_proto_http"} <= names
    modules = list(packages.rglob("*.py"))
    compiled = {path: path.read_bytes()[4] for path in packages.rglob("*.pyc")}
    assert (len(compiled) == len(modules) > 500, set(compiled.values())) == (True, {UNCHECKED})
    assert (image / "state").stat().st_mode & 0o777 == 0o700


def contents(folder: Path) -> dict[str, int]:
    """Every file below a folder, with the time of its last change."""
    return {path.relative_to(folder).as_posix(): path.stat().st_mtime_ns for path in folder.rglob("*")}


@pytest.mark.anyio
@pytest.mark.parametrize("mode", ["legacy", "auto"])
async def test_the_image_serves_and_writes_nothing_but_its_state(image: Path, tmp_path: Path, mode: Any) -> None:
    """Started as the image starts it, the server creates a store; its own files could be read-only."""
    settings = {**pairs(IMAGE, "ENV"), "VERCEL_MCP_STATE_DIR": str(tmp_path), "PATH": os.defpath, "HOME": os.devnull}
    program = image / "opt" / "server" / "bin" / json.loads(dict(IMAGE)["ENTRYPOINT"])[0]
    parameters = StdioServerParameters(command=str(program), args=["serve", "--sandbox"], env=settings)
    before = contents(image / "opt")
    with anyio.fail_after(120):
        async with Client(parameters, mode=mode, read_timeout_seconds=60) as client:
            created = await client.call_tool("create-store", VALID["create-store"])
    assert (created.is_error, created.structured_content["status"]) == (False, "created")
    assert contents(image / "opt") == before
    assert any(name.endswith(".sqlite3") for name in contents(tmp_path))
