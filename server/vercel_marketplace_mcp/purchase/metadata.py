"""Reads a product's metadataSchema and checks a store's metadata against what it says for certain.

Vercel's schema is not JSON Schema: expressions (`{expr}`) are only understood by Vercel, and a partner's patterns are
never run. What can't be known is left to Vercel to judge.
"""

import math
import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

ValueType = Literal["string", "number", "boolean", "string[]", "number[]", "unknown"]

_REGION_CONTROLS = frozenset({"vercel-region", "multi-vercel-region"})
_LIMITS: dict[str, tuple[type[str | list[Any] | float], Callable[[Any, Any], bool], str]] = {
    "minLength": (str, operator.lt, "at least {} characters long"),
    "maxLength": (str, operator.gt, "at most {} characters long"),
    "minItems": (list, operator.lt, "at least {} values"),
    "maxItems": (list, operator.gt, "at most {} values"),
    "minimum": (float, operator.lt, "at least {}"),
    "maximum": (float, operator.gt, "at most {}"),
    "exclusiveMinimum": (float, operator.le, "more than {}"),
    "exclusiveMaximum": (float, operator.ge, "less than {}"),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Option:
    """One value that a field offers, with the partner's label and all that the partner says of it."""

    value: str | int | float | bool
    label: str | None
    offered: bool
    words: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Field:
    """One member of a product's metadata. `rules` is the member's schema as received."""

    key: str
    type: ValueType
    required: bool
    options: tuple[Option, ...]
    paid_only: bool
    rules: Mapping[str, Any]

    @property
    def words(self) -> tuple[str, ...]:
        """What the partner says of the field itself."""
        return _words(self.rules, "ui:label", "description", "ui:description")

    @property
    def has_default(self) -> bool:
        """Whether Vercel fills the field in when it is left out."""
        return "default" in self.rules


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """A value that Vercel would certainly refuse, and the valid ones where they are known."""

    key: str
    message: str
    choices: tuple[str, ...] = ()


def identity(value: Any) -> str:
    """Return a text that two values share if JSON can't tell them apart: 1 and 1.0, but not 1, true and "1"."""
    number = int(value) if isinstance(value, float) and value.is_integer() else value
    return f"{type(number).__name__} {number}"


def read_fields(schema: Any) -> tuple[Field, ...] | None:
    """Return the fields of a metadataSchema in the partner's order, or None if it can't be read."""
    properties = schema.get("properties") if isinstance(schema, Mapping) else None
    if not isinstance(properties, Mapping):
        return None
    listed = schema.get("required")
    required = {key for key in listed if isinstance(key, str)} if isinstance(listed, list) else set()
    order = schema.get("ui:order")
    rank = {key: place for place, key in enumerate(order) if isinstance(key, str)} if isinstance(order, list) else {}
    keys = sorted(properties, key=lambda key: rank.get(key, math.inf))
    return tuple(_field(key, properties[key], key in required) for key in keys)


def _field(key: str, rules: Any, listed_as_required: bool) -> Field:
    known: Mapping[str, Any] = rules if isinstance(rules, Mapping) else {}
    set_by_vercel = str(known.get("ui:control")) in _REGION_CONTROLS or any(
        known.get(name, False) not in (False, "update") for name in ("ui:hidden", "ui:disabled", "ui:read-only")
    )
    return Field(
        key=key,
        type=_type(known),
        required=listed_as_required and not set_by_vercel and "default" not in known,
        options=tuple(_options(known)),
        paid_only=known.get("ui:paid-only", False) is not False,
        rules=known,
    )


def _type(rules: Mapping[str, Any]) -> ValueType:
    match rules.get("type"):
        case "string" | "number" | "boolean" as simple:
            return simple  # type: ignore[no-any-return]
        case "integer":
            return "number"
        case "array":
            items = rules.get("items")
            match items.get("type") if isinstance(items, Mapping) else None:
                case "string":
                    return "string[]"
                case "number" | "integer":
                    return "number[]"
    return "unknown"


def _options(rules: Mapping[str, Any]) -> Iterator[Option]:
    items = rules.get("items")
    sources = [rules.get("ui:options"), rules.get("ui:steps"), rules.get("enum")]
    sources.append(items.get("enum") if isinstance(items, Mapping) else None)
    seen: set[tuple[str, str | None]] = set()
    for entry in [entry for source in sources if isinstance(source, list) for entry in source]:
        detail: Mapping[str, Any] = entry if isinstance(entry, Mapping) else {"value": entry}
        value, words = detail.get("value"), detail.get("label")
        label = words if isinstance(words, str) else None
        # A second label of one value is kept, for it may name a price; a bare value that stands again says nothing.
        if not isinstance(value, str | int | float) or (identity(value), label) in seen:
            continue
        seen |= {(identity(value), label), (identity(value), None)}
        offered = all(detail.get(name, False) in (False, "update") for name in ("hidden", "disabled"))
        yield Option(value=value, label=label, offered=offered, words=_words(detail, "label", "description"))


def _words(rules: Mapping[str, Any], *names: str) -> tuple[str, ...]:
    """Return the members of these names that say something; one of another type is read as it is written."""
    return tuple(str(rules[name]) for name in names if rules.get(name) not in (None, ""))


def check(metadata: Mapping[str, Any], fields: tuple[Field, ...]) -> Iterator[Problem]:
    """Yield what Vercel would certainly refuse in `metadata`, unknown keys first."""
    by_key = {field.key: field for field in fields}
    for key in metadata:
        if key not in by_key:
            yield Problem(key=key, message="the product has no such metadata field", choices=tuple(by_key))
    for field in fields:
        if field.key in metadata:
            yield from _check_value(metadata[field.key], field)
        elif field.required:
            yield Problem(key=field.key, message=f"is required ({field.type})", choices=_choices(field))


def _check_value(value: Any, field: Field) -> Iterator[Problem]:
    if not _has_type(value, field.type):
        yield Problem(key=field.key, message=f"must be a {field.type}", choices=_choices(field))
        return
    values = value if isinstance(value, list) else [value]
    known = {identity(option.value) for option in field.options}
    if known and any(identity(item) not in known for item in values):
        yield Problem(
            key=field.key, message="is not one of the values that the product offers", choices=_choices(field)
        )
    for message in _broken_limits(value, field.rules):
        yield Problem(key=field.key, message=message)
    items = field.rules.get("items")
    if isinstance(value, list) and isinstance(items, Mapping):
        for message in dict.fromkeys(message for item in value for message in _broken_limits(item, items)):
            yield Problem(key=field.key, message=f"each value {message}")


def _has_type(value: Any, expected: ValueType) -> bool:
    match expected:
        case "boolean":
            return isinstance(value, bool)
        case "string":
            return isinstance(value, str)
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "string[]":
            return isinstance(value, list) and all(_has_type(item, "string") for item in value)
        case "number[]":
            return isinstance(value, list) and all(_has_type(item, "number") for item in value)
    return True  # of an unknown type, which Vercel alone can judge


def _broken_limits(value: Any, rules: Mapping[str, Any]) -> Iterator[str]:
    for keyword, bound, phrase in limits(rules):
        kind, is_broken, _ = _LIMITS[keyword]
        measured = value if kind is float else len(value) if isinstance(value, kind) else None  # type: ignore[arg-type]
        if _has_type(measured, "number") and is_broken(measured, bound):
            yield f"must be {phrase}"


def limits(rules: Mapping[str, Any]) -> Iterator[tuple[str, float, str]]:
    """Yield the numeric limits of a field: keyword, bound and phrase (`maxLength`, 32, "at most 32 characters")."""
    for keyword, (_, _, phrase) in _LIMITS.items():
        bound = rules.get(keyword)
        if isinstance(bound, int | float) and not isinstance(bound, bool):
            yield keyword, bound, phrase.format(bound)


def _choices(field: Field) -> tuple[str, ...]:
    return tuple(str(option.value) for option in field.options if option.offered)
