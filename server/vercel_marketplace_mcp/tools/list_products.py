"""list-products: what an installed integration offers, and the metadata that each product takes."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from vercel_marketplace_mcp.inputs import ListProducts
from vercel_marketplace_mcp.purchase.metadata import Field, Option, limits, read_fields
from vercel_marketplace_mcp.results import MAX_ITEMS, Answer, Listing, listing
from vercel_marketplace_mcp.text import clean, named, repeats
from vercel_marketplace_mcp.tools import regions
from vercel_marketplace_mcp.tools.context import NO_TEAM, Context, fetch_products
from vercel_marketplace_mcp.vercel.models import Integration, Product

_MAX_FIELDS = 50
_MAX_OPTIONS = 100
_WORD = re.compile(r"[\w$€£]+")
_PLAIN = frozenset({"string", "number", "boolean"})
"""Types that the options of a field show."""


async def handle(arguments: ListProducts, context: Context) -> Answer:
    """Answer the products of a configuration, storage first-class: `storage` says whether create-store can make it."""
    team = context.team(arguments.team_id, arguments.slug)
    found = await fetch_products(context.client.read_recent, team, arguments.id)
    shown = found.products[:MAX_ITEMS]
    fields = [read_fields(product.metadata_schema) or () for product in shown]
    items = list(map(_show, shown, fields))
    integration = _texts(found.integration)
    if "slug" in integration:
        integration.pop("id", None)  # the slug names it as well
    steps = [] if team else [NO_TEAM]
    if any(map(_is_cut, fields)):
        steps.append(f"Of a product's fields the first {_MAX_FIELDS} are listed, of a field's options {_MAX_OPTIONS}.")
    if any(product.is_storage for product in found.products):
        steps.append(
            "Choose storage and its metadata; call list-plans with both slugs, this id as integrationConfigurationId, "
            "and metadata as JSON text."
        )
    else:
        steps.append("This integration has no storage product. Try another configuration of list-configurations.")
    return listing(
        Listing(
            member="products",
            count=len(found.products),
            items=items,
            lines=[_line(item) for item in items],
            next_steps=steps,
            more={"integration": integration},
            head=[_integration_line(integration)],
        )
    )


def _texts(one: Integration | Product) -> dict[str, str]:
    """Return the id, the slug and, if it tells more than the slug, the name."""
    name = None if one.name is not None and repeats(one.name, one.slug or "") else one.name
    shown = {"id": one.id, "slug": one.slug, "name": name}
    return {member: clean(text) for member, text in shown.items() if text is not None}


def _show(product: Product, fields: Sequence[Field]) -> dict[str, Any]:
    item: dict[str, Any] = {**_texts(product), "storage": product.is_storage}
    protocols = [clean(name) for name in product.enabled_protocols[:20]]
    if protocols and protocols != ["storage"]:
        item["protocols"] = protocols
    item["metadata"] = [_show_field(field) for field in fields[:_MAX_FIELDS]]
    return item


def _is_cut(fields: Sequence[Field]) -> bool:
    """Say whether there are more fields, or options of one of them, than are shown."""
    return len(fields) > _MAX_FIELDS or any(len(_offered(field)) > _MAX_OPTIONS for field in fields)


def _offered(field: Field) -> list[Option]:
    return [option for option in field.options if option.offered]


def _show_field(field: Field) -> dict[str, Any]:
    shown: dict[str, Any] = {"key": clean(field.key)}
    if field.required:
        shown["required"] = True
    label, description = field.rules.get("ui:label"), field.rules.get("description", field.rules.get("ui:description"))
    if isinstance(label, str) and not repeats(label, field.key):
        shown["label"] = clean(label)
    if isinstance(description, str) and description != label:
        shown["description"] = clean(description)
    default = field.rules.get("default")
    if isinstance(default, str | int | float | bool | list):
        shown["default"] = _clean_value(default)
    offered = _offered(field)[:_MAX_OPTIONS]
    if offered:
        shown["options"] = [_clean_value(option.value) for option in offered]
        shown |= _labels(field, offered)
    if not offered or field.type not in _PLAIN:
        shown["type"] = field.type
    items = field.rules.get("items")
    phrases = [phrase for _, _, phrase in limits(field.rules)]
    phrases += [f"each {phrase}" for _, _, phrase in limits(items if isinstance(items, Mapping) else {})]
    if phrases:
        shown["limits"] = ", ".join(phrases)
    if field.paid_only:
        shown["paidOnly"] = True
    return shown


def _labels(field: Field, offered: Sequence[Option]) -> dict[str, Any]:
    """Return the labels, by value, that tell more than the values and the field's own label."""
    known = f"{field.key} {field.rules.get('ui:label')}"
    told = {str(one.value): one.label for one in offered if one.label and not _is_known(one.label, one.value, known)}
    return {"labels": {clean(value): clean(label) for value, label in told.items()}} if told else {}


def _is_known(label: str, value: Any, known: str) -> bool:
    """Say whether a label is made of words that stand in the value or in what is known, as "Postgres 17" of 17 is."""
    words = set(_WORD.findall(label.casefold()))
    repeated = bool(words) and words <= set(_WORD.findall(f"{value} {known}".casefold()))
    return repeated or label == regions.LABELS.get(str(value))


def _clean_value(value: Any) -> Any:
    if isinstance(value, list):
        return [_clean_value(item) for item in value[:_MAX_OPTIONS] if isinstance(item, str | int | float | bool)]
    return clean(value) if isinstance(value, str) else value


def _integration_line(shown: Mapping[str, str]) -> str:
    return f"integration {shown.get('slug') or shown.get('id') or '?'}"


def _line(item: Mapping[str, Any]) -> str:
    kind = "storage" if item["storage"] else "not storage"
    head = f"{item['id']}: {item.get('name') or item.get('slug') or '?'} ({kind})"
    return "; ".join([head, *map(_tell_field, item["metadata"])])


def _tell_field(field: Mapping[str, Any]) -> str:
    """Return a field of the metadata in brief: its partner's words only where they are values to choose from."""
    told = [f"metadata.{_tell(field['key'])}{' (required)' if 'required' in field else ''}"]
    told += [field["type"]] if "type" in field else []
    told += ["|".join(map(_tell, field["options"]))] if "options" in field else []
    rules = [f"default {_tell(field['default'])}"] if "default" in field else []
    rules += [field["limits"]] if "limits" in field else []
    rules += ["paid only"] if "paidOnly" in field else []
    return f"{' '.join(told)}{''.join(f', {rule}' for rule in rules)}"


def _tell(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return named(text)
