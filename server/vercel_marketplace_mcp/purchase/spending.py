"""Finds what in a store's metadata and protocolSettings may make a free plan cost."""

import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

from vercel_marketplace_mcp.purchase.metadata import Field, identity
from vercel_marketplace_mcp.purchase.money import holds_amount
from vercel_marketplace_mcp.text import named

_HINTS = {"by itself": ("auto",), "spends": ("upgrad", "scal", "renew", "recharg", "topup", "purchas")}
_MAX_PATH = 200


def with_defaults(metadata: Mapping[str, Any], fields: tuple[Field, ...]) -> dict[str, Any]:
    """Return the metadata as Vercel will see it: the schema's defaults filled in."""
    return {**{field.key: field.rules["default"] for field in fields if field.has_default}, **metadata}


def why_metadata_may_charge(metadata: Mapping[str, Any], fields: tuple[Field, ...]) -> Iterator[str]:
    """Yield every reason why this metadata, with the schema's defaults filled in, may make a free plan cost."""
    effective = with_defaults(metadata, fields)
    yield from why_settings_may_charge(effective, "metadata")
    for field in fields:
        if field.paid_only and effective.get(field.key):
            path = f"metadata.{field.key}"
            yield f"{named(path)} is for paid plans only"
    if any(priced_options(metadata, fields)):
        yield "the metadata chooses an option that names a price"


def priced_options(metadata: Mapping[str, Any], fields: tuple[Field, ...]) -> Iterator[str]:
    """Yield what holds an amount of money in the words of the fields that are set, and of the options chosen."""
    effective = with_defaults(metadata, fields)
    for field in fields:
        value = effective.get(field.key)
        chosen = {identity(item) for item in (value if isinstance(value, list) else [value])}
        priced = [text for text in field.words if holds_amount(text)] if value else []
        priced += [
            ": ".join(option.words) or str(option.value)
            for option in field.options
            if identity(option.value) in chosen and any(map(holds_amount, (str(option.value), *option.words)))
        ]
        yield from (f"metadata.{field.key}: {text}" for text in priced)


def why_settings_may_charge(settings: Any, path: str) -> Iterator[str]:
    """Yield the members, at any depth, that let a partner spend by itself: auto-upgrade and the like."""
    stack: list[tuple[str, frozenset[str], Any]] = [(path, frozenset(), settings)]
    while stack:
        where, above, node = stack.pop()
        if isinstance(node, list):
            stack.extend((f"{where}[{index}]", above, child) for index, child in enumerate(node))
        elif isinstance(node, Mapping):
            for key, value in node.items():
                inside, hints = f"{where}.{key}"[:_MAX_PATH], above | _hints(str(key))
                if value and len(hints) == len(_HINTS):
                    yield f"{named(inside)} lets the partner raise the cost by itself"
                else:
                    stack.append((inside, hints, value))


def _hints(key: str) -> frozenset[str]:
    """Return which half of `autoUpgrade` a key names: one step of a path may, and the next the other half."""
    letters = _letters(unicodedata.normalize("NFKC", _letters(key)).casefold())
    return frozenset(name for name, words in _HINTS.items() if any(word in letters for word in words))


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text))
