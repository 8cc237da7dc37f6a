"""Every command and every piece of JSON in the documents: it can be run, or read, as it stands. It installs nothing."""

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import dropwhile
from pathlib import Path

import pytest

from vercel_marketplace_mcp import cli, settings

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted(
    [
        *ROOT.glob("*.md"),
        *(ROOT / "docs").rglob("*.md"),
        *(ROOT / "examples").rglob("*.md"),
        ROOT / "tool_specs" / "README.md",
    ]
)
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BY_OTHER_TESTS = {
    "pipx": "tests/test_packaging.py",
    "pip": "tests/test_packaging.py",
    "uvx": "tests/test_packaging.py",
    "claude": "tests/test_host_links.py",
    "codex": "tests/test_host_links.py",
    "gemini": "tests/test_host_links.py",
    "devin": "tests/test_host_links.py",
    "code": "tests/test_host_links.py",
    "mcpdo": "tests/inspector/test_mcpdo.py",
}
"""Programs that change a machine, or belong to others, with the tests that hold what is said of them."""
VARIABLE = re.compile(r"[A-Z_]+=")
PROGRAM = re.compile(r"(?:\.venv/bin/)?vercel-marketplace-mcp")
OPEN = {"text", "toml", ""}
"""Kinds of block that hold no command."""


def blocks(kind: str) -> Iterator[tuple[str, str]]:
    """Every block of a kind, with where it stands."""
    for path in DOCUMENTS:
        for number, found in enumerate(FENCE.finditer(path.read_text("utf-8")), start=1):
            if found[1] == kind:
                yield f"{path.relative_to(ROOT)} {number}", found[2]


def commands() -> Iterator[tuple[str, list[str]]]:
    """Every line of the shell, as the words it is made of; a variable before a command is left out."""
    for where, text in blocks("sh"):
        for line in text.replace("\\\n", " ").splitlines():
            words = list(dropwhile(VARIABLE.match, shlex.split(line, comments=True)))
            if words:
                yield f"{where}: {line.strip()}", words


def make(words: list[str]) -> bool:
    """A target of the Makefile."""
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    return all(word in targets or "=" in word for word in words)


def ours(words: list[str]) -> bool:
    """A command line of this program: its own parser takes it."""
    try:
        cli._parser().parse_args(words)  # noqa: SLF001 - the parser is what the program itself asks
    except SystemExit as end:
        return end.code == 0
    return True


def exported(words: list[str]) -> bool:
    """A setting that the program takes."""
    name, _, value = words[0].partition("=")
    settings.load_policy({name: value, "HOME": "/nowhere"})
    return name in (ROOT / "README.md").read_text("utf-8")


def a_script(words: list[str]) -> bool:
    """A program of this repository."""
    return (ROOT / words[0]).is_file()


def locked(words: list[str]) -> bool:
    """A package to install, in the version that the tests use."""
    versions = json.loads((ROOT / "package.json").read_text("utf-8"))["devDependencies"]
    return words[:-1] == ["install", "--global"] and words[-1] in {"@".join(item) for item in versions.items()}


def inspector(words: list[str]) -> bool:
    """The Inspector in the version that is locked, for a command line of this program or a file of ours."""
    version = json.loads((ROOT / "package.json").read_text("utf-8"))["devDependencies"]
    if words[0] == "@anthropic-ai/mcpb":
        return (ROOT / words[2]).exists()
    if words[0] != f"@modelcontextprotocol/inspector@{version['@modelcontextprotocol/inspector']}":
        return False
    if "--config" in words:
        return (ROOT / words[words.index("--config") + 1]).is_file()
    return ours(words[words.index("--") + 2 :])


def composed(words: list[str]) -> bool:
    """Services of compose.yaml; where one runs this program, its own parser takes what follows."""
    services = re.findall(r"^  ([a-z0-9-]+):", (ROOT / "compose.yaml").read_text("utf-8"), re.MULTILINE)
    named = [at for at, word in enumerate(words) if word in services]
    if words[:2] == ["compose", "build"]:
        return words[2:] == []
    started = words[named[0] + 1 :]
    if words[1] == "exec" and PROGRAM.fullmatch(started[0]):
        return ours(started[1:])
    return ours(started) if words[1] == "run" else words[0] == "compose"


KINDS: dict[str, Callable[[list[str]], bool]] = {
    "make": make,
    "docker": composed,
    "export": exported,
    "npm": locked,
    "npx": inspector,
    "python": a_script,
    "python3": a_script,
    ".venv/bin/python": a_script,
}


@pytest.mark.parametrize(
    ("where", "words"), list(commands()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_command_can_be_run_as_it_stands(where: str, words: list[str]) -> None:
    """It names a target, an option, a setting or a file that is there; none is of a kind that nobody checks."""
    program, *rest = words
    if program == ".venv/langgraph/bin/python":
        program = "python"
    if program in BY_OTHER_TESTS:
        assert (ROOT / BY_OTHER_TESTS[program]).is_file()
    elif PROGRAM.fullmatch(program):
        assert ours(rest), where
    elif program in KINDS:
        assert KINDS[program](rest), where
    else:
        assert a_script(words), where


@pytest.mark.parametrize(("where", "text"), list(blocks("json")), ids=lambda value: value if " " in value[-3:] else "")
def test_a_piece_of_json_can_be_read(where: str, text: str) -> None:
    """It may be pasted as it is."""
    assert json.loads(text), where


@pytest.mark.parametrize(("where", "text"), list(blocks("console")), ids=lambda value: value[:60])
def test_what_is_shown_of_a_command_is_what_it_prints(where: str, text: str) -> None:
    """Letter for letter, at the width of the page."""
    first, _, shown = text.partition("\n")
    arguments = shlex.split(first.removeprefix("$ "))[1:]
    command = [sys.executable, "-m", "vercel_marketplace_mcp", *arguments]
    environment = {"COLUMNS": "100", "PYTHONPATH": str(ROOT / "server"), "NO_COLOR": "1", "HOME": "/nowhere"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.rstrip() == shown.rstrip(), where


def test_no_block_is_of_a_kind_that_nobody_checks() -> None:
    """Commands stand in blocks of the shell, data in blocks of JSON."""
    kinds = {found[1] for path in DOCUMENTS for found in FENCE.finditer(path.read_text("utf-8"))}
    assert kinds <= {"sh", "json", "console"} | OPEN
