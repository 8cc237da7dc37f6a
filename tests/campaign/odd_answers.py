"""Answers that are odd and yet whole, and answers about a store whose members are of other types, as data."""

from collections.abc import Callable, Iterator
from typing import Any

from ..sockets import Said, as_http
from .faults_table import (
    CONFIGURATIONS,
    CREATE,
    LISTS,
    MAX_BODY,
    OK,
    PRODUCTS,
    Fault,
    Sort,
    edited,
    framed,
    inserted,
    instead,
)
from .faulty_vercel import Spoil


def odd() -> Iterator[Fault]:
    """What any operation may answer without being wrong."""
    spoils: dict[str, Spoil] = {
        "1xx before it": lambda material: Said(
            pieces=(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 50, as_http(200, material.body))
        ),
        "a byte a chunk": framed(
            lambda body: (
                b"transfer-encoding: chunked",
                b"".join(b"1\r\n%c\r\n" % byte for byte in body) + b"0\r\n\r\n",
            )
        ),
        "words after the end": lambda material: Said(pieces=(as_http(200, material.body) + OK,), then="close"),
        "no content type": lambda material: Said(
            pieces=(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(material.body) + material.body,)
        ),
        "another JSON type": instead(lambda body: body, content_type="Application/vnd.api+JSON; charset=utf-8"),
        "201": instead(lambda body: body, 201),
        "retry after a success": instead(lambda body: body, retry_after="1000000000"),
        "a body at the cap": instead(lambda body: body.ljust(MAX_BODY)),
        "space around it": instead(lambda body: b"\r\n\t " + body + b"\n\n"),
        "half a character": inserted('"odd": "\\ud800"'),
        "members unknown today": inserted('"odd": {"nested": [1.5, null, {"deep": true}]}, "": ""'),
    }
    for name, spoil in spoils.items():
        yield Fault(name=name, sort=Sort.HARMLESS, spoil=spoil)
    entries = edited(_with_odd_entries)
    yield Fault(name="odd entries", sort=Sort.HARMLESS, spoil=entries, acted=False, operations=frozenset(LISTS))
    names = edited(lambda answer, _: _with_half_characters(answer))
    operations = frozenset({CONFIGURATIONS, PRODUCTS, CREATE})
    yield Fault(name="names with half a character", sort=Sort.HARMLESS, spoil=names, operations=operations)


def _with_odd_entries(answer: Any, member: str | None) -> Any:
    entries: list[Any] = [None, 7, "x", [], {}, {"id": 7}]
    return [*entries, *answer] if member is None else {**answer, member: [*entries, *answer[member]]}


def _with_half_characters(value: Any) -> Any:
    """Return a JSON value in which every `name` ends in half a surrogate pair."""
    if isinstance(value, list):
        return [_with_half_characters(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        name: f"{item}\ud800" if name == "name" and isinstance(item, str) else _with_half_characters(item)
        for name, item in value.items()
    }


def stores() -> Iterator[Fault]:
    """Members of a created store are of other types. It exists all the same, though maybe not on the plan meant."""
    members: dict[str, Any] = {
        "id": 7,
        "name": None,
        "status": {"is": "available"},
        "externalResourceId": ["x"],
        "product": [],
        "metadata": 0.5,
        "secrets": "DATABASE_URL",
        "projectsMetadata": True,
        "billingPlan": None,
    }
    for name, value in members.items():
        yield _store(f"the store's {name} is {value!r}", Sort.HARMLESS, _set(name, value))
    yield _store("the store is empty", Sort.HARMLESS, lambda _: {})
    for value in ("free", ["pro"], 7, True, False):
        yield _store(f"the store's plan is {value!r}", Sort.ANOTHER_PLAN, _set("billingPlan", value))


def _set(name: str, value: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda store: {**store, name: value}


def _store(name: str, sort: Sort, edit: Callable[[dict[str, Any]], dict[str, Any]]) -> Fault:
    spoil = edited(lambda answer, _: {"store": edit(answer["store"])})
    return Fault(name=name, sort=sort, spoil=spoil, operations=frozenset({CREATE}))
