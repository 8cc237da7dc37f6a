"""What a request must pass before the protocol sees it: names, a token, a bounded body, strict JSON, a scope.

Each refusal has the status that HTTP, RFC 6750 or MCP gives it. It asks nobody and changes nothing.
"""

import json
import logging
import re
from collections.abc import Callable, Mapping

import anyio
import mcp_types as types
from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vercel_marketplace_mcp import messages
from vercel_marketplace_mcp.callers import LOCAL, NEEDED, READ, Arrival, Caller
from vercel_marketplace_mcp.http.identity import caller_of
from vercel_marketplace_mcp.http.settings import PATH

logger = logging.getLogger(__name__)

BODY_SECONDS = 10.0
"""Seconds in which a request's body must have arrived."""
HEALTH = frozenset({"/healthz", "/readyz"})
"""Paths for load balancers, which ask a replica by its address and have no token."""
_AGAIN = {"retry-after": "1"}


class Names:
    """Lets in what is addressed to one of the server's own names, by no page of somebody else's."""

    def __init__(self, app: ASGIApp, hosts: tuple[str, ...], origins: tuple[str, ...]) -> None:
        self._app = app
        spelled = "|".join(re.escape(host).replace(re.escape(":*"), ":[0-9]{1,5}") for host in hosts)
        self._hosts = re.compile(spelled or r"(?!)")
        self._origins = frozenset(origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 421 for another host and 403 for another origin."""
        if scope["type"] == "http" and scope["path"] not in HEALTH:
            refused = self._refusal(Headers(scope=scope))
            if refused is not None:
                return await refused(scope, receive, send)
        return await self._app(scope, receive, send)

    def _refusal(self, headers: Headers) -> Response | None:
        if not self._hosts.fullmatch(headers.get("host", "").lower()):
            return refusal(421, "wrong_host", "This server is not reached by that name.")
        if not self._origins.issuperset(headers.getlist("origin")):
            return refusal(403, "wrong_origin", "Pages of that origin may not call this server.")
        return None


class Closing:
    """Turns away what comes while the process ends: nothing new is begun that could be cut off."""

    def __init__(self, app: ASGIApp, is_closing: Callable[[], bool]) -> None:
        self._app = app
        self._is_closing = is_closing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 503 while closing."""
        if scope["type"] == "http" and scope["path"] != "/healthz" and self._is_closing():
            answer = refusal(503, "closing", "The server is ending. Nothing was done; try again.", headers=_AGAIN)
            return await answer(scope, receive, send)
        return await self._app(scope, receive, send)


class Identified:
    """Lets in whoever has presented a good token with the scope that is needed, and notes who that is.

    A client signs in for the scopes of the 401 challenge and no others (MCP), so that names all that are `suggested` to
    one who comes here, though `needed` alone gets in. A 403 names what is missing (RFC 6750, section 3.1).
    """

    def __init__(self, app: ASGIApp, needed: str, suggested: str, metadata_url: str | None) -> None:
        self._app = app
        self._needed = needed
        self._suggested = suggested
        self._metadata_url = metadata_url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 401 without a good token, and 403 without the scope."""
        user = scope.get("user")
        if not isinstance(user, AuthenticatedUser):
            challenge = self._challenge("invalid_token", self._suggested)
            return await refusal(401, "invalid_token", _wanted(self._needed), challenge)(scope, receive, send)
        scope["caller"] = caller = caller_of(user.access_token)
        scope["challenge"] = self._challenge
        if not caller.may(self._needed):
            return await _without_scope(scope, self._needed)(scope, receive, send)
        return await self._app(scope, receive, send)

    def _challenge(self, error: str, scopes: str) -> dict[str, str]:
        parts = {"error": error, "scope": scopes, "resource_metadata": self._metadata_url}
        return {
            "www-authenticate": "Bearer " + ", ".join(f'{name}="{value}"' for name, value in parts.items() if value)
        }


class StrictBody:
    """Reads the whole body of a message, bounded in size and time, and finds what the SDK would merge or drop."""

    def __init__(self, app: ASGIApp, seconds: float = BODY_SECONDS) -> None:
        self._app = app
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 415, 413, 408 or 400 for a body that can't be taken, 403 for a tool that the scopes don't reach."""
        caller: Caller = scope.get("caller", LOCAL)
        scope["arrival"] = Arrival(caller=caller)
        if scope["method"] != "POST":
            return await self._pass_without_body(scope, receive, send)
        if Headers(scope=scope).get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            return await refusal(415, "wrong_type", "A message is application/json.")(scope, receive, send)
        body = await read_body(scope, receive, messages.MAX_BYTES, self._seconds)
        if isinstance(body, Response):
            return await body(scope, receive, send)
        found = messages.read(body)
        if isinstance(found, types.JSONRPCError):
            return await _error_of_protocol(found, 400)(scope, receive, send)
        if isinstance(found.message, types.JSONRPCRequest) and not caller.may(needed := _needed(found.message)):
            return await _without_scope(scope, needed, found.message.id)(scope, receive, send)
        scope["arrival"] = Arrival(caller=caller, duplicate_keys=found.duplicate_keys)
        return await self._app(scope, _replaying(body, receive), send)

    async def _pass_without_body(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what is no message: the SDK never reads its body, so nobody else would bound one."""
        body = await read_body(scope, receive, 0, self._seconds)
        if isinstance(body, Response):
            return await body(scope, receive, send)
        return await self._app(scope, _replaying(body, receive), send)


def _needed(request: types.JSONRPCRequest) -> str:
    """Return the scope that a request needs."""
    name = (request.params or {}).get("name") if request.method == "tools/call" else None
    return NEEDED.get(name, READ) if isinstance(name, str) else READ


def _wanted(needed: str) -> str:
    return f"This needs a good token with the scope {needed}."


def _without_scope(scope: Scope, needed: str, request_id: types.RequestId | None = None) -> Response:
    """Return the answer to a caller without the scope: for a message in words that its client shows."""
    challenge: Mapping[str, str] = scope["challenge"]("insufficient_scope", needed)
    if scope["path"] != PATH or scope["method"] != "POST":
        return refusal(403, "insufficient_scope", _wanted(needed), challenge)
    error = types.ErrorData(code=types.INVALID_REQUEST, message=_wanted(needed))
    return _error_of_protocol(types.JSONRPCError(jsonrpc="2.0", id=request_id, error=error), 403, challenge)


def _error_of_protocol(error: types.JSONRPCError, status: int, headers: Mapping[str, str] | None = None) -> Response:
    return JSONResponse(error.model_dump(mode="json", by_alias=True, exclude_unset=True), status, headers)


async def read_body(scope: Scope, receive: Receive, most: int, seconds: float) -> bytes | Response:
    """Return a request's body, or the answer to one that is too long or too slow."""
    too_long = refusal(413, "too_long", f"A body may have {most} bytes.", headers={"connection": "close"})
    if int(Headers(scope=scope).get("content-length", "0")) > most:
        return too_long
    body = bytearray()
    try:
        with anyio.fail_after(seconds):
            more = True
            while more:
                message = await receive()
                if message["type"] != "http.request":
                    return Response(status_code=400)  # the client is gone: nobody reads this
                body += message.get("body", b"")
                if len(body) > most:
                    return too_long
                more = message.get("more_body", False)
    except TimeoutError:
        words = f"The body did not arrive within {seconds:g} seconds."
        return refusal(408, "too_slow", words, headers={"connection": "close"})
    return bytes(body)


def _replaying(body: bytes, receive: Receive) -> Receive:
    """Return a way to receive the body again, and then whatever the client does."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return waiting.pop() if waiting else await receive()

    return replay


def refusal(status: int, error: str, words: str, headers: Mapping[str, str] | None = None) -> Response:
    """Return an answer that names the error for programs and says it for people."""
    content = json.dumps({"error": error, "error_description": words}).encode()
    return Response(content, status, headers=headers, media_type="application/json")


def cannot_verify(_connection: HTTPConnection, _error: Exception) -> Response:
    """Answer a request whose token nobody can verify now: it may be good."""
    words = "The issuer of tokens can't be asked. Nothing was done; try again."
    return refusal(503, "temporarily_unavailable", words, headers=_AGAIN)


def without_ledger(_request: Request, error: Exception) -> Response:
    """Answer a request that needs the ledger while there is none; the log says what to mend."""
    logger.warning("the ledger can't be used: %s", error)
    return refusal(503, "ledger_unavailable", "The ledger can't be used. Nothing was done; try again.", headers=_AGAIN)


def caller(request: Request) -> Caller:
    """Return who makes a request that has passed `Identified`."""
    found: Caller = request.scope["caller"]
    return found
