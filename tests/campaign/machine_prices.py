"""What the machine buys, and what that costs, read once more from the design's words. Imports nothing of ours."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

Json: TypeAlias = dict[str, Any]

BRINDLE, MARROW = "icfg_BrindleData000000000001", "icfg_MarrowCache000000000002"
QUARRY, FERNHOLD = "icfg_cuwj0AdCdH3BwWT4LPijCC7t", "icfg_FernholdDocs00000000004"
LANTERN = "icfg_LanternWatch00000000007"
PRODUCTS = {
    "brindle-postgres": "iap_brindle_postgres",
    "marrow-queue": "iap_marrow_queue",
    "quarry-tokens": "iap_quarry_tokens",
    "fernhold-legacy": "iap_fernhold_legacy",
    "lantern-logs": "iap_lantern_logs",
}
INTEGRATIONS = {BRINDLE: "brindle", MARROW: "marrow", QUARRY: "quarry", FERNHOLD: "fernhold", LANTERN: "lantern"}
SHOP: tuple[tuple[str, str, Json], ...] = (
    (BRINDLE, "brindle-postgres", {"billingPlanId": "pro", "metadata": {"region": "iad1"}}),
    (BRINDLE, "iap_brindle_postgres", {"billingPlanId": "pro", "metadata": {"region": "iad1"}}),
    (BRINDLE, "brindle-postgres", {"billingPlanId": "free"}),
    (BRINDLE, "brindle-postgres", {"billingPlanId": "scale"}),
    (BRINDLE, "brindle-postgres", {"billingPlanId": "prp"}),
    (MARROW, "marrow-queue", {"billingPlanId": "growth"}),
    (LANTERN, "lantern-logs", {"billingPlanId": "plus"}),
    (LANTERN, "lantern-logs", {"billingPlanId": "free"}),
    (LANTERN, "lantern-logs", {}),
    (QUARRY, "quarry-tokens", {"billingPlanId": "prepay10", "prepaymentAmountCents": 1500}),
    (FERNHOLD, "fernhold-legacy", {"billingPlanId": "pro"}),
)
"""Configuration, product and the rest of a request: priced in numbers, in words, not at all, free, and mistyped."""
COSTS = ("$20.00/month", "$31.00/month", "$9.00/month", "ask us", "Free")
FLAT = 100_00
"""Cents that a purchase counts, at least, when any part of its price is not a number."""


def request(article: tuple[str, str, Json], name: str, external_id: str | None) -> Json:
    """A call of create-store."""
    configuration, product, more = article
    given = {"name": name, "integrationConfigurationId": configuration, "integrationProductIdOrSlug": product, **more}
    return given if external_id is None else {**given, "externalId": external_id}


def resolved(given: Json) -> Json:
    """A request with its product's id, however the product was named."""
    named = given["integrationProductIdOrSlug"]
    return {**given, "integrationProductIdOrSlug": PRODUCTS.get(named, named)}


def key(given: Json) -> tuple[str, str, str]:
    """What stands for the store itself: configuration, product and name."""
    whole = resolved(given)
    return whole["integrationConfigurationId"], whole["integrationProductIdOrSlug"], whole["name"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Price:
    """What a person must type (None: a phrase), and what counts against the day, in cents; free counts nothing."""

    is_free: bool
    headline: str | None
    counts: int


FREE = Price(is_free=True, headline=None, counts=0)


def chosen(given: Json, plans: Sequence[Json]) -> Json:
    """The plan that a request names, or without one the dearest that the API might pick: it picks among these."""
    if "billingPlanId" in given:
        (named,) = [plan for plan in plans if plan["id"] == given["billingPlanId"]]
        return named
    return max((plan for plan in plans if not plan["paymentMethodRequired"]), key=lambda one: price({}, one).counts)


def price(given: Json, plan: Json) -> Price:
    """What a request costs on a plan of the shop."""
    cost = plan.get("cost") or "Free"
    number = re.fullmatch(r"\$(\d+)\.(\d\d)/month", cost)
    monthly = int(number[1] + number[2]) if number else 0
    now = int(plan.get("initialCharge", "0.00").replace(".", "")) + given.get("prepaymentAmountCents", 0)
    elsewhere = json.dumps({name: value for name, value in plan.items() if name != "cost"})
    is_vague = (number is None and cost not in ("Free", "$0.00/month")) or "$" in elsewhere
    if not (now or monthly or is_vague or plan["paymentMethodRequired"] or plan["type"] != "subscription"):
        return FREE
    headline = max(now, monthly)
    total = now + monthly
    counts = max(total, FLAT) if is_vague or not total else total
    return Price(is_free=False, headline=f"{headline / 100:.2f}" if headline else None, counts=counts)
