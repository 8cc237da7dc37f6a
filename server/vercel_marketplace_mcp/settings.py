"""Everything an operator may set, read once from environment variables; nonsense stops the start.

A value that can't be read never widens what is allowed, and no tool argument changes a setting.
"""

import ipaddress
import os
import re
import sys
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from pydantic import SecretStr

from vercel_marketplace_mcp.strict_json import is_unicode

TOKEN_PATTERN = re.compile(r"[A-Za-z0-9_.-]{16,512}")
TEAM_ID_PATTERN = re.compile(r"team_[A-Za-z0-9_-]{1,64}")
TEAM_SLUG_PATTERN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
_PRODUCT_PATTERN = re.compile(r"[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+")
_DOLLARS_PATTERN = re.compile(r"([0-9]{1,7})(?:\.([0-9]{2}))?")

_LEDGER_URL_PATTERN = re.compile(r"postgres(?:ql)?://\S+")

T = TypeVar("T")


class SettingsError(ValueError):
    """A setting that can't be used; the message names the variable and what it must look like, never its value."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Team:
    """The team that every request is made for: exactly one of its id and its slug."""

    id: str | None = None
    slug: str | None = None

    def __str__(self) -> str:
        return self.id or self.slug or ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """The operator's settings. Money is in cents, time in seconds."""

    token: SecretStr
    team: Team | None = None
    api_url: str = "https://api.vercel.com"
    paid: bool = True
    terminal_only: bool = False
    max_per_purchase: int = 100_00
    max_per_day: int = 250_00
    unpriced: bool = True
    max_creates_per_hour: int = 20
    allowed_products: frozenset[str] | None = None
    form_wait: int = 55
    approval_ttl: int = 600
    reconcile: bool = True
    state_dir: Path
    ledger_url: SecretStr | None = None


def load(environment: MutableMapping[str, str] = os.environ) -> Settings:
    """Read the settings and take the token out of `environment`, so that no child process inherits it.

    Raises:
        SettingsError: a value is missing or malformed.
    """
    token = environment.pop("VERCEL_TOKEN", "")
    if not token:
        raise SettingsError(
            "VERCEL_TOKEN is not set. Make a token with access to your team at "
            "https://vercel.com/account/settings/tokens, or start with --sandbox, which needs none."
        )
    if not TOKEN_PATTERN.fullmatch(token):
        raise SettingsError("VERCEL_TOKEN must be 16 to 512 letters, digits, dots, dashes or underscores, and no more.")
    return replace(
        load_policy(environment), token=SecretStr(token), team=_team(environment), api_url=_api_url(environment)
    )


def load_for_sandbox(token: str, team_id: str, environment: MutableMapping[str, str] = os.environ) -> Settings:
    """Read the rules but not the account: the sandbox has its own token, team, ledger and state folder.

    Raises:
        SettingsError: a value is malformed.
    """
    environment.pop("VERCEL_TOKEN", "")
    policy = load_policy(environment)
    state_dir = policy.state_dir / "sandbox"
    return replace(policy, token=SecretStr(token), team=Team(id=team_id), state_dir=state_dir, ledger_url=None)


def load_policy(environment: Mapping[str, str]) -> Settings:
    """Read everything that does not say whose account is used: what the commands for people need.

    Raises:
        SettingsError: a value is malformed.
    """
    read = partial(_read, environment)
    return Settings(
        token=SecretStr(""),
        paid=read("VERCEL_MCP_PAID", True, _either("ask", "deny")),
        terminal_only=read("VERCEL_MCP_APPROVAL", False, _either("terminal", "client")),
        max_per_purchase=read("VERCEL_MCP_MAX_PER_PURCHASE", 100_00, _dollars),
        max_per_day=read("VERCEL_MCP_MAX_PER_DAY", 250_00, _dollars),
        unpriced=read("VERCEL_MCP_UNPRICED", True, _either("ask", "deny")),
        max_creates_per_hour=read("VERCEL_MCP_MAX_CREATES_PER_HOUR", 20, _whole(0, 10_000)),
        allowed_products=_allowed_products(environment),
        form_wait=read("VERCEL_MCP_FORM_WAIT", 55, _whole(10, 600)),
        approval_ttl=read("VERCEL_MCP_APPROVAL_TTL", 600, _whole(30, 600)),
        reconcile=read("VERCEL_MCP_RECONCILE", True, _either("on", "off")),
        state_dir=read("VERCEL_MCP_STATE_DIR", None, _folder) or default_state_dir(environment),
        ledger_url=read("VERCEL_MCP_LEDGER_URL", None, _ledger_url),
    )


def _read(environment: Mapping[str, str], name: str, default: T, parse: Callable[[str, str], T]) -> T:
    """Read one variable; hosts pass an empty string for a field left blank, so empty means the default."""
    text = environment.get(name, "")
    return parse(name, text) if text else default


def default_state_dir(environment: Mapping[str, str]) -> Path:
    """Return the platform's folder for state that outlives a process.

    Raises:
        SettingsError: there is none; a folder relative to wherever the process was started would not be one.
    """
    home = Path(environment.get("HOME") or environment.get("USERPROFILE") or "")
    if sys.platform == "darwin":
        base = home / "Library" / "Application Support"
    elif sys.platform == "win32":
        base = Path(environment.get("LOCALAPPDATA") or home / "AppData" / "Local")
    else:
        base = Path(environment.get("XDG_STATE_HOME", ""))
        base = base if base.is_absolute() else home / ".local" / "state"
    if not base.is_absolute():
        raise SettingsError("VERCEL_MCP_STATE_DIR must be set to an absolute path, since there is no home folder.")
    return base / "vercel-marketplace-mcp"


def _team(environment: Mapping[str, str]) -> Team | None:
    team_id, slug = environment.get("VERCEL_TEAM_ID", ""), environment.get("VERCEL_TEAM_SLUG", "")
    if team_id and slug:
        raise SettingsError("VERCEL_TEAM_ID and VERCEL_TEAM_SLUG are both set; set one of them.")
    if team_id and not TEAM_ID_PATTERN.fullmatch(team_id):
        raise SettingsError("VERCEL_TEAM_ID must be a team's id, as in team_1a2b3c4d5e6f.")
    if slug and not TEAM_SLUG_PATTERN.fullmatch(slug):
        raise SettingsError("VERCEL_TEAM_SLUG must be a team's slug, as in my-team.")
    if team_id or slug:
        return Team(id=team_id or None, slug=slug or None)
    return None


def _api_url(environment: Mapping[str, str]) -> str:
    text = environment.get("VERCEL_API_URL", "")
    if not text:
        return "https://api.vercel.com"
    rule = "VERCEL_API_URL must be https://HOST[:PORT] (http only for this machine: 127.0.0.1, [::1], localhost)."
    try:
        url = urlsplit(text)
        port = f":{url.port}" if url.port is not None else ""
    except ValueError:
        raise SettingsError(rule) from None
    host = url.hostname or ""
    unexpected = url.username or url.password or url.query or url.fragment or url.path not in {"", "/"}
    if unexpected or not re.fullmatch(r"[a-z0-9.:-]+", host) or re.search(r"[?#@\\]|[^!-~]", text):
        raise SettingsError(rule)
    if url.scheme != "https" and not (url.scheme == "http" and _is_loopback(host)):
        raise SettingsError(rule)
    return f"{url.scheme}://{f'[{host}]' if ':' in host else host}{port}"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _allowed_products(environment: Mapping[str, str]) -> frozenset[str] | None:
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


def _either(yes: str, no: str) -> Callable[[str, str], bool]:
    def parse(name: str, text: str) -> bool:
        if text not in {yes, no}:
            raise SettingsError(f"{name} must be {yes} or {no}.")
        return text == yes

    return parse


def _dollars(name: str, text: str) -> int:
    found = _DOLLARS_PATTERN.fullmatch(text)
    if not found:
        raise SettingsError(f"{name} must be an amount in dollars, as in 100.00.")
    return int(found[1]) * 100 + int(found[2] or 0)


def _whole(lowest: int, highest: int) -> Callable[[str, str], int]:
    def parse(name: str, text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,6}", text) or not lowest <= int(text) <= highest:
            raise SettingsError(f"{name} must be a whole number from {lowest} to {highest}.")
        return int(text)

    return parse


def _folder(name: str, text: str) -> Path:
    try:
        path = Path(text).expanduser()
    except (RuntimeError, ValueError):  # the home of a user who does not exist, or a NUL
        path = Path()
    if not path.is_absolute() or "\0" in text or not is_unicode(text):  # answers name it
        raise SettingsError(f"{name} must be an absolute path.")
    return path


def _ledger_url(name: str, text: str) -> SecretStr | None:
    if not _LEDGER_URL_PATTERN.fullmatch(text):
        raise SettingsError(f"{name} must be postgresql://…")
    return SecretStr(text)


def require_sqlite(chosen: Settings) -> Settings:
    """Return the settings, unless they name a ledger that this version can't use: ignoring it would split the ledger.

    Raises:
        SettingsError: they do.
    """
    if chosen.ledger_url is not None:
        raise SettingsError("VERCEL_MCP_LEDGER_URL must be unset: this version keeps its ledger in SQLite only.")
    return chosen
