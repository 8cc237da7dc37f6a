"""Reading a product's metadataSchema, all twelve controls and hostile ones, and checking metadata against it."""

from typing import Any

import pytest
from hypothesis import given, settings

from vercel_marketplace_mcp.purchase.metadata import Field, Option, Problem, check, identity, limits, read_fields

from .strategies import JSON, Json

REGIONS = [{"value": "iad1", "label": "Washington"}, {"value": "hnd1"}, "gru1"]
WRONG_TYPES: list[Any] = [None, True, 5, "text", [], {}, [None], {"expr": "a"}, [[[]]], {"type": {}}, float("inf")]
MEMBERS = "type items default enum required ui:control ui:label ui:options ui:steps ui:hidden ui:disabled ui:read-only"
KEYWORDS = (
    "minLength maxLength minItems maxItems minimum maximum exclusiveMinimum exclusiveMaximum pattern ui:paid-only"
)


def schema(required: list[str] | None = None, **properties: Any) -> Json:
    """A metadataSchema with these properties."""
    return {"type": "object", "properties": properties, "required": required or []}


def fields(required: list[str] | None = None, **properties: Any) -> tuple[Field, ...]:
    """The fields of such a schema."""
    found = read_fields(schema(required, **properties))
    assert found is not None
    return found


def problems(metadata: Json, required: list[str] | None = None, **properties: Any) -> list[Problem]:
    """What is wrong with the metadata."""
    return list(check(metadata, fields(required, **properties)))


# The twelve controls with a value that fits, and one that does not, for what reason.
TEXT = "must be a string"
NOT_OFFERED = "is not one of the values that the product offers"
TEXTS: Json = {"type": "array", "items": {"type": "string"}}
CONTROLS: dict[str, tuple[Json, Any, Any, str]] = {
    "input string": ({"type": "string", "maxLength": 3}, "abc", "abcd", "must be at most 3 characters long"),
    "input number": ({"type": "number", "minimum": 1}, 1, 0.5, "must be at least 1"),
    "toggle": ({"type": "boolean"}, False, "false", "must be a boolean"),
    "slider": ({"type": "array", "items": {"type": "number"}, "ui:steps": [1, 2]}, [2.0], [3], NOT_OFFERED),
    "select": ({"type": "string", "ui:options": [{"value": "a", "label": "A"}]}, "a", "A", NOT_OFFERED),
    "radio-button": ({"type": "string", "enum": ["calm", "busy"]}, "calm", "idle", NOT_OFFERED),
    "multi-select": ({**TEXTS, "maxItems": 1}, ["a"], ["a", "b"], "must be at most 1 values"),
    "vercel-region": ({"type": "string", "ui:options": REGIONS}, "gru1", "sfo1", NOT_OFFERED),
    "multi-vercel-region": ({**TEXTS, "ui:options": REGIONS}, ["hnd1"], "hnd1", "must be a string[]"),
    "vercel-country": ({"type": "string", "ui:options": ["DE", {"value": "US"}]}, "US", "us", NOT_OFFERED),
    "domain": ({"type": "string", "minLength": 3}, "a.b", "a", "must be at least 3 characters long"),
    "git-namespace": ({"type": "string", "git:providers": ["github"]}, "me", 5, TEXT),
}


@pytest.mark.parametrize("control", CONTROLS)
def test_every_control_takes_what_fits_and_nothing_else(control: str) -> None:
    """All twelve variants that the document lists."""
    rules, good, bad, message = CONTROLS[control]
    rules = {**rules, "ui:control": control.split(maxsplit=1)[0]}
    assert problems({"field": good}, field=rules) == []
    assert [problem.message for problem in problems({"field": bad}, field=rules)] == [message]


@pytest.mark.parametrize("value", ["hidden", "later", "closed", "secret"])
def test_an_option_that_is_not_shown_is_still_valid(value: str) -> None:
    """Vercel takes hidden options; what it makes of disabled ones is for Vercel to say."""
    options = [
        {"value": "shown"},
        {"value": "hidden", "hidden": True},
        {"value": "later", "hidden": "create"},
        {"value": "closed", "disabled": True},
        {"value": "secret", "hidden": {"expr": "team.plan"}},
    ]
    assert problems({"field": value}, field={"type": "string", "ui:options": options}) == []
    (wrong,) = problems({"field": "none"}, field={"type": "string", "ui:options": options})
    assert wrong == Problem(key="field", message=NOT_OFFERED, choices=("shown",))


def test_a_required_field_may_be_left_out_where_vercel_fills_it_in() -> None:
    """A default, a region control, and what only Vercel can show or set."""
    left_out = {
        "plain": {"type": "string"},
        "preset": {"type": "string", "default": ""},
        "region": {"type": "string", "ui:control": "vercel-region"},
        "regions": {"type": "array", "ui:control": "multi-vercel-region"},
        "hidden": {"type": "string", "ui:hidden": True},
        "computed": {"type": "string", "ui:read-only": {"expr": "team.name"}},
        "off": {"type": "boolean", "ui:disabled": "create"},
        "editable": {"type": "string", "ui:hidden": "update"},
    }
    assert [problem.key for problem in problems({}, list(left_out), **left_out)] == ["plain", "editable"]


def test_a_missing_field_is_named_with_its_type_and_its_choices() -> None:
    """What an agent needs to mend the call."""
    size = {"type": "string", "ui:options": [{"value": "s"}, {"value": "xl", "hidden": True}]}
    assert problems({}, ["size"], size=size) == [Problem(key="size", message="is required (string)", choices=("s",))]


def test_an_unknown_key_is_named_with_the_known_ones() -> None:
    """Vercel rejects unknown keys; they are reported before anything else."""
    found = problems({"regoin": "iad1", "size": 5}, region={"type": "string"}, size={"type": "string"})
    assert found == [
        Problem(key="regoin", message="the product has no such metadata field", choices=("region", "size")),
        Problem(key="size", message=TEXT),
    ]


@pytest.mark.parametrize(
    ("rules", "value"),
    [
        ({"type": "number"}, True),
        ({"type": "boolean"}, 1),
        ({"type": "string"}, 5),
        ({"type": "array", "items": {"type": "number"}}, [1, True]),
        ({"type": "array", "items": {"type": "string"}}, "a"),
        ({"type": "number", "ui:options": [{"value": 1}]}, "1"),
        ({"enum": [1]}, True),
        ({"enum": [True]}, 1),
        ({"enum": ["1"]}, 1),
    ],
)
def test_values_of_another_type_are_never_taken_for_each_other(rules: Json, value: Any) -> None:
    """True is no number, 1 is no text, and a text is no list."""
    assert [problem.key for problem in problems({"field": value}, field=rules)] == ["field"]


def test_values_are_the_same_as_json_has_it() -> None:
    """1 and 1.0 are one number; 1, true and "1" are three values."""
    assert identity(1) == identity(1.0)
    assert len({identity(value) for value in (1, True, "1", 1.5, "True", False, 0, "", None)}) == 9


@pytest.mark.parametrize(
    ("keyword", "bound", "good", "bad", "phrase"),
    [
        ("minLength", 2, "ab", "a", "at least 2 characters long"),
        ("maxLength", 2, "ab", "abc", "at most 2 characters long"),
        ("minItems", 1, ["a"], [], "at least 1 values"),
        ("maxItems", 1, ["a"], ["a", "b"], "at most 1 values"),
        ("minimum", 0.5, 0.5, 0.4, "at least 0.5"),
        ("maximum", 3, 3.0, 4, "at most 3"),
        ("exclusiveMinimum", 0, 0.1, 0, "more than 0"),
        ("exclusiveMaximum", 1, 0.9, 1.0, "less than 1"),
    ],
)
def test_every_limit_holds_to_its_bound(keyword: str, bound: float, good: Any, bad: Any, phrase: str) -> None:
    """The bound itself is within, but for the exclusive ones; a limit says nothing about values of another type."""
    assert problems({"field": good}, field={keyword: bound}) == []
    assert problems({"field": bad}, field={keyword: bound}) == [Problem(key="field", message=f"must be {phrase}")]
    assert problems({"field": bad}, field={keyword: str(bound)}) == []
    assert problems({"field": True}, field={keyword: bound}) == []


def test_limits_of_items_hold_for_each_item() -> None:
    """The limits inside `items` are about the values, those outside about the list."""
    rules = {"type": "array", "items": {"type": "string", "maxLength": 2}, "minItems": 3}
    assert [problem.message for problem in problems({"field": ["abc", "defg"]}, field=rules)] == [
        "must be at least 3 values",
        "each value must be at most 2 characters long",
    ]
    assert [phrase for *_, phrase in limits(rules["items"])] == ["at most 2 characters long"]  # type: ignore[arg-type]


def test_fields_keep_the_partners_order_and_a_second_label_of_a_value() -> None:
    """`ui:order` first, the rest behind; a later label of a value may be the one that names a price."""
    options = [{"value": "m", "label": "M"}, {"value": "m", "label": "M, $5"}, "m", {"value": True}, {"value": 1}]
    found = fields(a={"enum": [1, "x"]}, b={"type": "integer", "ui:options": options, "ui:paid-only": True})
    assert [field.key for field in found] == ["a", "b"]
    ordered = read_fields({**schema(a={}, b={}, c={}), "ui:order": ["c", None, {}, "b", "zz"]})
    assert [field.key for field in ordered or ()] == ["c", "b", "a"]
    assert (found[1].type, found[1].paid_only) == ("number", True)
    assert [(option.value, option.label) for option in found[1].options] == [
        ("m", "M"),
        ("m", "M, $5"),
        (True, None),
        (1, None),
    ]
    assert found[0].options == (Option(value=1, label=None, offered=True), Option(value="x", label=None, offered=True))


def test_what_is_no_field_and_no_key_is_looked_over() -> None:
    """T32: a list of required keys with more than keys in it, and fields that are no objects."""
    listed: list[Any] = [["a"], {}, 5, None, "b"]
    found = read_fields({"properties": {"a": None, "b": "text", "c": []}, "required": listed})
    assert [(field.key, field.required, field.type) for field in found or ()] == [
        ("a", False, "unknown"),
        ("b", True, "unknown"),
        ("c", False, "unknown"),
    ]


@pytest.mark.parametrize("unreadable", [None, [], "object", 5, {}, {"properties": []}, {"properties": None}])
def test_a_schema_that_holds_no_fields_is_none(unreadable: Any) -> None:
    """Then nothing can be checked, and Vercel judges."""
    assert read_fields(unreadable) is None


@pytest.mark.parametrize("member", [*MEMBERS.split(), *KEYWORDS.split()])
def test_a_member_of_any_type_makes_no_field_fail(member: str) -> None:
    """T32: every member of a field with every wrong type, against values of every type."""
    for wrong in WRONG_TYPES:
        for kind in ("string", "array", None):
            found = fields(["field"], field={"type": kind, "items": {member: wrong}, member: wrong})
            for value in ("text", 5, True, ["a"], [1], [], 0.5):
                assert all(problem.key == "field" for problem in check({"field": value}, found))


@settings(max_examples=300, derandomize=True, database=None, deadline=None)
@given(JSON, JSON)
def test_no_schema_whatsoever_makes_reading_fail(value: Any, other: Any) -> None:
    """T32: any JSON value as the schema, as its properties, as a field, and in the lists beside them."""
    for candidate in (value, {"properties": value}, {**schema(a=value, b=other), "required": other, "ui:order": value}):
        for field in read_fields(candidate) or ():
            list(check({field.key: other, "unknown": "x"}, (field,)))


def test_a_partners_pattern_is_never_run() -> None:
    """T32: a pattern that backtracks for ever is data like any other."""
    assert problems({"field": "a" * 5000}, field={"type": "string", "pattern": "^(a+)+$"}) == []
    assert problems({"field": "a" * 5000}, field={"type": "string", "pattern": "^(a|a)*b$"}) == []


def test_the_largest_schemas_are_read_in_time() -> None:
    """T32: 60,000 fields, all required, and 100,000 values; with quadratic work this test would run for minutes."""
    many = {f"k{number}": {"type": "string", "enum": [str(number)]} for number in range(60_000)}
    assert sum(1 for _ in check({}, fields(list(many), **many))) == 60_000
    colliding = [(2**61 - 1) * number for number in range(1, 100_000)]
    (field,) = fields(
        field={"type": "array", "items": {"type": "number"}, "ui:options": colliding, "default": colliding}
    )
    assert list(check({"field": colliding}, (field,))) == []


def test_a_deeply_nested_schema_is_data() -> None:
    """T32: nesting as deep as an answer may be, in every place."""
    deep: Any = "end"
    for _ in range(30):
        deep = {"items": deep, "ui:options": [deep], "default": deep} if isinstance(deep, str) else {"items": deep}
    assert [field.key for field in fields(a=deep, b={"ui:options": [deep], "ui:hidden": deep, "type": deep})] == [
        "a",
        "b",
    ]
