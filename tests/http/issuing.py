"""An issuer of tokens on a real socket: its metadata, its keys, and tokens of every kind. It holds no test."""

import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from ..approval.world import Json
from ..sockets import Said
from .office import AGENT, RESOURCE
from .speaking import Speaker, speaking, told

METADATA, KEYS = "/.well-known/oauth-authorization-server/realm", "/realm/keys"
Private = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


@cache
def private_key(kind: str, number: int = 0) -> Any:
    """A private key of this kind; each number is another one."""
    assert number >= 0
    match kind:
        case "RS256":
            return rsa.generate_private_key(public_exponent=65537, key_size=2048)
        case "weak":
            return rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 - it must be refused
        case "ES256":
            return ec.generate_private_key(ec.SECP256R1())
    return ed25519.Ed25519PrivateKey.generate()


def as_jwk(key: Private, key_id: str, **more: str) -> Json:
    """The public half of a key, as an issuer publishes it."""
    public = key.public_key()
    if isinstance(public, rsa.RSAPublicKey):
        made = RSAAlgorithm.to_jwk(public, as_dict=True)
    elif isinstance(public, ec.EllipticCurvePublicKey):
        made = ECAlgorithm.to_jwk(public, as_dict=True)
    else:
        made = OKPAlgorithm.to_jwk(public, as_dict=True)
    return {**made, "kid": key_id, "use": "sig", **more}


@dataclass
class TokenIssuer(Speaker):
    """An issuer that publishes keys, or whatever it is told to say."""

    keys: list[Json] = field(default_factory=list)

    @property
    def metadata(self) -> Json:
        """What it says of itself."""
        return {"issuer": self.url, "jwks_uri": self.url.rstrip("/") + "/keys"}

    def variables(self) -> dict[str, str]:
        """What the operator sets to have its tokens taken."""
        return {"VERCEL_MCP_HTTP_ISSUER": self.url, "VERCEL_MCP_HTTP_RESOURCE": RESOURCE}

    def claims(self, **changes: Any) -> Json:
        """What a good token says, changed; None leaves a member out."""
        now = int(time.time())
        whole = {
            "iss": self.url,
            "aud": RESOURCE,
            "sub": "alice",
            "client_id": "agent",
            "scope": " ".join(AGENT),
            "iat": now,
            "exp": now + 300,
            **changes,
        }
        return {name: value for name, value in whole.items() if value is not None}

    def token(self, kind: str = "RS256", head: Json | None = None, key: Any = None, **changes: Any) -> str:
        """A token; `head` changes its header, the rest its claims."""
        header = {"kid": kind, "typ": "at+jwt", **(head or {})}
        header = {name: value for name, value in header.items() if value is not None}
        algorithm = "RS256" if kind == "weak" else kind
        payload = json.dumps(self.claims(**changes)).encode()  # signed as it is: jwt.encode would look at it first
        return jwt.PyJWS().encode(payload, key or private_key(kind), algorithm, headers=header)

    def usual(self, path: str) -> Said:
        """Its metadata and its keys."""
        known = {METADATA: self.metadata, KEYS: {"keys": self.keys}}
        return told(known[path]) if path in known else told({}, 404)


@asynccontextmanager
async def an_issuer(path: str = "/realm") -> AsyncIterator[TokenIssuer]:
    """An issuer with a key of each kind."""
    issuer = TokenIssuer(keys=[as_jwk(private_key(kind), kind) for kind in ("RS256", "ES256", "EdDSA")])
    async with speaking(issuer, path):
        yield issuer


def spelled(part: Json | bytes) -> str:
    """A part of a token as it is written."""
    raw = part if isinstance(part, bytes) else json.dumps(part).encode()
    return jwt.utils.base64url_encode(raw).decode()
