"""Writes the question about connecting a store to a project's production. No MCP, no ledger, no clock.

Nothing is billed here, so what a person types is a phrase that the question shows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from vercel_marketplace_mcp.approval.question import PHRASE, form_of
from vercel_marketplace_mcp.text import named, quoted

_MAX_VARIABLES = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Connecting:
    """What the question is about. `variables` are names, as far as they are known."""

    team: str
    project: str
    store: str
    store_id: str
    product: str
    environments: Sequence[str]
    variables: Sequence[str]
    sensitive: bool | None


def expected_phrase(fingerprint: str) -> str:
    """Return the phrase that alone is a yes."""
    return f"PRODUCTION-{fingerprint[:4].upper()}"


def write(subject: Connecting, expected: str) -> str:
    """Return the question. Its first line says what is changed, and where."""
    shown = [named(name) for name in subject.variables[:_MAX_VARIABLES]]
    more = len(subject.variables) - len(shown)
    variables = ", ".join(shown) + (f" and {more} more" if more else "")
    lines = [
        f"Set environment variables of the project {named(subject.project)} in production, team {subject.team}?",
        f"They are the secrets of the store {quoted(subject.store)} ({named(subject.store_id)}).",
        f"Product: {named(subject.product)}",
        f"Environments: {', '.join(named(name) for name in subject.environments)}",
        f"Variables: {variables or 'not known yet; the partner names them'}",
    ]
    if subject.sensitive is not None:
        lines.append(f"Marked as sensitive: {'yes' if subject.sensitive else 'no'}")
    return "\n".join([*lines, f"To connect, type {expected} - anything else changes nothing."])


def form(expected: str) -> dict[str, Any]:
    """Return the form's schema: one required free text."""
    return form_of(PHRASE, f"Type {expected} to connect", "Anything else changes nothing.")
