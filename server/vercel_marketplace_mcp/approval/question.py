"""Writes the question that a person answers, and decides what an answer means. No MCP, no ledger, no clock.

What is ours stands first; what the assistant chose and what the partner says follow, marked and cleaned.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

from vercel_marketplace_mcp.ledger.records import Meaning
from vercel_marketplace_mcp.purchase.money import dollars, holds_amount
from vercel_marketplace_mcp.purchase.plan import detail_lines, strings
from vercel_marketplace_mcp.purchase.quote import Quote, price_lines
from vercel_marketplace_mcp.strict_json import walk
from vercel_marketplace_mcp.text import MAX_LENGTH, clean, named, quoted

AMOUNT, PHRASE = "amount", "phrase"
"""The one field of a form: for a purchase the amount, for a change that costs nothing a phrase."""
TOO_FAST = 0.3
"""Seconds: a client that declines sooner has shown the question to nobody."""
MAX_CHOSEN = 60
"""Values of the assistant that a question can show, one a line."""
_MAX_PARTNER_LINES = 20
_VALUE_LENGTH = 160
_STEP = MAX_LENGTH // 2
_PLAIN_PATH = re.compile(r"[A-Za-z0-9_.\[\]-]{1,80}")
_MAX_SEARCHED = 50_000
_MAX_DETAILS = 1000
_SHOWN_MEMBERS = ("cost", "effectiveDate", "preauthorizationAmount", "minimumAmount", "maximumAmount")


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """A client's answer to the form; `elapsed` is in seconds, and `action` is None if none came."""

    action: str | None
    content: Mapping[str, Any] | None
    elapsed: float

    @property
    def typed(self) -> Any:
        """What stands in the form's field, of whatever type; None without it."""
        content = self.content or {}
        return content.get(AMOUNT, content.get(PHRASE))


@dataclass(frozen=True, kw_only=True, slots=True)
class Subject:
    """What a question is about."""

    team: str
    product: str
    product_id: str
    plan: Mapping[str, Any]
    name: str
    payment_method: str | None
    chosen: Mapping[str, Any]
    quote: Quote
    reasons: tuple[str, ...]
    fingerprint: str
    changed: bool
    unsettled: bool


def expected_answer(price: Quote, fingerprint: str) -> str:
    """Return what the person types: the headline amount, or a phrase where no amount could be read."""
    if price.headline is not None:
        return dollars(price.headline)
    return f"UNPRICED-{fingerprint[:4].upper()}"


def write(subject: Subject) -> str:
    """Return the question. Its first lines say who is charged, for what, how much and when."""
    expected = expected_answer(subject.quote, subject.fingerprint)
    headline = subject.quote.headline
    price = f"{dollars(headline)} USD" if headline is not None else "a price that could not be read"
    method = named(subject.payment_method) if subject.payment_method else "the default one of the team"
    lines = [
        f"Buy a store for {price}, charged to the team {subject.team}?",
        *price_lines(subject.quote),
        *([_why(subject.reasons)] if headline is None else []),
        f"Product: {named(subject.product)} ({named(subject.product_id)})",
        f"Billing plan: {named(str(subject.plan.get('id')))}",
        f"Store name: {quoted(subject.name)}",
        f"Payment method: {method}",
    ]
    if subject.changed:
        lines.append("CHANGED: the plan or its price is not what it was when this was last asked.")
    if subject.unsettled:
        lines.append("CAREFUL: an earlier purchase of this product is not settled; it may exist and be billed already.")
    if chosen := list(chosen_lines(subject.chosen)):
        lines += ["Chosen by the assistant:", *(f"  {line}" for line in chosen)]
    if partner := list(islice(_partner_lines(subject.plan, subject.quote), _MAX_PARTNER_LINES + 1)):
        lines += [
            "The partner's own words, not checked:",
            *(f"  {quoted(line)}" for line in partner[:_MAX_PARTNER_LINES]),
        ]
    if len(partner) > _MAX_PARTNER_LINES:
        lines.append("The partner says more than fits here: read the plan at Vercel first.")
    lines.append(f"To buy, type {expected} - anything else buys nothing.")
    return "\n".join(lines)


def _why(reasons: Sequence[str]) -> str:
    return f"It may be billed because: {clean('; '.join(reasons), _VALUE_LENGTH)}"


def chosen_lines(chosen: Mapping[str, Any]) -> Iterator[str]:
    """Yield each value that the assistant chose as a line, nested ones by their path."""
    for _, path, value in sorted(walk(dict(chosen)), key=lambda found: found[1]):
        is_empty = isinstance(value, dict | list) and not value
        if path and (is_empty or not isinstance(value, dict | list)):
            yield f"{_path(path)} = {_literal(value)}"


def _path(path: str) -> str:
    """Return the path of a value as it is, or in quotes if it could be read as words of this question."""
    return path if _PLAIN_PATH.fullmatch(path) else quoted(path)


def _literal(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case str():
            return quoted(value, _VALUE_LENGTH)
        case dict():
            return "{}"
        case list():
            return "[]"
    return str(value)


def _partner_lines(plan: Mapping[str, Any], price: Quote) -> Iterator[str]:
    """Yield what the partner says of the plan, prices first; a text that stands in an earlier line is left out."""
    named = (f"{name}: {plan[name]}" for name in _SHOWN_MEMBERS if plan.get(name) not in (None, ""))
    details = (text for text in islice(detail_lines(plan), _MAX_DETAILS) if holds_amount(text[:_MAX_SEARCHED]))
    priced = chain(details, price.words)
    prices = (part for text in priced for part in _priced_parts(text))
    shown: list[str] = []
    for text in chain(named, prices, detail_lines(plan), strings([plan.get("name"), plan.get("description")])):
        line = clean(text)
        if line and not any(_stands_in(line, earlier) for earlier in shown):
            shown.append(line)
            yield line


def _stands_in(line: str, earlier: str) -> bool:
    """Say whether a line is repeated within another, word by word: $2 does not stand in $20."""
    return re.search(rf"(?<!\S){re.escape(line)}(?!\S)", earlier) is not None


def _priced_parts(text: str) -> Iterator[str]:
    """Yield a text that holds an amount; of one too long for a line, the parts that hold amounts."""
    yield text
    for start in range(_STEP, min(len(text), _MAX_SEARCHED), _STEP) if len(text) > MAX_LENGTH else ():
        part = text[start : start + MAX_LENGTH - 1]
        if holds_amount(part):
            yield f"…{part}"


def form(expected: str) -> dict[str, Any]:
    """Return the form's schema: one required free text, without anything that a client could fill in by itself."""
    return form_of(AMOUNT, f"Type {expected} to buy", "Anything else buys nothing.")


def form_of(name: str, title: str, description: str) -> dict[str, Any]:
    """Return the schema of a form with this one field."""
    field = {"type": "string", "title": title, "description": description}
    return {"type": "object", "properties": {name: field}, "required": [name]}


def read(reply: Reply, expected: str) -> Meaning:
    """Return what a reply means. Only the exact text is a yes; surrounding white space aside, nothing comes near it."""
    if reply.action == "accept":
        text = reply.typed
        if not isinstance(text, str) or not text.strip():
            return Meaning.UNSEEN
        return Meaning.YES if text.strip() == expected else Meaning.NO
    if reply.action in {"decline", "cancel"} and reply.elapsed >= TOO_FAST:
        return Meaning.NO
    return Meaning.UNSEEN
