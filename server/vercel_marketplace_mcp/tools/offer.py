"""Finds out, afresh for every create request, what Vercel offers for it: the product, its metadata and its plans."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vercel_marketplace_mcp.inputs import CreateStore
from vercel_marketplace_mcp.purchase.metadata import Field, check, read_fields
from vercel_marketplace_mcp.purchase.plan import JudgedPlan, judge_plans
from vercel_marketplace_mcp.purchase.policy import (
    Facts,
    Limits,
    explain,
    the_product_is_not_on_the_operators_list,
)
from vercel_marketplace_mcp.results import StopError, invalid
from vercel_marketplace_mcp.settings import Team
from vercel_marketplace_mcp.text import clean, nearest
from vercel_marketplace_mcp.tools.context import Context, fetch_plans, fetch_products
from vercel_marketplace_mcp.vercel import errors
from vercel_marketplace_mcp.vercel.models import Product, ProductList
from vercel_marketplace_mcp.vercel.operations import GET_CONFIGURATIONS, Call

MAX_PLANS = 2_000
"""Plans that are judged for one purchase: no partner has as many, and to judge takes time from all other calls."""


@dataclass(frozen=True, kw_only=True, slots=True)
class OfferedProduct:
    """The product that a request names, as its configuration offers it.

    `name` is integration-slug/product-slug, as in the operator's list; `integration` is the integration's id.
    """

    integration: str
    name: str
    id: str
    metadata_schema: Any


@dataclass(frozen=True, kw_only=True, slots=True)
class Offer:
    """What one request would buy a store of; `fields` is None where the product's metadataSchema can't be read."""

    product: OfferedProduct
    fields: tuple[Field, ...] | None
    plans: tuple[JudgedPlan, ...]


async def fetch_product(arguments: CreateStore, context: Context, team: Team) -> OfferedProduct:
    """Return the product that this request names.

    Raises:
        StopError: the configuration or the product does not exist. VercelError: the products can't be read.
    """
    found, product = await _find_product(arguments, context, team)
    integration = found.integration.id or found.integration.slug
    if integration is None:
        raise errors.unreadable("it does not say which integration the products belong to")
    return OfferedProduct(
        integration=integration,
        name=f"{found.integration.slug}/{product.slug}",
        id=product.id,
        metadata_schema=product.metadata_schema,
    )


async def fetch_offer(product: OfferedProduct, arguments: CreateStore, context: Context, team: Team) -> Offer:
    """Return what Vercel offers for exactly this request.

    Raises:
        StopError: its metadata can't be taken, or the operator does not allow the product.
        VercelError: the plans can't be read.
    """
    _refuse_unlisted_product(context.settings.allowed_products, product.name)
    fields = read_fields(product.metadata_schema) if product.metadata_schema else ()
    metadata = arguments.metadata or {}
    if product.metadata_schema and fields is not None:
        _check_metadata(metadata, fields)
    plans = await fetch_plans(
        context.client.read,
        team,
        integration=product.integration,
        product=product.id,
        integrationConfigurationId=arguments.integration_configuration_id,
        metadata=json.dumps(metadata, ensure_ascii=False, separators=(",", ":")) if metadata else None,
    )
    if len(plans) > MAX_PLANS:
        raise errors.unreadable(f"it lists more than {MAX_PLANS} plans")
    return Offer(product=product, fields=fields, plans=judge_plans(plans, context.now()))


async def _find_product(arguments: CreateStore, context: Context, team: Team) -> tuple[ProductList, Product]:
    """Fetch the configuration's products and return the one that the arguments name.

    Raises:
        StopError: the configuration or the product does not exist. VercelError: the products can't be read.
    """
    try:
        found = await fetch_products(context.client.read, team, arguments.integration_configuration_id)
    except errors.RefusedError as error:
        if error.code != "not_found":
            raise
        raise await _unknown_configuration(arguments.integration_configuration_id, context, team) from None
    wanted = arguments.integration_product_id_or_slug
    fitting = found.called(wanted)
    if len(fitting) == 1:
        return found, fitting[0]
    if fitting:
        message = "Vercel lists more than one product for this, so nobody can tell which would be created."
        steps = ["Pass the product's id instead of its slug."]
        raise StopError("refused", "the_product_stands_more_than_once", message, next_steps=steps)
    offered = [product.slug or product.id for product in found.products]
    raise invalid(
        "integrationProductIdOrSlug",
        "This configuration has no such product.",
        [clean(name) for name in nearest(wanted, offered)],
    )


async def _unknown_configuration(wanted: str, context: Context, team: Team) -> StopError:
    """Return the error for a configuration that Vercel does not know, with those it does, if they can be had."""
    message = "Vercel knows no such configuration in this team, or it is not installed any more."
    try:
        answer = await context.client.read(Call(operation=GET_CONFIGURATIONS, team=team, query={"view": "account"}))
    except errors.VercelError:
        answer = []
    known = [entry["id"] for entry in answer if isinstance(entry, dict) and isinstance(entry.get("id"), str)]
    choices = [clean(name) for name in nearest(wanted, known)]
    return invalid("integrationConfigurationId", message, choices, ["Call list-configurations for the valid ids."])


def _refuse_unlisted_product(allowed: frozenset[str] | None, name: str) -> None:
    """Stop early for a product that the operator has not listed: nothing more needs to be read for it."""
    facts = Facts(limits=Limits(allowed_products=allowed), product=name)
    if the_product_is_not_on_the_operators_list(facts):
        rule = the_product_is_not_on_the_operators_list.__name__
        steps = ["Choose an allowed product, or ask the operator."]
        raise StopError("refused", rule, explain(rule), choices=sorted(allowed or ()), next_steps=steps)


def _check_metadata(metadata: Mapping[str, Any], fields: tuple[Field, ...]) -> None:
    for problem in check(metadata, fields):
        name = f"metadata.{clean(problem.key)}"
        value = metadata.get(problem.key, problem.key)
        wanted = str(value) if problem.key in {field.key for field in fields} else problem.key
        choices = [clean(choice) for choice in nearest(wanted, problem.choices, 10)]
        raise invalid(name, f"{name}: {problem.message}.", choices)
