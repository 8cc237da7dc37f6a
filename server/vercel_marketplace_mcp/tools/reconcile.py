"""Looks at the team's stores after an outcome that nobody knows. It only reads, and settles nothing that is ambiguous.

The list of stores is not in Vercel's document; Vercel's own client uses it. The operator may switch this off.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vercel_marketplace_mcp.settings import Team
from vercel_marketplace_mcp.tools.context import Context, fetch_store
from vercel_marketplace_mcp.vercel.errors import RefusedError, VercelError
from vercel_marketplace_mcp.vercel.operations import LIST_STORES, Call

logger = logging.getLogger(__name__)

_CLOCK_SLACK = 300_000
"""Milliseconds by which Vercel's clock may be behind ours."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """What tells the store of a purchase from all others; `since` is when it was asked for, in seconds."""

    configuration_id: str
    product_id: str
    name: str
    since: float


async def find_store(context: Context, team: Team, wanted: Wanted) -> Mapping[str, Any] | None:
    """Return the one store that a purchase must have made, as Vercel shows it by itself, or None.

    None also means that the stores can't be read, or that more than one fits.
    """
    fitting = [entry for entry in await _list_stores(context, team, wanted) or () if _fits(entry, wanted)]
    if len(fitting) != 1:
        return None
    try:
        return await fetch_store(context.client, team, fitting[0]["id"])
    except VercelError:
        return None


async def is_gone(context: Context, team: Team, wanted: Wanted, store_id: str) -> bool:
    """Say whether a store does not exist any more: it is not in the list, and Vercel says by itself that it is unknown.

    Anything unclear is no: to buy again what still exists would be worse than to repeat an old receipt.
    """
    listed = await _list_stores(context, team, wanted)
    if listed is None or any(entry.get("id") == store_id or _fits(entry, wanted) for entry in listed):
        return False
    try:
        await fetch_store(context.client, team, store_id)
    except RefusedError as error:
        return error.code in {"not_found", "gone"}
    except VercelError:
        return False
    return False


async def _list_stores(context: Context, team: Team, wanted: Wanted) -> list[Mapping[str, Any]] | None:
    """Return the team's stores, or None if the operator does not want them read, or they can't be."""
    if not context.settings.reconcile:
        return None
    query = {"integrationConfigurationId": wanted.configuration_id}
    try:
        answer = await context.client.read(Call(operation=LIST_STORES, team=team, query=query))
    except VercelError as error:
        logger.info("the team's stores could not be read: %s", error.code)
        return None
    stores = answer.get("stores") if isinstance(answer, Mapping) else None
    return [entry for entry in stores if isinstance(entry, Mapping)] if isinstance(stores, list) else None


def _fits(entry: Mapping[str, Any], wanted: Wanted) -> bool:
    """Say whether a listed store is the one that is looked for, as far as the list tells."""
    if not isinstance(entry.get("id"), str) or entry.get("name") != wanted.name:
        return False
    product = entry.get("product")
    product = product if isinstance(product, Mapping) else {}
    owner = product.get("integrationConfigurationId", entry.get("integrationConfigurationId"))
    if owner != wanted.configuration_id or product.get("id", wanted.product_id) != wanted.product_id:
        return False
    made = entry.get("createdAt")
    return made is None or (isinstance(made, int | float) and made >= wanted.since * 1000 - _CLOCK_SLACK)
