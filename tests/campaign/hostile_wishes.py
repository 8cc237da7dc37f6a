"""Arguments without a fault of their own: what may be bought of the sandbox's catalog, listed and connected."""

from dataclasses import dataclass
from random import Random
from typing import Any

from vercel_marketplace_mcp.sandbox import SANDBOX_TEAM_ID, catalog

from . import hostile_texts as texts
from .hostile_call import OWNER, STORE
from .hostile_witness import Json

METADATA: dict[str, tuple[Json, ...]] = {
    "brindle-postgres": ({"region": "iad1"}, {"region": "fra1", "version": "16"}, {"region": "iad1"}),
    "marrow-kv": ({"primaryRegion": "iad1"}, {"primaryRegion": "fra1", "autoUpgrade": True}, {"readRegions": ["fra1"]}),
    "fernhold-documents": ({"tier": "shared", "region": "iad1"}, {"tier": "m10", "region": "iad1"}),
    "fernhold-search": ({}, {"size": "large"}, {"size": "small"}, {"synonyms": True}),
    "quarry-postgres": ({}, {"environment": "production"}, {"tags": ["a"]}),
    "fernhold-workbench": ({"label": "bench", "replicas": 1, "region": "iad1", "mirrorRegions": ["fra1"]},),
}
NAMES = ("orders", "cache", "\u5e97\u8217", "my store", "caf\u00e9")
MORE: tuple[Json, ...] = (
    {"teamId": SANDBOX_TEAM_ID},
    {"paymentMethodId": "pm_1AbcDefGhiJklMno"},
    {"protocolSettings": {"storage": {"autoScale": 3}}},
    {"externalId": "order 7", "source": "cli"},
)
"""What a purchase may say beside; some of it costs."""
PROJECTS = ("prj_sandboxStorefront",) * 5 + ("prj_sandboxBackoffice",) * 3 + ("prj_unknown", "../prj_1", "")
ENVIRONMENTS: tuple[list[Any], ...] = (
    *((["preview"], ["development", "preview"], ["production"], ["staging"], ["preview", "production"]) * 5),
    *(
        [],
        ["Production"],
        ["production\u200b"],
        [" production"],
        ["\uff50roduction"],
        ["pr\u043eduction"],
        ["preview"] * 2,
    ),
    *([texts.ORDERS[0]], ["x" * 300], [f"env-{number}" for number in range(300)], [None], ["\x1b[2J"], ["production "]),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Item:
    """Something that can be bought: a product of a configuration, its plans, and metadata that it takes."""

    configuration: str
    integration: str
    slug: str
    id: str
    plans: tuple[str, ...]
    prepaid: frozenset[str]
    metadata: tuple[Json, ...]


def _shelf() -> list[Item]:
    found = catalog.load()
    return [
        Item(
            configuration=configuration["id"],
            integration=configuration["slug"],
            slug=offer.product["slug"],
            id=offer.product["id"],
            plans=tuple(plan["id"] for plan in offer.plans),
            prepaid=frozenset(plan["id"] for plan in offer.plans if plan["type"] == "prepayment"),
            metadata=METADATA.get(offer.product["slug"], ({},)),
        )
        for configuration in found.configurations
        for integration in found.integrations
        if integration.id == configuration["integrationId"]
        for offer in integration.offers
    ]


SHELF = _shelf()
"""All that the sandbox's catalog offers, one entry for each product of each configuration."""
USUAL = [item for item in SHELF if item.integration in ("brindle", "marrow", "quarry", "fernhold", "tollgate")]
"""What can be bought without further ado."""


def sound(chance: Random, tool: str, focus: list[Item]) -> Json:
    """Arguments that the tool takes, most often about the products in focus."""
    item = chance.choice([*focus, *SHELF])
    match tool:
        case "create-store":
            return purchase(chance, focus)
        case "connect-store":
            return _connection(chance)
        case "get-store":
            return {"id": STORE}
        case "list-products":
            return {"id": item.configuration}
        case "list-plans":
            return {"integrationIdOrSlug": item.integration, "productIdOrSlug": item.id}
    return {"view": "account"}


def purchase(chance: Random, focus: list[Item]) -> Json:
    """What create-store takes."""
    item = chance.choice([*focus * 4, *SHELF])
    made: Json = {
        "name": chance.choice((*NAMES, f"store-{chance.randrange(1000)}")),
        "integrationConfigurationId": item.configuration,
        "integrationProductIdOrSlug": chance.choice((item.slug, item.slug, item.id)),
    }
    if metadata := chance.choice(item.metadata):
        made["metadata"] = dict(metadata)
    if item.plans and chance.random() < 0.9:
        made["billingPlanId"] = chance.choice(item.plans)
    if made.get("billingPlanId") in item.prepaid and chance.random() < 0.8:
        made["prepaymentAmountCents"] = chance.choice((1000, 2500, 5000, 6001))
    for chosen in MORE:
        if chance.random() < 0.05:
            made |= chosen
    return made


def _connection(chance: Random) -> Json:
    made: Json = {"integrationConfigurationId": OWNER, "resourceId": STORE, "projectId": chance.choice(PROJECTS)}
    if chance.random() < 0.7:
        made["envVarEnvironments"] = chance.choice(ENVIRONMENTS)
    if chance.random() < 0.2:
        made["makeEnvVarsSensitive"] = chance.random() < 0.5
    return made


def slug_of(id_or_slug: object) -> str | None:
    """The slug of the product with this id or slug."""
    return next((item.slug for item in SHELF if id_or_slug in (item.id, item.slug)), None)
