"""Holds the documents against the code: tables, help text, examples, links, and what no file may name."""

import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from vercel_marketplace_mcp import settings, specs

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
DOCUMENTS = sorted(path for path in ROOT.glob("**/*.md") if not {".venv", "node_modules", "build"} & set(path.parts))
SECTIONS = [
    "Try it",
    "Connect an assistant",
    "Tools",
    "Settings",
    "For a team",
    "MCP Inspector",
    "Security model",
    "Reliability",
    "Speed and weight",
    "Commands",
    "Development",
]
MAX_LINES = {"README.md": 200, "AGENTS.md": 60, "examples/README.md": 60}
TOKEN = "a-token-for-this-test"
NO_LITERAL_DEFAULT = {
    "VERCEL_TOKEN": "required, but for the sandbox",
    "VERCEL_TOKEN_FILE": "none",
    "VERCEL_TEAM_ID": "none",
    "VERCEL_TEAM_SLUG": "none",
    "VERCEL_MCP_ALLOWED_PRODUCTS": "all",
    "VERCEL_MCP_LEDGER_URL": "SQLite in that folder",
    "VERCEL_MCP_STATE_KEYS": "the ledger's own",
}
STATE_DIR = "VERCEL_MCP_STATE_DIR"
MADE_HERE = frozenset(
    ".git .venv node_modules build dist htmlcov __pycache__ .hypothesis .mypy_cache .pytest_cache .ruff_cache "
    ".schemathesis".split()
)
# Written apart, so that this file does not break the rule that it checks.
REGISTRIES = [
    "pypi." + "org",
    "python" + "hosted",
    "npmjs." + "org",
    "npmjs." + "com",
    "yarnpkg." + "com",
    "proxy.golang." + "org",
    "crates." + "io",
]
MACHINE_PATH = re.compile(r"(?<![\w.~}/$-])/(?:root|work|tmp|mnt|private)/" + r"\w")


def section(title: str) -> str:
    """The text of one section of the README, without its heading."""
    return README.split(f"\n## {title}\n", 1)[1].split("\n## ", maxsplit=1)[0]


def table(text: str) -> list[str]:
    """The lines of the first table in a text, its head included."""
    lines = text.splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("|"))
    end = next(number for number, line in enumerate([*lines, ""]) if number > start and not line.startswith("|"))
    return lines[start:end]


def settings_table() -> dict[str, str]:
    """The default of each setting as the README states it."""
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table(section("Settings"))[2:]]
    return {name.strip("`"): default for name, default, _ in rows}


def test_the_readme_tells_things_in_this_order() -> None:
    """What it is, how to try it, how to connect, then the reference, the security model and development."""
    assert re.findall(r"^## (.+)$", README, re.MULTILINE) == SECTIONS


@pytest.mark.parametrize("name", MAX_LINES)
def test_a_document_stays_short(name: str) -> None:
    """Documents that everybody reads have a bound."""
    assert len((ROOT / name).read_text("utf-8").splitlines()) <= MAX_LINES[name]


def test_the_tools_table_is_made_from_the_specifications() -> None:
    """Names, descriptions and arguments are those that tools/list sends; on failure, the table to paste is shown."""
    rows = ["| tool | what it does | required | optional |", "|---|---|---|---|"]
    for name, spec in specs.load().items():
        purpose = re.sub(r"^Step \d of \d\. ", "", spec.definition["description"])
        required = spec.definition["inputSchema"].get("required", [])
        optional = [argument for argument in spec.argument_names if argument not in required]
        cells = [", ".join(f"`{argument}`" for argument in arguments) for arguments in (required, optional)]
        rows.append(f"| `{name}` | {purpose} | {' | '.join(cells)} |".replace("|  |", "| |"))
    assert table(section("Tools")) == rows, "\n".join(rows)


class Recording(dict[str, str]):
    """An environment that remembers which variables it was asked for."""

    def __init__(self, variables: dict[str, str]) -> None:
        super().__init__(variables)
        self.asked: set[str] = set()

    def get(self, key: str, default: object = None) -> object:  # type: ignore[override]
        """Remember and answer."""
        self.asked.add(key)
        return super().get(key, default)

    def pop(self, key: str, default: object = None) -> object:  # type: ignore[override]
        """Remember and answer."""
        self.asked.add(key)
        return super().pop(key, default)


def load(**variables: str) -> settings.Settings:
    """The settings of an environment that holds these variables, a token and a home."""
    return settings.load({"HOME": str(Path.home()), "VERCEL_TOKEN": TOKEN, **variables})


def test_the_settings_table_names_what_the_code_reads() -> None:
    """Every variable that is read stands in the table, and nothing else does."""
    environment = Recording({"HOME": str(Path.home()), "VERCEL_TOKEN": TOKEN})
    settings.load(environment)
    assert sorted(settings_table()) == sorted(name for name in environment.asked if name.startswith("VERCEL_"))


def test_the_settings_table_states_the_defaults() -> None:
    """Setting a variable to its stated default changes nothing, and each default that is no value is absent."""
    stated = settings_table()
    assert {name: text for name, text in stated.items() if "`" not in text} == NO_LITERAL_DEFAULT
    literal = {name: text.strip("`") for name, text in stated.items() if "`" in text and name != STATE_DIR}
    by_default = load()
    assert {name for name, text in literal.items() if load(**{name: text}) != by_default} == set()
    assert (by_default.team, by_default.allowed_products, by_default.ledger_url) == (None, None, None)


@pytest.mark.skipif(sys.platform not in {"linux", "darwin"}, reason="the table states the folders of Linux and macOS")
def test_the_settings_table_states_the_state_folder() -> None:
    """The folder of this platform stands in the table."""
    folder = settings.default_state_dir({"HOME": str(Path.home())})
    assert f"`~/{folder.relative_to(Path.home()).as_posix()}`" in settings_table()[STATE_DIR]


def test_the_help_text_is_the_programs() -> None:
    """The README shows what `--help` prints, letter for letter; on failure, that is shown."""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "server"), "COLUMNS": "100", "NO_COLOR": "1"}
    command = [sys.executable, "-m", "vercel_marketplace_mcp", "--help"]
    printed = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=60).stdout
    assert f"```console\n$ vercel-marketplace-mcp --help\n{printed}```\n" in section("Commands"), printed


def test_the_readme_shows_a_file_of_the_examples() -> None:
    """What is to be pasted into the first host is, as JSON, the file of examples/."""
    (shown,) = re.findall(r"```json\n(.*?)```", section("Connect an assistant"), re.DOTALL)
    file = ROOT / "examples" / "hosts" / "sandbox" / ".mcp.json"
    assert json.loads(shown) == json.loads(file.read_text("utf-8"))


def test_every_document_names_the_locked_inspector() -> None:
    """The version of the Inspector in a command is the one in package.json."""
    locked = json.loads((ROOT / "package.json").read_text("utf-8"))["devDependencies"][
        "@modelcontextprotocol/inspector"
    ]
    named = [re.findall(r"modelcontextprotocol/inspector@(\S+)", path.read_text("utf-8")) for path in DOCUMENTS]
    assert {version for versions in named for version in versions} == {locked}


def test_the_changelog_knows_the_version() -> None:
    """The version of pyproject.toml has its section, or is announced as the next one."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert f"\n## [{version}] - " in changelog or f"\n## [Unreleased]\n\nThis will be {version}" in changelog


def anchors(document: Path) -> set[str]:
    """The anchors of a document's headings."""
    headings = re.findall(r"^#+ (.+)$", document.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken_links(document: Path) -> Iterator[str]:
    """The links of a document that lead to no file, or to no heading of one."""
    for link in re.findall(r"\]\(([^)\s]+)\)", document.read_text("utf-8")):
        if link.startswith(("https://", "http://", "mailto:")):
            continue
        place, _, anchor = link.partition("#")
        target = (document.parent / place).resolve() if place else document
        if not target.exists() or ROOT not in target.parents or (anchor and anchor not in anchors(target)):
            yield link


def test_relative_links_resolve() -> None:
    """Every link inside the repository leads to a file of it, and to a heading where it names one."""
    found = {str(path.relative_to(ROOT)): list(broken_links(path)) for path in DOCUMENTS}
    assert {path: links for path, links in found.items() if links} == {}


def test_agents_md_names_modules_that_exist() -> None:
    """The map of the code names no file or folder that is not there."""
    text = (ROOT / "AGENTS.md").read_text("utf-8")
    package = ROOT / "server" / "vercel_marketplace_mcp"
    named = set(re.findall(r"(?:[\w.-]+/)+(?:[\w-]+\.\w+)?|\b\w+\.py\b", text)) - {".venv/bin/"}
    places = (ROOT, package, package / "tools")
    assert {name for name in named if not any((place / name).exists() for place in places)} == set()


def repository_files() -> Iterator[Path]:
    """The files that a commit could hold: none that were made by running something here."""
    for folder, folders, files in os.walk(ROOT):
        folders[:] = [name for name in folders if name not in MADE_HERE and not name.endswith(".egg-info")]
        yield from (Path(folder) / name for name in files if name not in {".coverage", ".git"})


def forbidden(text: str) -> list[str]:
    """What a text names that no file of the repository may: a package registry's address, a path of one machine."""
    return [name for name in (*REGISTRIES, str(ROOT)) if name in text] + MACHINE_PATH.findall(text)


def test_no_file_names_a_registry_or_a_path_of_one_machine() -> None:
    """Whoever clones it uses their own package index, and nothing leads to a folder of whoever wrote it."""
    found = {path: forbidden(path.read_text("utf-8", errors="replace")) for path in repository_files()}
    assert {str(path.relative_to(ROOT)): names for path, names in found.items() if names} == {}


@pytest.mark.parametrize("text", ["see https://" + REGISTRIES[0] + "/simple", "run /ro" + "ot/x", "cd /wo" + "rk/main"])
def test_such_a_file_would_be_noticed(text: str) -> None:
    """The check above is awake."""
    assert forbidden(text)
