"""Calls of a ledger in PostgreSQL that wait behind another one, or that nobody waits for any longer."""

import anyio
import pytest
from anyio.abc import SocketAttribute, SocketStream
from pydantic import SecretStr

from vercel_marketplace_mcp.ledger import postgres_errors
from vercel_marketplace_mcp.ledger.postgres import PostgresLedger
from vercel_marketplace_mcp.ledger.postgres_errors import PassingError

from .places import Database
from .support import ask, identity
from .wire import wired

pytestmark = pytest.mark.anyio

BOUND = 20
"""Seconds within which a call has to fail; the machine may be busy."""


async def test_whoever_waits_behind_a_call_that_fails_fails_with_it() -> None:
    """T58: a server that answers nobody is asked once for all of them, and again by the next one."""
    connections = 0
    said: list[str] = []

    async def hang_up(client: SocketStream) -> None:
        nonlocal connections
        connections += 1
        async with client:
            await client.receive()
            await anyio.wait_all_tasks_blocked()

    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener, anyio.create_task_group() as tasks:
        port = listener.extra(SocketAttribute.local_port)  # noqa: S610 - no Django is here
        ledger = PostgresLedger(SecretStr(f"postgresql://ledger@127.0.0.1:{port}/db?sslmode=disable"))
        tasks.start_soon(listener.serve, hang_up)

        async def attempt() -> None:
            with pytest.raises(PassingError) as caught:
                await ledger.pending()
            said.append(str(caught.value))

        with anyio.fail_after(BOUND):
            for _ in range(2):
                async with anyio.create_task_group() as calls:
                    for _ in range(10):
                        calls.start_soon(attempt)
        tasks.cancel_scope.cancel()
    assert said == [postgres_errors.UNREACHABLE] * 20
    assert connections == 2


async def test_a_transaction_that_has_begun_is_ended_whoever_waits_for_it(database: Database) -> None:
    """A client that cancels its call leaves no doubt behind: what was begun is committed, on the same connection."""
    async with wired(database.server.port) as wire:
        ledger = PostgresLedger(database.server.url(database.name, port=wire.port))
        await ledger.secret()
        wire.hold()
        with anyio.fail_after(BOUND):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(ask, ledger, identity())
                await anyio.wait_all_tasks_blocked()
                tasks.cancel_scope.cancel()
                wire.let_go()
        assert [question.fingerprint for question in await ledger.pending()] == [identity().fingerprint]
        await ledger.aclose()
