"""The three list tools where Vercel fails: a clear code, empty members, and as many requests as may help."""

import json
from typing import Any

import pytest
from mcp import Client

from vercel_marketplace_mcp.sandbox import SANDBOX_TEAM_ID, Fault, Sandbox
from vercel_marketplace_mcp.sandbox.http import serving

from .calls import VALID
from .conftest import Call, Clock, Connect, Reply

pytestmark = pytest.mark.anyio

LISTS = {
    "list-configurations": ("configurations", "getConfigurations"),
    "list-products": ("products", "getConfigurationProducts"),
    "list-plans": ("plans", "getBillingPlans"),
}
JSON = {"content-type": "application/json"}
# Each failure with the code that is told, and how often the request is made.
STATUSES = {
    400: ("bad_request", 1),
    401: ("unauthorized", 1),
    402: ("payment_required", 1),
    403: ("forbidden", 1),
    404: ("not_found", 1),
    408: ("server_error", 1),
    409: ("conflict", 1),
    410: ("gone", 1),
    418: ("refused", 1),
    429: ("rate_limited", 3),
    500: ("server_error", 1),
    502: ("server_error", 3),
    503: ("server_error", 3),
    504: ("server_error", 3),
    **dict.fromkeys((301, 302, 303, 307, 308), ("redirected", 1)),
}
UNREADABLE = {
    "broken": b'{"plans": [',
    "empty": b"",
    "null": b"null",
    "a number": b"5",
    "a text": b'"plans"',
    "another object": b'{"error": null}',
    "members of wrong types": b'{"plans": {}, "products": {}, "integration": []}',
    "a key twice": b'{"plans": [], "plans": [], "integration": {}, "products": []}',
    "NaN": b'{"plans": [NaN], "integration": {}, "products": [NaN]}',
    "infinity": b'[{"id": "icfg_1", "createdAt": 1e999}]',
    "too deep": b"[" * 100 + b"]" * 100,
    "far too deep": b"[" * 100_000 + b"]" * 100_000,
    "no UTF-8": b'[{"id": "\xff"}]',
    "too large": b" " * (2 * 1024 * 1024 + 1),
}


def check_failed(reply: Reply, member: str, code: str) -> None:
    """The tool's members are empty, and the error is told."""
    assert reply.is_error
    assert {**reply.structured, "error": reply["error"]["code"], "next_steps": len(reply["next_steps"])} == {
        member: [],
        "count": 0,
        "truncated": False,
        "error": code,
        "next_steps": 1,
    }
    assert reply.text.startswith(f"{code}: ")


@pytest.mark.parametrize("tool", LISTS)
async def test_a_status_that_is_no_success_is_told_by_its_code(
    tool: str, call: Call, client: Client, sandbox: Sandbox
) -> None:
    """T46: reads are repeated only where that may help, and a redirect is never followed."""
    member, operation = LISTS[tool]
    for status, (code, requests) in STATUSES.items():
        headers = {"location": "https://evil.example/"} if status < 400 else {}
        sandbox.misbehave(operation, Fault(status=status, headers=headers), times=requests)
        reply = await call(client, tool, VALID[tool])
        check_failed(reply, member, code)
        assert [one.status for one in sandbox.journal] == [status] * requests
        sandbox.journal.clear()


@pytest.mark.parametrize("tool", LISTS)
async def test_an_answer_that_can_not_be_read_is_no_answer(
    tool: str, call: Call, client: Client, sandbox: Sandbox
) -> None:
    """T47: broken, ambiguous, too deep, too large, or of another shape: nothing of it is told."""
    member, operation = LISTS[tool]
    for kind, body in UNREADABLE.items():
        sandbox.misbehave(operation, Fault(body=body, headers=JSON))
        reply = await call(client, tool, VALID[tool])
        check_failed(reply, member, "unreadable_answer")
        assert len(sandbox.journal) == 1, kind
        sandbox.journal.clear()
    for headers in ({"content-type": "text/html"}, {"content-encoding": "gzip"}, {"content-type": "text/json5"}):
        sandbox.misbehave(operation, Fault(headers=headers))
        check_failed(await call(client, tool, VALID[tool]), member, "unreadable_answer")


@pytest.mark.parametrize("tool", LISTS)
async def test_a_passing_failure_is_outlasted(
    tool: str, call: Call, client: Client, sandbox: Sandbox, clock: Clock
) -> None:
    """T45: 429, a gateway's 503 and a torn connection are each worth another try, whatever Retry-After says."""
    member, operation = LISTS[tool]
    advice = ("0", "1000000000", "-5", "soon", "Wed, 21 Oct 2015 07:28:00 GMT", "Thu, 01 Jan 9999 00:00:00", "")
    faults = [Fault(status=429, headers={"retry-after": text}) for text in advice]
    faults += [Fault(status=503), Fault(drop="before"), Fault(drop="after"), Fault(drop="midway")]
    for fault in faults:
        sandbox.misbehave(operation, fault, times=2)
        reply = await call(client, tool, VALID[tool])
        assert (reply.is_error, reply["count"] > 0, member in reply.structured) == (False, True, True)
        clock.advance(60)
    assert len(sandbox.journal) == 3 * len(faults)


@pytest.mark.parametrize("tool", LISTS)
async def test_vercels_words_are_quoted_cleaned_and_capped(
    tool: str, call: Call, client: Client, sandbox: Sandbox
) -> None:
    """T35: the message is ours; what Vercel said stands in quotes, and nothing else of its answer is told."""
    said: dict[str, Any] = {
        "code": "bad\x1b[2Jrequest",
        "message": "no\u202e way\n<b>" + "x" * 5000,
        "secret": "s3cr3t",
    }
    for body in ({"error": said}, said):
        sandbox.misbehave(LISTS[tool][1], Fault(status=400, body=json.dumps(body).encode()))
        reply = await call(client, tool, VALID[tool])
        message = reply["error"]["message"]
        start = 'Vercel says that a value of the request is invalid. Vercel said: "badrequest: no way ‹b>xxx'
        assert (message.startswith(start), len(message) < 350) == (True, True)
        assert "s3cr3t" not in str(reply.structured) + reply.text
    for odd in (b"", b"[]", b'"no"', b'{"error": "no"}', b'{"error": {"code": 5}}', b"<html>"):
        sandbox.misbehave(LISTS[tool][1], Fault(status=403, body=odd))
        reply = await call(client, tool, VALID[tool])
        message = f"The token may not do this in the team {SANDBOX_TEAM_ID}."
        assert reply["error"] == {"code": "forbidden", "message": message}


@pytest.mark.parametrize("tool", LISTS)
async def test_a_vercel_that_is_not_there_is_told_as_such(tool: str, call: Call, connect: Connect) -> None:
    """On a real socket: nobody listens, so no byte left."""
    async with serving(Sandbox()) as base_url:
        pass
    async with connect(api_url=base_url) as client:
        reply = await call(client, tool, VALID[tool])
    check_failed(reply, LISTS[tool][0], "not_reachable")
    assert reply["error"]["message"] == "Vercel's API could not be reached."


@pytest.mark.parametrize("tool", LISTS)
async def test_the_lists_are_the_same_on_a_real_socket(
    tool: str, call: Call, connect: Connect, sandbox: Sandbox, clock: Clock
) -> None:
    """What is told does not depend on how Vercel is reached."""
    async with serving(sandbox) as base_url, connect(api_url=base_url) as far, connect() as near:
        assert await call(far, tool, VALID[tool]) == await call(near, tool, VALID[tool])
        clock.advance(60)
        sandbox.misbehave(LISTS[tool][1], Fault(drop="before"), times=3)
        check_failed(await call(far, tool, VALID[tool]), LISTS[tool][0], "connection_lost")
