"""A line is read without a server: whatever it holds, a message or an error comes of it, never an exception."""

import json
from typing import Any

import mcp_types as types
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mcp.shared.message import ServerMessageMetadata, SessionMessage

from vercel_marketplace_mcp.callers import Arrival
from vercel_marketplace_mcp.messages import MAX_BYTES
from vercel_marketplace_mcp.stdio import read_line

PIECES = (
    '{ } [ ] : , " \\ \\ud800 \\u0000 1 -1 1e400 NaN null true 0.5 "jsonrpc" "2.0" "id" "method" "params" "ping" '
    '"tools/call" "arguments" "name" "result" "error" {"jsonrpc":"2.0", "id":1, "id":"a", "method":"ping", '
    '"method":"tools/call", "params":{ "arguments":{ "_meta":{ }} }}}'
).split(" ")
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["2.0", "ping", "tools/call"]),
    lambda inside: (
        st.lists(inside, max_size=3)
        | st.dictionaries(
            st.sampled_from(["jsonrpc", "id", "method", "params", "name", "arguments"]) | st.text(), inside
        )
    ),
    max_leaves=10,
)
messages = st.fixed_dictionaries(
    {"jsonrpc": st.just("2.0") | values, "id": st.integers() | st.text() | values, "method": st.just("ping") | values},
    optional={"params": values, "result": values, "error": values},
).map(lambda value: json.dumps(value).encode())
lines = st.binary() | st.lists(st.sampled_from(PIECES)).map("".join).map(str.encode) | messages


@settings(max_examples=1000, deadline=None)
@given(line=lines)
def test_any_line_is_a_message_or_an_error(line: bytes) -> None:
    """An error can be written as it is, and its id is the line's own wherever the line is JSON."""
    read = read_line(line)
    if isinstance(read, SessionMessage):
        assert json.loads(line)["jsonrpc"] == "2.0"
        return
    assert isinstance(read, types.JSONRPCError)
    written = json.loads(read.model_dump_json(by_alias=True, exclude_unset=True))
    assert set(written) == {"jsonrpc", "id", "error"}
    assert written["error"]["code"] in {-32700, -32600}
    if written["error"]["code"] == -32600:
        value = json.loads(line)
        assert written["id"] is None or written["id"] == value["id"]


@given(
    name=st.text(), arguments=st.dictionaries(st.text(), st.text() | st.integers()), number=st.integers() | st.text()
)
def test_a_request_is_read_as_it_is(name: str, arguments: dict[str, Any], number: int | str) -> None:
    """Nothing of a well-formed call is changed on the way in."""
    call = {"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": {"name": name, "arguments": arguments}}
    read = read_line(json.dumps(call).encode())
    assert isinstance(read, SessionMessage)
    assert read.message.model_dump(by_alias=True, exclude_unset=True) == call
    assert read.metadata is None


@pytest.mark.parametrize(
    ("line", "code", "request_id"),
    [
        (b'{"id":7,', -32700, 7),
        (b'{ "id" : 7 , ', -32700, 7),
        (b'{"id":-7,', -32700, -7),
        (b'{"id":"a b",', -32700, "a b"),
        ('{"id":"é",'.encode(), -32700, "é"),
        (b'{"jsonrpc":"2.0","method":"tools/call","id":7,', -32700, 7),
        (b'x,"id":7}', -32700, 7),
        (b'x,"jsonrpc":"2.0","id":"z"} \r\n', -32700, "z"),
        (b'{"id":7.5,', -32700, None),
        (b'{"id":7', -32700, None),
        (b'{"id":1234567890123456,', -32700, None),
        (b'{"id":"a\\u0062",', -32700, None),
        (b'{"id":"\xff",', -32700, None),
        (b'{"params":{"id":7,', -32700, None),
        (b'{"params":{"x":1,"id":7}}', -32600, None),
        (b'[{"id":7,"method":"ping"}', -32700, None),
        (b'{"method":"a\\"b","id":7,', -32700, None),
        (b"", -32700, None),
    ],
)
def test_an_id_is_told_only_where_it_must_be_the_message_s_own(line: bytes, code: int, request_id: object) -> None:
    """An id among the parameters, or one that was cut off or spelled in escapes, is nobody's."""
    read = read_line(line)
    assert isinstance(read, types.JSONRPCError)
    assert (read.error.code, read.id) == (code, request_id)


def test_the_length_of_a_line_is_bounded() -> None:
    """A line of exactly the limit is read, one byte more is not, even if it would be valid."""
    head, tail = b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":"', b'"}}\n'
    fitting = head + b"x" * (MAX_BYTES - len(head) - len(tail)) + tail
    assert isinstance(read_line(fitting), SessionMessage)
    assert read_line(b" " + fitting) == types.JSONRPCError(
        jsonrpc="2.0",
        id=1,
        error=types.ErrorData(code=-32600, message="The message is longer than 1048576 bytes."),
    )


@pytest.mark.parametrize(
    ("arguments", "keys"),
    [
        ('{"a":1,"a":2}', ("a",)),
        ('{"a":{"b":1,"b":2},"c":1,"c":2}', ("b", "c")),
        ('{"id":1,"id":2}', ("id",)),
        ('{"a":NaN,"a":2}', ("a",)),
    ],
)
def test_keys_given_twice_in_a_call_s_arguments_are_handed_to_the_tool(arguments: str, keys: tuple[str, ...]) -> None:
    """The call goes on to the handler with what its parsed form does not show."""
    line = f'{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"x","arguments":{arguments}}}}}'
    read = read_line(line.encode())
    assert isinstance(read, SessionMessage)
    assert read.metadata == ServerMessageMetadata(request_context=Arrival(duplicate_keys=keys))


def test_keys_given_twice_in_a_notification_are_an_error() -> None:
    """A message that wants no answer is not acted on either while it can be read in two ways."""
    read = read_line(b'{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1,"requestId":2}}')
    assert isinstance(read, types.JSONRPCError)
    assert (read.id, read.error.message) == (None, "The message gives requestId more than once.")
