"""A read is repeated where that may help, a few times and not for ever; whoever is told to wait, waits."""

from typing import Any, NoReturn

import pytest
import stamina
import stamina.instrumentation

from vercel_marketplace_mcp.sandbox import Fault, Sandbox
from vercel_marketplace_mcp.settings import Team
from vercel_marketplace_mcp.vercel.client import Deadlines, VercelClient
from vercel_marketplace_mcp.vercel.errors import NotSentError, RefusedError, VercelError
from vercel_marketplace_mcp.vercel.operations import GET_CONFIGURATIONS, Call

pytestmark = pytest.mark.anyio

READ = Call(operation=GET_CONFIGURATIONS, team=Team(id="team_a"))
AGAIN = [429, 502, 503, 504]
ONCE = [400, 401, 402, 403, 404, 408, 409, 410, 422, 500, 501]
FOREVER = "Fri, 31 Dec 9999 23:59:59 GMT"
LONG_AGO = "Wed, 21 Oct 2015 07:28:00 GMT"


class WaitsError(Exception):
    """Raised in place of a wait, with the seconds that it would have taken."""


@pytest.mark.parametrize("status", [*AGAIN, *ONCE])
async def test_a_read_is_repeated_after_certain_statuses_only(wire: Any, client: VercelClient, status: int) -> None:
    """Three times in all where the next try may go better, once where it would not."""
    wire.will_answer(status, None, times=9)
    with pytest.raises(VercelError):
        await client.read(READ)
    assert len(wire.seen) == (3 if status in AGAIN else 1)


@pytest.mark.parametrize("status", AGAIN)
async def test_a_read_ends_with_the_first_success(wire: Any, client: VercelClient, status: int) -> None:
    """Two failures, then an answer: the answer counts, and nothing more is asked."""
    wire.will_answer(status, None, times=2)
    wire.will_answer(200, ["an answer"])
    wire.will_answer(200, ["another"])
    assert await client.read(READ) == ["an answer"]
    assert len(wire.seen) == 3


async def test_a_read_is_repeated_after_a_torn_connection(
    sandbox: Sandbox, sandbox_client: VercelClient, team: Team
) -> None:
    """Reading twice does no harm, so a connection that was lost before, during or after the answer is tried again."""
    call = Call(operation=GET_CONFIGURATIONS, team=team, query={"view": "account"})
    sandbox.misbehave("getConfigurations", Fault(drop="after"))
    sandbox.misbehave("getConfigurations", Fault(drop="midway"))
    assert len(await sandbox_client.read(call)) > 0
    assert len(sandbox.journal) == 3


async def test_a_server_that_is_not_there_is_tried_a_few_times(listen: Any, make_client: Any) -> None:
    """Nobody listens: three attempts, then it is said that nothing was sent."""
    attempts: list[int] = []
    stamina.instrumentation.set_on_retry_hooks([lambda details: attempts.append(details.retry_num)])
    wire = await listen()
    client = make_client("http://127.0.0.1:1")
    try:
        with pytest.raises(NotSentError) as caught:
            await client.read(READ)
    finally:
        stamina.instrumentation.set_on_retry_hooks(None)
    assert (caught.value.code, caught.value.message) == ("not_reachable", "Vercel's API could not be reached.")
    assert attempts == [1, 2]
    assert wire.connections == 0


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        ("0", 0.0),
        (" 7 ", 7.0),
        ("1000000000", 30.0),
        ("9" * 400, 30.0),
        (FOREVER, 30.0),
        (LONG_AGO, 0.0),
        (LONG_AGO.removesuffix(" GMT"), 0.0),
        (None, None),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("", None),
        ("7, 8", None),
        ("Mon, 99999999999999999999 Jan 2020 00:00:00 GMT", None),
        ("Mon, 01 Jan 99999999999999999999 00:00:00 GMT", None),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
async def test_the_wait_is_what_vercel_asks_for_within_bounds(
    wire: Any, client: VercelClient, status: int, header: str | None, seconds: float | None
) -> None:
    """Seconds and dates are understood and bounded by 30 seconds; anything else counts as no advice."""

    def tell(details: stamina.instrumentation.RetryDetails) -> NoReturn:
        raise WaitsError(details.wait_for)

    wire.will_answer(status, None, **({} if header is None else {"retry_after": header}))
    stamina.instrumentation.set_on_retry_hooks([tell])
    try:
        with stamina.set_testing(False), pytest.raises(WaitsError) as caught:
            await client.read(READ)
    finally:
        stamina.instrumentation.set_on_retry_hooks(None)
    (wait,) = caught.value.args
    assert wait == seconds if seconds is not None else 0.2 <= wait <= 1.2


async def test_a_wait_that_takes_too_long_ends_with_what_vercel_said(wire: Any, make_client: Any) -> None:
    """When the time for all repetitions is over, the error is the last one that Vercel gave, not a time-out."""
    wire.will_answer(429, None, retry_after="20")
    client = make_client(wire.url, deadlines=Deadlines(reads=1))
    with stamina.set_testing(False), pytest.raises(RefusedError) as caught:
        await client.read(READ)
    assert (caught.value.code, caught.value.retry_after) == ("rate_limited", 20)
    assert len(wire.seen) == 1


async def test_reads_use_one_connection_while_it_lasts(wire: Any, client: VercelClient) -> None:
    """Reads one after the other come from one port."""
    wire.will_answer(200, [], times=4)
    for _ in range(4):
        await client.read(READ)
    assert (wire.connections, len({seen.port for seen in wire.seen})) == (1, 1)
