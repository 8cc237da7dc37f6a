"""Counts what hostile calls come to, and checks every answer that they get. It makes no call."""

from collections import Counter
from dataclasses import dataclass, field, fields
from pathlib import Path

import mcp_types as types
from jsonschema import Draft202012Validator
from mcp import MCPError

from vercel_marketplace_mcp import specs

from .hostile_oracle import Judgement, complaints, leaks
from .hostile_witness import Json


@dataclass(kw_only=True, slots=True)
class Tally(Judgement):
    """The judgements of all worlds, and what was counted beside; `outside` are answers that broke a rule."""

    calls: int = 0
    questions: int = 0
    hangs: int = 0
    sightings: int = 0
    outside: int = 0
    statuses: Counter[tuple[str, str]] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)

    def add(self, found: Judgement) -> None:
        """Add what one world came to."""
        for each in fields(Judgement):
            setattr(self, each.name, getattr(self, each.name) + getattr(found, each.name))

    def check(self, tool: str, result: types.CallToolResult) -> Json:
        """Check an answer against its tool's published schema, and for what no answer may hold; return what it says."""
        structured, (content,) = result.structured_content, result.content
        assert isinstance(content, types.TextContent)
        validator = Draft202012Validator(specs.load()[tool].definition["outputSchema"])
        broken = [error.message[:300] for error in validator.iter_errors(structured)]
        found = [*broken, *complaints(structured, content.text)]
        self.outside += bool(found)
        self.problems += [f"{tool} answered {each}" for each in found]
        self.sightings += leaks(f"{structured}\n{content.text}")
        assert isinstance(structured, dict)
        self.statuses[tool, structured.get("status", "failed" if result.is_error else "answered")] += 1
        return structured

    def refuse(self, error: MCPError, expected: str | None) -> None:
        """Check a refusal of the protocol itself: only where one is expected, and in the expected words."""
        self.sightings += leaks(str(error.error))
        if error.error.message != expected:
            self.problems.append(f"the protocol refused: {error.error}")

    def search(self, folder: Path) -> None:
        """Look for the token in every file of a folder, byte for byte."""
        self.sightings += sum(leaks(path.read_bytes()) for path in folder.rglob("*") if path.is_file())
