"""Everything an operator may set, read once from environment variables; nonsense stops the start.

A value that can't be read never widens what is allowed, and no tool argument changes a setting.
"""

import os
import re
import sys
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal, get_args
from urllib.parse import unquote, urlsplit

from pydantic import SecretStr

from vercel_marketplace_mcp import values
from vercel_marketplace_mcp.values import SettingsError as SettingsError  # noqa: PLC0414 - who loads settings meets it

TOKEN_PATTERN = re.compile(r"[A-Za-z0-9_.-]{16,512}")
TEAM_ID_PATTERN = re.compile(r"team_[A-Za-z0-9_-]{1,64}")
TEAM_SLUG_PATTERN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")

Approval = Literal["client", "terminal", "both"]
"""Where a person says yes: in the client's form (or a terminal, where there is none), in a terminal, or in both."""
LogFormat = Literal["text", "json"]


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
    approval: Approval = "client"
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
    log_format: LogFormat = "text"
    state_keys: tuple[SecretStr, ...] = ()

    @property
    def secrets(self) -> list[str]:
        """What no log may hold: the token, the keys, and the ledger's address with its password."""
        wrapped = [self.token, *self.state_keys, self.ledger_url or SecretStr("")]
        found = [each.get_secret_value() for each in wrapped]
        password = urlsplit(found[-1]).password or ""
        return [*found, password, unquote(password)]


def load(environment: MutableMapping[str, str] = os.environ) -> Settings:
    """Read the settings and take the token out of `environment`, so that no child process inherits it.

    Raises:
        SettingsError: a value is missing or malformed.
    """
    token = environment.pop("VERCEL_TOKEN", "")
    if file := environment.get("VERCEL_TOKEN_FILE", ""):
        if token:
            raise SettingsError("VERCEL_TOKEN and VERCEL_TOKEN_FILE are both set; set one of them.")
        token = values.secret_file("VERCEL_TOKEN_FILE", file).strip("\r\n")
    if not token:
        raise SettingsError(
            "VERCEL_TOKEN is not set. Make a token with access to your team at "
            "https://vercel.com/account/settings/tokens, or start with --sandbox, which needs none."
        )
    if not TOKEN_PATTERN.fullmatch(token):
        raise SettingsError("VERCEL_TOKEN must be 16 to 512 letters, digits, dots, dashes or underscores, and no more.")
    policy = load_policy(environment)
    api_url = values.read(environment, "VERCEL_API_URL", policy.api_url, values.origin)
    return replace(policy, token=SecretStr(token), team=_team(environment), api_url=api_url)


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
    read = partial(values.read, environment)
    state_dir = read("VERCEL_MCP_STATE_DIR", None, values.folder) or default_state_dir(environment)
    unset = Settings(token=SecretStr(""), state_dir=state_dir)
    return replace(
        unset,
        paid=read("VERCEL_MCP_PAID", unset.paid, values.either("ask", "deny")),
        approval=read("VERCEL_MCP_APPROVAL", unset.approval, values.one_of(*get_args(Approval))),
        max_per_purchase=read("VERCEL_MCP_MAX_PER_PURCHASE", unset.max_per_purchase, values.dollars),
        max_per_day=read("VERCEL_MCP_MAX_PER_DAY", unset.max_per_day, values.dollars),
        unpriced=read("VERCEL_MCP_UNPRICED", unset.unpriced, values.either("ask", "deny")),
        max_creates_per_hour=read(
            "VERCEL_MCP_MAX_CREATES_PER_HOUR", unset.max_creates_per_hour, values.whole(0, 10_000)
        ),
        allowed_products=values.allowed_products(environment),
        form_wait=read("VERCEL_MCP_FORM_WAIT", unset.form_wait, values.whole(10, 600)),
        approval_ttl=read("VERCEL_MCP_APPROVAL_TTL", unset.approval_ttl, values.whole(30, 600)),
        reconcile=read("VERCEL_MCP_RECONCILE", unset.reconcile, values.either("on", "off")),
        ledger_url=read("VERCEL_MCP_LEDGER_URL", unset.ledger_url, values.ledger_url),
        state_keys=read("VERCEL_MCP_STATE_KEYS", unset.state_keys, values.keys),
        log_format=read("VERCEL_MCP_LOG_FORMAT", unset.log_format, values.one_of(*get_args(LogFormat))),
    )


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
