"""What an operator sets for serving over HTTP. It reads files, and no network.

Nothing here widens by default: off this machine the server starts only with identities and with the names it is
reached by.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from vercel_marketplace_mcp import values
from vercel_marketplace_mcp.callers import CREATE, PURCHASE, READ, SCOPES
from vercel_marketplace_mcp.values import SettingsError

PATH = "/mcp"
_HOSTS, _ORIGINS = "VERCEL_MCP_HTTP_ALLOWED_HOSTS", "VERCEL_MCP_HTTP_ALLOWED_ORIGINS"
_FILE, _RESOURCE = "VERCEL_MCP_HTTP_TOKENS_FILE", "VERCEL_MCP_HTTP_RESOURCE"
_HOST_PATTERN = re.compile(r"(?:[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::(?:[0-9]{1,5}|\*))?")
_PRINCIPAL_PATTERN = re.compile(r"(?!local\Z)[A-Za-z0-9_.@-]{1,64}")
"""Not `local`: that is whoever speaks to a process of this machine."""
_TOKEN_PATTERN = re.compile(r"[A-Za-z0-9_.~+/=-]{32,512}")


@dataclass(frozen=True, kw_only=True, slots=True)
class StaticToken:
    """A bearer token of the operator's file; of the token itself only the SHA-256 is kept."""

    principal: str
    digest: bytes
    scopes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class HttpSettings:
    """Where to listen, under which names, and whose tokens count. `resource` is this server's URL to the outside."""

    host: str
    port: int
    allowed_hosts: tuple[str, ...]
    allowed_origins: tuple[str, ...] = ()
    issuer: str | None = None
    resource: str | None = None
    tokens: tuple[StaticToken, ...] = ()

    @property
    def approvals_url(self) -> str | None:
        """Where people answer questions from elsewhere; None where nobody could tell who they are."""
        if not self.knows_callers:
            return None
        if self.resource is not None:
            return self.resource.removesuffix(PATH)
        if not values.is_loopback(self.host):
            return f"https://{self.allowed_hosts[0].removesuffix(':*')}"
        return f"http://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"

    @property
    def knows_callers(self) -> bool:
        """Whether a request must say who makes it."""
        return self.issuer is not None or bool(self.tokens)


def load(address: str, environment: Mapping[str, str]) -> HttpSettings:
    """Read the settings for serving at HOST:PORT.

    Raises:
        SettingsError: a value is missing or malformed.
    """
    host, port = _address(address)
    issuer = values.read(environment, "VERCEL_MCP_HTTP_ISSUER", None, _issuer)
    resource = values.read(environment, _RESOURCE, None, values.url)
    if issuer is not None and resource is None:
        raise SettingsError(f"{_RESOURCE} must be set with VERCEL_MCP_HTTP_ISSUER: the URL that tokens are issued for.")
    chosen = HttpSettings(
        host=host,
        port=port,
        allowed_hosts=_allowed_hosts(environment) or _default_hosts(host, resource),
        allowed_origins=tuple(values.origin(_ORIGINS, part) for part in _parts(environment, _ORIGINS)),
        issuer=issuer,
        resource=resource,
        tokens=values.read(environment, _FILE, (), _static_tokens),
    )
    if not values.is_loopback(host):
        _require_doors(chosen)
    return chosen


def _issuer(name: str, text: str) -> str:
    """Read an issuer's URL and keep it as it is: tokens must name it to the letter, a slash at its end included."""
    values.url(name, text)
    return text


def _require_doors(chosen: HttpSettings) -> None:
    """Refuse to listen off this machine without identities and names."""
    if not chosen.knows_callers:
        raise SettingsError(
            f"VERCEL_MCP_HTTP_ISSUER or {_FILE} must be set: off this machine nobody is served without a token."
        )
    if not chosen.allowed_hosts:
        raise SettingsError(f"{_HOSTS} must be set: off this machine only the names that you list are served.")


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]") if host.startswith("[") else host
    if not re.fullmatch(r"[A-Za-z0-9.:-]+", host) or not re.fullmatch(r"[0-9]{1,5}", port) or int(port) > 65535:
        raise SettingsError("--http must be HOST:PORT, as in 127.0.0.1:8000.")
    return host.lower(), int(port)


def _parts(environment: Mapping[str, str], name: str) -> list[str]:
    text = environment.get(name, "")
    return [part.strip() for part in text.split(",")] if text else []


def _allowed_hosts(environment: Mapping[str, str]) -> tuple[str, ...]:
    hosts = tuple(part.lower() for part in _parts(environment, _HOSTS))
    if not all(_HOST_PATTERN.fullmatch(host) for host in hosts):
        raise SettingsError(f"{_HOSTS} must be names as in mcp.example.com or localhost:8000, separated by commas.")
    return hosts


def _default_hosts(host: str, resource: str | None) -> tuple[str, ...]:
    """Return the names by which a server that listens on this machine alone is reached."""
    if not values.is_loopback(host):
        return ()
    names = ("127.0.0.1", "localhost", "[::1]")
    return (*names, *(f"{name}:*" for name in names), *([urlsplit(resource).netloc] if resource else []))


def _static_tokens(name: str, path: str) -> tuple[StaticToken, ...]:
    """Read `principal token [scope ...]`, one a line; without scopes they are those of an agent."""
    found: list[StaticToken] = []
    for number, line in enumerate(values.secret_file(name, path).splitlines(), start=1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if len(words) < 2 or not _PRINCIPAL_PATTERN.fullmatch(words[0]) or not _TOKEN_PATTERN.fullmatch(words[1]):
            raise SettingsError(
                f"{name}: line {number} must be a principal, a token of 32 characters or more, and scopes."
            )
        if not set(words[2:]) <= set(SCOPES):
            raise SettingsError(f"{name}: line {number} names a scope that is none of {', '.join(SCOPES)}.")
        scopes = tuple(words[2:]) or (READ, CREATE, PURCHASE)
        found.append(StaticToken(principal=words[0], digest=hashlib.sha256(words[1].encode()).digest(), scopes=scopes))
    if not found:
        raise SettingsError(f"{name} names a file without tokens.")
    if len({token.digest for token in found}) != len(found):
        raise SettingsError(f"{name} holds a token twice.")
    return tuple(found)
