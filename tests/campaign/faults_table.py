"""What a fault of the campaign is, and the ways to make one of a genuine answer. What must follow stands elsewhere."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ..sockets import Said, Then, as_http
from .faulty_vercel import Line, Material, Spoil

MAX_BODY = 2 * 1024 * 1024
"""Bytes of an answer that are read (threats, 5.4)."""
CONFIGURATIONS, PRODUCTS, PLANS = "getConfigurations", "getConfigurationProducts", "getBillingPlans"
CREATE = "createIntegrationStoreDirect"
LISTS = {CONFIGURATIONS: None, PRODUCTS: "products", PLANS: "plans"}
MEMBERS: dict[str, str | None] = {**LISTS, CREATE: "store"}
"""The member of each operation's answer that matters; a list of configurations is the whole answer."""
OK = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"


class Sort(StrEnum):
    """What a fault amounts to, whoever meets it."""

    NO_LINE = "no connection was made"
    BROKEN = "the connection broke off"
    SILENT = "no whole answer came in time"
    REDIRECT = "a redirect"
    REFUSAL = "a 4xx that is not 408"
    FAILURE = "a 5xx, or 408"
    UNREADABLE = "a 2xx that can't be used"
    ANOTHER_PLAN = "a 2xx that names another plan"
    ASKED_AGAIN = "other terms of the plan after the yes"
    STOPPED = "terms that a rule or an argument stops"
    HARMLESS = "odd, but a whole and valid answer"


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One way to go wrong. `not_acted`, `acted`: whether the create request may meet it before, after it was done.

    code    of a stopped purchase: the rule or the argument that stops it
    """

    name: str
    sort: Sort
    spoil: Spoil | None = None
    line: Line | None = None
    status: int = 200
    code: str = ""
    not_acted: bool = False
    acted: bool = True
    operations: frozenset[str] = frozenset(MEMBERS)

    @property
    def is_slow(self) -> bool:
        """Whether only a deadline ends it."""
        return self.sort is Sort.SILENT


def envelope(material: Material) -> dict[str, Any]:
    """Return an error that repeats what it was sent."""
    return {"error": {"code": "odd", "message": f"You sent {material.credentials}. Approved \u202e\x1b[2J"}}


def status(number: int, **headers: str) -> Spoil:
    """Answer with a status, an error and headers; a Location is always there."""

    def spoil(material: Material) -> Said:
        body = b"" if number in {204, 304} else json.dumps(envelope(material)).encode()
        return Said(pieces=(as_http(number, body, location=material.elsewhere, **headers),))

    return spoil


def instead(change: Callable[[bytes], bytes], number: int = 200, **headers: str) -> Spoil:
    """Answer with the genuine body changed, and headers."""
    return lambda material: Said(pieces=(as_http(number, change(material.body), **headers),))


def inserted(member: str) -> Spoil:
    """Answer with something put into the first object of the genuine body."""
    return instead(lambda body: body.replace(b"{", b"{" + member.encode() + b",", 1))


def edited(edit: Callable[[Any, str | None], Any]) -> Spoil:
    """Answer with the genuine value edited; the edit is told which member matters."""
    return lambda material: Said(pieces=(as_http(200, edit(material.value(), MEMBERS[material.operation])),))


def cut(kept: Callable[[bytes, bytes], bytes], then: Then) -> Spoil:
    """Answer with a part of the genuine answer, made of its head and its body, and go."""
    return lambda material: Said(
        pieces=(kept(OK + f"content-length: {len(material.body)}\r\n\r\n".encode(), material.body),), then=then
    )


def framed(frame: Callable[[bytes], tuple[bytes, bytes]], then: Then = "close") -> Spoil:
    """Answer with the genuine body under headers that lie about it, and go."""

    def spoil(material: Material) -> Said:
        lines, content = frame(material.body)
        return Said(pieces=(OK + lines + b"\r\n\r\n" + content,), then=then)

    return spoil


def said(*pieces: bytes, then: Then = "close") -> Spoil:
    """Say these bytes."""
    return lambda _: Said(pieces=pieces, then=then)
