"""A server under mixed load holds no more memory at the end than when it was warm.

The load is what clients do that behave, that leave, and that die: in both eras.
"""

import sys
from collections.abc import Callable

import anyio
import httpx
import pytest

from ..approval.world import PRO
from ..campaign import scale
from ..replicas.town import PRINCIPALS, Replica, Town
from ..replicas.wire import Agent
from .sessions import Session, opened, result

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(sys.platform != "linux", reason="the memory of another process is read from /proc"),
]

Record = Callable[[str, object], None]

WORKERS = 8
WARM, MEASURED = scale.of(8, 100), scale.of(12, 0)
"""Rounds of each worker until the server is warm, and after that; in the campaign the time counts."""
SECONDS = scale.of(0, 600)
GROWTH = 8 * 1024 * 1024
"""Bytes that the allocator may keep: leaks of any call here would be many times that."""
SESSIONS = scale.of(150, 1000)
PER_SESSION = 200 * 1024
GUARD = 1800


class Soak:
    """Workers that go through all that clients do, again and again."""

    def __init__(self, server: Replica, http: httpx.AsyncClient) -> None:
        self.rounds = 0
        self._server = server
        self._http = http

    async def go_on(self, rounds: int, seconds: float) -> None:
        """Let each worker make this many rounds, and then go on until the time is over."""
        until = anyio.current_time() + seconds
        async with anyio.create_task_group() as tasks:
            for worker in range(WORKERS):
                tasks.start_soon(self._work, worker, rounds, until)

    async def _work(self, worker: int, rounds: int, until: float) -> None:
        made = 0
        while made < rounds or anyio.current_time() < until:
            await self._one(Agent(principal=PRINCIPALS[worker], http=self._http), f"left-{worker}-{made}")
            made += 1
        self.rounds += made

    async def _one(self, agent: Agent, name: str) -> None:
        """One round: calls of both eras, a question that is left, and streams that are dropped."""
        await agent.call(self._server, "list-configurations", {})
        answer = await agent.ask(self._server.url, "tools/list")
        assert answer.status_code == 200
        left = await agent.buy(self._server, name)
        assert left["status"] in {"confirmation_required", "refused"}
        session = await opened(self._http, self._server, agent.principal)
        assert (await session.listen_and_drop()) == 200
        assert "configurations" in result(await session.call("list-configurations", {}))["structuredContent"]
        assert await session.drop("create-store", {**PRO, "name": f"dropped-{name}"})
        assert await session.close() == 200


async def test_the_memory_of_a_server_stays_flat_under_mixed_load(town: Town, record_property: Record) -> None:
    """Sessions opened and closed, questions asked and left, streams dropped: nothing of them stays."""
    (server,) = town.start(1, VERCEL_MCP_FORM_WAIT="10")
    limits = httpx.Limits(max_connections=4 * WORKERS, keepalive_expiry=2)
    with anyio.fail_after(GUARD):
        async with httpx.AsyncClient(timeout=60, limits=limits) as http:
            soak = Soak(server, http)
            await soak.go_on(WARM, SECONDS / 10)
            warm = server.resident_bytes()
            await soak.go_on(MEASURED, SECONDS)
            grown = server.resident_bytes() - warm
    record_property("soak: rounds", soak.rounds)
    record_property("soak: resident MiB when warm", round(warm / 2**20, 1))
    record_property("soak: MiB grown since", round(grown / 2**20, 1))
    assert town.posts == []
    assert grown <= GROWTH


async def test_sessions_that_clients_abandon_are_bounded_and_give_their_memory_back(
    town: Town, record_property: Record
) -> None:
    """Each abandoned session costs little; once they are gone, as many new ones cost nothing more."""
    (server,) = town.start(1)
    limits = httpx.Limits(max_connections=8, keepalive_expiry=2)
    with anyio.fail_after(GUARD):
        async with httpx.AsyncClient(timeout=60, limits=limits) as http:
            await _closed(await _abandoned(http, server, 20))
            empty = server.resident_bytes()
            first = await _abandoned(http, server, SESSIONS)
            full = server.resident_bytes()
            if scale.WHOLE:  # that is all that one process holds
                assert await _status_of_another(http, server) == 503
                assert result(await first[0].ask("tools/list"))["tools"]
            await _closed(first)
            await _closed(await _abandoned(http, server, SESSIONS))
            again = server.resident_bytes()
    record_property("abandoned sessions held at once", SESSIONS)
    record_property("KiB that an abandoned session holds", round((full - empty) / SESSIONS / 1024, 1))
    assert (full - empty) / SESSIONS <= PER_SESSION
    assert again - full <= GROWTH


async def _abandoned(http: httpx.AsyncClient, server: Replica, number: int) -> list[Session]:
    return [await opened(http, server, PRINCIPALS[each % len(PRINCIPALS)]) for each in range(number)]


async def _closed(sessions: list[Session]) -> None:
    assert {await session.close() for session in sessions} == {200}


async def _status_of_another(http: httpx.AsyncClient, server: Replica) -> int:
    headers = {"authorization": f"Bearer {PRINCIPALS[0]}-{'t' * 32}", "accept": "application/json, text/event-stream"}
    body = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {}}
    return (await http.post(server.url, headers=headers, json=body)).status_code
