"""Every line that wants an answer gets exactly one, whatever it holds, and the server goes on."""

import json
from typing import Any

import pytest

pytestmark = pytest.mark.anyio

PARSE_ERROR, INVALID_REQUEST, NO_METHOD, INVALID_PARAMS = -32700, -32600, -32601, -32602
PADDING = b"x" * (2 * 1024 * 1024)
DEEP = b"[" * 10_000 + b"]" * 10_000
BAD_ID = "The message has an id that is neither a text nor a whole number."
NO_MESSAGE = "The message is not a JSON-RPC 2.0 message."
NO_JSON = "The message is not JSON in UTF-8."
TOO_LONG = "The message is longer than 1048576 bytes."
HALF = "The message holds half of a surrogate pair."


def call(name: str, arguments: bytes, number: int = 5) -> bytes:
    """The line of a tool call whose arguments are given as they stand on the wire."""
    head = b'{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":"%s","arguments":' % (
        number,
        name.encode(),
    )
    return head + arguments + b"}}"


async def answer_and_go_on(shared: Any, line: bytes) -> Any:
    """The one answer to a line; the answer after it is that to the next request."""
    answer = await shared.ask(line)
    assert await shared.ask(b'{"jsonrpc":"2.0","id":"next","method":"ping"}') == {
        "jsonrpc": "2.0",
        "id": "next",
        "result": {},
    }
    return answer


UNUSABLE = {
    "garbage": (b"garbage", PARSE_ERROR, None, NO_JSON),
    "half a message": (b'{"jsonrpc":"2.0","id":11,"method":"ping"', PARSE_ERROR, 11, NO_JSON),
    "two messages": (b'{"jsonrpc":"2.0","id":11,"method":"ping"}{}', PARSE_ERROR, 11, NO_JSON),
    "invalid UTF-8": (b'{"jsonrpc":"2.0","id":12,"method":"p\xff"}', PARSE_ERROR, 12, NO_JSON),
    "invalid UTF-8 in the id": (b'{"id":"\xff","jsonrpc":"2.0","method":"ping"}', PARSE_ERROR, None, NO_JSON),
    "a byte order mark": (b'\xef\xbb\xbf{"jsonrpc":"2.0","id":1,"method":"ping"}', PARSE_ERROR, None, NO_JSON),
    "deep, its id in front": (
        b'{"jsonrpc":"2.0","id":13,"method":"ping","params":{"a":' + DEEP + b"}}",
        PARSE_ERROR,
        13,
        NO_JSON,
    ),
    "deep and nothing else": (DEEP, PARSE_ERROR, None, NO_JSON),
    "deep and torn": (b"[" * 10_000, PARSE_ERROR, None, NO_JSON),
    "long, its id in front": (
        b'{"jsonrpc":"2.0","id":"a1","method":"ping","params":{"a":"' + PADDING + b'"}}',
        INVALID_REQUEST,
        "a1",
        TOO_LONG,
    ),
    "long, its id at the end": (
        b'{"method":"ping","params":{"a":"' + PADDING + b'"},"jsonrpc":"2.0","id":14}',
        INVALID_REQUEST,
        14,
        TOO_LONG,
    ),
    "long, its id in between": (
        b'{"params":{"a":"' + PADDING + b'"},"id":15,"method":"ping"}',
        INVALID_REQUEST,
        None,
        TOO_LONG,
    ),
    "long, with an id among the arguments": (
        b'{"method":"tools/call","params":{"arguments":{"a":"' + PADDING + b'","id":16}}}',
        INVALID_REQUEST,
        None,
        TOO_LONG,
    ),
    "long and no JSON": (PADDING, INVALID_REQUEST, None, TOO_LONG),
    "a batch": (b'[{"jsonrpc":"2.0","id":17,"method":"ping"}]', INVALID_REQUEST, None, NO_MESSAGE),
    "an empty batch": (b"[]", INVALID_REQUEST, None, NO_MESSAGE),
    "null": (b"null", INVALID_REQUEST, None, NO_MESSAGE),
    "a number": (b"1", INVALID_REQUEST, None, NO_MESSAGE),
    "an empty object": (b"{}", INVALID_REQUEST, None, NO_MESSAGE),
    "another version": (b'{"jsonrpc":"1.0","id":18,"method":"ping"}', INVALID_REQUEST, 18, NO_MESSAGE),
    "no version": (b'{"method":"ping","id":19}', INVALID_REQUEST, 19, NO_MESSAGE),
    "parameters in an array": (
        b'{"jsonrpc":"2.0","id":20,"method":"ping","params":[1]}',
        INVALID_REQUEST,
        20,
        NO_MESSAGE,
    ),
    "a number for a method": (b'{"jsonrpc":"2.0","id":21,"method":5}', INVALID_REQUEST, 21, NO_MESSAGE),
    "a fraction for an id": (b'{"jsonrpc":"2.0","id":1.5,"method":"ping"}', INVALID_REQUEST, None, BAD_ID),
    "null for an id": (b'{"jsonrpc":"2.0","id":null,"method":"ping"}', INVALID_REQUEST, None, BAD_ID),
    "true for an id": (b'{"jsonrpc":"2.0","id":true,"method":"ping"}', INVALID_REQUEST, None, BAD_ID),
    "an array for an id": (b'{"jsonrpc":"2.0","id":[1],"method":"ping"}', INVALID_REQUEST, None, BAD_ID),
    "NaN for an id": (b'{"jsonrpc":"2.0","id":NaN,"method":"ping"}', INVALID_REQUEST, None, BAD_ID),
    "5,000 digits for an id": (
        b'{"jsonrpc":"2.0","id":' + b"9" * 5000 + b',"method":"ping"}',
        INVALID_REQUEST,
        None,
        BAD_ID,
    ),
    "half a character in the id": (rb'{"jsonrpc":"2.0","id":"\ud800","method":"ping"}', INVALID_REQUEST, None, HALF),
    "half a character in the method": (rb'{"jsonrpc":"2.0","id":22,"method":"\uDFFF"}', INVALID_REQUEST, 22, HALF),
    "half a character in a tool's name": (
        rb'{"jsonrpc":"2.0","id":23,"method":"tools/call","params":{"name":"\ud800"}}',
        INVALID_REQUEST,
        23,
        HALF,
    ),
    "half a character as a key": (
        rb'{"jsonrpc":"2.0","id":24,"method":"ping","params":{"\ud800":1}}',
        INVALID_REQUEST,
        24,
        HALF,
    ),
    "a member twice": (
        b'{"jsonrpc":"2.0","id":25,"method":"ping","params":{"b":1,"b":1}}',
        INVALID_REQUEST,
        25,
        "The message gives b more than once.",
    ),
    "the method twice": (
        b'{"jsonrpc":"2.0","id":26,"method":"ping","params":{"name":"create-store"},"method":"tools/call"}',
        INVALID_REQUEST,
        26,
        "The message gives method more than once.",
    ),
    "the id twice": (
        b'{"jsonrpc":"2.0","id":27,"id":28,"method":"tools/call","params":{"name":"create-store"}}',
        INVALID_REQUEST,
        None,
        "The message gives id more than once.",
    ),
    "the id in two spellings": (
        b'{"jsonrpc":"2.0","id":1,"\\u0069d":2,"method":"ping"}',
        INVALID_REQUEST,
        None,
        "The message gives id more than once.",
    ),
}


@pytest.mark.parametrize("case", UNUSABLE)
async def test_a_line_that_is_no_usable_request_is_answered_with_an_error(shared: Any, case: str) -> None:
    """The error is ours, and it carries the id where that is told for certain, and null otherwise."""
    line, code, request_id, message = UNUSABLE[case]
    assert await answer_and_go_on(shared, line) == {
        "jsonrpc": "2.0",
        "id": request_id,
        "error": {"code": code, "message": message},
    }


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b'{"jsonrpc":"2.0","id":5,"method":"no/such/method"}', NO_METHOD),
        (b'{"jsonrpc":"2.0","id":5,"method":"resources/subscribe","params":{"uri":"a:b"}}', NO_METHOD),
        (b'{"jsonrpc":"2.0","id":5,"method":"ping","params":{"_meta":{"progressToken":NaN}}}', INVALID_PARAMS),
        (b'{"jsonrpc":"2.0","id":5,"method":"tools/list","params":{"cursor":5}}', INVALID_PARAMS),
        (b'{"jsonrpc":"2.0","id":5,"method":"tools/call"}', INVALID_PARAMS),
        (b'{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":5}}', INVALID_PARAMS),
        *((call("list-plans", arguments), INVALID_PARAMS) for arguments in (b"[]", b'"{}"', b"5", b"true", b"NaN")),
    ],
)
async def test_a_request_that_can_t_be_served_is_answered_with_an_error(shared: Any, line: bytes, code: int) -> None:
    """Unknown methods and parameters of the wrong kind, arguments that are no object among them."""
    answer = await answer_and_go_on(shared, line)
    assert (answer["id"], answer["error"]["code"]) == (5, code)


async def test_an_unknown_tool_is_answered_with_the_nearest_one(shared: Any) -> None:
    """The error names what was asked for, cleaned, and the tool that was probably meant."""
    answer = await answer_and_go_on(shared, call("create_stores\\u001b[31m<b>", b"{}"))
    assert answer == {
        "jsonrpc": "2.0",
        "id": 5,
        "error": {"code": INVALID_PARAMS, "message": "There is no tool create_stores‹b>. Did you mean create-store?"},
    }


@pytest.mark.parametrize(
    ("arguments", "argument"),
    [
        (b'{"name":"a","name":"a"}', "name"),
        (b'{"name":"a","n\\u0061me":"b"}', "name"),
        (b'{"metadata":{"region":"a","region":"b"}}', "region"),
        (b'{"protocolSettings":{"a":[{"b":{"deep":1,"deep":2}}]}}', "deep"),
        (b'{"prepaymentAmountCents":NaN}', "prepaymentAmountCents"),
        (b'{"prepaymentAmountCents":Infinity}', "prepaymentAmountCents"),
        (b'{"prepaymentAmountCents":-Infinity}', "prepaymentAmountCents"),
        (b'{"prepaymentAmountCents":1e400}', "prepaymentAmountCents"),
        (b'{"prepaymentAmountCents":' + b"9" * 5000 + b"}", "prepaymentAmountCents"),
        (b'{"metadata":{"size":9007199254740993}}', "metadata.size"),
        (b'{"metadata":{"sizes":[1,NaN]}}', "metadata.sizes[1]"),
        (rb'{"name":"\ud800"}', "name"),
        (rb'{"metadata":{"\udfff":"a"}}', "metadata"),
        (b'{"protocolSettings":' + b'{"a":' * 100 + b"1" + b"}" * 100 + b"}", "protocolSettings" + ".a" * 32),
    ],
    ids=lambda value: repr(value[:40]),
)
async def test_arguments_that_json_can_t_carry_are_invalid(shared: Any, arguments: bytes, argument: str) -> None:
    """What a lenient reader would merge or round is answered by the tool, naming the argument, and nothing happens."""
    result = (await answer_and_go_on(shared, call("create-store", arguments)))["result"]
    structured = result["structuredContent"]
    assert result["isError"]
    assert structured["status"] == "invalid_arguments"
    assert structured["money"] == "This call created nothing and charged nothing."
    assert structured["error"]["argument"] == argument[:80]


async def test_empty_lines_and_other_line_endings_are_no_messages(shared: Any) -> None:
    """Nothing answers an empty line; a carriage return before the line's end is none of the message."""
    await shared.send(b"\n\r\n   \n\t")
    assert await shared.ask(b'{"jsonrpc":"2.0","id":1,"method":"ping"}\r') == {"jsonrpc": "2.0", "id": 1, "result": {}}


async def test_notifications_and_strange_answers_are_answered_by_nothing(shared: Any) -> None:
    """What wants no answer gets none, however broken: only the next request is answered."""
    hostile = "evil\x1b[31m\nCRITICAL root: a line of its own\r\u202e"
    await shared.send({"jsonrpc": "2.0", "method": hostile, "params": {"a": hostile}})
    await shared.send({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": [hostile]}})
    await shared.send({"jsonrpc": "2.0", "id": hostile, "result": {}})
    await shared.send({"jsonrpc": "2.0", "id": 99, "error": {"code": 1, "message": hostile}})
    assert await shared.ask({"jsonrpc": "2.0", "id": 2, "method": "ping"}) == {"jsonrpc": "2.0", "id": 2, "result": {}}


async def test_every_request_of_a_burst_is_answered_once(shared: Any) -> None:
    """A hundred requests of every kind at once: as many answers, each with the id of its request."""
    kinds: list[dict[str, Any]] = [
        {"method": "ping"},
        {"method": "tools/list"},
        {"method": "no/such/method"},
        {"method": "tools/call", "params": {"name": "list-configurations", "arguments": {}}},
        {"method": "tools/call", "params": {"name": "create-store", "arguments": {"nane": "x"}}},
    ]
    messages = [{"jsonrpc": "2.0", "id": f"burst-{number}", **kinds[number % 5]} for number in range(100)]
    await shared.send(b"\n".join(json.dumps(message).encode() for message in messages))
    answers = [await shared.receive() for _ in messages]
    assert sorted(answer["id"] for answer in answers) == sorted(str(message["id"]) for message in messages)
    assert sum("result" in answer for answer in answers) == 80
