"""What load balancers are told, and that nobody gets more connections than there are."""

import asyncio
import socket
from contextlib import AsyncExitStack, suppress
from typing import Any

import pytest

from vercel_marketplace_mcp.http import health
from vercel_marketplace_mcp.sandbox import Fault

from ..approval.world import Clock, World
from .knocking import Answered, call, head, knock, request
from .office import AGENT, HOST, Office, an_office, http_variables, static_token

pytestmark = pytest.mark.anyio

OK = {"ledger": "ok", "vercel": "ok"}


async def look(office: Office, path: str) -> tuple[int, Any]:
    """The status and the body of an answer, asked as a load balancer does: by address, under no name of ours."""
    answer = await knock(office.port, head("GET", path, host="10.0.0.7:8000"))
    return answer.status, answer.json()


async def test_a_process_that_can_work_says_so(world: World) -> None:
    """To everybody, without a token and under any name; and it tells nothing else."""
    variables = http_variables(world.folder.parent, {"alice": AGENT})
    async with an_office(world, variables) as office:
        assert [await look(office, path) for path in ("/healthz", "/readyz")] == [(200, {"status": "ok"}), (200, OK)]


async def test_vercel_and_the_ledger_are_not_asked_more_often_by_whoever_asks(world: World) -> None:
    """A look is good for a while, so health is no way to make this server make requests."""
    time = Clock()
    async with an_office(world, {}, now=time) as office:
        asked = []
        for passed in (0, health.KEPT - 0.1, 0.1):
            time.now += passed
            await asyncio.gather(*(look(office, "/readyz") for _ in range(10)))
            asked.append(len(world.sandbox.journal))
    assert asked == [1, 1, 2]


async def test_while_vercel_is_away_the_process_lives_and_is_not_ready(world: World, no_waiting: None) -> None:  # noqa: ARG001 - for its effect
    """503 says what is missing; it is ready again by itself."""
    time = Clock()
    world.sandbox.misbehave("getConfigurations", Fault(status=500), times=10)
    async with an_office(world, {}, now=time) as office:
        found = [await look(office, path) for path in ("/readyz", "/healthz")]
        world.sandbox.misbehave("getConfigurations", Fault(), times=10)
        while (await look(office, "/readyz"))[0] == 503:
            time.now += health.KEPT
        found.append(await look(office, "/readyz"))
    assert found == [(503, {"ledger": "ok", "vercel": "unavailable"}), (200, {"status": "ok"}), (200, OK)]


async def test_without_a_ledger_the_process_lives_and_is_not_ready(world: World) -> None:
    """503 says what is missing, approvals say that nothing was done, reading goes on, and all recovers by itself."""
    world.folder.write_text("a file where a folder should be", "utf-8")
    time = Clock()
    scopes = {"alice": AGENT, "warden": ("stores:approve-all",)}
    async with an_office(world, http_variables(world.folder.parent, scopes), now=time) as office:
        warden = static_token("warden")
        found = [await look(office, path) for path in ("/readyz", "/healthz")]
        listed = await office.ask("GET", "/approvals", warden)
        answered = await office.answer("AAAAAA", "20.00", warden)
        read = request(call("list-configurations"), authorization=f"Bearer {static_token('alice')}")
        reading = await knock(office.port, read)
        world.folder.unlink()
        time.now += health.KEPT
        found.append(await look(office, "/readyz"))
        assert await office.waiting(warden) == []
    assert found == [(503, {"ledger": "unavailable", "vercel": "ok"}), (200, {"status": "ok"}), (200, OK)]
    assert [(one.status_code, one.json()["error"]) for one in (listed, answered)] == [(503, "ledger_unavailable")] * 2
    assert (reading.status, reading.json()["result"]["isError"]) == (200, False)


async def test_while_it_closes_the_process_lives_and_is_not_ready(world: World) -> None:
    """A load balancer sends nobody else, and whoever comes is told to try again."""
    async with an_office(world, {}) as office:
        office.context.calls.is_closing = True
        ready, alive = [await look(office, path) for path in ("/readyz", "/healthz")]
        called = await knock(office.port, request(call("list-configurations")))
    assert (ready[0], ready[1]["error"], alive) == (503, "closing", (200, {"status": "ok"}))
    assert (called.status, called.headers["retry-after"], called.json()["error"]) == (503, "1", "closing")
    assert world.sandbox.journal == []


@pytest.mark.parametrize("turns", range(8))
async def test_who_connects_just_as_it_ends_is_not_left_waiting(turns: int, world: World) -> None:
    """However far asyncio has come with the connection, it is closed."""
    async with an_office(world, {}) as office:
        assert await look(office, "/healthz") == (200, {"status": "ok"})
        client = socket.create_connection((HOST, office.port), timeout=5)
        for _ in range(turns):
            await asyncio.sleep(0)
        await office.server.shutdown()
    with client, suppress(ConnectionResetError):
        assert client.recv(1) == b""


async def test_more_connections_than_there_are_get_an_answer(world: World) -> None:
    """503 for one too many, and served again as soon as one of the others has gone."""
    async with an_office(world, {}, max_connections=3) as office, AsyncExitStack() as stack:
        opened = [await asyncio.open_connection(HOST, office.port) for _ in range(3)]
        for _, writer in opened:
            stack.callback(writer.close)
        found: list[Answered] = [await knock(office.port, head("GET", "/healthz"))]
        opened.pop()[1].close()
        while (answer := await knock(office.port, head("GET", "/healthz"))).status == 503:
            pass
        found.append(answer)
    assert [answer.status for answer in found] == [503, 200]
