"""The fake Vercels that contestants speak to, each a process of its own on loopback: the sandbox, and a swift one.

The swift one answers what the sandbox answered once, whatever is asked for, so that little of the machine goes to it;
an id that holds `of-1000-` is answered with 1,000 entries.
"""

import asyncio
import json
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import httpx

from .places import OURS, ROOT, TEAM, TOKEN, environment

BRINDLE = "icfg_BrindleData000000000001"
CONFIGURATIONS = "/v1/integrations/configurations"
PRODUCTS = "/v1/integrations/configuration/{}/products"
PLANS = "/v1/integrations/integration/{}/products/{}/plans"
_LINE = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s"
_SIZE = re.compile(rb"of-([0-9]+)-")
_LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)", re.IGNORECASE)


@contextmanager
def sandbox() -> Iterator[str]:
    """The embedded Vercel, as its own command serves it; yields its URL."""
    with _listening([*OURS, "sandbox"]) as url:
        yield url


@contextmanager
def swift() -> Iterator[str]:
    """The swift Vercel; yields its URL."""
    with _listening([sys.executable, "-m", "benchmarks.vercel"]) as url:
        yield url


@contextmanager
def _listening(command: Sequence[str]) -> Iterator[str]:
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, stdout=pipe, cwd=ROOT, env=environment(), text=True)  # noqa: S603 - our own
    try:
        lines = process.stdout or ()
        yield next(found[0] for line in lines if (found := re.search(r"http://127\.0\.0\.1:[0-9]+", line)))
    finally:
        process.terminate()
        process.wait()
        if process.stdout:
            process.stdout.close()


async def recorded() -> dict[str, bytes]:
    """Return what the sandbox answers to the three reads."""
    from vercel_marketplace_mcp.sandbox import Sandbox

    headers, transport = {"Authorization": f"Bearer {TOKEN}"}, httpx.ASGITransport(app=Sandbox().app)
    async with httpx.AsyncClient(transport=transport, base_url="http://sandbox", headers=headers) as client:
        asked = {
            "configurations": await client.get(CONFIGURATIONS, params={"view": "account", "teamId": TEAM}),
            "products": await client.get(PRODUCTS.format(BRINDLE), params={"teamId": TEAM}),
            "plans": await client.get(PLANS.format("brindle", "brindle-postgres"), params={"teamId": TEAM}),
        }
    return {name: answer.raise_for_status().content for name, answer in asked.items()}


def many(kind: str, size: int) -> bytes:
    """Return an answer with this many entries, each as short as it can be."""
    if kind == "configurations":
        entry = {"slug": "many", "installationType": "marketplace", "integrationId": "oac_Many"}
        return _compact([{"id": f"icfg_{number:024}", **entry} for number in range(size)])
    free = {"type": "subscription", "name": "Free", "cost": "Free", "paymentMethodRequired": False, "scope": "resource"}
    paid = {**free, "name": "Paid", "cost": "$5.00/month", "paymentMethodRequired": True}
    return _compact(
        {"plans": [{"id": f"plan-{number:05}", **(paid if number % 2 else free)} for number in range(size)]}
    )


def _compact(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


class _Answering(asyncio.Protocol):
    """HTTP/1.1 with kept connections and nothing else."""

    def __init__(self, bodies: dict[str, bytes]) -> None:
        self._bodies = bodies
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - tells the type
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer every request that is complete."""
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            head = self._received[:end]
            length = _LENGTH.search(head)
            self._received = self._received[end + 4 + (int(length[1]) if length else 0) :]
            body = self._body(head.split(b" ", 2)[1])
            self._transport.write(_LINE % (len(body), body))

    def _body(self, target: bytes) -> bytes:
        kind = next((one for one in ("products", "plans") if target.split(b"?")[0].endswith(one.encode())), "")
        kind = kind or "configurations"
        if found := _SIZE.search(target):
            name = f"{kind} {int(found[1])}"
            if name not in self._bodies:
                self._bodies[name] = many(kind, int(found[1]))
            return self._bodies[name]
        if kind == "products":
            return self._bodies[kind].replace(BRINDLE.encode(), target.split(b"/")[4])
        return self._bodies[kind]


async def serve() -> None:
    """Serve until the process is ended, and print where."""
    bodies = await recorded()
    server = await asyncio.get_running_loop().create_server(lambda: _Answering(bodies), "127.0.0.1", 0)
    sys.stdout.write(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve())
