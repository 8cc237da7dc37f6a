"""The invented partners, their products and plans, read from the package's own data and found by id or slug.

No state, no network: what changes while the sandbox runs stands in state.py.
"""

import json
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any, TypeAlias

Json: TypeAlias = dict[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Offer:
    """A product as the API shows it, its plans, and what the API does not show about it."""

    product: Json
    plans: list[Json] = field(default_factory=list)
    variations: list[Json] = field(default_factory=list)
    upgrade: Json | None = None
    secrets: list[Json] = field(default_factory=list)

    def is_named(self, id_or_slug: str) -> bool:
        """Whether this is the product's id or its slug."""
        return id_or_slug in (self.product["id"], self.product["slug"])

    def protocols(self) -> list[str]:
        """The protocols that the product has switched on."""
        return [name for name, settings in self.product["protocols"].items() if settings["status"] == "enabled"]

    def is_storage(self) -> bool:
        """Whether it counts as storage, by a protocol or by what it is mainly for."""
        return "storage" in (*self.protocols(), self.product.get("primaryProtocol"))


@dataclass(frozen=True, kw_only=True, slots=True)
class Integration:
    """A partner's integration, what a configuration shows of it, and what it offers."""

    id: str
    slug: str
    shown: Json
    offers: list[Offer]

    def is_named(self, id_or_slug: str) -> bool:
        """Whether this is the integration's id or its slug."""
        return id_or_slug in (self.id, self.slug)

    def offer(self, id_or_slug: str) -> Offer | None:
        """The product with this id or slug."""
        return next((offer for offer in self.offers if offer.is_named(id_or_slug)), None)


@dataclass(frozen=True, kw_only=True, slots=True)
class Catalog:
    """Everything the sandbox knows before its first request."""

    integrations: list[Integration]
    configurations: list[Json]
    payment_methods: list[str]
    other_stores: list[Json]
    projects: list[Json]
    shown: dict[str, Json]
    """What pages show of every store and of its product: the members of the example in Vercel's documentation."""

    def integration(self, id_or_slug: str) -> Integration | None:
        """The integration with this id or slug."""
        return next((one for one in self.integrations if one.is_named(id_or_slug)), None)

    def configuration(self, configuration_id: str) -> Json | None:
        """The configuration with this id."""
        return next((one for one in self.configurations if one["id"] == configuration_id), None)

    def project(self, project_id: str) -> Json | None:
        """The project with this id."""
        return next((one for one in self.projects if one["id"] == project_id), None)

    def offer(self, slug: str) -> Offer | None:
        """The product with this slug, of whichever integration: the catalog's slugs are unique."""
        return next((offer for one in self.integrations if (offer := one.offer(slug))), None)


def load() -> Catalog:
    """A fresh copy of the catalog."""
    text = files(__package__).joinpath("catalog.json").read_text("utf-8")
    return _catalog(json.loads(text))


def _catalog(data: Json) -> Catalog:
    integrations = [_integration(entry) for entry in data.pop("integrations")]
    return Catalog(integrations=integrations, **data)


def _integration(entry: Json) -> Integration:
    return Integration(**{**entry, "offers": [Offer(**offer) for offer in entry["offers"]]})
