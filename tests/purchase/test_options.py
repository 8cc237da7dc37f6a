"""The values that a field of a product's metadata offers: where they stand, which count, and which are named."""

from typing import Any

import pytest

from vercel_marketplace_mcp.purchase.metadata import Field, Option, Problem, check, limits, read_fields

from .strategies import Json


def field(**rules: Any) -> Field:
    """The only field of a product's metadata."""
    (found,) = read_fields({"properties": {"field": rules}}) or ()
    return found


def offered(*options: Any) -> list[tuple[Any, str | None]]:
    """The values and labels that a field with these options has."""
    return [(option.value, option.label) for option in field(**{"ui:options": list(options)}).options]


@pytest.mark.parametrize(
    ("rules", "values"),
    [
        ({"enum": ["a"]}, ["a"]),
        ({"ui:options": ["a"]}, ["a"]),
        ({"ui:steps": [1, 0.5]}, [1, 0.5]),
        ({"items": {"enum": ["a"]}}, ["a"]),
        ({"ui:options": ["a"], "ui:steps": ["b"], "enum": ["c"], "items": {"enum": ["d"]}}, ["a", "b", "c", "d"]),
        ({"enum": "abc", "ui:options": {"value": "a"}, "ui:steps": None, "items": ["enum"]}, []),
    ],
)
def test_options_are_found_wherever_they_stand(rules: Json, values: list[Any]) -> None:
    """In the lists of the field and in the list of its items; what is no list holds none."""
    assert [option.value for option in field(**rules).options] == values


def test_an_option_is_a_text_a_number_or_a_truth_value() -> None:
    """Nothing else could stand in metadata as a choice, and a label that is no text is none."""
    options = [
        "a",
        1,
        0.5,
        True,
        None,
        ["b"],
        {"label": "no value"},
        {"value": {"expr": "c"}},
        {"value": "d", "label": 5},
    ]
    assert offered(*options) == [("a", None), (1, None), (0.5, None), (True, None), ("d", None)]


def test_a_value_is_listed_once_with_each_of_its_labels() -> None:
    """However far apart they stand; a bare value says nothing new about one that has a label."""
    labelled = {"value": "a", "label": "A"}
    assert offered(labelled, "b", labelled, "a", "b", {"value": "a", "label": "A, $5"}) == [
        ("a", "A"),
        ("b", None),
        ("a", "A, $5"),
    ]


def test_an_option_that_is_closed_for_updates_only_is_offered() -> None:
    """A store is created here: what is hidden or disabled in an update may be chosen."""
    options = [{"value": "a", "hidden": "update", "disabled": "update"}, {"value": "b", "disabled": "create"}]
    assert field(**{"ui:options": options}).options == (
        Option(value="a", label=None, offered=True),
        Option(value="b", label=None, offered=False),
    )


def test_the_type_of_the_items_is_read() -> None:
    """A list of integers is a list of numbers; of other items nothing is known."""
    kinds = ["string", "number", "integer", "boolean", None]
    assert [field(type="array", items={"type": kind}).type for kind in kinds] == [
        *("string[]", "number[]", "number[]", "unknown", "unknown")
    ]
    assert field(type="array", items=["string"]).type == "unknown"


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [("string", ["a", 5]), ("string", [5, "a"]), ("string", "a"), ("number", [1, "a"]), ("number", ""), ("number", 5)],
)
def test_a_list_of_which_one_item_is_wrong_is_wrong(kind: str, wrong: Any) -> None:
    """Each item has the type, and what is no list is no list of them; the choices are named."""
    many = field(type="array", items={"type": kind, "enum": [1, "a"]})
    message = f"must be a {kind}[]"
    assert list(check({"field": wrong}, (many,))) == [Problem(key="field", message=message, choices=("1", "a"))]


def test_a_list_of_which_one_item_is_not_offered_is_wrong() -> None:
    """One unknown value among known ones is enough."""
    many = field(type="array", items={"type": "string", "enum": ["a", "b"]})
    assert list(check({"field": ["a", "b"]}, (many,))) == []
    assert [problem.message for problem in check({"field": ["a", "c"]}, (many,))] == [
        "is not one of the values that the product offers"
    ]


def test_a_limit_that_is_no_number_limits_nothing() -> None:
    """True is no bound, whatever Python makes of it."""
    assert list(limits({"minimum": True, "maximum": "9", "minLength": None, "maxLength": 9})) == [
        ("maxLength", 9, "at most 9 characters long")
    ]
