"""Puts the ASGI application together: the SDK's Streamable HTTP for both eras, behind our doors."""

import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from mcp.server.auth.middleware.bearer_auth import BearerAuthBackend
from mcp.server.auth.routes import build_resource_metadata_url, create_protected_resource_routes
from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPASGIApp
from mcp.server.transport_security import TransportSecuritySettings
from pydantic import AnyHttpUrl, ConfigDict, TypeAdapter
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.authentication import AuthenticationMiddleware
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Route, request_response
from starlette.types import ASGIApp, ExceptionHandler

from vercel_marketplace_mcp.callers import APPROVE, CREATE, PURCHASE, READ
from vercel_marketplace_mcp.http.approvals import Approvals
from vercel_marketplace_mcp.http.doors import (
    BODY_SECONDS,
    Closing,
    Identified,
    Names,
    StrictBody,
    cannot_verify,
    without_ledger,
)
from vercel_marketplace_mcp.http.health import Health
from vercel_marketplace_mcp.http.identity import Identities
from vercel_marketplace_mcp.http.sessions import SharedSessions
from vercel_marketplace_mcp.http.settings import PATH, HttpSettings
from vercel_marketplace_mcp.ledger.records import LedgerError
from vercel_marketplace_mcp.tools.context import Context

MAX_SESSIONS, SESSION_IDLE = 1000, 600.0
"""Sessions of the handshake era that one process holds, and the seconds after which an idle one ends."""
_AGENT = (READ, CREATE, PURCHASE)
"""Scopes that clients are told of. None of a person's: a client that asks for all of them could answer itself."""
_URL = TypeAdapter(AnyHttpUrl, config=ConfigDict(url_preserve_empty_path=True))
"""Reads a URL and puts no slash at its end: clients compare an issuer's to the letter (RFC 8414, section 3.3)."""


def build_app(
    server: Server[Any],
    context: Context,
    chosen: HttpSettings,
    *,
    now: Callable[[], float] = time.monotonic,
    body_seconds: float = BODY_SECONDS,
    max_sessions: int = MAX_SESSIONS,
) -> Starlette:
    """Return the application that serves `server` at /mcp. `now` is the clock by which answers of others are kept."""
    # Host and Origin are checked for every path by Names, not by the SDK for its own alone.
    unchecked = TransportSecuritySettings(enable_dns_rebinding_protection=False)
    sessions = SharedSessions(
        server, security_settings=unchecked, max_sessions=max_sessions, session_idle_timeout=SESSION_IDLE
    )
    health = Health(context, now)
    identified = _door(chosen, now)
    routes = [
        Route(PATH, identified(StrictBody(StreamableHTTPASGIApp(sessions), body_seconds), *_AGENT)),
        Route("/healthz", health.process),
        Route("/readyz", health.ready),
    ]
    if chosen.knows_callers:
        approvals = Approvals(context)
        listed, answered = request_response(approvals.listed), request_response(approvals.answered)
        routes += [
            Route("/approvals", identified(listed, APPROVE), methods=["GET"]),
            Route("/approvals/{code}", identified(answered, APPROVE), methods=["POST"]),
        ]
    if chosen.issuer and chosen.resource:
        routes += create_protected_resource_routes(
            _URL.validate_python(chosen.resource), [_URL.validate_python(chosen.issuer)], list(_AGENT)
        )

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with sessions.run():
            yield

    handlers: Mapping[Any, ExceptionHandler] = {LedgerError: without_ledger}
    made = Starlette(
        routes=routes, middleware=_middleware(context, chosen), exception_handlers=handlers, lifespan=lifespan
    )
    made.router.redirect_slashes = False  # a redirect would lead a token through plain HTTP
    return made


def _door(chosen: HttpSettings, now: Callable[[], float]) -> Callable[..., ASGIApp]:
    """Return what puts an application behind a token with a scope, where callers are known at all.

    Further scopes are those that its clients had better ask for at once.
    """
    if not chosen.knows_callers:
        return lambda app, *_scopes: app
    backend = BearerAuthBackend(Identities(chosen, now))
    metadata = None
    if chosen.issuer and chosen.resource:
        metadata = str(build_resource_metadata_url(AnyHttpUrl(chosen.resource)))

    def identified(app: ASGIApp, needed: str, *further: str) -> ASGIApp:
        door = Identified(app, needed, " ".join((needed, *further)), metadata)
        return AuthenticationMiddleware(door, backend=backend, on_error=cannot_verify)

    return identified


def _middleware(context: Context, chosen: HttpSettings) -> list[Middleware]:
    """Return what every request passes, from the outside in."""
    passed = [
        Middleware(Names, hosts=chosen.allowed_hosts, origins=chosen.allowed_origins),
        Middleware(Closing, is_closing=lambda: context.calls.is_closing),
    ]
    if chosen.allowed_origins:
        passed.append(
            Middleware(
                CORSMiddleware,
                allow_origins=chosen.allowed_origins,
                allow_methods=["GET", "POST", "DELETE"],
                allow_headers=["*"],
                expose_headers=["Mcp-Session-Id", "WWW-Authenticate"],
            )
        )
    return passed
