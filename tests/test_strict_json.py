"""JSON is read as it is written: what a lenient reader would merge, round or swallow is reported."""

import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vercel_marketplace_mcp import strict_json
from vercel_marketplace_mcp.strict_json import MAX_DEPTH, MAX_SAFE_INTEGER, Document, NotJsonError, parse, walk

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inside: st.lists(inside, max_size=4) | st.dictionaries(st.text(max_size=8), inside, max_size=4),
)


@settings(max_examples=300, deadline=None)
@given(value=json_values)
def test_a_well_formed_text_is_read_as_it_is(value: Any) -> None:
    """What a writer wrote comes back unchanged, and no key is reported."""
    assert parse(json.dumps(value).encode()) == Document(value=value, duplicate_keys=(), duplicate_members=())


@settings(max_examples=500, deadline=None)
@given(raw=st.binary() | st.text(alphabet='{}[]:,"\\u0123456789dDeE+-.NaInfity \n').map(str.encode))
def test_any_bytes_are_a_document_or_no_json(raw: bytes) -> None:
    """Nothing but a document or `NotJsonError` comes of reading."""
    try:
        assert isinstance(parse(raw), Document)
    except NotJsonError as error:
        assert str(error) == "not JSON in UTF-8"  # noqa: PT017 - most bytes are no JSON, some are


@pytest.mark.parametrize(
    ("text", "keys", "members"),
    [
        ('{"a":1,"b":2}', (), ()),
        ('{"a":1,"a":2}', ("a",), ("a",)),
        ('{"a":1,"a":1}', ("a",), ("a",)),
        ('{"a":1,"\\u0061":2}', ("a",), ("a",)),
        ('{"a":1,"b":1,"b":1,"a":1,"a":1}', ("b", "a"), ("b", "a")),
        ('{"x":{"a":1,"a":2}}', ("a",), ()),
        ('{"x":{"a":1,"a":2},"x":3}', ("a", "x"), ("x",)),
        ('{"x":{"a":1,"a":2},"y":{}}', ("a",), ()),
        ('[{"a":1,"a":2}]', ("a",), ()),
        ('[{"a":1},{"a":2}]', (), ()),
        ('{"a":1,"A":2}', (), ()),
    ],
)
def test_a_key_that_is_given_twice_is_reported(text: str, keys: tuple[str, ...], members: tuple[str, ...]) -> None:
    """Every key that an object gives more than once is named once, and apart from it those of the outermost object."""
    document = parse(text.encode())
    assert (document.duplicate_keys, document.duplicate_members) == (keys, members)


@pytest.mark.parametrize(
    "raw",
    [
        *(b"", b" ", b"{", b"[1,]", b"{'a':1}", b'{"a":1,}', b"nul", b"01", b"1.", b"+1", b"0x1", b'"a', b'"\n"'),
        *(b"\xff", b'"\xed\xa0\x80"', b"\xef\xbb\xbf{}", b"{}{}", b'"\\x41"', '{"a":1}'.encode("utf-16")),
        *(b"[" * 100_000, b"[" * 100_000 + b"]" * 100_000, b'{"a":' * 100_000),
    ],
    ids=lambda raw: repr(raw[:12]),
)
def test_what_is_no_json_is_refused(raw: bytes) -> None:
    """Broken, mis-encoded or bottomless texts are refused in one fixed sentence that repeats nothing of them."""
    with pytest.raises(NotJsonError) as caught:
        parse(raw)
    assert str(caught.value) == "not JSON in UTF-8"


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "1e400", "-1e400", "9" * 5000, "-" + "9" * 5000])
def test_a_number_out_of_range_is_not_finite(text: str) -> None:
    """A number that no float holds is there for its reader to see and to refuse, with its sign."""
    value = parse(text.encode()).value
    assert not math.isfinite(value)
    assert not strict_json.is_exact_number(value)
    assert math.copysign(1, value) == (-1 if text.startswith("-") else 1)


@pytest.mark.parametrize("text", ["0", "-0", "9007199254740993", "9" * 400, "0.1", "1e2", "5E-324"])
def test_a_number_in_range_is_read_exactly(text: str) -> None:
    """Integers stay integers of any size, and decimals become the nearest float."""
    assert parse(text.encode()).value == json.loads(text)
    assert type(parse(text.encode()).value) is type(json.loads(text))


@pytest.mark.parametrize(
    ("value", "exact"),
    [
        *((0, True), (-1, True), (1.5, True), (MAX_SAFE_INTEGER, True), (-MAX_SAFE_INTEGER, True)),
        *((MAX_SAFE_INTEGER + 1, False), (-MAX_SAFE_INTEGER - 1, False), (10**400, False)),
        *((math.nan, False), (math.inf, False), (-math.inf, False)),
        *((True, False), ("1", False), (None, False), ([1], False)),
    ],
)
def test_an_exact_number_is_one_that_every_reader_keeps(value: Any, exact: bool) -> None:
    """Integers beyond 2**53, what is not finite, and what is no number are not exact."""
    assert strict_json.is_exact_number(value) is exact


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ('{"a":["é🙂"]}', True),
        ('"\\ud83d\\ude42"', True),
        ('"\\ud83d"', False),
        ('"\\ude42\\ud83d"', False),
        ('{"a":[{"b":"x\\udfff"}]}', False),
        ('{"\\uD800":1}', False),
        ("[NaN,1e400]", True),
    ],
)
def test_half_of_a_surrogate_pair_is_no_text(text: str, whole: bool) -> None:
    """A half that stands alone is found in values and keys at any depth; a pair is one character."""
    assert strict_json.is_unicode(parse(text.encode()).value) is whole


def test_a_walk_names_every_value_with_its_depth_and_path() -> None:
    """The walk meets the value itself, every member and every item, each once."""
    value = {"a": {"b": [1, {"c": 2}]}, "d": "x"}
    assert sorted(walk(value), key=lambda found: found[1]) == [
        (0, "", value),
        (1, "a", value["a"]),
        (2, "a.b", [1, {"c": 2}]),
        (3, "a.b[0]", 1),
        (3, "a.b[1]", {"c": 2}),
        (4, "a.b[1].c", 2),
        (1, "d", "x"),
    ]


def test_a_walk_shows_that_there_is_more_and_goes_no_deeper() -> None:
    """One level beyond the limit is met, so that its reader can refuse it; nothing below is."""
    value: Any = "bottom"
    for _ in range(500):
        value = [value]
    assert [depth for depth, _, _ in walk(value)] == list(range(MAX_DEPTH + 2))
