"""What this server reads of Vercel's answers. Unknown members and values never make an answer unreadable.

A member of an unexpected type counts as absent. Billing plans are not modelled: they are judged as received.
"""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel


def _dict_or_empty(value: Any) -> Any:
    return value if isinstance(value, dict) else {}


def _dicts(value: Any) -> Any:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


Text = Annotated[str | None, BeforeValidator(lambda value: value if isinstance(value, str) else None)]
Texts = Annotated[
    list[str],
    BeforeValidator(lambda value: [item for item in value if isinstance(item, str)] if isinstance(value, list) else []),
]
Present = Annotated[bool, BeforeValidator(lambda value: value is not None and value is not False)]
Members = Annotated[dict[str, Any], BeforeValidator(_dict_or_empty)]


def with_ids(value: Any) -> Any:
    """Return a list without the entries that hold no text as `id`; anything but a list stays as it is."""
    if not isinstance(value, list):
        return value
    return [entry for entry in value if isinstance(entry, dict) and isinstance(entry.get("id"), str)]


class _Answer(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, frozen=True, hide_input_in_errors=True)


class IntegrationName(_Answer):
    """The `integration` of a configuration: only its display name is of use."""

    name: Text = None


class Configuration(_Answer):
    """An installed integration. A missing `status` means ready, a missing `installation_type` means external."""

    id: str
    slug: Text = None
    integration_id: Text = None
    installation_type: Text = None
    status: Text = None
    disabled_at: Present = False
    disabled_reason: Text = None
    deleted_at: Present = False
    delete_requested_at: Present = False
    projects: Texts = Field(default_factory=list)
    integration: Annotated[IntegrationName, BeforeValidator(_dict_or_empty)] = Field(default_factory=IntegrationName)


class Integration(_Answer):
    """The integration that a products answer is about."""

    id: Text = None
    slug: Text = None
    name: Text = None


class Product(_Answer):
    """A product. `protocols` may hold endpoints and credentials: only their names and `status` leave this process."""

    id: str
    slug: Text = None
    name: Text = None
    protocols: Members = Field(default_factory=dict)
    primary_protocol: Text = None
    metadata_schema: Any = None

    @property
    def enabled_protocols(self) -> tuple[str, ...]:
        """The names of the protocols whose status is enabled, the primary one included."""
        enabled = [
            name
            for name, detail in self.protocols.items()
            if isinstance(detail, Mapping) and detail.get("status") == "enabled"
        ]
        return tuple(dict.fromkeys([*enabled, *([self.primary_protocol] if self.primary_protocol else [])]))

    @property
    def is_storage(self) -> bool:
        """Whether stores of it can be created."""
        return "storage" in self.enabled_protocols


class ProductList(_Answer):
    """The products of one configuration; an entry without an id can't be named, so it is left out."""

    integration: Annotated[Integration, BeforeValidator(_dict_or_empty)] = Field(default_factory=Integration)
    products: Annotated[list[Product], BeforeValidator(with_ids)]

    def called(self, id_or_slug: str) -> list[Product]:
        """Return the products with this id or slug; a slug may stand more than once."""
        return [product for product in self.products if id_or_slug in {product.id, product.slug}]


class Secret(_Answer):
    """A secret's name; Vercel answers no values here."""

    name: Text = None


class StoreProduct(_Answer):
    """The product that a store is of."""

    id: Text = None
    slug: Text = None
    name: Text = None
    integration_configuration_id: Text = None


class ConnectedProject(_Answer):
    """A project that a store is connected to, and the environments whose variables it has set."""

    project_id: Text = None
    name: Text = None
    environments: Texts = Field(default_factory=list)


class Store(_Answer):
    """A store. `billing_plan` is as received, or None if Vercel named none."""

    id: Text = None
    name: Text = None
    status: Text = None
    external_resource_id: Text = None
    product: Annotated[StoreProduct, BeforeValidator(_dict_or_empty)] = Field(default_factory=StoreProduct)
    projects_metadata: Annotated[list[ConnectedProject], BeforeValidator(_dicts)] = Field(default_factory=list)
    billing_plan: Any = None
    secrets: Annotated[list[Secret], BeforeValidator(_dicts)] = Field(default_factory=list)
