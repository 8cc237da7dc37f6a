"""Reads an answer of the API strictly: whatever is broken, ambiguous or out of range is an error. It does no I/O."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

from vercel_marketplace_mcp import strict_json
from vercel_marketplace_mcp.settings import Team
from vercel_marketplace_mcp.vercel import errors


class Answered(NamedTuple):
    """A JSON value and the number of bytes that it came in."""

    value: Any
    size: int


def read(
    status: int, headers: Mapping[str, str], raw: bytes, *, has_answer: bool = True, team: Team | None = None
) -> Any:
    """Return the JSON value of a successful answer, or None of an operation that answers nothing else than that.

    `team` is the one that the request named; errors tell it.

    Raises:
        VercelError: the status is no success, or the body can't be used.
    """
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    is_json = media_type in {"", "application/json"} or media_type.endswith("+json")
    if status not in range(200, 300):
        body = _value(raw) if is_json else None
        raise errors.from_status(status, body, _retry_after(headers.get("retry-after")), team)
    if not has_answer:
        return None
    if not is_json:
        raise errors.unreadable("it is not JSON")
    value = _value(raw)
    if value is None:
        raise errors.unreadable("its JSON is broken, ambiguous or too deep")
    return value


def without(raw: bytes, secret: str) -> bytes:
    """Return an answer without a secret, be it in JSON's escapes."""
    if secret.encode() not in raw and b"\\u" not in raw:  # every spelling has one of the two
        return raw
    spelled = "".join(rf"(?:{re.escape(char)}|\\u(?i:{ord(char):04x}))" for char in secret)
    return re.sub(spelled.encode(), b"[redacted]", raw)


def _value(raw: bytes) -> Any:
    """Return the JSON value of `raw`, or None if it is broken, too deep, gives a key twice or a number out of range."""
    try:
        document = strict_json.parse(raw)
    except strict_json.NotJsonError:
        return None
    if document.duplicate_keys or not strict_json.is_bounded(document.value):
        return None
    return document.value


def _retry_after(header: str | None) -> float | None:
    """Return the seconds that a Retry-After header asks for (a number or an HTTP date), or None if it is neither."""
    if header is None:
        return None
    if header.strip().isascii() and header.strip().isdigit():
        return float(header.strip()[:9])
    try:
        moment = parsedate_to_datetime(header)
    except (ValueError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())
