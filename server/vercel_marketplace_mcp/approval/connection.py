"""Writes the question about connecting a store to a project's production. No MCP, no ledger, no clock.

Nothing is billed here, so what a person types is a phrase that the question shows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from vercel_marketplace_mcp.approval.question import PHRASE, form_of
from vercel_marketplace_mcp.text import is_identifier, quoted

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
    shown = [_plain(name) for name in subject.variables[:_MAX_VARIABLES]]
    more = len(subject.variables) - len(shown)
    variables = ", ".join(shown) + (f" and {more} more" if more else "")
    lines = [
        f"Set environment variables of the project {_plain(subject.project)} in production, team {subject.team}?",
        f"They are the secrets of the store {quoted(subject.store)} ({_plain(subject.store_id)}).",
        f"Product: {_plain(subject.product)}",
        f"Environments: {', '.join(_plain(name) for name in subject.environments)}",
        f"Variables: {variables or 'not known yet; the partner names them'}",
    ]
    if subject.sensitive is not None:
        lines.append(f"Marked as sensitive: {'yes' if subject.sensitive else 'no'}")
    return "\n".join([*lines, f"To connect, type {expected} - anything else changes nothing."])


def form(expected: str) -> dict[str, Any]:
    """Return the form's schema: one required free text."""
    return form_of(PHRASE, f"Type {expected} to connect", "Anything else changes nothing.")


def _plain(name: str) -> str:
    """Return a name as it is, or in quotes if it could be read as words of this question."""
    return name if is_identifier(name) else quoted(name)
