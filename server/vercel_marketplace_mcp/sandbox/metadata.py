"""Metadata of a create request against the product's schema, the way the marketplace reads its 12 controls.

Pure: no state. Expressions (`{expr}`) are nobody's to evaluate here and count as false.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from .catalog import Json
from .errors import bad_request
from .strict import is_number, is_text

REGION_CONTROLS = ("vercel-region", "multi-vercel-region")


def with_defaults(schema: Json, metadata: Json) -> Json:
    """The metadata with the schema's defaults filled in where a key is missing."""
    defaults = {key: field["default"] for key, field in schema["properties"].items() if "default" in field}
    return {**defaults, **metadata}


def check_metadata(schema: Json, metadata: Json) -> None:
    """Refuse unknown keys, missing required ones, and values that their field does not allow."""
    fields = schema["properties"]
    for key in schema.get("required", ()):
        if key not in metadata and fields[key]["ui:control"] not in REGION_CONTROLS:
            raise bad_request(f"Invalid metadata: `{key}` is required")
    for key, value in metadata.items():
        if key not in fields:
            raise bad_request(f"Invalid metadata: unknown key `{key}`")
        for wanted in _objections(fields[key], value):
            raise bad_request(f"Invalid metadata: `{key}` should be {wanted}")


def _objections(field: Json, value: Any) -> Iterator[str]:
    if field["type"] != "array":
        yield from _objections_to_item(field, value)
    elif not isinstance(value, list):
        yield "an array"
    else:
        yield from _objections_to_length(field, value)
        for item in value:
            yield from _objections_to_item({**field, **field["items"]}, item)


def _objections_to_length(field: Json, value: list[Any]) -> Iterator[str]:
    if len(value) < field.get("minItems", 0):
        yield f"at least {field['minItems']} items"
    if len(value) > field.get("maxItems", len(value)):
        yield f"at most {field['maxItems']} items"


def _objections_to_item(field: Json, item: Any) -> Iterator[str]:
    holds, noun = TYPES[field["type"]]
    if not holds(item):
        yield noun
        return
    for member, (within, wanted) in LIMITS.items():
        if member in field and not within(item, field[member]):
            yield wanted.format(field[member])
    if field.get("ui:options"):
        yield from _objections_to_option(field["ui:options"], item)


def _objections_to_option(options: list[Any], item: Any) -> Iterator[str]:
    open_values = [one if is_text(one) else one["value"] for one in options if not _is_disabled(one)]
    if item not in open_values:
        yield f"one of {', '.join(open_values)}"


def _is_disabled(option: Any) -> bool:
    return not is_text(option) and option.get("disabled") in (True, "create")


TYPES: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "string": (is_text, "a string"),
    "number": (is_number, "a number"),
    "boolean": (lambda value: isinstance(value, bool), "true or false"),
}
LIMITS: Mapping[str, tuple[Callable[[Any, Any], bool], str]] = {
    "enum": (lambda item, allowed: item in allowed, "one of {}"),
    "minLength": (lambda item, limit: len(item) >= limit, "at least {} characters long"),
    "maxLength": (lambda item, limit: len(item) <= limit, "at most {} characters long"),
    "pattern": (lambda item, pattern: bool(re.search(pattern, item)), "text that matches {}"),
    "minimum": (lambda item, limit: item >= limit, "at least {}"),
    "maximum": (lambda item, limit: item <= limit, "at most {}"),
    "exclusiveMinimum": (lambda item, limit: item > limit, "more than {}"),
    "exclusiveMaximum": (lambda item, limit: item < limit, "less than {}"),
    "ui:steps": (lambda item, steps: item in steps, "one of {}"),
}
