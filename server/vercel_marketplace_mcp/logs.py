"""Logging to standard error, in one place, with every secret taken out of what is written.

As text for people, or as JSON for collectors: one object a line, whatever is in the message.
"""

import base64
import json
import logging
import re
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from vercel_marketplace_mcp.settings import LogFormat

_HIDDEN = "[redacted]"
_QUIET = ("httpx", "httpcore", "urllib3", "asyncpg", "opentelemetry", "uvicorn")
"""Libraries that log addresses and headers below warnings."""


class _Text(logging.Formatter):
    """Formats as usual, then replaces each secret wherever it stands, tracebacks included."""

    def __init__(self, secrets: Iterable[str]) -> None:
        super().__init__("%(levelname)s %(name)s: %(message)s")
        spellings = {spelled for secret in secrets if secret for spelled in _spellings(secret)}
        self._secrets = re.compile("|".join(sorted(spellings, key=len, reverse=True)) or r"(?!)")

    def hide(self, text: str) -> str:
        """Return a text without the secrets."""
        return self._secrets.sub(_HIDDEN, text)

    def format(self, record: logging.LogRecord) -> str:
        return self.hide(super().format(record))


class _Json(_Text):
    """Formats as JSON; secrets are taken out before anything is escaped, so none hides in an escape."""

    def format(self, record: logging.LogRecord) -> str:
        told = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": self.hide(record.name),
            "message": self.hide(record.getMessage()),
            **_place_in_a_trace(),
        }
        if record.exc_info:
            told["exception"] = self.hide(self.formatException(record.exc_info))
        if record.stack_info:
            told["stack"] = self.hide(self.formatStack(record.stack_info))
        return json.dumps(told)


def _spellings(secret: str) -> Iterator[str]:
    """Return patterns of the ways in which a secret may be written: as it is, in base64, in escapes."""
    yield "".join(rf"(?:{re.escape(char)}|\\+u(?i:{ord(char):04x}))" for char in secret)
    for written in (quote(secret, safe=""), json.dumps(secret)[1:-1], repr(secret)[1:-1]):
        yield re.escape(written)
    yield re.escape(base64.b64encode(secret.encode()).decode().rstrip("="))


def _place_in_a_trace() -> dict[str, str]:
    """Return the ids of the span that is open here, if one is; without a trace in this process nothing is imported."""
    trace = sys.modules.get("opentelemetry.trace")
    here = trace.get_current_span().get_span_context() if trace else None
    if here is None or not here.is_valid:
        return {}
    return {"trace_id": f"{here.trace_id:032x}", "span_id": f"{here.span_id:016x}"}


def configure(secrets: Iterable[str] = (), level: int = logging.WARNING, log_format: "LogFormat" = "text") -> None:
    """Write warnings and worse to standard error, and never one of `secrets`.

    The HTTP libraries log addresses and headers below warnings, so they stay at warnings whatever `level` is.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Json(secrets) if log_format == "json" else _Text(secrets))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for library in _QUIET:
        logging.getLogger(library).setLevel(logging.WARNING)
    logging.getLogger("stamina").setLevel(logging.ERROR)  # a repeated read is no news
