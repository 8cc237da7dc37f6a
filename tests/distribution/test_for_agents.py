"""Holds what agents are given to read, the skill and llms.txt, against their formats, the tools and the guide."""

import re
from pathlib import Path

import pytest

from vercel_marketplace_mcp import resources, specs

from .building import ROOT

SKILL = ROOT / "skills" / "provision-vercel-storage" / "SKILL.md"
OF_THE_GUIDE = ("Steps", "What a status asks of you")
LIMITS = {"name": 64, "description": 1024, "license": 100, "compatibility": 500}
"""Of https://agentskills.io/specification, read on 2026-11-22; but for that of the license, which is ours."""
MAX_LINES = 500
STATUSES = {
    status
    for spec in specs.load().values()
    for status in spec.definition["outputSchema"]["properties"].get("status", {}).get("enum", [])
}


def frontmatter(text: str) -> dict[str, str]:
    """The members above the text of a skill: plain values, one a line."""
    head = re.match(r"---\n(.*?)\n---\n", text, re.DOTALL)
    assert head
    pairs = [line.partition(": ") for line in head[1].splitlines()]
    return {name: value for name, _, value in pairs}


def problems(folder: str, text: str) -> list[str]:
    """What the specification of agent skills has against a skill in a folder of that name."""
    members = frontmatter(text)
    found = [f"{name} is missing" for name in ("name", "description") if not members.get(name)]
    found += [f"{name} is unknown" for name in members if name not in LIMITS]
    found += [f"{name} is too long" for name, value in members.items() if len(value) > LIMITS.get(name, 0)]
    found += [
        f"{name} is no plain text" for name, value in members.items() if re.search(r"^[\[{&*!|>'\"%@`]|: | #", value)
    ]
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", members.get("name", "")) or members["name"] != folder:
        found.append("name is not that of the folder, or not in small letters, digits and single hyphens")
    return found + (["is too long"] if len(text.splitlines()) > MAX_LINES else [])


def section(text: str, title: str) -> str:
    """A section of a document, without its heading."""
    (found,) = re.findall(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    return str(found)


def test_the_skill_has_the_format_of_agent_skills() -> None:
    """A name that is the folder's, a description within its length that says when to use it, and nothing unknown."""
    text = SKILL.read_text("utf-8")
    assert problems(SKILL.parent.name, text) == []
    assert "Use it when" in frontmatter(text)["description"]


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("name: provision", "name: Provision", "name is not"),
        ("name: provision-", "name: provision--", "name is not"),
        (r"name: .*\n", "", "name is missing"),
        ("description: ", "description: " + "x" * 1000, "description is too long"),
        (r"description: .*", "description: |", "description is no plain text"),
        ("license: MIT", "version: 1", "version is unknown"),
        (r"\Z", "\n" * 500, "is too long"),
    ],
)
def test_a_skill_out_of_format_is_noticed(old: str, new: str, complaint: str) -> None:
    """Each rule of the format is missed once it is broken."""
    text = re.sub(old, lambda _: new, SKILL.read_text("utf-8"), count=1)
    assert [problem for problem in problems(SKILL.parent.name, text) if problem.startswith(complaint)]


@pytest.mark.parametrize("title", OF_THE_GUIDE)
def test_the_skill_walks_the_way_of_the_servers_guide(title: str) -> None:
    """These sections are the guide's, word for word: one of them is changed, the other is copied from it."""
    assert section(SKILL.read_text("utf-8"), title) == section(resources.guide(), title)


def test_the_skill_knows_every_tool_and_every_status() -> None:
    """Each tool has its step, each status its row, and there are no others."""
    text = SKILL.read_text("utf-8")
    rows = re.findall(r"^\| (`.*?) \|", section(text, OF_THE_GUIDE[1]), re.MULTILINE)
    assert {status for row in rows for status in re.findall(r"`(\w+)`", row)} == STATUSES
    steps = re.findall(r"^\d\. `([\w-]+)`", section(text, OF_THE_GUIDE[0]), re.MULTILINE)
    assert steps == list(specs.TOOL_NAMES)


@pytest.mark.parametrize("path", [SKILL, ROOT / "llms.txt"], ids=lambda path: path.name)
def test_an_agent_is_told_never_to_approve(path: Path) -> None:
    """Whatever else it reads: the command is a person's, and no argument confirms."""
    text = path.read_text("utf-8")
    assert re.search(r"[Nn]ever run `vercel-marketplace-mcp approve`", text)
    assert re.search(r"[Nn]o argument .*?(?:confirms|does)\b", text)


def test_llms_txt_has_its_format() -> None:
    """A title, a summary, then text without headings, then lists of links with notes, the optional ones last."""
    text = (ROOT / "llms.txt").read_text("utf-8")
    head, *lists = re.split(r"^## ", text, flags=re.MULTILINE)
    assert re.fullmatch(r"# vercel-marketplace-mcp\n\n> \S.*\n\n(?:[^#>\n].*\n|\n)*", head)
    titles = [part.partition("\n")[0] for part in lists]
    entries = [line for part in lists for line in part.splitlines()[1:] if line]
    assert (titles[-1], len(titles), len(set(titles))) == ("Optional", 3, 3)
    assert [line for line in entries if not re.fullmatch(r"- \[[^\]]+\]\([^)\s]+\): \S.*[^.]", line)] == []
    assert len(entries) >= 9


def test_llms_txt_leads_to_files_that_exist() -> None:
    """Every link is one of this repository's files, and none stands twice."""
    links = re.findall(r"\]\(([^)\s]+)\)", (ROOT / "llms.txt").read_text("utf-8"))
    assert [link for link in links if not (ROOT / link).is_file()] == []
    assert len(links) == len(set(links)) >= 9


def test_llms_txt_names_the_tools_in_their_order() -> None:
    """All of them, as the server lists them."""
    (order,) = re.findall(r"The order is (.+?);", (ROOT / "llms.txt").read_text("utf-8"))
    assert order.split(", ") == list(specs.TOOL_NAMES)
