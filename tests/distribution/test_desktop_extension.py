"""Packs the desktop extension with its makers' own program, unpacks it, and starts it as hosts do: with uv, offline."""

import json
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client, StdioServerParameters

from vercel_marketplace_mcp import specs

from .. import node_tools
from ..calls import VALID
from ..hosts.reading import path_of
from . import building
from .building import PROGRAMS, ROOT, VERSION, run

Json = dict[str, Any]
NEEDED = (
    "LICENSE",
    "README.md",
    "pyproject.toml",
    "requirements.txt",
    "examples",
    "mcpb",
    "scripts",
    "server",
    "tool_specs",
)
ENVIRONMENT = {"VERCEL_TOKEN": "a-token-for-this-test", "VERCEL_TEAM_ID": "team_ForThisTest"}
MADE = shutil.ignore_patterns("__pycache__")


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The extension, as scripts/bundle makes it in a checkout."""
    mcpb, checkout = node_tools.program("mcpb"), tmp_path_factory.mktemp("checkout")
    for name in NEEDED:
        place = ROOT / name
        shutil.copytree(place, checkout / name, ignore=MADE) if place.is_dir() else shutil.copy(place, checkout)
    (checkout / ".venv").symlink_to(sys.prefix)
    (checkout / "node_modules").symlink_to(mcpb.parents[1])
    assert "Manifest schema validation passes!" in run(checkout / "scripts" / "bundle", cwd=checkout)
    (found,) = (checkout / "build").glob("*.mcpb")
    return found


@pytest.fixture(scope="module")
def unpacked(packed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that a host makes of the extension, with the environment that its uv makes there at first."""
    folder = tmp_path_factory.mktemp("host") / "extension"
    run(node_tools.program("mcpb"), "unpack", packed, folder, cwd=folder.parent)
    run(*started(folder), "--version", cwd=folder.parent, environment=host(tmp_path_factory, folder.parent))
    return folder


@pytest.fixture
def environment(unpacked: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What the extension's processes see: no network, and nothing of the person's own."""
    return host(tmp_path_factory, unpacked.parent)


def host(factory: pytest.TempPathFactory, folder: Path) -> dict[str, str]:
    """The environment of a host without a network, whose uv finds packages in a folder."""
    return building.offline(building.wheelhouse(factory.getbasetemp()), folder)


def started(folder: Path) -> list[str]:
    """The command of a host that takes the manifest's arguments for its own uv, which is what the format asks of it."""
    server = json.loads((folder / "manifest.json").read_text("utf-8"))["server"]
    assert (server["type"], server["mcp_config"]["command"]) == ("uv", "uv")
    arguments = [text.replace("${__dirname}", str(folder)) for text in server["mcp_config"]["args"]]
    return [str(PROGRAMS / "uv"), *arguments]


def by_itself(folder: Path) -> list[str]:
    """The command of a host that looks at the entry point alone."""
    entry = json.loads((folder / "manifest.json").read_text("utf-8"))["server"]["entry_point"]
    return [str(PROGRAMS / "uv"), "run", "--directory", str(folder), entry]


def test_the_extension_holds_the_published_wheel_and_little_else(packed: Path, wheel: Path) -> None:
    """Its name has the version, and the wheel in it is, to the byte, the one that is published."""
    assert packed.name == f"vercel-marketplace-mcp-{VERSION}.mcpb"
    with zipfile.ZipFile(packed) as archive:
        assert set(archive.namelist()) == {"LICENSE", "main.py", "manifest.json", "pyproject.toml", wheel.name}
        assert archive.read(wheel.name) == wheel.read_bytes()


def test_the_manifest_is_that_of_the_example_but_for_the_start(unpacked: Path) -> None:
    """What a person reads and is asked for is the example's, and so are the variables; the tools are the server's."""
    made = json.loads((unpacked / "manifest.json").read_text("utf-8"))
    example = json.loads(path_of("claude-desktop-extension", "account").read_text("utf-8"))
    assert {name for name in example if made[name] != example[name]} == {"manifest_version", "server"}
    assert made["server"]["mcp_config"]["env"] == example["server"]["mcp_config"]["env"]
    assert made["user_config"]["vercel_token"]["sensitive"] is True
    listed = [{key: spec.definition[key] for key in ("name", "description")} for spec in specs.load().values()]
    assert made["tools"] == listed


@pytest.mark.parametrize(
    ("old", "new"),
    [('"manifest_version": "0.4"', '"manifest_version": "9"'), ('"sensitive"', '"secret"'), ('"uv",', '"shell",')],
)
def test_its_makers_program_notices_a_wrong_manifest(unpacked: Path, tmp_path: Path, old: str, new: str) -> None:
    """A version, a member or a type that the format doesn't know is refused."""
    text = (unpacked / "manifest.json").read_text("utf-8")
    (tmp_path / "manifest.json").write_text(text.replace(old, new, 1), "utf-8")
    command = (node_tools.program("mcpb"), "validate", tmp_path)
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (text.count(old) >= 1, done.returncode) == (True, 1), done.stdout


def test_the_environment_holds_the_pinned_versions_in_byte_code(unpacked: Path, environment: dict[str, str]) -> None:
    """Whatever an index has by then, uv installs the versions of requirements.txt, and no build backend."""
    listing = ("pip", "list", "--format", "json", "--python", unpacked / ".venv")
    listed = run(PROGRAMS / "uv", *listing, cwd=unpacked, environment=environment)
    installed = {package["name"]: package["version"] for package in json.loads(listed)}
    pins = dict(re.findall(r"^([\w.-]+)==(\S+)", (ROOT / "requirements.txt").read_text("utf-8"), re.MULTILINE))
    assert installed.pop("vercel-marketplace-mcp") == VERSION
    assert (len(installed) >= 30, "hatchling" in installed) == (True, False)
    assert {name: version for name, version in installed.items() if pins[name] != version} == {}
    sources = list((unpacked / ".venv").rglob("vercel_marketplace_mcp/**/*.py"))
    assert [path for path in sources if not list((path.parent / "__pycache__").glob(f"{path.stem}.*.pyc"))] == []
    assert sources


@pytest.mark.anyio
@pytest.mark.parametrize("way", [started, by_itself])
@pytest.mark.parametrize("mode", ["legacy", "auto"])
async def test_a_host_starts_the_extension(unpacked: Path, environment: dict[str, str], way: Any, mode: Any) -> None:
    """With what the person has typed, the server starts and lists its tools, whichever way the host starts it."""
    program, *arguments = way(unpacked)
    parameters = StdioServerParameters(command=program, args=arguments, env={**environment, **ENVIRONMENT})
    with anyio.fail_after(120):
        async with Client(parameters, mode=mode, read_timeout_seconds=60) as client:
            listed = await client.list_tools()
    assert [tool.name for tool in listed.tools] == list(specs.TOOL_NAMES)


@pytest.mark.anyio
async def test_the_command_for_a_person_is_complete(unpacked: Path, environment: dict[str, str]) -> None:
    """The command that an answer prints finds the extension's own server: run without a terminal, it says that."""
    program, *arguments = started(unpacked)
    parameters = StdioServerParameters(command=program, args=[*arguments, "serve", "--sandbox"], env=environment)
    with anyio.fail_after(120):
        async with Client(parameters, mode="legacy", read_timeout_seconds=60) as client:
            asked = await client.call_tool("create-store", {**VALID["create-store"], "billingPlanId": "pro"})
    command = ["/bin/sh", "-c", asked.structured_content["approval"]["command"]]
    done = await anyio.run_process(command, check=False, env={}, start_new_session=True)
    assert (done.returncode, b"terminal" in done.stderr) == (2, True), done.stderr


def test_a_wheel_is_wanted(tmp_path: Path) -> None:
    """Without the one wheel that scripts/bundle builds, nothing is laid out."""
    script = ROOT / "scripts" / "desktop_extension.py"
    done = subprocess.run([sys.executable, script, tmp_path], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, "holds 0 wheels" in done.stdout, list(tmp_path.iterdir())) == (1, True, [])
