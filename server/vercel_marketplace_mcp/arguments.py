"""Checks a call's arguments: first against the published schema, then by the strict model of the tool.

What is wrong is named with the nearest valid choice. It looks at nothing but the arguments.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from pydantic import ValidationError

from vercel_marketplace_mcp import strict_json
from vercel_marketplace_mcp.inputs import Arguments
from vercel_marketplace_mcp.results import StopError, invalid
from vercel_marketplace_mcp.specs import ToolSpec
from vercel_marketplace_mcp.text import clean, nearest

MAX_SIZE = 64 * 1024
"""Bytes of JSON that the arguments of one call may take."""

ArgumentsT = TypeVar("ArgumentsT", bound=Arguments)


def read(
    spec: ToolSpec, model: type[ArgumentsT], arguments: Mapping[str, Any], duplicate_keys: Sequence[str] = ()
) -> ArgumentsT:
    """Return the checked arguments of a call.

    `duplicate_keys` are keys that the text of the call gave more than once.

    Raises:
        StopError: `invalid_arguments`, naming the argument and what it must look like.
    """
    if duplicate_keys:
        name = clean(duplicate_keys[0])
        raise invalid(name, f"{name} is given more than once, so it is not clear which value is meant.")
    _refuse_inexact_values(arguments)
    schema_error = min(spec.validator.iter_errors(arguments), key=_rank, default=None)
    if schema_error is not None:
        raise _explain(schema_error, spec)
    try:
        return model.model_validate(dict(arguments))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        name = clean(".".join(map(str, first["loc"][:2])) if first["loc"][0] == "metadata" else str(first["loc"][0]))
        raise invalid(name, f"{name} {_message(first['type'], first['msg'])}.") from None


def _refuse_inexact_values(arguments: Mapping[str, Any]) -> None:
    """Refuse what JSON can't carry exactly: NaN, infinities, huge integers, lone surrogates, bottomless nesting."""
    if inexact := strict_json.inexact(dict(arguments)):
        name = clean(inexact[0], 80) or "arguments"
        raise invalid(name, f"{name} {inexact[1]}.")
    if len(json.dumps(dict(arguments), ensure_ascii=False).encode()) > MAX_SIZE:
        raise invalid("arguments", f"The arguments are larger than {MAX_SIZE // 1024} KiB.")


def _rank(error: Any) -> tuple[bool, bool, list[str]]:
    """Order schema errors: an unknown argument explains a missing one, so it comes first."""
    return error.validator != "additionalProperties", error.validator != "required", [str(part) for part in error.path]


def _explain(error: Any, spec: ToolSpec) -> StopError:
    """Return the end of a call for a `jsonschema.ValidationError`."""
    if error.validator == "additionalProperties" and not error.path:
        unknown = next(name for name in error.instance if name not in spec.argument_names)
        choices = nearest(unknown, spec.argument_names, 3)
        return invalid(clean(unknown), f"{spec.name} has no such argument. Did you mean {choices[0]}?", choices)
    if error.validator == "required":
        name = next(name for name in error.validator_value if name not in error.instance)
        return invalid(name, f"{name} is required: {_describe(spec, name)}")
    path = [str(part) for part in error.absolute_path] or ["arguments"]
    name = clean(".".join(path[:2]) if path[0] == "metadata" else path[0])
    choices = nearest(str(error.instance), map(str, error.validator_value), 10) if error.validator == "enum" else ()
    phrase = _PHRASES.get(error.validator, "does not look as it must: {rule}")
    rule = _describe(spec, path[0]) if error.validator not in _PHRASES else error.validator_value
    return invalid(name, f"{name} {phrase.format(rule=rule)}".rstrip(".") + ".", choices)


_PHRASES = {
    "enum": "is not one of the values that it can take",
    "anyOf": "must be a string, a number, a boolean, or an array of strings or of numbers",
    "type": "must be of type {rule}",
    "maxLength": "must be at most {rule} characters long",
    "minimum": "must be at least {rule}",
}


def _describe(spec: ToolSpec, name: str) -> str:
    """Return the published description of an argument and, if it has any, the patterns of its values."""
    rules = spec.definition["inputSchema"]["properties"].get(name.split(".", maxsplit=1)[0], {})
    patterns = [rule["pattern"] for rule in [rules, *rules.get("oneOf", ())] if "pattern" in rule]
    return " or ".join(patterns) or str(rules.get("description", "see the tool's schema."))


def _message(kind: str, message: str) -> str:
    if kind == "int_type":
        return "must be a whole number of cents, written without a fraction"
    return message.removeprefix("Value error, ").rstrip(".")
