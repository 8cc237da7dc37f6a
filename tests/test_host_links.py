"""Holds docs/hosts.md against the files of examples/hosts: links, commands and tables. It starts no server."""

import base64
import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from .hosts.reading import COMMAND, FILES, HOSTS, NAME, REFERENCE, Json, entry, path_of, read

ROOT = Path(__file__).parents[1]
DOCUMENT = (ROOT / "docs" / "hosts.md").read_text("utf-8")
ADDRESS = re.compile(
    r"(?:cursor:|vscode:|https://cursor\.com/en/install|https://insiders\.vscode\.dev/redirect)[^\s`)]+"
)
LINKS = ADDRESS.findall(DOCUMENT)


def decode(link: str) -> tuple[str, Json, list[Json]]:
    """The host that a link is for, the server's entry in it, and what the host is to ask for."""
    parts = urlsplit(link)
    query = {key: value for key, (value,) in parse_qs(parts.query).items()}
    if parts.scheme == "vscode":
        assert parts.path == "mcp/install"
        document = json.loads(unquote(parts.query))
        assert document.pop("name") == NAME
        return "vscode", document, document.pop("inputs", [])
    assert query["name"] == NAME
    if "cursor" in link.split("?", maxsplit=1)[0]:
        return "cursor", json.loads(base64.b64decode(query["config"], validate=True)), []
    return "vscode", json.loads(query["config"]), json.loads(query.get("inputs", "[]"))


@pytest.mark.parametrize("link", LINKS, ids=lambda link: link[:40])
def test_a_link_holds_exactly_the_entry_of_the_hosts_file(link: str) -> None:
    """What a click installs is what the file says, for the sandbox or for the account with what it asks for."""
    name, found, inputs = decode(link)
    documents = {variant: read(name, variant) for variant in HOSTS[name].files}
    same = [variant for variant, document in documents.items() if entry(HOSTS[name], document) == found]
    assert len(same) == 1
    assert inputs == documents[same[0]].get("inputs", [])
    assert all(REFERENCE.fullmatch(value) for value in found.get("env", {}).values())


def test_there_is_a_link_for_either_variant_and_a_page_that_opens_it() -> None:
    """Two hosts document links; each has four of them, all different."""
    made = sorted((decode(link)[0], link.split("?")[0], "env" in decode(link)[1]) for link in LINKS)
    starts = [
        ("cursor", "cursor://anysphere.cursor-deeplink/mcp/install"),
        ("cursor", "https://cursor.com/en/install-mcp"),
        ("vscode", "https://insiders.vscode.dev/redirect/mcp/install"),
        ("vscode", "vscode:mcp/install"),
    ]
    assert made == [(*start, account) for start in starts for account in (False, True)]


def print_links(*arguments: str) -> str:
    """What the script prints."""
    command = [sys.executable, str(ROOT / "scripts" / "host_links.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout


def test_the_links_shown_are_those_that_the_script_makes() -> None:
    """After a change of a file, what scripts/host_links.py prints replaces what stands here."""
    printed = print_links()
    assert f"\n\n{printed}\n" in DOCUMENT, printed


def test_the_script_puts_another_command_into_every_link() -> None:
    """Where a host doesn't find the command, its full path stands in the links; nothing else changes."""
    path = "/opt/somewhere else/vercel-marketplace-mcp"
    found = [decode(link) for link in ADDRESS.findall(print_links("--command", path))]
    shown = [decode(link) for link in LINKS]
    assert found == [(name, {**server, "command": path}, inputs) for name, server, inputs in shown]


def commands() -> Iterator[list[str]]:
    """The commands that add the server, as words."""
    block = DOCUMENT.split("## One command", maxsplit=1)[1].split("```sh\n", maxsplit=1)[1].split("```", maxsplit=1)[0]
    yield from (shlex.split(line) for line in block.splitlines())


def test_every_command_adds_what_the_sandbox_file_holds() -> None:
    """Each names the server and then the same command and arguments as the host's file."""
    added = {}
    for program, *words in commands():
        if words[0] == "--add-mcp":
            document = json.loads(words[1])
            assert document.pop("name") == NAME
            assert document == entry(HOSTS["vscode"], read("vscode", "sandbox"))
            added[program] = [document["command"], *document["args"]]
        else:
            added[program] = [word for word in words[words.index(NAME) + 1 :] if word != "--"]
    assert sorted(added) == ["claude", "code", "codex", "devin", "gemini"]
    assert all(started == [COMMAND, "serve", "--sandbox"] for started in added.values())


def rows(heading: str) -> list[list[str]]:
    """The cells of the table under a heading, without its head."""
    lines = DOCUMENT.split(f"\n## {heading}\n", maxsplit=1)[1].split("\n## ", maxsplit=1)[0].splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| ")][1:]


def test_every_file_has_its_place_in_the_table_of_files() -> None:
    """Each file is linked from the row of its host, and no host is missing."""
    table = {row[0]: " ".join(row) for row in rows("The files")}
    assert {name.split(",")[0] for name in table} == {host.host for host in HOSTS.values()}
    for name, variant in FILES:
        found = path_of(name, variant)
        target = found.parent if found.name == "manifest.json" else found
        links = [text for host, text in table.items() if host.split(",")[0] == HOSTS[name].host]
        assert any(f"(../{target.relative_to(ROOT)})" in text for text in links), target


def test_every_host_of_the_table_of_questions_has_a_source_and_the_table_a_date() -> None:
    """What a host does with a question was read somewhere, on a day that stands there, or is said not to be known."""
    table = rows("Who answers a question about a purchase")
    assert [row[0] for row in table] == [row[0] for row in rows("The files")]
    assert all(re.search(r"\]\(https://[^)]+\)", row[4]) for row in table)
    assert all("form" in row[3] or "terminal" in row[3] or "announces" in row[3] for row in table)
    (day,) = {host.read for host in HOSTS.values()}
    assert f"on {day}," in DOCUMENT
    assert all(source.startswith("https://") for host in HOSTS.values() for source in host.sources)
