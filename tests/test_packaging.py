"""Builds and installs the project in every way that people use and asks each for its tools. It needs no network."""

import ast
import json
import sys
import sysconfig
import tarfile
import tomllib
import venv
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import distribution, packages_distributions
from itertools import chain
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client, StdioServerParameters
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from vercel_marketplace_mcp.specs import TOOL_NAMES

from .distribution import building
from .distribution.building import PACKAGE, ROOT, VERSION, clean_environment, run

SPECS = [json.loads((ROOT / "tool_specs" / f"{name}.json").read_text("utf-8")) for name in TOOL_NAMES]


@dataclass(frozen=True, kw_only=True, slots=True)
class Installation:
    """One way to have the server: the command that starts it, what its process sees, and where packages lie."""

    way: str
    command: tuple[str, ...]
    environment: dict[str, str]
    site_packages: Path


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the source distribution of the checkout and the wheel that was built from it."""
    return building.built(tmp_path_factory.getbasetemp())


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel that was built by way of the source distribution."""
    return building.wheel(tmp_path_factory.getbasetemp())


def empty_environment(folder: Path) -> Path:
    """Make a virtual environment that sees the packages of this one, but not our own; return its Python."""
    venv.create(folder, symlinks=True)
    python = folder / "bin" / "python"
    site_packages = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=folder).strip()
    shared = dict.fromkeys((sysconfig.get_path("purelib"), sysconfig.get_path("platlib")))
    (Path(site_packages) / "shared.pth").write_text("\n".join(shared) + "\n", "utf-8")
    probe = f"import importlib.util, mcp; assert importlib.util.find_spec({PACKAGE!r}) is None"
    run(python, "-c", probe, cwd=folder, environment=clean_environment(folder))
    return python


def install(python: Path, *what: str | Path, cwd: Path) -> None:
    """Install into the environment of `python`, and nothing but what is named."""
    alone = ("--no-index", "--no-deps", "--no-build-isolation", "--ignore-installed", "--quiet")
    run(sys.executable, "-m", "pip", "--python", python, "install", *alone, *what, cwd=cwd)


@pytest.fixture(scope="session", params=["wheel", "editable", "checkout"])
def installation(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, wheel: Path) -> Installation:
    """The server from the wheel, from an editable install, and from the checkout with nothing installed."""
    folder = tmp_path_factory.mktemp(request.param)
    python = empty_environment(folder / "venv")
    command: tuple[str, ...] = (str(python.with_name("vercel-marketplace-mcp")),)
    environment = clean_environment(folder)
    if request.param == "wheel":
        install(python, wheel, cwd=folder)
    elif request.param == "editable":
        install(python, "--editable", ROOT, cwd=folder)
    else:
        command = (str(python), "-m", PACKAGE)
        environment["PYTHONPATH"] = str(ROOT / "server")
    (shared,) = python.parents[1].rglob("shared.pth")
    return Installation(way=request.param, command=command, environment=environment, site_packages=shared.parent)


async def tools_of(installation: Installation) -> list[dict[str, Any]]:
    """What tools/list answers to a client on the other end of the server's standard input and output."""
    program, *arguments = installation.command
    parameters = StdioServerParameters(
        command=program,
        args=[*arguments, "serve", "--sandbox"],
        env=installation.environment,
        cwd=installation.site_packages,
    )
    async with Client(parameters, read_timeout_seconds=60) as client:
        listed = await client.list_tools()
    return [tool.model_dump(mode="json", by_alias=True, exclude_unset=True) for tool in listed.tools]


def test_every_installation_lists_the_tools_of_the_files(installation: Installation) -> None:
    """tools/list equals tool_specs/ as JSON, from the wheel, an editable install and the bare checkout."""
    assert anyio.run(tools_of, installation) == SPECS


def test_every_installation_explains_its_commands(installation: Installation) -> None:
    """`vercel-marketplace-mcp --help` works wherever the server does."""
    shown = run(*installation.command, "--help", cwd=installation.site_packages, environment=installation.environment)
    commands = {"serve", "demo", "sandbox", "approve", "ledger", "doctor"}
    assert {command for command in commands if command not in shown} == set()


def test_only_the_wheel_lays_files_into_site_packages(installation: Installation) -> None:
    """Checkout and editable install read the checkout's files: a copy of tool_specs/ would go stale."""
    copies = [path.relative_to(installation.site_packages) for path in installation.site_packages.rglob("tool_specs")]
    assert copies == ([Path(PACKAGE) / "tool_specs"] if installation.way == "wheel" else [])


def test_the_wheel_ships_one_package_and_all_of_its_data(wheel: Path) -> None:
    """The package alone (no top-level `server`), with every file of it and the specifications."""
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    code = {path.relative_to(ROOT / "server") for path in tracked("server")}
    specs = {Path(PACKAGE) / path.relative_to(ROOT) for path in tracked("tool_specs", ".json")}
    assert {name.split("/", 1)[0] for name in names} == {PACKAGE, f"{PACKAGE}-{VERSION}.dist-info"}
    assert {path.as_posix() for path in code | specs} - names == set()
    assert f"{PACKAGE}/sandbox/catalog.json" in names
    assert f"{PACKAGE}-{VERSION}.dist-info/licenses/LICENSE" in names


def test_the_source_distribution_is_complete(built: Path, tmp_path: Path) -> None:
    """Whoever unpacks it can do what a clone can: it holds sources, specifications, tests, scripts and pins."""
    with tarfile.open(built / f"{PACKAGE}-{VERSION}.tar.gz") as archive:
        archive.extractall(tmp_path, filter="data")
    top = tmp_path / f"{PACKAGE}-{VERSION}"
    folders = ("server", "tool_specs", "tests", "scripts", "examples", "docs", "evals", "deploy", ".ci", ".github")
    expected = [path for folder in folders for path in tracked(folder)]
    expected += [path for path in ROOT.iterdir() if path.is_file() and path.suffix in {".md", ".txt", ".toml", ".json"}]
    expected += [
        ROOT / name
        for name in ("LICENSE", "Makefile", "Dockerfile", "compose.yaml", ".dockerignore", ".npmrc", ".gitignore")
    ]
    missing = {path.relative_to(ROOT).as_posix() for path in expected if not (top / path.relative_to(ROOT)).is_file()}
    assert missing == set()


def test_nothing_made_on_this_machine_is_shipped(built: Path) -> None:
    """Neither environments nor caches nor a person's settings reach the source distribution."""
    with tarfile.open(built / f"{PACKAGE}-{VERSION}.tar.gz") as archive:
        parts = {part for name in archive.getnames() for part in Path(name).parts}
    assert (
        parts & {".venv", "node_modules", "__pycache__", ".env", ".git", ".mypy_cache", ".hypothesis", "dist"} == set()
    )


def test_every_imported_package_is_declared_and_every_declared_one_imported() -> None:
    """What we import we ask for ourselves, not by way of another package; what we do not need we do not install."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    declared = [*project["dependencies"], *chain(*project["optional-dependencies"].values())]
    nodes = [node for path in tracked("server", ".py") for node in ast.walk(ast.parse(path.read_text("utf-8")))]
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and not node.level:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    foreign = {name for name in names if name.split(".", 1)[0] not in {*sys.stdlib_module_names, PACKAGE}}
    shared = packages_distributions()
    assert {provider(name, shared) for name in foreign} == {
        canonicalize_name(Requirement(text).name) for text in declared
    }


def provider(name: str, shared: Mapping[str, list[str]]) -> str:
    """The distribution that holds what is imported by this name; several may share the first part of it."""
    top, *_ = parts = name.split(".")
    holders = shared[top]
    while len(holders) > 1 and parts:
        files = {f"{'/'.join(parts)}.py", f"{'/'.join(parts)}/__init__.py"}
        found = [one for one in holders if files & {file.as_posix() for file in distribution(one).files or []}]
        holders, parts = found or holders, parts[:-1]
    return canonicalize_name(holders[0])


def tracked(folder: str, *suffixes: str) -> list[Path]:
    """The files of a folder of the checkout that are not made by running it."""
    found = (path for path in (ROOT / folder).rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return [path for path in found if not suffixes or path.suffix in suffixes]
