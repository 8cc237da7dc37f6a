"""Checks a call's arguments: first against the published schema, then by the strict model of the tool.

What is wrong is named with the nearest valid choice. It looks at nothing but the arguments.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from vercel_marketplace_mcp import strict_json
from vercel_marketplace_mcp.results import StopError, invalid
from vercel_marketplace_mcp.settings import TEAM_ID_PATTERN, TEAM_SLUG_PATTERN
from vercel_marketplace_mcp.specs import ToolSpec
from vercel_marketplace_mcp.text import clean, is_plain, nearest

MAX_SIZE = 64 * 1024
"""Bytes of JSON that the arguments of one call may take."""

MAX_METADATA = 16 * 1024
"""Bytes of JSON that a store's metadata may take: Vercel's plans are asked for with the metadata in the URL."""
MAX_ID = 256
"""Characters of a plan's or a payment method's id."""

_CONFIGURATION_ID = re.compile(r"icfg_[a-zA-Z0-9]{1,128}")
_PATH_PART = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,127}")


def _matching(pattern: re.Pattern[str], example: str) -> AfterValidator:
    def check(value: str) -> str:
        if not pattern.fullmatch(value):
            raise ValueError(f"must look like {example}")
        return value

    return AfterValidator(check)


def _visible(value: str) -> str:
    """Refuse what a person could not see in a question: an empty text, control and invisible characters."""
    if not value.strip():
        raise ValueError("must not be empty; leave it out instead")
    if not is_plain(value):
        raise ValueError("must hold visible characters only, in composed form (Unicode NFC)")
    return value


def _bounded(value: str) -> str:
    if len(value) > MAX_ID:
        raise ValueError(f"must be at most {MAX_ID} characters long")
    return value


def _metadata(value: dict[str, Any]) -> dict[str, Any]:
    if len(json.dumps(value, ensure_ascii=False).encode()) > MAX_METADATA:
        raise ValueError(f"must take at most {MAX_METADATA // 1024} KiB as JSON")
    return value


def _metadata_text(value: str) -> str:
    try:
        document = strict_json.parse(value.encode())
    except ValueError:
        raise ValueError('must be the text of a JSON object, as in {"region":"iad1"}') from None
    if not isinstance(document.value, dict) or document.duplicate_keys:
        raise ValueError("must be the text of one JSON object that gives each key once")
    if inexact := _inexact(document.value):
        raise ValueError(f"can't be used: {clean(inexact[0], 80) or 'it'} {inexact[1]}")
    _metadata(document.value)
    return value


_ConfigurationId = Annotated[str, _matching(_CONFIGURATION_ID, "icfg_cuwj0AdCdH3BwWT4LPijCC7t")]
_IdOrSlug = Annotated[str, _matching(_PATH_PART, "an id or slug of letters, digits, dashes and underscores")]
_Name = Annotated[str, AfterValidator(_visible)]
_Id = Annotated[str, AfterValidator(_bounded), AfterValidator(_visible)]
_Metadata = Annotated[
    dict[str, str | int | float | bool | list[str] | list[int | float]],
    AfterValidator(_metadata),
]


class _Arguments(BaseModel):
    """What every tool takes. The schema has been checked before; a model adds what a schema can't say."""

    model_config = ConfigDict(
        alias_generator=to_camel, strict=True, extra="forbid", frozen=True, hide_input_in_errors=True
    )

    team_id: Annotated[str, _matching(TEAM_ID_PATTERN, "team_1a2b3c4d5e6f")] | None = None
    slug: Annotated[str, _matching(TEAM_SLUG_PATTERN, "my-team")] | None = None


class ListConfigurations(_Arguments):
    """Arguments of list-configurations."""

    view: str = "account"
    installation_type: str | None = None
    integration_id_or_slug: _IdOrSlug | None = None


class ListProducts(_Arguments):
    """Arguments of list-products."""

    id: _ConfigurationId


class ListPlans(_Arguments):
    """Arguments of list-plans."""

    integration_id_or_slug: _IdOrSlug
    product_id_or_slug: _IdOrSlug
    integration_configuration_id: _ConfigurationId | None = None
    metadata: Annotated[str, AfterValidator(_metadata_text)] | None = None
    source: str | None = None


class CreateStore(_Arguments):
    """Arguments of create-store."""

    name: _Name = Field(max_length=128)
    integration_configuration_id: _ConfigurationId
    integration_product_id_or_slug: Annotated[str, _matching(_PATH_PART, "iap_postgres_db or my-product")]
    metadata: _Metadata | None = None
    external_id: str | None = None
    protocol_settings: dict[str, Any] | None = None
    source: str | None = None
    billing_plan_id: _Id | None = None
    payment_method_id: _Id | None = None
    prepayment_amount_cents: int | None = None

    def body(self) -> dict[str, Any]:
        """Return the body of the create request: what was given, as it was given."""
        return self.model_dump(by_alias=True, exclude_unset=True, exclude={"team_id", "slug"})


ArgumentsT = TypeVar("ArgumentsT", bound=_Arguments)


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
    if inexact := _inexact(dict(arguments)):
        name = clean(inexact[0], 80) or "arguments"
        raise invalid(name, f"{name} {inexact[1]}.")
    if len(json.dumps(dict(arguments), ensure_ascii=False).encode()) > MAX_SIZE:
        raise invalid("arguments", f"The arguments are larger than {MAX_SIZE // 1024} KiB.")


def _inexact(document: dict[str, Any]) -> tuple[str, str] | None:
    """Return the first path whose value JSON can't carry exactly, and why, or None."""
    for depth, path, value in strict_json.walk(document):
        if depth > strict_json.MAX_DEPTH:
            return path, f"nests deeper than {strict_json.MAX_DEPTH} levels"
        if isinstance(value, int | float) and not isinstance(value, bool) and not strict_json.is_exact_number(value):
            return path, "must be a finite number that JSON carries exactly"
        texts = value if isinstance(value, dict) else [value] if isinstance(value, str) else ()
        if any(not _is_unicode(text) for text in texts):
            return path, "holds half of a surrogate pair, which is no character"
    return None


def _is_unicode(text: Any) -> bool:
    try:
        str(text).encode()
    except UnicodeEncodeError:
        return False
    return True


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
