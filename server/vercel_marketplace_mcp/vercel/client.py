"""The only way to Vercel, and the only module that may import httpx. It holds no rule about money.

Reads are repeated within bounds; the create request is sent once, on a connection of its own. An answer is bounded
in time and size before it is read, and read strictly.
"""

import json
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import anyio

from vercel_marketplace_mcp import telemetry, tls
from vercel_marketplace_mcp.settings import Settings, Team
from vercel_marketplace_mcp.text import clean
from vercel_marketplace_mcp.vercel import answers, errors
from vercel_marketplace_mcp.vercel.cache import RecentReads
from vercel_marketplace_mcp.vercel.operations import CONNECT, CREATE_STORE, Call
from vercel_marketplace_mcp.vercel.patience import patiently

if TYPE_CHECKING:
    import httpx
    from starlette.types import ASGIApp

logger = logging.getLogger(__name__)

MAX_BODY = 2 * 1024 * 1024
"""Bytes of an answer that are read."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Deadlines:
    """Seconds that a request may take, connection and body included."""

    read: float = 15
    reads: float = 45
    """The same read with all its repetitions."""
    create: float = 60


class VercelClient:
    """A client for one account. Opened lazily: httpx is imported and connects on the first request."""

    def __init__(
        self,
        settings: Settings,
        app: "ASGIApp | None" = None,
        *,
        deadlines: Deadlines | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """Talk to `settings.api_url`, or to `app` inside this process (the sandbox). `now` is in seconds."""
        self._settings = settings
        self._app = app
        self._deadlines = deadlines or Deadlines()
        self._clients: dict[str, httpx.AsyncClient] = {}
        self._recent = RecentReads(now)

    async def aclose(self) -> None:
        """Close every connection."""
        for client in self._clients.values():
            await client.aclose()
        self._clients.clear()

    async def read(self, call: Call) -> Any:
        """Return the JSON value that a read answers, repeating it where that may help.

        Raises:
            VercelError: it did not succeed.
        """
        return (await self._read(call)).value

    async def read_recent(self, call: Call) -> Any:
        """Return what `read` answers, or has answered within a minute with nothing created or connected since."""
        return await self._recent.read(call, self._read)

    async def create(self, body: Mapping[str, Any], team: Team) -> Any:
        """Send the create request once and return the JSON value of its answer.

        Raises:
            NotSentError: no byte left. RefusedError: nothing was created. UnclearError: a store may exist.
        """
        call = Call(operation=CREATE_STORE, team=team, content=_json(body))
        with self._recent.changing():
            return (await self._send(call, self._deadlines.create)).value

    async def connect(self, path: Mapping[str, str], body: Mapping[str, Any], team: Team) -> None:
        """Send the request that connects a resource to a project, once.

        Raises:
            NotSentError: no byte left. RefusedError: nothing was changed. UnclearError: it may be connected.
        """
        call = Call(operation=CONNECT, team=team, path=path, content=_json(body))
        with self._recent.changing():
            await self._send(call, self._deadlines.create)

    async def _read(self, call: Call) -> answers.Answered:
        return await patiently(partial(self._send, call, self._deadlines.read), self._deadlines.reads)

    async def _send(self, call: Call, deadline: float) -> answers.Answered:
        import httpx

        client = self._client(call.operation.method)
        request = self._request(client, call)
        started = time.monotonic()
        seen = "no answer"
        try:
            with telemetry.exchange(call.operation, request.url.host) as exchanged, anyio.fail_after(deadline):
                response, raw = await _exchange(client, request)
                exchanged.status = response.status_code
            seen = f"status {response.status_code}, request id {clean(response.headers.get('x-vercel-id', 'none'))}"
            raw = self._without_token(raw)
            value = answers.read(
                response.status_code, response.headers, raw, has_answer=call.operation.has_answer, team=call.team
            )
            return answers.Answered(value, len(raw))
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError):
            raise errors.NotSentError from None
        except (TimeoutError, httpx.TimeoutException):
            raise errors.timed_out() from None
        except (httpx.HTTPError, httpx.StreamError, OSError):
            raise errors.broken_off() from None
        finally:
            took = round((time.monotonic() - started) * 1000)
            logger.info("%s %s: %s, %s ms", call.operation.method, call.operation.template, seen, took)

    def _without_token(self, raw: bytes) -> bytes:
        """Return an answer without the token, be it in JSON's escapes: a server may repeat what it was sent."""
        return answers.without(raw, self._settings.token.get_secret_value())

    def _client(self, method: str) -> "httpx.AsyncClient":
        """Return the pooled client of reads, or the one that opens a connection for every create request.

        A kept connection may be closed by the other side just as a request goes out on it, which would leave open
        whether the request was read.
        """
        import httpx

        if method not in self._clients:
            from vercel_marketplace_mcp import __version__

            kept = httpx.Limits(max_connections=8, max_keepalive_connections=4 if method == "GET" else 0)
            secure = self._settings.api_url.startswith("https:")
            context = tls.context(secure)
            transport = httpx.ASGITransport(app=self._app) if self._app else None
            self._clients[method] = httpx.AsyncClient(
                transport=transport,
                verify=context,
                limits=kept,
                timeout=httpx.Timeout(connect=5, read=10 if method == "GET" else 45, write=10, pool=5),
                follow_redirects=False,
                trust_env=secure,  # a proxy would see an unencrypted token
                headers={
                    "Accept": "application/json",
                    "Accept-Encoding": "identity",
                    "User-Agent": f"vercel-marketplace-mcp/{__version__}",
                },
            )
        return self._clients[method]

    @cached_property
    def _api(self) -> "httpx.URL":
        import httpx

        return httpx.URL(self._settings.api_url)

    def _request(self, client: "httpx.AsyncClient", call: Call) -> "httpx.Request":
        """Build the request.

        Raises:
            NotSentError: a value is too long, or would move the request to another host or path.
        """
        import httpx

        if not all(call.path.values()):
            raise errors.unaddressable()
        scope = {"teamId": call.team.id, "slug": call.team.slug} if call.team else {}
        params = {name: value for name, value in {**call.query, **scope}.items() if value is not None}
        headers = {"Authorization": f"Bearer {self._settings.token.get_secret_value()}"}
        if call.content is not None:
            headers["Content-Type"] = "application/json"
        api, method = self._api, call.operation.method
        try:
            target = call.operation.template.format(**{key: quote(part, safe="") for key, part in call.path.items()})
            address = f"{target}?{urlencode(params, quote_via=quote)}" if params else target
            url = api.copy_with(raw_path=address.encode())
            request = client.build_request(method, url, headers=headers, content=call.content)
        except (httpx.InvalidURL, UnicodeEncodeError):
            raise errors.unaddressable() from None
        origin = (request.url.scheme, request.url.host, request.url.port)
        if origin != (api.scheme, api.host, api.port) or request.url.raw_path.split(b"?")[0] != target.encode():
            raise errors.unaddressable()
        return request


def _json(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


async def _exchange(client: "httpx.AsyncClient", request: "httpx.Request") -> "tuple[httpx.Response, bytes]":
    """Send `request` and read the whole answer. Of one that is no success, the status counts without a body too."""
    import httpx

    response = await client.send(request, stream=True)
    try:
        return response, await _body(response)
    except (errors.UnclearError, httpx.HTTPError, httpx.StreamError, OSError):
        if response.is_success:
            raise
        return response, b""
    finally:
        await response.aclose()


async def _body(response: "httpx.Response") -> bytes:
    """Read a body as long as it stays within `MAX_BODY` bytes, as sent.

    Raises:
        UnclearError: it is too large, or compressed.
    """
    if response.headers.get("content-encoding", "").strip().lower() not in {"", "identity"}:
        raise errors.unreadable("it is compressed, though that was not asked for")
    raw = bytearray()
    async for chunk in response.aiter_raw():
        raw += chunk
        if len(raw) > MAX_BODY:
            raise errors.unreadable(f"it is larger than {MAX_BODY} bytes")
    return bytes(raw)
