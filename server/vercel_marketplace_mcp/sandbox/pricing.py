"""What a product's plans say for a given metadata: the same plan may cost more in more regions or a higher tier.

Pure: reads the offer, changes nothing.
"""

from collections.abc import Mapping
from typing import Any

from .catalog import Json, Offer
from .metadata import with_defaults


def plans_for(offer: Offer, metadata: Json) -> list[Json]:
    """The plans as this metadata makes them."""
    chosen = with_defaults(offer.product["metadataSchema"], metadata)
    plans = offer.plans
    for variation in offer.variations:
        if members := _members(variation, chosen):
            plans = [changed(plan, members) if plan["id"] == variation["plan"] else plan for plan in plans]
    return plans


def changed(plan: Json, members: Mapping[str, Any]) -> Json:
    """The plan with other members; None removes one."""
    return {name: value for name, value in {**plan, **members}.items() if value is not None}


def holds(condition: Json, metadata: Json) -> bool:
    """Whether the metadata has every value that the condition names."""
    return all(metadata.get(key) == value for key, value in condition.items())


def _members(variation: Json, metadata: Json) -> Json:
    if "each_of" in variation:
        chosen = metadata.get(variation["each_of"])
        count = len(chosen) if isinstance(chosen, list) else 0
        return {name: text.format(count=count) for name, text in variation["members"].items()} if count else {}
    return dict(variation["members"]) if holds(variation["metadata"], metadata) else {}
