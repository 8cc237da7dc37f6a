"""Every host's file in the format that the host documents, started as the host starts it. It meets no Vercel."""

import copy
import json
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import anyio
import pytest
from mcp import Client, StdioServerParameters

from vercel_marketplace_mcp import specs

from .calls import VALID
from .hosts.installation import environment, put_command
from .hosts.reading import (
    COMMAND,
    FILES,
    FOLDER,
    HOSTS,
    REFERENCE,
    Launch,
    at,
    launch,
    members,
    objects,
    path_of,
    problems,
    read,
)

ROOT = Path(__file__).parents[1]
ENVIRONMENT = {"VERCEL_TOKEN": "a-token-for-this-test", "VERCEL_TEAM_ID": "team_ForThisTest"}
SANDBOX = [name for name, variant in FILES if variant == "sandbox"]
ACCOUNT = [name for name, variant in FILES if variant == "account"]
MEMBERS = [(name, variant, path) for name, variant in FILES for path in members(read(name, variant))]
OBJECTS = [(name, variant, path) for name, variant in FILES for path in objects(read(name, variant))]
DESKTOP_PATH = "/usr/bin:/bin"
OTHER_FILES = {"account/claude-desktop/start.sh"}
ASKED_FOR = {"Claude Code", "Claude Desktop", "Cursor", "VS Code", "Codex", "Gemini CLI", "Windsurf"}


def place(value: object) -> str:
    """A readable test id."""
    return ".".join(map(str, value)) or "." if isinstance(value, tuple) else str(value)


@pytest.fixture
def installed(tmp_path: Path) -> dict[str, str]:
    """An environment whose PATH holds the command, and which keeps its state apart."""
    return environment(tmp_path)


def test_either_folder_holds_what_the_hosts_read_and_nothing_else() -> None:
    """Every host asked for has its two files, but for Windsurf's newer agent, which documents no way to a token."""
    found = {path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*") if path.is_file()}
    assert found == {f"{variant}/{HOSTS[name].files[variant]}" for name, variant in FILES} | OTHER_FILES
    for folder in (SANDBOX, ACCOUNT):
        assert {HOSTS[name].host for name in folder} == ASKED_FOR
    assert set(SANDBOX) - set(ACCOUNT) == {"claude-desktop", "devin"}


@pytest.mark.parametrize(("name", "variant"), FILES)
def test_a_file_has_the_hosts_format_and_starts_what_it_should(name: str, variant: str) -> None:
    """It has every member that the host wants, none that the host doesn't know, and starts the variant's server."""
    assert problems(name, variant, read(name, variant), ENVIRONMENT) == []


@pytest.mark.parametrize(("name", "variant", "path"), MEMBERS, ids=place)
def test_a_file_can_do_without_none_of_its_members(name: str, variant: str, path: tuple[str | int, ...]) -> None:
    """Whichever member or list element is taken out, the check above notices."""
    document = read(name, variant)
    del at(document, path[:-1])[path[-1]]
    assert problems(name, variant, document, ENVIRONMENT)


@pytest.mark.parametrize(("name", "variant", "path"), OBJECTS, ids=place)
def test_an_unknown_member_is_noticed_wherever_it_stands(name: str, variant: str, path: tuple[str | int, ...]) -> None:
    """A member that no host knows, or a further variable or server, is refused too."""
    document = read(name, variant)
    at(document, path)["surprise"] = copy.deepcopy(next(iter(at(document, path).values())))
    assert problems(name, variant, document, ENVIRONMENT)


def test_the_two_checks_above_had_something_to_do() -> None:
    """They took out and added members in every file."""
    assert {(name, variant) for name, variant, _ in MEMBERS} == set(FILES)
    assert (len(FILES) >= 15, len(MEMBERS) >= 100, len(OBJECTS) >= 50) == (True, True, True)


@pytest.mark.parametrize("name", ACCOUNT)
def test_an_accounts_file_holds_a_reference_in_place_of_each_value(name: str) -> None:
    """Neither token nor team stands in a file: what the host starts carries whatever its own mechanism gives."""
    text = path_of(name, "account").read_text("utf-8")
    for variable in ENVIRONMENT:
        for other in ("one-value-of-its-own", "another-value-of-its-own"):
            started = launch(name, "account", read(name, "account"), {**ENVIRONMENT, variable: other})
            assert started.env[variable] == other
    values = re.findall(r'"VERCEL_[A-Z_]+":\s*"([^"]*)"', text)
    assert all(REFERENCE.fullmatch(value) for value in values)
    assert (len(values), "env_vars" in text) in {(2, False), (0, True)}


@pytest.mark.parametrize("name", ACCOUNT)
def test_a_variable_that_is_not_set_stops_the_start(name: str, installed: dict[str, str]) -> None:
    """However the host fills the gap, the server names the variable, and neither asks nor guesses."""
    if HOSTS[name].typed:
        started = Launch(command=COMMAND, args=[], env={"VERCEL_TOKEN": ""})
    else:
        started = launch(name, "account", read(name, "account"), {"VERCEL_TEAM_ID": ENVIRONMENT["VERCEL_TEAM_ID"]})
    done = subprocess.run(
        [started.command, *started.args],
        env={**installed, **started.env},
        executable=shutil.which(started.command, path=installed["PATH"]),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("vercel-marketplace-mcp: VERCEL_TOKEN ")


def connect(started: Launch, environment: dict[str, str]) -> Client:
    """The server as a host starts it, in the era that these hosts speak over stdio."""
    parameters = StdioServerParameters(command=started.command, args=started.args, env={**environment, **started.env})
    return Client(parameters, mode="legacy", read_timeout_seconds=60)


@pytest.mark.anyio
@pytest.mark.parametrize("name", SANDBOX)
async def test_a_copied_sandbox_file_creates_a_store(name: str, installed: dict[str, str], tmp_path: Path) -> None:
    """Whoever copies the one file as it is has the tools, and a store with the first call: no token, no account."""
    copied = tmp_path / "project" / HOSTS[name].files["sandbox"]
    copied.parent.mkdir(parents=True)
    shutil.copy(path_of(name, "sandbox"), copied)
    text = copied.read_text("utf-8")
    document = tomllib.loads(text) if copied.suffix == ".toml" else json.loads(text)
    with anyio.fail_after(120):
        async with connect(launch(name, "sandbox", document, {}), installed) as client:
            listed = await client.list_tools()
            created = await client.call_tool("create-store", VALID["create-store"])
    assert [tool.name for tool in listed.tools] == list(specs.TOOL_NAMES)
    assert (created.is_error, created.structured_content["status"]) == (False, "created")


@pytest.mark.anyio
@pytest.mark.parametrize("name", ACCOUNT)
async def test_an_accounts_file_starts_a_server_that_lists_its_tools(name: str, installed: dict[str, str]) -> None:
    """With what the host puts into the references, the server starts and lists its tools; nothing is sent for that."""
    with anyio.fail_after(120):
        async with connect(launch(name, "account", read(name, "account"), ENVIRONMENT), installed) as client:
            listed = await client.list_tools()
    assert [tool.name for tool in listed.tools] == list(specs.TOOL_NAMES)


def test_the_desktop_extension_finds_an_installation_that_the_path_does_not_name(tmp_path: Path) -> None:
    """An application started from the desktop has a short PATH: pipx and uv install beside it."""
    put_command(tmp_path / ".local" / "bin")
    script = path_of("claude-desktop-extension", "account").parent / "start.sh"
    environment = {"PATH": DESKTOP_PATH, "HOME": str(tmp_path)}
    done = subprocess.run(
        ["/bin/sh", str(script), "--help"], env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stdout.startswith(f"usage: {COMMAND} serve")) == (0, True)


def test_the_desktop_extension_has_the_projects_version() -> None:
    """The manifest's version is the one in pyproject.toml."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    assert read("claude-desktop-extension", "account")["version"] == version
