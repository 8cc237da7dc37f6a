"""Two hundred clients at once: what a list call costs the server, held against the SDK's bare app in the same run.

The cost is processor time of the server process. No speed is asserted.
"""

import ssl
import statistics
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import cycle, product
from pathlib import Path

import anyio
import httpx
import pytest

from ..campaign import scale
from ..replicas.town import PRINCIPALS, Replica, Town
from ..replicas.wire import Agent
from .sessions import Session, opened

pytestmark = pytest.mark.anyio

Record = Callable[[str, object], None]
Ask = Callable[[int], Awaitable[httpx.Response]]

CLIENTS = scale.of(100, 200)
ROUNDS = scale.of(2, 25)
ALLOWED = 1.5
"""How many times the cost of the bare app a call may have."""
GUARD = scale.of(120, 1800)
BARE = Path(__file__).with_name("bare.py")


async def cost(server: Replica, ask: Ask, names: str) -> float:
    """Milliseconds of processor time that a call of each client takes, all at once."""
    before = server.processor_seconds()

    async def one(client: int) -> None:
        answer = await ask(client)
        assert answer.status_code == 200, answer.text
        assert names in answer.text, answer.text

    async with anyio.create_task_group() as tasks:
        for client in range(CLIENTS):
            tasks.start_soon(one, client)
    return (server.processor_seconds() - before) * 1000 / CLIENTS


Clients = list[httpx.AsyncClient]


def modern(server: Replica, clients: Clients, method: str) -> Ask:
    """How each client makes its call in the era of 2026-07-28."""
    named = {"name": "list-configurations", "arguments": {}} if method == "tools/call" else {}

    async def ask(client: int) -> httpx.Response:
        agent = Agent(principal=PRINCIPALS[client % len(PRINCIPALS)], http=clients[client])
        return await agent.ask(server.url, method, **named)

    return ask


def handshake(sessions: list[Session], method: str) -> Ask:
    """How each client makes its call in its session."""
    named = {"name": "list-configurations", "arguments": {}} if method == "tools/call" else {}

    async def ask(client: int) -> httpx.Response:
        return await sessions[client].ask(method, **named)

    return ask


async def asks_of(era: str, server: Replica, clients: Clients) -> dict[str, Ask]:
    """How each client makes each call; in the handshake era each has a session first."""
    if era == "2026-07-28":
        return {method: modern(server, clients, method) for method in CALLS}
    principals = cycle(PRINCIPALS)
    sessions = [await opened(http, server, next(principals)) for http in clients]
    return {method: handshake(sessions, method) for method in CALLS}


@asynccontextmanager
async def connections() -> AsyncIterator[Clients]:
    """As many clients, each with a connection of its own."""
    nobody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    limits = httpx.Limits(max_connections=1, keepalive_expiry=2)  # sooner than a server closes an idle one
    async with AsyncExitStack() as stack:
        made = [httpx.AsyncClient(timeout=GUARD, limits=limits, verify=nobody) for _ in range(CLIENTS)]
        yield [await stack.enter_async_context(client) for client in made]


CALLS = {"tools/list": '"name":"create-store"', "tools/call": "icfg_"}
"""What each client asks for, and what stands in a good answer."""


@pytest.mark.skipif(sys.platform != "linux", reason="the processor time of another process is read from /proc")
@pytest.mark.parametrize("era", ["handshake", "2026-07-28"])
async def test_a_list_call_of_many_clients_costs_little_more_than_in_the_bare_app(
    town: Town, era: str, record_property: Record
) -> None:
    """At most half as much again, for the list of tools and for a tool that asks Vercel."""
    (ours,) = town.start(1)
    bare = town.run([sys.executable, str(BARE)], town.environment())
    bare.wait_until_it_listens()
    costs: dict[tuple[str, str], list[float]] = {}
    async with connections() as clients:
        with anyio.fail_after(GUARD):
            asks = {"ours": await asks_of(era, ours, clients), "bare": await asks_of(era, bare, clients)}
            for number in range(ROUNDS + 1):
                for (method, names), (which, server) in product(CALLS.items(), {"ours": ours, "bare": bare}.items()):
                    spent = await cost(server, asks[which][method], names)
                    if number:  # the first round warms both up
                        costs.setdefault((method, which), []).append(spent)
    ratios = {}
    for method in CALLS:
        pairs = zip(costs[method, "ours"], costs[method, "bare"], strict=True)
        ratios[method] = statistics.median(mine / theirs for mine, theirs in pairs)
        record_property(f"{CLIENTS} clients, {era}, {method}: ours to bare", round(ratios[method], 2))
    for (method, which), spent_by in costs.items():
        figure = round(statistics.median(spent_by), 2)
        record_property(f"{CLIENTS} clients, {era}, {method}, {which}: ms of processor a call", figure)
    assert all(ratio <= ALLOWED for ratio in ratios.values()), ratios
