"""What each tool takes, as strict models: they add to the published schemas what a schema can't say."""

import json
import re
import unicodedata
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from vercel_marketplace_mcp import strict_json
from vercel_marketplace_mcp.settings import TEAM_ID_PATTERN, TEAM_SLUG_PATTERN
from vercel_marketplace_mcp.text import clean, is_plain

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
        raise ValueError("must not be empty")
    if not is_plain(value):
        raise ValueError("must hold visible characters only, in composed form (Unicode NFC)")
    return value


def _name(value: str) -> str:
    """Refuse two names that a person would read as one."""
    if value != " ".join(value.split()):
        raise ValueError("must hold single spaces only, and none at its beginning or end")
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
    if inexact := strict_json.inexact(document.value):
        raise ValueError(f"can't be used: {clean(inexact[0], 80) or 'it'} {inexact[1]}")
    _metadata(document.value)
    return value


def _environment(value: str) -> str:
    """Refuse what Vercel might read as production though it is spelt otherwise: nobody would be asked."""
    read = unicodedata.normalize("NFKC", value).strip().casefold()
    if value != "production" and read in {"production", "prod"}:
        raise ValueError("must name production exactly so: production")
    return _visible(_bounded(value))


def _distinct(values: list[str]) -> list[str]:
    if not values or len(set(values)) != len(values):
        raise ValueError("must name each environment once; leave it out to mean all")
    return values


_ConfigurationId = Annotated[str, _matching(_CONFIGURATION_ID, "icfg_cuwj0AdCdH3BwWT4LPijCC7t")]
_IdOrSlug = Annotated[str, _matching(_PATH_PART, "an id or slug of letters, digits, dashes and underscores")]
_PathPart = Annotated[
    str, _matching(_PATH_PART, "an id as Vercel answers it, of letters, digits, dashes and underscores")
]
_Environment = Annotated[str, AfterValidator(_environment)]
_Name = Annotated[str, AfterValidator(_visible), AfterValidator(_name)]
_Id = Annotated[str, AfterValidator(_bounded), AfterValidator(_visible)]
_Metadata = Annotated[
    dict[str, str | int | float | bool | list[str] | list[int | float]],
    AfterValidator(_metadata),
]


class Arguments(BaseModel):
    """What every tool takes. The schema has been checked before; a model adds what a schema can't say."""

    model_config = ConfigDict(
        alias_generator=to_camel, strict=True, extra="forbid", frozen=True, hide_input_in_errors=True
    )

    team_id: Annotated[str, _matching(TEAM_ID_PATTERN, "team_1a2b3c4d5e6f")] | None = None
    slug: Annotated[str, _matching(TEAM_SLUG_PATTERN, "my-team")] | None = None


class ListConfigurations(Arguments):
    """Arguments of list-configurations."""

    view: str = "account"
    installation_type: str | None = None
    integration_id_or_slug: _IdOrSlug | None = None


class ListProducts(Arguments):
    """Arguments of list-products."""

    id: _ConfigurationId


class ListPlans(Arguments):
    """Arguments of list-plans."""

    integration_id_or_slug: _IdOrSlug
    product_id_or_slug: _IdOrSlug
    integration_configuration_id: _ConfigurationId | None = None
    metadata: Annotated[str, AfterValidator(_metadata_text)] | None = None
    source: str | None = None


class CreateStore(Arguments):
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


class GetStore(Arguments):
    """Arguments of get-store."""

    id: _PathPart


class ConnectStore(Arguments):
    """Arguments of connect-store."""

    integration_configuration_id: _ConfigurationId
    resource_id: _PathPart
    project_id: _PathPart
    env_var_environments: Annotated[list[_Environment], AfterValidator(_distinct)] | None = None
    make_env_vars_sensitive: bool | None = None

    def body(self) -> dict[str, Any]:
        """Return the body of the connect request: what was given, as it was given."""
        beside = {"team_id", "slug", "integration_configuration_id", "resource_id"}
        return self.model_dump(by_alias=True, exclude_unset=True, exclude=beside)
