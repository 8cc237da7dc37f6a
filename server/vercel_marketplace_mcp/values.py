"""Reads the values of settings: a parser returns what a text means, or names the variable and what it must look like.

A value that can't be read never widens what is allowed, and no message repeats one.
"""

import ipaddress
import re
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from pydantic import SecretStr

from vercel_marketplace_mcp.strict_json import is_unicode

_PRODUCT_PATTERN = re.compile(r"[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+")
_DOLLARS_PATTERN = re.compile(r"([0-9]{1,7})(?:\.([0-9]{2}))?")
_LEDGER_URL_PATTERN = re.compile(r"postgres(?:ql)?://\S+")
_MAX_FILE = 64 * 1024

T = TypeVar("T")
ChoiceT = TypeVar("ChoiceT", bound=str)


class SettingsError(ValueError):
    """A setting that can't be used; the message names the variable and what it must look like, never its value."""


def read(environment: Mapping[str, str], name: str, default: T, parse: Callable[[str, str], T]) -> T:
    """Read one variable; hosts pass an empty string for a field left blank, so empty means the default."""
    text = environment.get(name, "")
    return parse(name, text) if text else default


def origin(name: str, text: str) -> str:
    """Read https://HOST[:PORT]; plain http only for this machine.

    Raises:
        SettingsError: it is something else.
    """
    shape = "https://HOST[:PORT]"
    found = _url(name, text, shape)
    if urlsplit(text).path not in {"", "/"}:
        raise _no_url(name, shape)
    return found


def url(name: str, text: str) -> str:
    """Read https://HOST[:PORT][/PATH], without a slash at its end; plain http only for this machine.

    Raises:
        SettingsError: it is something else.
    """
    return _url(name, text, "https://HOST[:PORT][/PATH]")


def _url(name: str, text: str, shape: str) -> str:
    try:
        found = urlsplit(text)
        port = f":{found.port}" if found.port is not None else ""
    except ValueError:
        raise _no_url(name, shape) from None
    host = found.hostname or ""
    unexpected = found.username or found.password or found.query or found.fragment
    if unexpected or not re.fullmatch(r"[a-z0-9.:-]+", host) or re.search(r"[?#@\\]|[^!-~]", text):
        raise _no_url(name, shape)
    if found.scheme != "https" and not (found.scheme == "http" and is_loopback(host)):
        raise _no_url(name, shape)
    return f"{found.scheme}://{f'[{host}]' if ':' in host else host}{port}{found.path.rstrip('/')}"


def _no_url(name: str, shape: str) -> SettingsError:
    return SettingsError(f"{name} must be {shape} (http only for this machine: 127.0.0.1, [::1], localhost).")


def is_loopback(host: str) -> bool:
    """Say whether only this machine can be meant."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def allowed_products(environment: Mapping[str, str]) -> frozenset[str] | None:
    """Read a list of products; unset means all, and empty is an error: it would allow what was to be forbidden."""
    text = environment.get("VERCEL_MCP_ALLOWED_PRODUCTS")
    if text is None:
        return None
    products = [part.strip() for part in text.split(",")]
    if not all(_PRODUCT_PATTERN.fullmatch(product) for product in products):
        raise SettingsError(
            "VERCEL_MCP_ALLOWED_PRODUCTS must be integration-slug/product-slug, separated by commas; "
            "leave it unset to allow every product."
        )
    return frozenset(products)


def either(yes: str, no: str) -> Callable[[str, str], bool]:
    """Return the parser of one of two words; the first means true."""
    parse = one_of(yes, no)
    return lambda name, text: parse(name, text) == yes


def one_of(*words: ChoiceT) -> Callable[[str, str], ChoiceT]:
    """Return the parser of one of several words."""

    def parse(name: str, text: str) -> ChoiceT:
        for word in words:
            if text == word:
                return word
        raise SettingsError(f"{name} must be {', '.join(words[:-1])} or {words[-1]}.")

    return parse


def dollars(name: str, text: str) -> int:
    """Read an amount in dollars; return cents."""
    found = _DOLLARS_PATTERN.fullmatch(text)
    if not found:
        raise SettingsError(f"{name} must be an amount in dollars, as in 100.00.")
    return int(found[1]) * 100 + int(found[2] or 0)


def whole(lowest: int, highest: int) -> Callable[[str, str], int]:
    """Return the parser of a whole number within these limits."""

    def parse(name: str, text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,6}", text) or not lowest <= int(text) <= highest:
            raise SettingsError(f"{name} must be a whole number from {lowest} to {highest}.")
        return int(text)

    return parse


def folder(name: str, text: str) -> Path:
    """Read an absolute path."""
    try:
        path = Path(text).expanduser()
    except (RuntimeError, ValueError):  # the home of a user who does not exist, or a NUL
        path = Path()
    if not path.is_absolute() or "\0" in text or not is_unicode(text):  # answers name it
        raise SettingsError(f"{name} must be an absolute path.")
    return path


def secret_file(name: str, text: str) -> str:
    """Read the file at an absolute path, which is not open to everybody; return what it holds.

    Raises:
        SettingsError: it can't be read, or others may.
    """
    path = folder(name, text)
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode) or found.st_size > _MAX_FILE:
            raise SettingsError(f"{name} must name a file of at most {_MAX_FILE} bytes.")
        if found.st_mode & stat.S_IRWXO:
            raise SettingsError(
                f"Everybody may read or write the file of {name}. Take that permission away (chmod o=)."
            )
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise SettingsError(f"The file that {name} names can't be read.") from None


def _splits(text: str) -> bool:
    try:
        urlsplit(text)
    except ValueError:
        return False
    return True


def ledger_url(name: str, text: str) -> SecretStr | None:
    """Read the address of a PostgreSQL database."""
    if not _LEDGER_URL_PATTERN.fullmatch(text) or not _splits(text):
        raise SettingsError(f"{name} must be postgresql://…")
    return SecretStr(text)


def keys(name: str, text: str) -> tuple[SecretStr, ...]:
    """Read secrets of 32 characters or more, separated by commas; the newest first."""
    found = [part.strip() for part in text.split(",")]
    if any(not re.fullmatch(r"[!-~]{32,512}", key) for key in found) or len(set(found)) != len(found):
        raise SettingsError(f"{name} must be different keys of 32 characters or more, separated by commas.")
    return tuple(SecretStr(key) for key in found)


def is_header_value(text: str) -> bool:
    """Say whether a token can stand in a header without anything else getting in."""
    return re.fullmatch(r"[!-~]{16,16384}", text) is not None
