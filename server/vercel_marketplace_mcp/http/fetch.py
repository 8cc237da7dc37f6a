"""Asks servers that are not Vercel: the issuer of tokens, and a server at which a person approves.

It follows no redirect, repeats nothing, keeps no connection, and shows no token in the open.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import anyio

from vercel_marketplace_mcp import strict_json, tls

SECONDS = 10.0
"""Seconds for a whole answer, however it drips."""
MAX_ANSWER = 1024 * 1024
"""Bytes that an answer may take."""


class UnreachableError(Exception):
    """There is no whole answer; the message says as much as may be shown."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Fetched:
    """A whole answer: its status, and the JSON that it holds; None for anything else."""

    status: int
    document: Any


async def fetch(
    method: str, url: str, *, token: str | None = None, body: Mapping[str, str] | None = None, seconds: float = SECONDS
) -> Fetched:
    """Return the answer to one request.

    Raises:
        UnreachableError: there is none, it is too long, or it does not end in time.
    """
    import httpx

    secure = url.startswith("https:")
    headers = {"accept": "application/json", "accept-encoding": "identity"}
    if token is not None:
        headers["authorization"] = f"Bearer {token}"
    client = httpx.AsyncClient(
        verify=tls.context(secure),
        limits=httpx.Limits(max_connections=1, max_keepalive_connections=0),
        timeout=seconds,
        follow_redirects=False,
        trust_env=secure,  # a proxy would see an unencrypted token
        headers=headers,
    )
    try:
        with anyio.fail_after(seconds):
            async with client:
                response = await client.send(client.build_request(method, url, json=body), stream=True)
                return Fetched(status=response.status_code, document=_read(await _whole(response.aiter_raw())))
    except (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL, OSError) as error:  # TimeoutError is an OSError
        raise UnreachableError(type(error).__name__) from None


async def _whole(chunks: Any) -> bytes:
    raw = bytearray()
    async for chunk in chunks:
        raw += chunk
        if len(raw) > MAX_ANSWER:
            raise UnreachableError(f"an answer of more than {MAX_ANSWER} bytes")
    return bytes(raw)


def _read(raw: bytes) -> Any:
    try:
        return strict_json.parse(raw).value
    except strict_json.NotJsonError:
        return None
