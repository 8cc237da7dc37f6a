"""Logging to standard error, in one place, with every secret taken out of what is written."""

import base64
import logging
import sys
from collections.abc import Iterable


class _Redacting(logging.Formatter):
    """Formats as usual, then replaces each secret wherever it stands, tracebacks included."""

    def __init__(self, secrets: Iterable[str]) -> None:
        super().__init__("%(levelname)s %(name)s: %(message)s")
        plain = [secret for secret in secrets if secret]
        encoded = [base64.b64encode(secret.encode()).decode().rstrip("=") for secret in plain]
        self._secrets = [*plain, *encoded]

    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record)
        for secret in self._secrets:
            text = text.replace(secret, "[redacted]")
        return text


def configure(secrets: Iterable[str] = (), level: int = logging.WARNING) -> None:
    """Write warnings and worse to standard error, and never one of `secrets`.

    The HTTP libraries log addresses and headers below warnings, so they stay at warnings whatever `level` is.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Redacting(secrets))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for library in ("httpx", "httpcore"):
        logging.getLogger(library).setLevel(logging.WARNING)
    logging.getLogger("stamina").setLevel(logging.ERROR)  # a repeated read is no news
