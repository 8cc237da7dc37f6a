"""The create request leaves once, on a connection of its own, and is never tried again whatever became of it."""

from typing import Any

import anyio
import pytest

from vercel_marketplace_mcp.sandbox import Fault, Sandbox
from vercel_marketplace_mcp.settings import Team
from vercel_marketplace_mcp.vercel.client import Deadlines, VercelClient
from vercel_marketplace_mcp.vercel.errors import NotSentError, RefusedError, UnclearError, VercelError
from vercel_marketplace_mcp.vercel.operations import GET_CONFIGURATIONS, Call

pytestmark = pytest.mark.anyio

OPERATION = "createIntegrationStoreDirect"
BODY = {
    "name": "my-store",
    "integrationConfigurationId": "icfg_BrindleData000000000001",
    "integrationProductIdOrSlug": "brindle-postgres",
    "billingPlanId": "free",
}
REFUSALS = [400, 401, 402, 403, 404, 409, 410, 422, 429]
UNCLEAR = [408, 500, 501, 502, 503, 504]


async def outcome(client: VercelClient, team: Team) -> VercelError:
    """The error with which a create request ends."""
    with pytest.raises(VercelError) as caught:
        await client.create(BODY, team)
    return caught.value


async def test_a_store_is_created_with_one_request(sandbox: Sandbox, sandbox_client: VercelClient, team: Team) -> None:
    """The answer comes back whole, and the sandbox has one request and one store."""
    answer = await sandbox_client.create(BODY, team)
    assert answer == {"store": sandbox.stores[0]}
    assert (len(sandbox.posts), len(sandbox.stores)) == (1, 1)


@pytest.mark.parametrize("status", [*REFUSALS, *UNCLEAR])
@pytest.mark.parametrize("headers", [{}, {"retry-after": "0"}], ids=["", "with advice"])
async def test_a_status_never_repeats_it(
    sandbox: Sandbox, sandbox_client: VercelClient, team: Team, status: int, headers: dict[str, str]
) -> None:
    """Not after a limit, not after a failure that a read would be repeated for, whatever Vercel advises."""
    sandbox.misbehave(OPERATION, Fault(status=status, headers=headers))
    error = await outcome(sandbox_client, team)
    assert type(error) is (RefusedError if status in REFUSALS else UnclearError)
    assert (len(sandbox.posts), len(sandbox.stores)) == (1, 0)


@pytest.mark.parametrize(
    ("fault", "code", "stores"),
    [
        (Fault(drop="before"), "connection_lost", 0),
        (Fault(drop="after"), "connection_lost", 1),
        (Fault(drop="midway"), "connection_lost", 1),
        (Fault(status=500, acted=True), "server_error", 1),
        (Fault(status=503, acted=True), "server_error", 1),
        (Fault(status=307, headers={"location": "/v1/storage/stores"}), "redirected", 0),
        (Fault(body=b"{", acted=True), "unreadable_answer", 1),
        (Fault(body=b"", acted=True), "unreadable_answer", 1),
        (Fault(body=b'{"store":{},"store":{}}', acted=True), "unreadable_answer", 1),
        (Fault(body=b" " * (2 * 1024 * 1024 + 1), acted=True), "unreadable_answer", 1),
        (Fault(acted=True, headers={"content-type": "text/html"}), "unreadable_answer", 1),
        (Fault(acted=True, headers={"content-encoding": "gzip"}), "unreadable_answer", 1),
        (Fault(acted=True, headers={"content-length": "100000"}, drop="midway"), "connection_lost", 1),
    ],
    ids=repr,
)
async def test_what_may_have_been_acted_on_is_unclear_and_never_repeated(
    sandbox: Sandbox, sandbox_client: VercelClient, team: Team, fault: Fault, code: str, stores: int
) -> None:
    """One request reached Vercel; whether a store exists is its secret, and the error says no more than that."""
    sandbox.misbehave(OPERATION, fault)
    error = await outcome(sandbox_client, team)
    assert (type(error), error.code) == (UnclearError, code)
    assert (len(sandbox.posts), len(sandbox.stores)) == (1, stores)


async def test_an_answer_that_does_not_come_in_time_is_unclear(wire: Any, make_client: Any, team: Team) -> None:
    """The deadline of the create request ends it, and it is not sent again."""
    client = make_client(wire.url, deadlines=Deadlines(create=0.5))
    wire.will_send(then="stay silent")
    error = await outcome(client, team)
    assert (type(error), error.code) == (UnclearError, "timed_out")
    assert (len(wire.seen), wire.connections) == (1, 1)


async def test_a_server_that_is_not_there_was_sent_nothing(make_client: Any, team: Team) -> None:
    """Only where no connection was made may the same request be made again, by whoever decides that."""
    error = await outcome(make_client("http://127.0.0.1:1"), team)
    assert (type(error), error.code) == (NotSentError, "not_reachable")


async def test_every_create_request_has_a_connection_of_its_own(wire: Any, client: VercelClient, team: Team) -> None:
    """Each comes from a new port, also between reads that keep theirs: a kept connection may be a dead one."""
    read = Call(operation=GET_CONFIGURATIONS, team=team)
    for _ in range(3):
        wire.will_answer(200, [])
        wire.will_answer(200, {"store": {}})
        await client.read(read)
        await client.create(BODY, team)
    ports = {method: [seen.port for seen in wire.seen if seen.line.startswith(method)] for method in ("GET", "POST")}
    assert len(set(ports["POST"])) == 3
    assert len(set(ports["GET"])) == 1
    assert not set(ports["GET"]) & set(ports["POST"])


async def test_a_closed_client_opens_again(wire: Any, client: VercelClient, team: Team) -> None:
    """Closing ends every connection; a later request makes a new one."""
    wire.will_answer(200, [], times=2)
    read = Call(operation=GET_CONFIGURATIONS, team=team)
    await client.read(read)
    await client.aclose()
    await client.read(read)
    assert wire.connections == 2


async def test_an_answer_that_drips_is_given_up_and_unclear(make_client: Any, dripping: str, team: Team) -> None:
    """Every byte comes soon after the one before; one deadline holds for the whole answer."""
    client = make_client(dripping, deadlines=Deadlines(create=0.3))
    with anyio.fail_after(20):
        error = await outcome(client, team)
    assert (type(error), error.code, error.may_retry) == (UnclearError, "timed_out", False)
