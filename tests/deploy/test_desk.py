"""The whole desk as compose.yaml puts it together: PostgreSQL, two replica processes, the load balancer in front."""

import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import anyio
import httpx
import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from vercel_marketplace_mcp.sandbox import SANDBOX_TEAM_ID, SANDBOX_TOKEN, Sandbox
from vercel_marketplace_mcp.sandbox.http import serving

from ..approval.terminal import variables
from ..approval.world import FREE, Person, buy, typed
from ..http.office import AGENT, OVER_HTTP, PERSON, http_variables, static_token
from ..ledger import postgres
from .balancer import GUARD, Replica, balancing, free_port, wait_for

pytestmark = pytest.mark.anyio

AGENTS = [f"agent-{number}" for number in range(8)]


@dataclass(frozen=True, kw_only=True)
class Desk:
    """Where the load balancer listens, the replicas behind it, and the Vercel that they buy at."""

    base: str
    replicas: list["subprocess.Popen[bytes]"]
    sandbox: Sandbox

    @asynccontextmanager
    async def agent(self, era: str, name: str, person: Person | None = None) -> AsyncIterator[Client]:
        """A client that comes through the load balancer; without a person it can show no form."""
        http = httpx2.AsyncClient(headers={"authorization": f"Bearer {static_token(name)}"}, timeout=GUARD)
        transport = streamable_http_client(f"{self.base}/mcp", http_client=http)
        async with http, Client(transport, mode=OVER_HTTP[era], elicitation_callback=person) as client:
            yield client

    @property
    def bought(self) -> list[str]:
        """The names of the stores that Vercel was asked to create: the oracle."""
        return sorted(post.json()["name"] for post in self.sandbox.posts)


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    """The address of a PostgreSQL server's database."""
    with postgres.serving_or_skipped() as server:
        yield server.url(server.new_database()).get_secret_value()


def known_callers(folder: Path) -> dict[str, str]:
    """What an operator sets for the agents, and for the person to whom the first of them belongs."""
    known = http_variables(folder, {**dict.fromkeys(AGENTS, AGENT), "agent-0-person": PERSON})
    tokens = Path(known["VERCEL_MCP_HTTP_TOKENS_FILE"])
    tokens.write_text(tokens.read_text("utf-8").replace("agent-0-person ", "agent-0 "), "utf-8")
    return known


@pytest.fixture
async def desk(tmp_path: Path, database: str) -> AsyncIterator[Desk]:
    """A desk that is open, in front of a sandbox in which nothing has happened."""
    sandbox = Sandbox()
    known = known_callers(tmp_path)
    async with serving(sandbox) as vercel, AsyncExitStack() as closing:
        environment = variables(
            VERCEL_TOKEN=SANDBOX_TOKEN,
            VERCEL_TEAM_ID=SANDBOX_TEAM_ID,
            VERCEL_API_URL=vercel,
            VERCEL_MCP_STATE_DIR=str(tmp_path),
            VERCEL_MCP_LEDGER_URL=database,
            VERCEL_MCP_MAX_CREATES_PER_HOUR="1000",
            VERCEL_MCP_MAX_PER_DAY="10000.00",
            VERCEL_MCP_LOG_FORMAT="json",
            **known,
        )
        stack = closing.enter_context(ExitStack())
        ports = [free_port() for _ in range(2)]
        replicas = [stack.enter_context(replica(port, environment, tmp_path)) for port in ports]
        for port in ports:
            await anyio.to_thread.run_sync(wait_for, port)
        behind = [Replica(f"127.0.0.1:{port}") for port in ports]
        base = stack.enter_context(balancing(tmp_path, *behind))
        yield Desk(base=base, replicas=replicas, sandbox=sandbox)


def replica(port: int, environment: dict[str, str], folder: Path) -> "Running":
    """A replica that listens on this port."""
    return Running(
        [sys.executable, "-m", "vercel_marketplace_mcp", "serve", "--http", f"127.0.0.1:{port}"],
        environment,
        folder / f"{port}.log",
    )


class Running:
    """A process for as long as a block runs; it is asked to end, as a container is."""

    def __init__(self, command: list[str], environment: dict[str, str], log: Path) -> None:
        self._command, self._environment, self._log = command, environment, log

    def __enter__(self) -> "subprocess.Popen[bytes]":
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._command, env=self._environment, stdout=log, stderr=log)
        return self._process

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(GUARD)


async def test_every_agent_buys_what_its_person_confirms_and_once(era: str, desk: Desk) -> None:
    """Eight agents at once, each with a form of its own: sessions and questions find their replica, nothing is lost."""

    async def shop(name: str) -> None:
        person = Person(typed("20.00"))
        async with desk.agent(era, name, person) as client:
            made, repeated = [await buy(client, name=f"{era}-{name}") for _ in range(2)]
        assert (made["status"], repeated["status"], repeated.get("replayed")) == ("created", "created", True)
        assert len(person.shown) == 1

    with anyio.fail_after(GUARD):
        async with anyio.create_task_group() as tasks:
            for name in AGENTS:
                tasks.start_soon(shop, name)
    assert desk.bought == [f"{era}-{name}" for name in AGENTS]


async def test_a_person_approves_through_the_load_balancer(era: str, desk: Desk) -> None:
    """What one replica asked is answered at whichever one the person's own token leads to."""
    person = {"authorization": f"Bearer {static_token('agent-0-person')}"}
    async with desk.agent(era, "agent-0") as client, httpx.AsyncClient(base_url=desk.base, headers=person) as http:
        asked = await buy(client, name=f"{era}-asked")
        assert (asked["status"], desk.bought) == ("confirmation_required", [])
        code = asked["approval"]["code"]
        assert [one["code"] for one in (await http.get("/approvals")).json()["questions"]] == [code]
        assert (await http.post(f"/approvals/{code}", json={"typed": "20.00"})).json() == {"status": "approved"}
        assert (await buy(client, name=f"{era}-asked"))["status"] == "created"
    assert desk.bought == [f"{era}-asked"]


async def test_a_replica_that_ends_takes_no_agent_with_it(era: str, desk: Desk) -> None:
    """Its agents go on at the other one, with a new session in the handshake era."""
    agents = AGENTS[:4]
    async with AsyncExitStack() as stack:
        for name in agents:
            client = await stack.enter_async_context(desk.agent("auto", name, Person(typed("20.00"))))
            assert (await buy(client, name=f"{era}-{name}-before"))["status"] == "created"
        desk.replicas[0].send_signal(signal.SIGTERM)
        await anyio.to_thread.run_sync(desk.replicas[0].wait, GUARD)
    with anyio.fail_after(GUARD):
        for name in agents:
            async with desk.agent(era, name, Person(typed("20.00"))) as client:
                assert (await buy(client, name=f"{era}-{name}-after"))["status"] == "created"
    assert desk.replicas[0].returncode == 0
    assert len(desk.bought) == len(set(desk.bought)) == 2 * len(agents)


async def test_a_session_that_a_replica_does_not_know_is_told_so(desk: Desk) -> None:
    """A client that reaches another replica than before gets the 404 that MCP has for it, and nothing else happens."""
    strayed = {
        "authorization": f"Bearer {static_token('agent-0')}",
        "accept": "application/json, text/event-stream",
        "mcp-session-id": "of-another-replica",
        "mcp-protocol-version": "2025-11-25",
    }
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "create-store", "arguments": FREE}}
    async with httpx.AsyncClient(base_url=desk.base, headers=strayed, timeout=GUARD) as http:
        assert (await http.post("/mcp", json=call)).status_code == 404
    assert desk.bought == []
