"""Binds a confirmation to one purchase: any difference in what is bought, where or at what terms gives another hash."""

import hashlib
from collections.abc import Mapping
from typing import Any

import rfc8785

_DOMAIN = b"vercel-marketplace-mcp/purchase/v1\0"


class UnbindableError(ValueError):
    """The purchase holds a value that has no canonical form, so nothing could be bound to it."""


def fingerprint(purchase: Mapping[str, Any]) -> str:
    """Return the SHA-256, in hexadecimal, of the canonical JSON (RFC 8785) of `purchase`.

    Raises:
        UnbindableError: a number can't be carried exactly, or a text is not Unicode.
    """
    try:
        canonical = rfc8785.dumps(dict(purchase))
    except (rfc8785.CanonicalizationError, UnicodeEncodeError, RecursionError) as error:
        raise UnbindableError from error
    return hashlib.sha256(_DOMAIN + canonical).hexdigest()
