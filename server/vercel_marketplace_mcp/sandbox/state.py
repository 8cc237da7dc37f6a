"""What changes while the sandbox runs: the stores, how far each has come, and the prices.

Knows no HTTP and decides nothing about a request.
"""

from dataclasses import dataclass
from hashlib import sha256

from .catalog import Catalog, Integration, Json, Offer
from .pricing import changed, holds, plans_for

LOOKS_UNTIL_AVAILABLE = 2


@dataclass(kw_only=True, slots=True)
class Change:
    """A price that changes once its product's plans were answered `after` more times."""

    offer: Offer
    plan_id: str
    members: Json
    after: int


class Market:
    """The marketplace of one team."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self.stores: list[Json] = []
        self._looks: dict[str, int] = {}
        self._changes: list[Change] = []

    def change_plan(self, product_slug: str, plan_id: str, after: int, members: Json) -> None:
        """Let a plan change, now or after some more answers."""
        offer = self.catalog.offer(product_slug)
        if offer is None or plan_id not in [plan["id"] for plan in offer.plans]:
            raise LookupError(f"The catalog has no plan {plan_id!r} of {product_slug!r}")
        self._changes.append(Change(offer=offer, plan_id=plan_id, members=members, after=after))

    def plans(self, offer: Offer, metadata: Json) -> list[Json]:
        """The plans as they stand now, for this metadata."""
        plans = plans_for(offer, metadata)
        for change in self._changes:
            if change.offer is offer and change.after <= 0:
                plans = [changed(plan, change.members) if plan.get("id") == change.plan_id else plan for plan in plans]
        return plans

    def answer_plans(self, offer: Offer, metadata: Json) -> list[Json]:
        """The plans as they stand now; counts towards the changes that wait for it."""
        plans = self.plans(offer, metadata)
        for change in self._changes:
            change.after -= change.offer is offer
        return plans

    def is_taken(self, configuration_id: str, name: str) -> bool:
        """Whether the configuration has a store of this name."""
        taken = [(store["product"]["integrationConfigurationId"], store["name"]) for store in self.stores]
        return (configuration_id, name) in taken

    def add_store(self, integration: Integration, offer: Offer, members: Json) -> Json:
        """Keep a new store; ids follow from how many there are."""
        digest = sha256(f"store {len(self.stores) + 1}".encode()).hexdigest()
        prefix = "store" if offer.is_storage() else "ir"
        store = {
            "id": f"{prefix}_{digest[:16]}",
            "type": "integration",
            "status": "initializing",
            "externalResourceId": f"{integration.slug}-{digest[16:24]}",
            "ownership": "owned",
            "projectsMetadata": [],
            "totalConnectedProjects": 0,
            "usageQuotaExceeded": False,
            "secrets": offer.secrets,
            **members,
        }
        self.stores.append(store)
        return store

    def look_at(self, store_id: str) -> Json | None:
        """One store, asked of its partner: looking is what moves it on."""
        store = next((store for store in self.stores if store["id"] == store_id), None)
        if store is None:
            return next((store for store in self.catalog.other_stores if store["id"] == store_id), None)
        self._looks[store_id] = self._looks.get(store_id, 0) + 1
        if self._looks[store_id] == LOOKS_UNTIL_AVAILABLE:
            store["status"] = "available"
            self._upgrade(store)
        return store

    def _upgrade(self, store: Json) -> None:
        offer = self.catalog.offer(store["product"]["slug"])
        if offer is None or offer.upgrade is None:
            return
        rule, metadata = offer.upgrade, store["metadata"]
        if store["billingPlan"].get("id") == rule["plan"] and holds(rule["metadata"], metadata):
            store["billingPlan"] = next(plan for plan in self.plans(offer, metadata) if plan.get("id") == rule["to"])
