"""Every fault, seen from the other end of a real socket, and what the sandbox did meanwhile."""

import asyncio
import gzip
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from vercel_marketplace_mcp.sandbox import Fault, Sandbox

pytestmark = pytest.mark.anyio

CREATE = "/v1/storage/stores/integration/direct"
OPERATION = "createIntegrationStoreDirect"
BODY = {
    "name": "my-store",
    "integrationConfigurationId": "icfg_BrindleData000000000001",
    "integrationProductIdOrSlug": "brindle-postgres",
    "billingPlanId": "free",
}


@pytest.mark.parametrize(
    ("fault", "error", "stores", "status"),
    [
        (Fault(drop="before"), httpx.ReadError, 0, None),
        (Fault(drop="after"), httpx.ReadError, 1, None),
        (Fault(drop="midway"), httpx.RemoteProtocolError, 1, 200),
        (Fault(drop="midway", body=b'{"store": null}'), httpx.RemoteProtocolError, 0, 200),
        (Fault(drop="midway", drip=0), httpx.RemoteProtocolError, 1, 200),
        (Fault(headers={"Content-Length": "5000"}), httpx.RemoteProtocolError, 1, 200),
        (Fault(headers={"Content-Length": "5"}), httpx.RemoteProtocolError, 1, 200),
    ],
)
async def test_a_torn_connection_is_torn(
    wire: httpx.AsyncClient, sandbox: Sandbox, fault: Fault, error: type[Exception], stores: int, status: int | None
) -> None:
    """Before or after the operation took place, or in the middle of the answer; the next call goes well."""
    sandbox.misbehave(OPERATION, fault)
    with pytest.raises(error):
        await wire.post(CREATE, json=BODY)
    assert len(sandbox.stores) == stores
    assert [one.status for one in sandbox.posts] == [status]
    assert (await wire.post(CREATE, json={**BODY, "name": "another"})).status_code == 200


@pytest.mark.parametrize(("drop", "stores"), [("before", 0), ("after", 1), ("midway", 1)])
async def test_in_process_a_torn_connection_is_an_exception(
    api: httpx.AsyncClient, sandbox: Sandbox, drop: Any, stores: int
) -> None:
    """There is no connection to tear."""
    sandbox.misbehave(OPERATION, Fault(drop=drop))
    with pytest.raises(ConnectionResetError):
        await api.post(CREATE, json=BODY)
    assert len(sandbox.stores) == stores


@pytest.mark.parametrize("status", [300, 400, 401, 402, 403, 404, 408, 409, 410, 418, 429, 500, 502, 503, 504])
@pytest.mark.parametrize("acted", [False, True])
async def test_any_status_can_stand_in_for_the_answer(
    wire: httpx.AsyncClient, sandbox: Sandbox, status: int, acted: bool
) -> None:
    """With an envelope of its own, or over the operation's own answer if that took place."""
    sandbox.misbehave(OPERATION, Fault(status=status, acted=acted))
    response = await wire.post(CREATE, json=BODY)
    assert response.status_code == status
    assert len(sandbox.stores) == acted
    if acted:
        assert response.json() == {"store": sandbox.stores[0]}
    else:
        assert response.json()["error"]["message"] == f"The sandbox was told to answer {status}"


@pytest.mark.parametrize("retry_after", ["7", "0", "-5", "1000000000", "soon", "Wed, 21 Oct 2026 07:28:00 GMT", ""])
async def test_a_rate_limit_says_when_to_come_back_in_any_form(
    wire: httpx.AsyncClient, sandbox: Sandbox, retry_after: str
) -> None:
    """Seconds, a date, nonsense; and the limit in the envelope."""
    sandbox.misbehave("getBillingPlans", Fault(status=429, headers={"Retry-After": retry_after}))
    response = await wire.get("/v1/integrations/integration/brindle/products/brindle-postgres/plans")
    assert (response.status_code, response.headers["retry-after"]) == (429, retry_after)
    assert response.json() == {
        "error": {
            "code": "rate_limited",
            "message": "The sandbox was told to answer 429",
            "limit": {"remaining": 0, "reset": 1893456000, "resetMs": 1893456000000, "total": 10},
        }
    }


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_leads_where_it_is_told(wire: httpx.AsyncClient, sandbox: Sandbox, status: int) -> None:
    """To another host or to itself."""
    sandbox.misbehave(OPERATION, Fault(status=status, headers={"Location": "https://elsewhere.example/"}, body=b""))
    response = await wire.post(CREATE, json=BODY)
    assert (response.status_code, response.content) == (status, b"")
    assert response.headers["location"] == "https://elsewhere.example/"
    assert sandbox.stores == []


@pytest.mark.parametrize("acted", [False, True])
@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"", {}),
        (b"{", {}),
        (b"<html></html>", {"content-type": "text/html"}),
        (b'{"store": null, "store": {}}', {}),
        (b'{"store": {"totalConnectedProjects": NaN}}', {}),
        (b"[" * 100_000 + b"]" * 100_000, {}),
        (b'"' + b"x" * 3_000_000 + b'"', {}),
        (b"\xff\xfe", {"content-type": "application/json; charset=utf-16"}),
    ],
    ids=["empty", "malformed", "html", "duplicate-keys", "nan", "deep", "huge", "not-utf-8"],
)
async def test_any_bytes_can_stand_in_for_the_answer(
    wire: httpx.AsyncClient, sandbox: Sandbox, body: bytes, headers: dict[str, str], acted: bool
) -> None:
    """Exactly those bytes, whether the operation took place or not."""
    sandbox.misbehave(OPERATION, Fault(body=body, headers=headers, acted=acted))
    response = await wire.post(CREATE, json=BODY)
    assert (response.status_code, response.content) == (200, body)
    assert response.headers["content-type"] == headers.get("content-type", "application/json")
    assert len(sandbox.stores) == acted


async def test_an_answer_can_be_encoded(wire: httpx.AsyncClient, sandbox: Sandbox) -> None:
    """Though nobody asked for it."""
    zipped = gzip.compress(b'{"plans": []}', mtime=0)
    sandbox.misbehave("getBillingPlans", Fault(body=zipped, headers={"Content-Encoding": "gzip"}))
    path = "/v1/integrations/integration/brindle/products/brindle-postgres/plans"
    async with wire.stream("GET", path, headers={"accept-encoding": "identity"}) as response:
        assert b"".join([chunk async for chunk in response.aiter_raw()]) == zipped
    assert response.headers["content-encoding"] == "gzip"


async def test_an_answer_can_drip(wire: httpx.AsyncClient, sandbox: Sandbox) -> None:
    """Whole in the end."""
    sandbox.misbehave(OPERATION, Fault(drip=0))
    assert (await wire.post(CREATE, json=BODY)).json() == {"store": sandbox.stores[0]}


@pytest.mark.parametrize("fault", [Fault(latency=3600), Fault(drip=3600)])
async def test_an_answer_can_come_too_late(wire: httpx.AsyncClient, sandbox: Sandbox, fault: Fault) -> None:
    """The store exists; leaving the server waits for nothing."""
    sandbox.misbehave(OPERATION, fault)
    with pytest.raises(httpx.ReadTimeout):
        await wire.post(CREATE, json=BODY, timeout=httpx.Timeout(5, read=0.05))
    assert len(sandbox.stores) == 1


async def test_an_answer_can_be_held_back_without_a_clock(wire: httpx.AsyncClient, sandbox: Sandbox) -> None:
    """Until the test says so; the operation has taken place, and the journal knows of the request."""
    acted, released = asyncio.Event(), asyncio.Event()

    async def until() -> None:
        acted.set()
        await released.wait()

    sandbox.misbehave(OPERATION, Fault(until=until))
    call = asyncio.create_task(wire.post(CREATE, json=BODY))
    await acted.wait()
    assert (len(sandbox.stores), len(sandbox.posts), call.done()) == (1, 1, False)
    released.set()
    assert (await call).status_code == 200


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (lambda answer: {**answer, "store": None}, {"store": None}),
        (lambda answer: {"store": {"billingPlan": {**answer["store"]["billingPlan"], "id": "pro"}}}, None),
        (lambda answer: [answer["store"]["name"]], ["my-store"]),
    ],
)
async def test_an_answer_can_be_edited(
    wire: httpx.AsyncClient, sandbox: Sandbox, edit: Callable[[Any], Any], expected: Any
) -> None:
    """The operation took place; only what is said about it differs."""
    sandbox.misbehave(OPERATION, Fault(edit=edit))
    response = await wire.post(CREATE, json=BODY)
    assert response.json() == (expected or edit({"store": sandbox.stores[0]}))
    assert sandbox.stores[0]["billingPlan"]["id"] == "free"


async def test_faults_wait_for_their_operation_in_order(api: httpx.AsyncClient, sandbox: Sandbox) -> None:
    """As often as was asked for, and no other operation meets them."""
    sandbox.misbehave("listStores", Fault(status=503), times=2)
    sandbox.misbehave("listStores", Fault(status=502))
    found = [(await api.get("/v1/storage/stores")).status_code for _ in range(4)]
    other = (await api.get("/v1/storage/stores/store_assets0000000001")).status_code
    assert (found, other) == ([503, 503, 502, 200], 200)


def test_an_operation_that_is_not_there_can_not_misbehave(sandbox: Sandbox) -> None:
    """A test that misspells an operation hears of it."""
    with pytest.raises(LookupError, match="The sandbox has no operation 'createStore'"):
        sandbox.misbehave("createStore", Fault(drop="before"))
