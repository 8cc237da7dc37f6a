"""list-products: what an installed integration offers, and the metadata that each product takes."""

from collections.abc import Mapping
from typing import Any

from vercel_marketplace_mcp.inputs import ListProducts
from vercel_marketplace_mcp.purchase.metadata import Field, limits, read_fields
from vercel_marketplace_mcp.results import Answer, Listing, listing
from vercel_marketplace_mcp.text import clean
from vercel_marketplace_mcp.tools.context import NO_TEAM, Context, fetch_products
from vercel_marketplace_mcp.vercel.models import Product

_MAX_FIELDS = 50
_MAX_OPTIONS = 100


async def handle(arguments: ListProducts, context: Context) -> Answer:
    """Answer the products of a configuration, storage first-class: `storage` says whether create-store can make it."""
    team = context.team(arguments.team_id, arguments.slug)
    found = await fetch_products(context.client, team, arguments.id)
    items = [_show(product) for product in found.products]
    integration = {
        name: clean(text)
        for name, text in found.integration.model_dump(include={"id", "slug", "name"}).items()
        if text is not None
    }
    steps = [] if team else [NO_TEAM]
    if any(item["storage"] for item in items):
        steps.append(
            "Choose a storage product and its metadata, then call list-plans with "
            "integrationIdOrSlug (the integration's id), productIdOrSlug, integrationConfigurationId and that metadata "
            "as JSON text."
        )
    else:
        steps.append("This integration has no storage product. Try another configuration of list-configurations.")
    lines = [_line(item) for item in items]
    more = {"integration": integration}
    return listing(Listing(member="products", items=items, lines=lines, next_steps=steps, more=more))


def _show(product: Product) -> dict[str, Any]:
    item: dict[str, Any] = {"id": clean(product.id)}
    item |= {name: clean(text) for name, text in (("slug", product.slug), ("name", product.name)) if text is not None}
    item["storage"] = product.is_storage
    item["protocols"] = [clean(name) for name in product.enabled_protocols[:20]]
    fields = read_fields(product.metadata_schema) or ()
    item["metadata"] = [_show_field(field) for field in fields[:_MAX_FIELDS]]
    return item


def _show_field(field: Field) -> dict[str, Any]:
    shown: dict[str, Any] = {"key": clean(field.key), "type": field.type, "required": field.required}
    label, description = field.rules.get("ui:label"), field.rules.get("description", field.rules.get("ui:description"))
    if isinstance(label, str):
        shown["label"] = clean(label)
    if isinstance(description, str) and description != label:
        shown["description"] = clean(description)
    default = field.rules.get("default")
    if isinstance(default, str | int | float | bool | list):
        shown["default"] = _clean_value(default)
    if options := [_show_option(option.value, option.label) for option in field.options if option.offered]:
        shown["options"] = options[:_MAX_OPTIONS]
    items = field.rules.get("items")
    phrases = [phrase for _, _, phrase in limits(field.rules)]
    phrases += [f"each {phrase}" for _, _, phrase in limits(items if isinstance(items, Mapping) else {})]
    if phrases:
        shown["limits"] = ", ".join(phrases)
    if field.paid_only:
        shown["paidOnly"] = True
    return shown


def _show_option(value: Any, label: str | None) -> dict[str, Any]:
    shown = {"value": _clean_value(value)}
    return shown if label is None or label == value else {**shown, "label": clean(label)}


def _clean_value(value: Any) -> Any:
    if isinstance(value, list):
        return [_clean_value(item) for item in value[:_MAX_OPTIONS] if isinstance(item, str | int | float | bool)]
    return clean(value) if isinstance(value, str) else value


def _line(item: Mapping[str, Any]) -> str:
    required = [field["key"] for field in item["metadata"] if field["required"]]
    kind = "storage" if item["storage"] else "not storage"
    return f"{item['id']}: {item.get('name', '?')} ({kind})" + (
        f", metadata required: {', '.join(required)}" if required else ""
    )
