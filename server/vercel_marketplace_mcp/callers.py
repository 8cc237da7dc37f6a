"""Who makes a call and what they may do with it. It knows no transport and checks no token."""

from dataclasses import dataclass
from typing import Any

READ, CREATE, PURCHASE = "stores:read", "stores:create", "stores:purchase"
"""Scopes of an agent: to read; to create free stores and connect them; to ask a person about what may be billed."""
APPROVE, APPROVE_ALL = "stores:approve", "stores:approve-all"
"""Scopes of a person: to answer the questions that their own agent raised; to answer anybody's."""
SCOPES = (READ, CREATE, PURCHASE, APPROVE, APPROVE_ALL)
NEEDED = {"create-store": CREATE, "connect-store": CREATE}
"""The scope that a tool needs, where it is not `READ`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Caller:
    """A verified principal. What it asks, approves and buys is its own: nobody else's yes counts for it."""

    principal: str
    scopes: frozenset[str]

    def may(self, scope: str) -> bool:
        """Say whether the caller was given this scope; whoever may approve for all may approve for themselves."""
        return scope in self.scopes or (scope == APPROVE and APPROVE_ALL in self.scopes)


LOCAL = Caller(principal="local", scopes=frozenset({READ, CREATE, PURCHASE}))
"""Whoever speaks to this process where there are no identities: over stdio, or over HTTP on this machine."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Arrival:
    """What a transport knows of a request that its parsed form does not show."""

    caller: Caller = LOCAL
    duplicate_keys: tuple[str, ...] = ()


def arrival(request: Any) -> Arrival:
    """Return what the transport knows of a request, given what the SDK carries of it.

    Over stdio that is nothing, or an `Arrival`; over HTTP it is starlette's request, in whose scope it stands. One
    that came over HTTP past the doors has none, and is not served: this raises `KeyError`.
    """
    if request is None:
        return Arrival()
    found: Arrival = request if isinstance(request, Arrival) else request.scope["arrival"]
    return found
