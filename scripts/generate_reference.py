"""Makes the pages of docs/reference/ from the code: tools, settings, commands, statuses, rules. It asks no network.

Exit codes: 0 done or up to date, 1 a page is stale (--check).
"""

import argparse
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

from vercel_marketplace_mcp import specs
from vercel_marketplace_mcp.purchase.policy import ASKING_RULES, RULES, explain

ROOT = Path(__file__).parents[1]
PAGES = ROOT / "docs" / "reference"
COMMAND = "python scripts/generate_reference.py"
_COMMAND = re.compile(r"^ {4}([a-z]+)(?= {2}|$)", re.MULTILINE)
"""A command in the help text of the one above it: nothing else is indented so."""


def main() -> int:
    """Write every page that is not up to date, or only name it."""
    parser = argparse.ArgumentParser(description="Make the pages of docs/reference/.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a page is stale")
    only_check = parser.parse_args().check
    pages = {"tools": tools, "settings": settings, "commands": commands, "statuses": statuses, "rules": rules}
    stale = 0
    for name, make in pages.items():
        path, text = PAGES / f"{name}.md", "\n".join(make()) + "\n"
        if path.is_file() and path.read_text("utf-8") == text:
            continue
        stale += 1
        if only_check:
            sys.stdout.write(f"{path.relative_to(ROOT)} is stale; run: {COMMAND}\n")
        else:
            path.write_text(text, "utf-8")
    return 1 if only_check and stale else 0


def tools() -> Iterator[str]:
    """What tools/list says, as tables."""
    yield from ("# Tools", "", "Their definitions, as files: [tool_specs](../../tool_specs/README.md).")
    for name, spec in specs.load().items():
        yield from ("", f"## {name}", "", spec.definition["description"], "")
        schema = spec.definition["inputSchema"]
        rows = (
            (f"`{argument}`", of(rule), "yes" if argument in schema["required"] else "", rule.get("description", ""))
            for argument, rule in schema["properties"].items()
        )
        yield from table(("argument", "type", "required", "meaning"), rows)
        answer = spec.definition["outputSchema"]
        members = ", ".join(f"`{member}`" for member in answer["properties"])
        yield from ("", f"It answers {members}.")


def of(rule: dict[str, Any]) -> str:
    """The type of an argument, in brief."""
    limits = {"enum": "one of {}", "pattern": "like {}", "maxLength": "at most {} characters", "minimum": "at least {}"}
    said = [text.format(f"`{shown(rule[name])}`") for name, text in limits.items() if name in rule]
    return ", ".join([rule.get("type", "any"), *said])


def shown(value: Any) -> str:
    """A value of a schema, fit for a cell of a table."""
    return (", ".join(map(str, value)) if isinstance(value, list) else str(value)).replace("|", "\\|")


def settings() -> Iterator[str]:
    """The README's table, which the tests hold against the code."""
    section = (ROOT / "README.md").read_text("utf-8").split("\n## Settings\n", 1)[1].split("\n## ", maxsplit=1)[0]
    yield from ("# Settings", section.rstrip())


def commands() -> Iterator[str]:
    """The help text of every command."""
    yield "# Commands"
    yield from ("", "Exit codes: 0 done, 1 the answer is no, 2 wrong usage or settings, 130 stopped by Ctrl-C.")
    yield from help_texts()


def help_texts(*command: str) -> Iterator[str]:
    """The help text of a command, and of those that it names."""
    line = " ".join(("vercel-marketplace-mcp", *command, "--help"))
    run = [sys.executable, "-m", specs.__package__ or "", *command, "--help"]
    environment = {**os.environ, "COLUMNS": "100", "NO_COLOR": "1"}
    done = subprocess.run(run, env=environment, capture_output=True, text=True, check=True)  # noqa: S603 - ours
    yield from ("", f"## {' '.join(command) or 'vercel-marketplace-mcp'}", "", "```console")
    yield from (f"$ {line}", done.stdout.rstrip(), "```")
    for name in _COMMAND.findall(done.stdout):
        yield from help_texts(*command, name)


def statuses() -> Iterator[str]:
    """What each status asks of an agent, from the guide that the server itself hands out."""
    guide = files(specs.__package__ or "").joinpath("guides", "workflow.md").read_text("utf-8")
    rows = guide.split("## What a status asks of you\n", 1)[1].split("\n## ", maxsplit=1)[0].strip()
    yield from ("# Statuses", "", "What `create-store` and `connect-store` answer as `status`.", "", rows)
    yield from ("", "Only `created` and `connected` are no errors (`isError` false).", "")
    for name in ("create-store", "connect-store"):
        values = specs.load()[name].definition["outputSchema"]["properties"]["status"]["enum"]
        yield f"- `{name}`: {', '.join(f'`{value}`' for value in values)}"


def rules() -> Iterator[str]:
    """The rules that refuse, each with its explanation."""
    yield from ("# Rules", "", "A `refused` answer names the rule in `error.code`.", "")
    yield from table(("rule", "what it says"), ((f"`{rule.__name__}`", explain(rule.__name__)) for rule in RULES))
    others = "A call that names another team than the operator's (VERCEL_TEAM_ID or VERCEL_TEAM_SLUG) is refused as"
    yield from ("", f"{others} `the_team_is_not_the_operators`.")
    yield from ("", "These spare a person's attention: they hold when a new question would be asked.", "")
    yield from table(
        ("rule", "what it says"), ((f"`{rule.__name__}`", explain(rule.__name__)) for rule in ASKING_RULES)
    )


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    """A table in Markdown."""
    yield f"| {' | '.join(head)} |"
    yield "|---" * len(head) + "|"
    yield from (f"| {' | '.join(row)} |".replace("|  |", "| |") for row in rows)


if __name__ == "__main__":
    sys.exit(main())
