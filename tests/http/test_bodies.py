"""What is no call of a tool: each head and body is refused with its status, and nothing of it reaches a tool."""

import json

import pytest

from vercel_marketplace_mcp.http.serving import ImpatientProtocol
from vercel_marketplace_mcp.sandbox import Fault

from ..approval.world import World
from .knocking import call, head, knock, request, statuses
from .office import AGENT, Office, an_office, http_variables, static_token
from .refusing import answers

pytestmark = pytest.mark.anyio

LIST = call("list-configurations")
ALICE, CLERK = (f"Bearer {static_token(name)}" for name in ("alice", "clerk"))
MEBIBYTE = 1024 * 1024


def nested(levels: int) -> bytes:
    """A message that nests this deep."""
    return b'{"jsonrpc":"2.0","id":7,"method":"tools/list","params":' + b'{"a":' * levels + b"1" + b"}" * (levels + 1)


LISTING = b'{"jsonrpc":"2.0","id":7,"method":"tools/list"'
BODIES: dict[str, tuple[bytes, int, int | None, int]] = {
    "nothing": (b"", 400, None, -32700),
    "no JSON": (b"{", 400, None, -32700),
    "no JSON after an id": (LISTING + b"]", 400, 7, -32700),
    "not UTF-8": (LISTING + b',"params":{"x":"\xff"}}', 400, 7, -32700),
    "UTF-16": ((LISTING + b"}").decode().encode("utf-16"), 400, None, -32700),
    "a mark in front": (b"\xef\xbb\xbf" + LISTING + b"}", 400, None, -32700),
    "two messages": ((LISTING + b"}\n") * 2, 400, 7, -32700),
    "a batch": (b"[" + LISTING + b"}]", 400, None, -32600),
    "a batch of nothing": (b"[]", 400, None, -32600),
    "a number": (b"7", 400, None, -32600),
    "no version": (b'{"id":7,"method":"tools/list"}', 400, 7, -32600),
    "another version": (b'{"jsonrpc":"1.0","id":7,"method":"tools/list"}', 400, 7, -32600),
    "an id of null": (b'{"jsonrpc":"2.0","id":null,"method":"tools/list"}', 400, None, -32600),
    "an id that is no number": (b'{"jsonrpc":"2.0","id":NaN,"method":"tools/list"}', 400, None, -32600),
    "the method twice": (LISTING + b',"method":"tools/call"}', 400, 7, -32600),
    "the id twice": (LISTING + b',"id":8}', 400, None, -32600),
    "a member of the parameters twice": (LISTING + b',"params":{"cursor":"a","cursor":"b"}}', 400, 7, -32600),
    "half a character": (LISTING + b',"params":{"cursor":"\\ud800"}}', 400, 7, -32600),
    "half a character in a key": (LISTING + b',"params":{"\\ud800":1}}', 400, 7, -32600),
    "thousands of levels": (nested(3000), 400, 7, -32700),
}


async def test_a_body_that_is_no_message_is_refused(office: Office) -> None:
    """T60: status 400 and an error of the protocol, under the request's id where that can be told for certain."""
    requests = {
        name: request(body, authorization=ALICE, mcp_method="tools/list", mcp_name=None)
        for name, (body, *_) in BODIES.items()
    }
    found = await answers(office, requests)
    read = {
        name: (answer.status, answer.json()["id"], answer.json()["error"]["code"]) for name, answer in found.items()
    }
    assert read == {name: tuple(expected) for name, (_, *expected) in BODIES.items()}


CHUNKED = head(authorization=ALICE, transfer_encoding="chunked") + b"%x\r\n%s\r\n" % (
    MEBIBYTE + 1,
    b" " * (MEBIBYTE + 1),
)
HEADS: dict[str, tuple[bytes, int]] = {
    "a long body, declared and never sent": (head(authorization=ALICE, content_length=str(MEBIBYTE + 1)), 413),
    "a long body in chunks, without an end": (CHUNKED, 413),
    "a length that is none": (head(authorization=ALICE, content_length="many"), 400),
    "a length below zero": (head(authorization=ALICE, content_length="-1"), 400),
    "two lengths": (head(authorization=ALICE, content_length="2\r\ncontent-length: 3"), 400),
    "a long head": (head(authorization=ALICE, x_long="x" * 100_000), 400),
    "no HTTP": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
    "another type": (request(LIST, authorization=ALICE, content_type="text/plain"), 415),
    "a type that begins like ours": (request(LIST, authorization=ALICE, content_type="application/jsonp"), 415),
    "no type": (request(LIST, authorization=ALICE, content_type=None), 415),
    "a form": (request(b"a=b", authorization=ALICE, content_type="application/x-www-form-urlencoded"), 415),
    "a compressed body": (request(b"\x1f\x8b\x08\x00", authorization=ALICE, content_encoding="gzip"), 400),
    "an answer that nobody can give": (request(LIST, authorization=ALICE, accept="text/html"), 406),
    "another name in the head than in the body": (request(LIST, authorization=ALICE, mcp_name="list-plans"), 400),
    "an unknown path": (request(LIST, path="/", authorization=ALICE), 404),
    "a path below ours": (request(LIST, path="/mcp/", authorization=ALICE), 404),
    "a path around ours": (request(LIST, path="/x/../mcp", authorization=ALICE), 404),
    "PUT": (head("PUT", authorization=ALICE), 405),
    "PATCH": (head("PATCH", authorization=ALICE), 405),
    "PUT with a body": (request(LIST, method="PUT", authorization=ALICE), 413),
    "GET with a body, declared and never sent": (head("GET", authorization=ALICE, content_length="1"), 413),
    "DELETE with a body in chunks, without an end": (
        head("DELETE", authorization=ALICE, transfer_encoding="chunked") + b"1\r\nx\r\n",
        413,
    ),
    "GET in the era without streams": (head("GET", authorization=ALICE), 405),
    "a method that does not exist": (head("BUY", authorization=ALICE), 405),
    "GET of one approval": (head("GET", "/approvals/AAAAAA", authorization=CLERK), 405),
    "POST to the list of approvals": (request({}, path="/approvals", authorization=CLERK), 405),
    "POST to the health of the process": (request({}, path="/healthz"), 405),
    "a WebSocket": (head("GET", authorization=ALICE, connection="upgrade", upgrade="websocket"), 405),
}


async def test_what_is_no_call_is_refused_with_its_status(office: Office) -> None:
    """T60: lengths, types, paths and methods; what is declared too long is refused before it is sent."""
    requests = {name: sent for name, (sent, _) in HEADS.items()}
    assert statuses(await answers(office, requests)) == {name: status for name, (_, status) in HEADS.items()}


async def test_a_message_of_just_a_mebibyte_is_read(office: Office) -> None:
    """The limit is the last length that is served."""
    found: dict[str, int] = {}
    for length in (MEBIBYTE, MEBIBYTE + 1):
        body = json.dumps(LIST).encode().ljust(length)
        found[str(length)] = (await knock(office.port, request(body, authorization=ALICE))).status
    assert found == {str(MEBIBYTE): 200, str(MEBIBYTE + 1): 413}


class Hasty(ImpatientProtocol):
    """Gives up on a head after a blink."""

    seconds = 0.2


async def test_who_is_too_slow_is_hung_up_on(world: World) -> None:
    """Status 408 for half a head, half a body, and either of them a byte at a time: a slow client holds nothing."""
    begun = head(authorization=ALICE, content_length="1000")
    half, drip = begun[: len(begun) // 2], {"drip": b"x"}
    variables = http_variables(world.folder.parent, {"alice": AGENT})
    async with an_office(world, variables, body_seconds=0.2, protocol=Hasty) as office:
        found = {
            "nothing": await knock(office.port),
            "half a head": await knock(office.port, half),
            "half a head, dripping": await knock(office.port, half, **drip),
            "a body that never comes": await knock(office.port, begun),
            "a body that drips": await knock(office.port, begun, **drip),
            "a body of GET that never comes": await knock(
                office.port, head("GET", authorization=ALICE, transfer_encoding="chunked")
            ),
        }
    assert {name: (answer.status, answer.headers["connection"]) for name, answer in found.items()} == dict.fromkeys(
        found, (408, "close")
    )
    assert world.sandbox.journal == []


async def test_a_call_that_takes_long_is_no_slow_client(world: World) -> None:
    """Once a request is there, the time belongs to the tool."""
    world.sandbox.misbehave("getConfigurations", Fault(latency=3 * Hasty.seconds))
    variables = http_variables(world.folder.parent, {"alice": AGENT})
    async with an_office(world, variables, body_seconds=0.2, protocol=Hasty) as office:
        answer = await knock(office.port, request(LIST, authorization=ALICE))
    assert (answer.status, answer.json()["result"]["structuredContent"]["count"]) == (200, 12)


TYPED: dict[str, tuple[bytes, int]] = {
    "nothing": (b"", 400),
    "no JSON": (b"20.00", 400),
    "a text": (b'"20.00"', 400),
    "no text": (b'{"typed":20.00}', 400),
    "another member": (b'{"typed":"20.00","code":"AAAAAA"}', 400),
    "two answers": (b'{"typed":"no","typed":"20.00"}', 400),
    "half a character": (b'{"typed":"\\ud800"}', 400),
    "a long answer": (b'{"typed":"%s"}' % (b"0" * 4096), 413),
    "thousands of levels": (b"[" * 4000, 400),
    "an answer to a question that nobody asked": (b'{"typed":"20.00"}', 404),
}


async def test_an_answer_that_is_none_is_refused(office: Office) -> None:
    """One text and no more: whoever sends something else has not said yes to anything."""
    requests = {name: request(body, path="/approvals/AAAAAA", authorization=CLERK) for name, (body, _) in TYPED.items()}
    assert statuses(await answers(office, requests)) == {name: status for name, (_, status) in TYPED.items()}
