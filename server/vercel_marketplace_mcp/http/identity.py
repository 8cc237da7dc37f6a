"""Finds out who makes a request: verifies its bearer token and returns the principal. It forwards no token.

A token is one of the operator's file, or a JWT of the issuer (RFC 9068), issued for exactly this server.
"""

import hashlib
import hmac
import logging
import time
from collections.abc import Callable

from mcp.server.auth.provider import AccessToken
from starlette.authentication import AuthenticationError

from vercel_marketplace_mcp.callers import APPROVE, PURCHASE, Caller
from vercel_marketplace_mcp.http.issuer import Issuer
from vercel_marketplace_mcp.http.keys import IssuerError
from vercel_marketplace_mcp.http.settings import HttpSettings, StaticToken
from vercel_marketplace_mcp.text import clean

logger = logging.getLogger(__name__)

_MAX_NAMED = 1000
"""Principals that are named in warnings, each once."""


class CannotVerifyError(AuthenticationError):
    """The issuer is not there, so nobody can tell whether the token is good."""


class Identities:
    """The SDK's `TokenVerifier`: None means that the token is not good, whatever the reason."""

    def __init__(self, chosen: HttpSettings, now: Callable[[], float] = time.monotonic) -> None:
        self._static = chosen.tokens
        self._issuer = Issuer(chosen.issuer, chosen.resource, now) if chosen.issuer and chosen.resource else None
        self._named: set[str] = set()
        for known in self._static:
            self._look_at(caller_of(_access(known)))

    async def verify_token(self, token: str) -> AccessToken | None:
        """Return what a good token says of its bearer.

        Raises:
            CannotVerifyError: the issuer can't be asked for its keys.
        """
        digest = hashlib.sha256(token.encode()).digest()
        for known in self._static:
            if hmac.compare_digest(known.digest, digest):
                return _access(known)
        if self._issuer is None:
            return None
        try:
            found = await self._issuer.verify(token)
        except IssuerError:
            raise CannotVerifyError from None
        if found is not None:
            self._look_at(caller_of(found))
        return found

    def _look_at(self, caller: Caller) -> None:
        """Warn where one token both asks and answers: one person may want that, but then nobody else confirms."""
        if not (caller.may(PURCHASE) and caller.may(APPROVE)):
            return
        if caller.principal not in self._named and len(self._named) < _MAX_NAMED:
            self._named.add(caller.principal)
            words = "a token of %s may both ask for purchases and approve them: whoever holds it buys unconfirmed"
            logger.warning(words, clean(caller.principal))


def _access(known: StaticToken) -> AccessToken:
    return AccessToken(token="", client_id=known.principal, subject=known.principal, scopes=list(known.scopes))


def caller_of(token: AccessToken) -> Caller:
    """Return who bears a verified token: issuer and subject, since a subject is unique only there."""
    issuer = (token.claims or {}).get("iss")
    principal = f"{issuer}|{token.subject}" if issuer else str(token.subject)
    return Caller(principal=principal, scopes=frozenset(token.scopes))
