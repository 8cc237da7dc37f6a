"""The command `serve --http` as a process: what it refuses to start with, and that its end tears nothing."""

import asyncio
import signal
import socket
from contextlib import suppress
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp.shared.exceptions import MCPError

from vercel_marketplace_mcp.sandbox import Fault
from vercel_marketplace_mcp.sandbox.http import serving

from ..approval.terminal import without_a_terminal
from ..approval.world import FREE, PRO, Json, Person, World, buy, typed
from ..stdio.test_draining import Hold, recorded
from .knocking import Answered, call, head, knock, request
from .office import AGENT, GUARD, HOST, http_variables, static_token, token_file
from .running import Kept, Running, kept, running, serve_command, serve_variables

pytestmark = pytest.mark.anyio

ALICE = static_token("alice")
LIST = call("list-configurations")
SIGNALS = [signal.SIGTERM, signal.SIGINT]


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A folder for the state of a process."""
    return tmp_path / "state"


async def test_nothing_is_served_that_should_not_be(tmp_path: Path) -> None:
    """T54: exit code 2, and one sentence that names what to set and repeats no value."""
    tokens = token_file(tmp_path, f"alice {ALICE}")
    readable = tmp_path / "readable"
    readable.write_text(f"alice {ALICE}\n", "utf-8")
    readable.chmod(0o644)
    name = "VERCEL_MCP_HTTP_TOKENS_FILE"
    with socket.create_server((HOST, 0)) as listening:
        taken = f"{HOST}:{listening.getsockname()[1]}"
        hosts = {name: tokens, "VERCEL_MCP_HTTP_ALLOWED_HOSTS": "desk.example.com"}
        nobody = f"VERCEL_MCP_HTTP_ISSUER or {name} must be set: off this machine nobody is"
        unnamed = "VERCEL_MCP_HTTP_ALLOWED_HOSTS must be set: off this machine only"
        cases: dict[str, tuple[str, Json, str]] = {
            "anybody": ("0.0.0.0:0", {}, nobody),
            "any name": ("0.0.0.0:0", {name: tokens}, unnamed),
            "any name of IPv6": ("[::]:0", {name: tokens}, unnamed),
            "no port": ("127.0.0.1", {}, "--http must be HOST:PORT, as in 127.0.0.1:8000."),
            "a port that is taken": (taken, {}, f"{taken} can't be used: Address already in use"),
            "no address of this machine": ("127.0.0.1.invalid:0", hosts, "127.0.0.1.invalid:0 can't be used: "),
            "tokens for everybody": (
                "127.0.0.1:0",
                {name: str(readable)},
                f"Everybody may read or write the file of {name}.",
            ),
        }
        found: dict[str, tuple[int, str]] = {}

        async def start(case: str, address: str, more: dict[str, str]) -> None:
            env = serve_variables(tmp_path / "state", **more)
            done = await anyio.to_thread.run_sync(without_a_terminal, serve_command(address), b"", env)
            found[case] = (done.code, done.shown)

        async with anyio.create_task_group() as tasks:
            for case, (address, more, _) in cases.items():
                tasks.start_soon(start, case, address, more)
    assert {case: code for case, (code, _) in found.items()} == dict.fromkeys(cases, 2)
    wrong = {
        case: shown
        for case, (_, shown) in found.items()
        if not shown.startswith(f"vercel-marketplace-mcp: {cases[case][2]}") or shown.count("\n") != 1
    }
    assert (wrong, [shown for _, shown in found.values() if ALICE in shown]) == ({}, [])


async def test_on_this_machine_alone_nobody_needs_a_token(era: str, state: Path, world: World) -> None:
    """It says where it serves, a client buys through its form, and nobody can approve from elsewhere."""
    person = Person(typed("20.00"))
    async with serving(world.sandbox) as api, running(state, api) as server:
        async with server.client(era, person=person) as client:
            found = await buy(client)
        async with server.client(era) as client:
            waiting = await buy(client, name="orders-2")
        approvals = [(await knock(server.port, head("GET", path))).status for path in ("/approvals", "/approvals/A")]
        server.ask_to_end(signal.SIGTERM)
        ended = await server.ended()
    assert (found["status"], world.bodies, approvals) == ("created", [PRO], [404, 404])
    assert waiting["approval"]["command"].endswith(f"--state-dir {state}")
    assert ended == (0, "")
    assert await recorded(state) == ["created"]


async def test_people_are_sent_to_the_port_that_was_taken(era: str, state: Path, world: World) -> None:
    """Where any free one is to be taken, the command names it, as standard error does."""
    more = http_variables(world.folder.parent, {"alice": AGENT})
    async with serving(world.sandbox) as api, running(state, api, **more) as server:
        async with server.client(era, ALICE) as client:
            waiting = await buy(client)
        server.ask_to_end(signal.SIGTERM)
        assert await server.ended() == (0, "")
    assert waiting["approval"]["command"].endswith(f" --server {server.base}")


async def test_nothing_that_is_sent_reaches_the_log(state: Path, world: World) -> None:
    """T62: neither a token nor a control character, wherever it stands; what is refused is no news for the operator."""
    evil = "x\x9b31m\u00ad"
    more = http_variables(world.folder.parent, {"alice": AGENT})
    bearer = f"Bearer {ALICE}"
    async with serving(world.sandbox) as api, running(state, api, **more) as server:
        for sent in (
            request(LIST, host=evil, authorization=bearer),
            request(LIST, origin=evil, authorization=bearer),
            request(LIST, authorization=f"Bearer {evil}{ALICE}"),
            request(LIST, mcp_session_id=evil, mcp_protocol_version=None, authorization=bearer),
            request(LIST, path=f"/%1b[31m?token={ALICE}", authorization=bearer),
            request(call("list-\x1b[31mplans", {"\x1b[31m": ALICE}), mcp_name=None, authorization=bearer),
        ):
            await knock(server.port, sent)
        server.ask_to_end(signal.SIGTERM)
        code, errors = await server.ended()
    assert (code, ALICE in errors, [char for char in errors if not char.isprintable() and char != "\n"]) == (
        0,
        False,
        [],
    )


async def closing(connection: Kept) -> Answered:
    """The first answer of a server that has noticed that it is to end."""
    while (answer := await connection.knock(head("GET", "/readyz"))).status == 200:
        pass
    return answer


@pytest.mark.parametrize("by", SIGNALS)
async def test_a_purchase_is_finished_recorded_and_answered_at_the_end(
    by: signal.Signals, era: str, state: Path, world: World
) -> None:
    """T44: a signal comes while Vercel holds the answer back; nothing else is begun, and the process lives on."""
    hold = Hold()
    found: Json = {}
    world.sandbox.misbehave("createIntegrationStoreDirect", Fault(until=hold))
    more = http_variables(world.folder.parent, {"alice": AGENT})
    with anyio.fail_after(GUARD):
        async with serving(world.sandbox) as api, running(state, api, **more) as server:

            async def create() -> None:
                async with server.client(era, ALICE) as client:
                    await client.list_tools()  # or the SDK would fetch them to check the answer, at a closed door
                    found.update(await buy(client, **FREE))

            async with anyio.create_task_group() as tasks, kept(server.port) as connection:
                tasks.start_soon(create)
                await hold.arrived.wait()
                server.ask_to_end(by)
                refused = await closing(connection)
                another = request(call("create-store", {**FREE, "name": "two"}), authorization=f"Bearer {ALICE}")
                turned_away = await connection.knock(another)
                lives = await connection.knock(head("GET", "/healthz"))
                with pytest.raises(OSError, match="Connect call failed"):
                    await knock(server.port, another)
                await anyio.sleep(1.5)  # streams that see an end coming look for it twice a second
                hold.released.set()
            ended = await server.ended()
    assert (found["status"], len(world.bodies), await recorded(state)) == ("created", 1, ["created"])
    assert [answer.status for answer in (refused, turned_away, lives)] == [503, 503, 200]
    assert (turned_away.headers["retry-after"], turned_away.json()["error"]) == ("1", "closing")
    assert ended == (0, "")


async def test_impatience_tears_no_purchase(state: Path, world: World) -> None:
    """Ctrl-C a second time, and a third: what was sent is waited for and recorded all the same."""
    hold = Hold()
    world.sandbox.misbehave("createIntegrationStoreDirect", Fault(until=hold))
    with anyio.fail_after(GUARD):
        async with (
            serving(world.sandbox) as api,
            running(state, api) as server,
            anyio.create_task_group() as tasks,
            kept(server.port) as connection,
        ):
            tasks.start_soon(knock_once, server, request(call("create-store", FREE)))
            await hold.arrived.wait()
            server.ask_to_end(signal.SIGINT)
            await closing(connection)
            for _ in range(2):
                server.ask_to_end(signal.SIGINT)
                assert (await connection.knock(head("GET", "/healthz"))).status == 200
            hold.released.set()
            code, _ = await server.ended()
    assert (code, len(world.bodies), await recorded(state)) == (0, 1, ["created"])


async def knock_once(server: Running, sent: bytes) -> None:
    """Send a request, whether or not it is answered."""
    try:
        await knock(server.port, sent)
    except (OSError, asyncio.IncompleteReadError):
        return


class Reader(Person):
    """A person who reads a form for longer than anybody waits, and tells when it is shown."""

    def __init__(self, shown: anyio.Event) -> None:
        super().__init__(typed("20.00"), after=GUARD)
        self._shown = shown

    async def __call__(self, context: Any, params: Any) -> Any:
        """Begin to read."""
        self._shown.set()
        return await super().__call__(context, params)


async def test_an_open_stream_and_an_open_form_do_not_hold_up_the_end(state: Path, world: World) -> None:
    """A client of the handshake era listens, and its person reads a form: nothing was sent, nothing is waited for."""
    asked = anyio.Event()
    with anyio.fail_after(GUARD / 2):
        async with serving(world.sandbox) as api, running(state, api) as server, anyio.create_task_group() as tasks:

            async def call_and_wait() -> None:
                async with server.client("legacy", person=Reader(asked)) as client:
                    with suppress(MCPError):  # the stream of its answer was cut
                        await buy(client)

            tasks.start_soon(call_and_wait)
            await asked.wait()
            server.ask_to_end(signal.SIGTERM)
            code, errors = await server.ended()
            tasks.cancel_scope.cancel()
    assert (code, "ERROR" in errors, world.bodies, await recorded(state)) == (0, False, [], [])
