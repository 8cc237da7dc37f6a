"""Verifies access tokens that are JWTs of one issuer (RFC 9068). No token leaves the process."""

import logging
import re
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import jwt
from mcp.server.auth.provider import AccessToken

from vercel_marketplace_mcp.http.keys import ALGORITHMS, IssuerError, Keys

logger = logging.getLogger(__name__)

LEEWAY = 30
"""Seconds by which the issuer's clock may differ from ours."""
_MAX_LENGTH = 16 * 1024
_MAX_SUBJECT = 255
_TOKEN = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_TYPES = {"", "jwt", "at+jwt", "application/at+jwt"}
_REQUIRED = ["exp", "iss", "aud", "sub"]


class Issuer:
    """One issuer and the one audience that its tokens must name. `now` is the clock by which its keys are kept."""

    def __init__(self, url: str, audience: str, now: Callable[[], float] = time.monotonic) -> None:
        self._url = url
        self._audience = audience
        self._keys = Keys(url, now)

    async def verify(self, token: str) -> AccessToken | None:
        """Return what a token says of its bearer, or None if it is not good.

        Raises:
            IssuerError: the issuer's keys can't be had.
        """
        try:
            key = await self._keys.find(_key_id(token))
            return _access(self._claims(token, key), self._audience) if key else None
        except IssuerError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever is wrong with a token, it is not good
            logger.info("a token was refused: %s", type(error).__name__)
            return None

    def _claims(self, token: str, key: jwt.PyJWK) -> Mapping[str, Any]:
        claims: Mapping[str, Any] = jwt.decode(
            token,
            key,
            algorithms=list(ALGORITHMS),
            audience=[self._audience, f"{self._audience}/"],
            issuer=self._url,
            leeway=LEEWAY,
            options={"require": _REQUIRED, "enforce_minimum_key_length": True},
        )
        if "cnf" in claims:  # bound to a key of its bearer, who did not prove to hold it
            raise jwt.InvalidTokenError("sender-constrained")
        if not 1 <= len(claims["sub"]) <= _MAX_SUBJECT or not claims["sub"].isprintable():
            raise jwt.InvalidTokenError("nobody's name")
        return claims


def _key_id(token: str) -> str:
    """Return the id of the key that an access token says it is signed with.

    Raises:
        InvalidTokenError: it is no access token, or says no such thing.
    """
    if len(token) > _MAX_LENGTH or not _TOKEN.fullmatch(token):
        raise jwt.InvalidTokenError("not a token")
    header = jwt.get_unverified_header(token)
    if header.get("alg") not in ALGORITHMS or str(header.get("typ") or "").lower() not in _TYPES:
        raise jwt.InvalidTokenError("not an access token")
    if not header.get("kid"):
        raise jwt.InvalidTokenError("names no key")
    return str(header["kid"])


def _access(claims: Mapping[str, Any], audience: str) -> AccessToken:
    client = claims.get("client_id") or claims.get("azp") or claims["sub"]
    return AccessToken(
        token="",
        client_id=str(client),
        subject=claims["sub"],
        scopes=list(_scopes(claims)),
        expires_at=int(claims["exp"]) + LEEWAY,
        resource=audience,
        claims={"iss": claims["iss"]},
    )


def _scopes(claims: Mapping[str, Any]) -> Iterator[str]:
    """Yield the scopes of `scope` (RFC 8693), or of `scp`, as some issuers call it."""
    for found in (claims.get("scope"), claims.get("scp")):
        if isinstance(found, str):
            yield from found.split()
        elif isinstance(found, list):
            yield from (each for each in found if isinstance(each, str))
