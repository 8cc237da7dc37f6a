"""Sessions of the handshake era: how many one principal may hold, and the stream that a client listens to."""

import anyio
import httpx
import pytest

from ..approval.world import Json, World
from .issuing import an_issuer
from .office import AGENT, GUARD, Office, an_office, http_variables, static_token

pytestmark = pytest.mark.anyio

ALICE, BOB = static_token("alice"), static_token("bob")
HEADERS = {"accept": "application/json, text/event-stream", "content-type": "application/json"}


async def opened(office: Office, token: str | None) -> httpx.Response:
    """The answer to the first message of a session."""
    parameters = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "x", "version": "1"}}
    message: Json = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": parameters}
    return await office.ask("POST", "/mcp", token, json=message, headers=HEADERS)


async def statuses(office: Office, *tokens: str | None) -> list[int]:
    """How the first message of one session after the other is answered."""
    return [(await opened(office, token)).status_code for token in tokens]


async def test_nobody_shuts_all_others_out(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """Half of all sessions are the most that one principal holds; there is room again once one of them has ended."""
    variables = http_variables(world.folder.parent, {"alice": AGENT, "bob": AGENT})
    async with an_office(world, variables, max_sessions=4) as office:
        first = await opened(office, ALICE)
        found = await statuses(office, ALICE, ALICE, BOB)
        ended = {**HEADERS, "mcp-session-id": first.headers["mcp-session-id"]}
        assert (await office.ask("DELETE", "/mcp", ALICE, headers=ended)).status_code == 200
        found += await statuses(office, ALICE, ALICE, BOB, BOB)
    assert (first.status_code, found) == (200, [200, 503, 200, 200, 503, 200, 503])
    assert "alice holds 2 sessions, all that one principal may" in caplog.text


async def test_another_client_is_the_same_principal(world: World) -> None:
    """Whoever has tokens for many clients has no more sessions; another subject has."""
    async with an_issuer() as issuer, an_office(world, issuer.variables(), max_sessions=4) as office:
        hers = [issuer.token(client_id=f"client-{number}") for number in range(3)]
        assert await statuses(office, *hers, issuer.token(sub="bob")) == [200, 200, 503, 200]


async def test_where_nobody_is_known_the_room_is_everybodys(world: World) -> None:
    """On one's own machine without tokens there is no principal to share it with."""
    async with an_office(world, {}, max_sessions=4) as office:
        assert await statuses(office, *[None] * 5) == [200, 200, 200, 200, 503]


async def test_a_stream_ends_with_its_listener(world: World) -> None:
    """One at a time; once its client has hung up, which the server notices, the next one may listen."""
    async with (
        an_office(world, http_variables(world.folder.parent, {"alice": AGENT})) as office,
        httpx.AsyncClient(base_url=office.base, trust_env=False, timeout=GUARD) as http,
    ):
        session = (await opened(office, ALICE)).headers["mcp-session-id"]
        headers = {**HEADERS, "mcp-session-id": session, "authorization": f"Bearer {ALICE}"}

        async def listen() -> int:
            async with http.stream("GET", "/mcp", headers=headers) as answer:
                return answer.status_code

        async with http.stream("GET", "/mcp", headers=headers) as stream:
            meanwhile = await listen()
        with anyio.fail_after(GUARD):
            while (again := await listen()) == 409:
                pass
        assert (await office.ask("DELETE", "/mcp", headers=headers)).status_code == 200
    assert (stream.status_code, stream.headers["content-type"], meanwhile, again) == (
        200,
        "text/event-stream",
        409,
        200,
    )
