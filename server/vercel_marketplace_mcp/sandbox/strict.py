"""What the API insists on before it looks anything up: token, team, query, ids, body.

No state and no catalog here; metadata against a product's schema is checked in metadata.py.
"""

import hmac
import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn, TypeAlias

from .catalog import Json
from .errors import ApiError, bad_request

VIEWS = ("account", "project")
INSTALLATION_TYPES = ("marketplace", "external", "provisioning")
PLAN_SOURCES = (
    "marketplace",
    "deploy-button",
    "external",
    "v0",
    "resource-claims",
    "cli",
    "oauth",
    "backoffice",
    "import-recommended-integrations",
    "organization",
)
CONFIGURATION_ID = re.compile(r"icfg_[a-zA-Z0-9]+")
INTEGRATION_ID_OR_SLUG = re.compile(r"oac_[a-zA-Z0-9]+|[a-z0-9-]+")
PRODUCT_ID_OR_SLUG = re.compile(r"iap_[a-zA-Z0-9_]+|[a-z0-9-]+")
NAME_LIMIT = 128
LEAST_CENTS = 50
TEAM_MEMBERS = ("teamId", "slug")


def check_token(authorization: str | None, token: str) -> None:
    """Refuse a call without the right bearer token."""
    if not authorization:
        raise ApiError(401, "forbidden", "The request carries no token", missingToken=True)
    if not is_bearer(authorization, token):
        raise ApiError(401, "forbidden", "The token is not valid", invalidToken=True)


def is_bearer(authorization: str | None, token: str) -> bool:
    """Whether the header carries exactly this token."""
    return hmac.compare_digest((authorization or "").encode(), f"Bearer {token}".encode())


def read_query(pairs: Sequence[tuple[str, str]], allowed: Sequence[str]) -> dict[str, str]:
    """The query as a mapping; refuses members that the operation does not have and repeated ones."""
    query = dict(pairs)
    if len(query) != len(pairs):
        raise bad_request("Invalid request: a query member stands more than once")
    if unknown := sorted(set(query) - {*allowed, *TEAM_MEMBERS}):
        raise bad_request(f"Invalid request: unknown query member `{unknown[0]}`")
    return query


def is_team_scope(query: Mapping[str, str], team_id: str, team_slug: str) -> bool:
    """True for the team, False for the token's personal scope; refuses every other team."""
    named = [query[name] for name in TEAM_MEMBERS if name in query]
    if query.get("teamId", team_id) != team_id or query.get("slug", team_slug) != team_slug:
        raise ApiError(403, "team_unauthorized", "The token has no access to this team", scope=named[0])
    return bool(named)


def check_one_of(name: str, value: str | None, allowed: Sequence[str]) -> None:
    """Refuse a query member that is not one of its documented values."""
    if value is not None and value not in allowed:
        raise bad_request(f"Invalid request: `{name}` should be one of {', '.join(allowed)}")


def check_pattern(name: str, value: str, pattern: re.Pattern[str]) -> None:
    """Refuse an id that can't be one."""
    if not pattern.fullmatch(value):
        raise bad_request(f"Invalid request: `{name}` should match {pattern.pattern}")


def read_json(text: bytes | str, what: str) -> Any:
    """The value of a JSON text; refuses NaN, infinite numbers and half surrogate pairs."""
    try:
        value = json.loads(text, parse_constant=_no_number, parse_float=_finite)
        json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise bad_request(f"Invalid request: {what} is not valid JSON") from None
    return value


def _no_number(text: str) -> NoReturn:
    raise ValueError(text)


def _finite(text: str) -> float:
    return value if math.isfinite(value := float(text)) else _no_number(text)


def is_text(value: Any) -> bool:
    """A string."""
    return isinstance(value, str)


def is_number(value: Any) -> bool:
    """A JSON number: Python counts booleans as numbers, JSON does not."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_metadata(value: Any) -> bool:
    """An object of strings, numbers, booleans, and arrays of strings or of numbers."""
    return isinstance(value, dict) and all(map(_is_metadata_value, value.values()))


def _is_metadata_value(value: Any) -> bool:
    if isinstance(value, list):
        return all(map(is_text, value)) or all(map(is_number, value))
    return isinstance(value, str | int | float)


def _is_name(value: Any) -> bool:
    return is_text(value) and value.strip() != "" and len(value) <= NAME_LIMIT


def _is_amount(value: Any) -> bool:
    return is_number(value) and bool(value >= LEAST_CENTS)


def _is_configuration_id(value: Any) -> bool:
    return is_text(value) and bool(CONFIGURATION_ID.fullmatch(value))


def _is_product_id_or_slug(value: Any) -> bool:
    return is_text(value) and bool(PRODUCT_ID_OR_SLUG.fullmatch(value))


Members: TypeAlias = Mapping[str, tuple[Callable[[Any], bool], str]]

BODY: Members = {
    "name": (_is_name, f"a string of 1 to {NAME_LIMIT} characters"),
    "integrationConfigurationId": (_is_configuration_id, f"a string like {CONFIGURATION_ID.pattern}"),
    "integrationProductIdOrSlug": (_is_product_id_or_slug, f"a string like {PRODUCT_ID_OR_SLUG.pattern}"),
    "metadata": (is_metadata, "an object of strings, numbers, booleans and arrays of strings or numbers"),
    "externalId": (is_text, "a string"),
    "protocolSettings": (lambda v: isinstance(v, dict), "an object"),
    "source": (is_text, "a string"),
    "billingPlanId": (is_text, "a string"),
    "paymentMethodId": (is_text, "a string"),
    "prepaymentAmountCents": (_is_amount, f"a number of at least {LEAST_CENTS}"),
}
REQUIRED = ("name", "integrationConfigurationId", "integrationProductIdOrSlug")
CONNECTION: Members = {
    "projectId": (is_text, "a string"),
    "envVarEnvironments": (lambda v: isinstance(v, list) and all(map(is_text, v)), "an array of strings"),
    "makeEnvVarsSensitive": (lambda v: isinstance(v, bool), "a boolean"),
}


def read_create_body(content_type: str | None, body: bytes) -> Json:
    """The body of a create request, every member known and of its type."""
    return _read_body(content_type, body, BODY, REQUIRED)


def read_connect_body(content_type: str | None, body: bytes) -> Json:
    """The body of a request that connects a store to a project."""
    return _read_body(content_type, body, CONNECTION, ("projectId",))


def _read_body(content_type: str | None, body: bytes, members: Members, required: Sequence[str]) -> Json:
    if (content_type or "").partition(";")[0].strip().lower() != "application/json":
        raise bad_request("Invalid request: the body should be application/json")
    value = read_json(body, "the body")
    if not isinstance(value, dict):
        raise bad_request("Invalid request: the body should be an object")
    for name in required:
        if name not in value:
            raise bad_request(f"Invalid request: missing required property `{name}`")
    for name, member in value.items():
        _check_member(name, member, members)
    return value


def _check_member(name: str, member: Any, members: Members) -> None:
    if name not in members:
        raise bad_request(f"Invalid request: should NOT have additional property `{name}`")
    holds, wanted = members[name]
    if not holds(member):
        raise bad_request(f"Invalid request: `{name}` should be {wanted}")
