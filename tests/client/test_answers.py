"""An answer is read strictly and within bounds: whatever is broken, ambiguous or endless is an error, never a value."""

import gzip
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vercel_marketplace_mcp.settings import Team
from vercel_marketplace_mcp.vercel import answers
from vercel_marketplace_mcp.vercel.client import MAX_BODY, Deadlines, VercelClient
from vercel_marketplace_mcp.vercel.errors import RefusedError, UnclearError, VercelError
from vercel_marketplace_mcp.vercel.operations import GET_CONFIGURATIONS, Call

pytestmark = pytest.mark.anyio

OK = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
READ = Call(operation=GET_CONFIGURATIONS, team=Team(id="team_a"))
BROKEN = "its JSON is broken, ambiguous or too deep"
COMPRESSED = "it is compressed, though that was not asked for"
TOO_LARGE = f"it is larger than {MAX_BODY} bytes"
NO_JSON = "it is not JSON"


async def failure(client: VercelClient) -> VercelError:
    """The error with which a read ends."""
    with pytest.raises(VercelError) as caught:
        await client.read(READ)
    return caught.value


@pytest.mark.parametrize(
    ("body", "headers", "reason"),
    [
        (b"", {}, BROKEN),
        (b"{", {}, BROKEN),
        (b"null", {}, BROKEN),
        (b'{"plans":[]}{}', {}, BROKEN),
        (b'{"plans":[],"plans":[1]}', {}, BROKEN),
        (b'[{"a":{"id":"free","id":"pro"}}]', {}, BROKEN),
        (b'{"cost":NaN}', {}, BROKEN),
        (b'{"cost":-Infinity}', {}, BROKEN),
        (b'{"cost":1e400}', {}, BROKEN),
        (b'{"cost":' + b"9" * 5000 + b"}", {}, BROKEN),
        (b'{"name":"\xff"}', {}, BROKEN),
        (b"\xef\xbb\xbf{}", {}, BROKEN),
        (b"[" * 34 + b"]" * 34, {}, BROKEN),
        (b"[" * 100_000 + b"]" * 100_000, {}, BROKEN),
        (b"[]", {"content_type": "text/html"}, NO_JSON),
        (b"[]", {"content_type": "application/jsonp"}, NO_JSON),
        (b"<html>", {"content_type": "text/html; charset=utf-8"}, NO_JSON),
        (gzip.compress(b"[]", mtime=0), {"content_encoding": "gzip"}, COMPRESSED),
        (gzip.compress(b" " * 50_000_000 + b"[]", mtime=0), {"content_encoding": "gzip"}, COMPRESSED),
        (b"[]", {"content_encoding": "br"}, COMPRESSED),
        (b'"' + b"x" * (MAX_BODY - 1) + b'"', {}, TOO_LARGE),
    ],
    ids=lambda value: repr(value)[:30],
)
async def test_an_answer_that_breaks_a_rule_is_unreadable(
    wire: Any, client: VercelClient, body: bytes, headers: dict[str, str], reason: str
) -> None:
    """The error names the rule in our words; the read is not repeated, for the next answer would break it too."""
    wire.will_answer(200, body, **headers)
    error = await failure(client)
    assert isinstance(error, UnclearError)
    assert (error.code, error.message) == ("unreadable_answer", f"Vercel's answer can't be used: {reason}.")
    assert (error.may_retry, len(wire.seen)) == (False, 1)


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"[]", {}),
        (b" [ ] \n", {"content_type": "application/json; charset=utf-8"}),
        (b"[]", {"content_type": "Application/JSON"}),
        (b"[]", {"content_type": ""}),
        (b"[]", {"content_type": "application/vnd.api+json"}),
        (b"[]", {"content_encoding": "identity"}),
        (b"[]", {"content_encoding": " Identity"}),
        (b"[]", {"content_encoding": ""}),
        (b"[" * 33 + b"]" * 33, {}),
        (b'"' + b"x" * (MAX_BODY - 2) + b'"', {}),
        ('{"name":"größe 🙂 \\ud800","n":12345678901234567890}'.encode(), {}),
    ],
    ids=lambda value: repr(value)[:30],
)
async def test_an_answer_within_the_rules_is_read_as_it_is(
    wire: Any, client: VercelClient, body: bytes, headers: dict[str, str]
) -> None:
    """Every spelling of the content type, and everything up to the very bounds."""
    wire.will_answer(200, body, **headers)
    assert await client.read(READ) == json.loads(body)


async def test_an_answer_in_chunks_is_bounded_too(wire: Any, client: VercelClient) -> None:
    """Without a length that could be checked before, reading stops at the bound; the rest is left on the wire."""
    chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    wire.will_send(OK + b"transfer-encoding: chunked\r\n\r\n", *[chunk] * 100, then="close")
    assert (await failure(client)).message == f"Vercel's answer can't be used: {TOO_LARGE}."


@pytest.mark.parametrize(
    ("pieces", "then"),
    [
        ([b""], "close"),
        ([b""], "reset"),
        ([b"HTTP/1.1 200"], "close"),
        ([OK], "reset"),
        ([OK + b"content-length: 10\r\n\r\n[]"], "close"),
        ([OK + b"content-length: 10\r\n\r\n[]"], "reset"),
        ([OK + b"transfer-encoding: chunked\r\n\r\n5\r\n[]"], "close"),
        ([OK + b"content-length: 2\r\ncontent-length: 3\r\n\r\n[] "], "close"),
        ([OK + b"content-length: -1\r\n\r\n[]"], "close"),
        ([OK + b"x: " + b"y" * 200_000 + b"\r\n\r\n[]"], "close"),
        ([b"SSH-2.0-OpenSSH_9.6\r\n"], "close"),
        ([b"\x15\x03\x01\x00\x02\x02\x28"], "close"),
    ],
    ids=lambda value: repr(value)[:40],
)
async def test_an_answer_that_breaks_off_is_a_lost_connection(
    wire: Any, client: VercelClient, pieces: list[bytes], then: str
) -> None:
    """A torn, cut or nonsensical answer is never taken for a whole one; a read is repeated within its bounds."""
    wire.will_send(*pieces, then=then, times=3)
    error = await failure(client)
    assert isinstance(error, UnclearError)
    assert (error.code, len(wire.seen)) == ("connection_lost", 3)


async def test_an_answer_longer_than_it_says_is_read_up_to_what_it_says(wire: Any, client: VercelClient) -> None:
    """What follows the announced length is no part of this answer nor of the next one."""
    wire.will_send(OK + b"content-length: 2\r\n\r\n[]" + OK + b"content-length: 3\r\n\r\n[1]", then="close")
    wire.will_answer(200, [2])
    assert [await client.read(READ), await client.read(READ)] == [[], [2]]


async def test_interim_answers_are_passed_over(wire: Any, client: VercelClient) -> None:
    """Any number of 1xx answers may come before the answer."""
    wire.will_send(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 50 + OK + b"content-length: 2\r\n\r\n[]")
    assert await client.read(READ) == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("where", ["elsewhere", "the same host", "nowhere"])
async def test_a_redirect_is_never_followed(
    wire: Any, client: VercelClient, listen: Any, status: int, where: str
) -> None:
    """Neither to another host nor on the same one: the second address sees no request, the first sees no other."""
    elsewhere = await listen()
    target = {"elsewhere": f"{elsewhere.url}/v1", "the same host": "/v1/other", "nowhere": ""}[where]
    wire.will_answer(status, None, location=target)
    error = await failure(client)
    assert (type(error), error.code, error.may_retry) == (UnclearError, "redirected", False)
    assert (elsewhere.connections, len(wire.seen)) == (0, 1)


@pytest.mark.parametrize(
    "pieces",
    [[], [b"HTTP/1.1 200 OK\r\n"], [OK + b"content-length: 2\r\n\r\n["], [b"HTTP/1.1 100 Continue\r\n\r\n"]],
    ids=["no byte", "half a head", "half a body", "an interim answer"],
)
async def test_an_answer_that_stops_coming_is_given_up(wire: Any, make_client: Any, pieces: list[bytes]) -> None:
    """A server that falls silent anywhere is waited for until the deadline, and not asked again."""
    client = make_client(wire.url, deadlines=Deadlines(read=0.5))
    wire.will_send(*pieces, then="stay silent")
    error = await failure(client)
    assert (type(error), error.code, error.may_retry) == (UnclearError, "timed_out", False)
    assert len(wire.seen) == 1


async def test_an_answer_that_drips_is_given_up(make_client: Any, dripping: str) -> None:
    """Every byte comes soon after the one before, and yet the deadline ends it."""
    client = make_client(dripping, deadlines=Deadlines(read=0.3))
    assert (await failure(client)).code == "timed_out"


headers = st.fixed_dictionaries(
    {"content-type": st.sampled_from(["application/json", "text/html", ""]) | st.text()},
    optional={
        "retry-after": st.text() | st.from_regex(r"\A(Mon, )?[0-9]{1,30} (Jan|Dec) [0-9]{1,30} [0-9:]{1,9} .{0,6}\Z")
    },
)


@settings(max_examples=500, deadline=None)
@given(
    status=st.integers(100, 599), headers=headers, raw=st.binary() | st.sampled_from([b"[]", b'{"error":{}}', b'""'])
)
def test_any_answer_is_a_value_or_an_error_of_ours(status: int, headers: dict[str, str], raw: bytes) -> None:
    """Only a success has a value; a refusal is a 4xx other than 408; an advice to wait is never negative."""
    try:
        value = answers.read(status, headers, raw)
    except VercelError as caught:
        error = caught
    else:
        assert status in range(200, 300)
        assert value is not None
        return
    assert isinstance(error, RefusedError) == (400 <= status < 500 and status != 408)
    assert error.retry_after is None or error.retry_after >= 0
