"""The public keys of one issuer of tokens, found by its metadata and kept for a while. It judges no token.

Whoever sends unknown key ids makes nobody else wait: known keys are at hand, and the issuer is asked now and then only.
"""

import logging
import math
import time
from collections.abc import Callable, Iterator, Mapping
from urllib.parse import urlsplit

import anyio
import jwt

from vercel_marketplace_mcp import values
from vercel_marketplace_mcp.http.fetch import Fetched, UnreachableError, fetch

logger = logging.getLogger(__name__)

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Signatures with a private key. With HMAC, whoever can verify a token could also make one."""
KEPT = 300.0
"""Seconds for which the issuer's keys are good: one that it withdraws ends within them."""
COOLDOWN = 10.0
"""Seconds after which the issuer is asked again for a key that it did not have."""
DOWN = 2.0
"""Seconds after which an issuer is asked again that did not answer as it should."""
_SECONDS = 5.0


class IssuerError(Exception):
    """The issuer can't be asked, or does not answer as it should; the message says how."""


class Keys:
    """The keys of one issuer. `now` gives seconds that only grow."""

    def __init__(self, issuer: str, now: Callable[[], float] = time.monotonic) -> None:
        self._issuer = issuer
        self._now = now
        self._one = anyio.Lock()
        self._known: Mapping[str, jwt.PyJWK] = {}
        self._good_until = self._next_look = -math.inf
        self._problem: str | None = None

    async def find(self, key_id: str) -> jwt.PyJWK | None:
        """Return the key of this id, or None if the issuer has none.

        Raises:
            IssuerError: nobody can tell now.
        """
        if not self._has(key_id):
            async with self._one:
                await self._look(key_id)
        return self._known.get(key_id)

    def _has(self, key_id: str) -> bool:
        return key_id in self._known and self._now() < self._good_until

    async def _look(self, key_id: str) -> None:
        if self._has(key_id):  # found while this waited
            return
        if self._now() >= self._next_look:
            try:
                self._known, self._problem = await _fetch_keys(self._issuer), None
                self._good_until, self._next_look = self._now() + KEPT, self._now() + COOLDOWN
            except IssuerError as error:
                logger.warning("no unknown token can be verified: %s", error)
                self._problem, self._next_look = str(error), self._now() + DOWN
        if self._problem is not None:
            raise IssuerError(self._problem)


async def _fetch_keys(issuer: str) -> Mapping[str, jwt.PyJWK]:
    """Return the issuer's keys for signatures by their ids.

    Raises:
        IssuerError: they can't be had.
    """
    answer = await _ask(await _keys_url(issuer))
    try:
        found = jwt.PyJWKSet.from_dict(answer.document if answer.status == 200 else {})
    except Exception as error:  # noqa: BLE001 - whatever is wrong with them, they are no keys
        raise IssuerError(f"the issuer's keys can't be read ({type(error).__name__})") from None
    usable = {
        key.key_id: key
        for key in reversed(found.keys)  # of two with one id the first counts
        if key.public_key_use in ("sig", None) and isinstance(key.key_id, str) and key.algorithm_name in ALGORITHMS
    }
    if not usable:
        raise IssuerError("the issuer has no key for signatures")
    return usable


async def _keys_url(issuer: str) -> str:
    """Return where the issuer's metadata says that its keys are.

    Raises:
        IssuerError: there is no metadata, it is another issuer's, or its keys would travel in the open.
    """
    for address in _metadata_addresses(issuer):
        answer = await _ask(address)
        if answer.status != 200 or not isinstance(answer.document, Mapping):
            continue
        if answer.document.get("issuer") != issuer:
            raise IssuerError("the issuer's metadata names another issuer")
        try:
            return values.url("jwks_uri", str(answer.document.get("jwks_uri", "")))
        except values.SettingsError as error:
            raise IssuerError(str(error)) from None
    raise IssuerError("the issuer's metadata can't be read")


async def _ask(address: str) -> Fetched:
    try:
        return await fetch("GET", address, seconds=_SECONDS)
    except UnreachableError as error:
        raise IssuerError(f"the issuer can't be reached ({error})") from None


def _metadata_addresses(issuer: str) -> Iterator[str]:
    """Yield where the metadata may be: RFC 8414, then OpenID Connect in both spellings."""
    parts = urlsplit(issuer.rstrip("/"))
    origin = f"{parts.scheme}://{parts.netloc}"
    yield f"{origin}/.well-known/oauth-authorization-server{parts.path}"
    yield f"{origin}/.well-known/openid-configuration{parts.path}"
    if parts.path:
        yield f"{origin}{parts.path}/.well-known/openid-configuration"
