"""A replica that can't reach the database creates nothing and reads on; one that has stopped stops no other."""

import signal
from collections.abc import Callable

import anyio
import httpx
import pytest

from vercel_marketplace_mcp.sandbox import Fault

from ..approval.world import BRINDLE, CREATE, Json
from ..calls import NOTHING
from ..campaign import scale
from .forks import forks
from .proxy import line_to
from .town import PRINCIPALS, Hold, Town, in_thread, until
from .wire import Agent, finally_made, keep

pytestmark = pytest.mark.anyio

Record = Callable[[str, object], None]

GUARD = 120


async def test_a_replica_cut_off_from_the_database_reads_creates_nothing_and_comes_back(
    town: Town, record_property: Record
) -> None:
    """A silent line is an error within seconds for whoever creates; the other replica goes on, and both afterwards."""
    async with line_to(town.server.port) as line, httpx.AsyncClient(timeout=GUARD) as http:
        url = town.server.url(town.database, port=line.port).get_secret_value()
        cut_off, other = town.start_with([town.environment(VERCEL_MCP_LEDGER_URL=url), town.environment()])
        agent = Agent(principal=PRINCIPALS[0], http=http)
        with anyio.fail_after(GUARD):
            assert (await agent.make(cut_off, "before"))["status"] == "created"
            refused: list[Json] = []
            line.cut()
            async with anyio.create_task_group() as tasks:
                for number in range(8):
                    tasks.start_soon(keep, agent.make(cut_off, f"cut-{number}"), refused)
                while len(refused) < 8:
                    assert "error" not in await agent.call(cut_off, "list-configurations", {})
                    assert "error" not in await agent.call(cut_off, "list-products", {"id": BRINDLE})
                    assert (await agent.make(other, "meanwhile"))["status"] == "created"
                    await anyio.sleep(0.2)
            assert {(one["status"], one["error"]["code"], one["money"]) for one in refused} == {
                ("unavailable", "ledger_unavailable", NOTHING)
            }
            line.mend()
            while refused[-1]["status"] != "created":
                refused.append(await agent.make(cut_off, "after"))
    record_property("creates turned away behind a silent line", sum("error" in one for one in refused))
    assert [post.json()["name"] for post in town.posts] == ["before", "meanwhile", "after"]
    assert await town.problem() is None


@pytest.mark.parametrize("silence", (0, 9, None) if scale.WHOLE else (0,))
async def test_a_purchase_under_way_when_the_line_falls_silent_is_recorded_or_unknown(
    town: Town, silence: float | None
) -> None:
    """The agent is told what Vercel said; if the ledger could not be, a person settles it, and it is not sent again.

    The line is silent for these seconds: for longer than one attempt to record the outcome, or than all of them.
    """
    hold, answers = Hold(), list[Json]()
    town.sandbox.misbehave(CREATE, Fault(until=hold))
    async with line_to(town.server.port) as line, httpx.AsyncClient(timeout=GUARD) as http:
        url = town.server.url(town.database, port=line.port).get_secret_value()
        cut_off, other = town.start_with([town.environment(VERCEL_MCP_LEDGER_URL=url), town.environment()])
        agent = Agent(principal=PRINCIPALS[0], http=http)
        with anyio.fail_after(GUARD):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(keep, agent.make(cut_off, "orders"), answers)
                await in_thread(hold.arrived.wait)
                line.cut()
                hold.released.set()
                if silence is not None:
                    await anyio.sleep(silence)
                    line.mend()
            line.mend()
            if silence is None:
                await town.let_time_pass()
                assert (await agent.make(other, "orders"))["status"] == "outcome_unknown"
            await finally_made(agent, other, town, "orders")
    assert [one["status"] for one in answers] == ["created"]
    assert town.posts_for("orders") == 1
    assert await town.problem() is None


async def test_a_replica_that_stops_with_the_ledger_locked_does_not_stop_the_others(town: Town) -> None:
    """The database takes the lock from it; once it goes on it has bought nothing, says so, and can buy again."""
    (other,) = town.start(1)
    held: list[Json] = []
    with forks(town.folder) as forked, anyio.fail_after(GUARD):
        stopping = forked.replica(town.environment(), "the intent is written, not committed", signal.SIGSTOP)
        async with httpx.AsyncClient(timeout=GUARD) as http, anyio.create_task_group() as tasks:
            agent = Agent(principal=PRINCIPALS[0], http=http)
            tasks.start_soon(keep, agent.make(stopping, "orders"), held)
            await until(stopping.has_stopped)
            assert (await agent.make(other, "another"))["status"] == "created"
            assert await town.states() == {"another": "created"}
            stopping.signal(signal.SIGCONT)
            await until(lambda: bool(held))
            assert (held[0]["status"], held[0]["error"]["code"], held[0]["money"]) == (
                "unavailable",
                "ledger_unavailable",
                NOTHING,
            )
            assert (await agent.make(stopping, "orders"))["status"] == "created"
        stopping.kill()
        forked.ended(stopping)
    assert [post.json()["name"] for post in town.posts] == ["another", "orders"]
    assert await town.problem() is None
