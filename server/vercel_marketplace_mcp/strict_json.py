"""Reads JSON without the liberties of the standard parser: nothing is merged, rounded away or left unbounded.

It does no I/O and knows no protocol.
"""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

MAX_DEPTH = 32
"""Levels of nesting that a caller accepts; `walk` goes one further, to show that there are more."""
MAX_PATH = 200
"""Characters of a path that are kept."""
MAX_SAFE_INTEGER = 2**53 - 1
"""The largest integer that every JSON reader keeps exactly (RFC 8259, section 6)."""
_MAX_DIGITS = 400


class NotJsonError(ValueError):
    """The text is not JSON, or nests too deep to be read at all."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Document:
    """A value, and the object keys that its text gave more than once (the last one won).

    `duplicate_members` are those of the outermost object.
    """

    value: Any
    duplicate_keys: tuple[str, ...]
    duplicate_members: tuple[str, ...] = ()


def parse(raw: bytes) -> Document:
    """Read UTF-8 JSON. NaN and numbers beyond a float's range become non-finite floats, for the caller to refuse.

    Raises:
        NotJsonError: not UTF-8, not JSON, or nested hundreds of levels deep.
    """
    duplicates: list[str] = []
    latest: list[str] = []  # of the object that was closed last: in the end, the outermost

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(items)
        latest.clear()
        if len(found) != len(items):
            seen: set[str] = set()
            latest.extend(key for key, _ in items if key in seen or seen.add(key))  # type: ignore[func-returns-value]
            duplicates.extend(latest)
        return found

    try:
        value = json.loads(raw.decode("utf-8"), object_pairs_hook=pairs, parse_int=_integer)
    except (ValueError, RecursionError) as error:
        raise NotJsonError("not JSON in UTF-8") from error
    outermost = latest if isinstance(value, dict) else []
    return Document(
        value=value, duplicate_keys=tuple(dict.fromkeys(duplicates)), duplicate_members=tuple(dict.fromkeys(outermost))
    )


def walk(value: Any) -> Iterator[tuple[int, str, Any]]:
    """Yield every value inside `value`, itself included, with its depth and its path (`metadata.tags[0]`).

    A path is cut to `MAX_PATH` characters: each child carries one, and a key may be as long as the document.
    """
    stack: list[tuple[int, str, Any]] = [(0, "", value)]
    while stack:
        depth, path, node = stack.pop()
        yield depth, path, node
        if depth > MAX_DEPTH:
            continue
        if isinstance(node, dict):
            stem = f"{path}." if path else ""
            stack.extend((depth + 1, f"{stem}{str(key)[:MAX_PATH]}"[:MAX_PATH], child) for key, child in node.items())
        elif isinstance(node, list):
            stack.extend((depth + 1, f"{path}[{index}]"[:MAX_PATH], child) for index, child in enumerate(node))


def is_bounded(value: Any) -> bool:
    """Say whether what `parse` returned nests no deeper than `MAX_DEPTH` levels and holds finite numbers only."""
    level, depth = [value], 0
    while level and depth <= MAX_DEPTH:
        children: list[Any] = []
        for node in level:
            kind = type(node)
            if kind is dict:
                children += node.values()
            elif kind is list:
                children += node
            elif kind is float and not math.isfinite(node):
                return False
        level, depth = children, depth + 1
    return not level


def is_exact_number(value: Any) -> bool:
    """Say whether `value` is a number that every JSON reader keeps as it is (a bool is no number)."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return math.isfinite(value) if isinstance(value, float) else abs(value) <= MAX_SAFE_INTEGER


def is_unicode(value: Any) -> bool:
    """Say whether no text inside `value` holds half of a surrogate pair, which JSON can spell but nobody can write."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except (UnicodeEncodeError, RecursionError):
        return False
    return True


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= _MAX_DIGITS else math.copysign(math.inf, -1 if digits[0] == "-" else 1)


def inexact(document: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return the first path whose value JSON can't carry exactly, and why, or None."""
    for depth, path, value in walk(dict(document)):
        if depth > MAX_DEPTH:
            return path, f"nests deeper than {MAX_DEPTH} levels"
        if isinstance(value, int | float) and not isinstance(value, bool) and not is_exact_number(value):
            return path, "must be a finite number that JSON carries exactly"
        texts = value if isinstance(value, dict) else [value] if isinstance(value, str) else ()
        if any(not _is_unicode(text) for text in texts):
            return path, "holds half of a surrogate pair, which is no character"
    return None


def _is_unicode(text: Any) -> bool:
    try:
        str(text).encode()
    except UnicodeEncodeError:
        return False
    return True
