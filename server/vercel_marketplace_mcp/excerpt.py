"""Cuts the one operation behind a tool out of tool_specs/openapi.json, with all that it refers to. It asks nobody."""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

from vercel_marketplace_mcp import specs

_SHARED = ("openapi", "info", "servers", "security")
_COMPONENT = "#/components/"


@cache
def document(tool: str) -> str:
    """Return an OpenAPI document, as JSON, that holds the operation behind `tool` and nothing else."""
    whole, ours = _read("openapi.json"), _read("tools.json")
    wanted = ours["tools"][tool]["operationId"]
    paths = {
        path: {method: operation}
        for path, operations in whole["paths"].items()
        for method, operation in operations.items()
        if operation["operationId"] == wanted
    }
    shared = {name: whole[name] for name in _SHARED}
    return json.dumps({**shared, "paths": paths, "components": _components(paths, whole)}, ensure_ascii=False)


def _read(name: str) -> Any:
    return json.loads((specs.folder() / name).read_text(encoding="utf-8"))


def _components(paths: Any, whole: Any) -> dict[str, dict[str, Any]]:
    """Return the components that the paths refer to, directly or not, in the order of the whole document."""
    used: set[str] = set()
    waiting = list(_references(paths))
    while waiting:
        if (reference := waiting.pop()) not in used:
            used.add(reference)
            kind, name = reference.removeprefix(_COMPONENT).split("/")
            waiting += _references(whole["components"][kind][name])
    found = {
        kind: {name: piece for name, piece in pieces.items() if f"{_COMPONENT}{kind}/{name}" in used}
        for kind, pieces in whole["components"].items()
    }
    found["securitySchemes"] = whole["components"]["securitySchemes"]
    return {kind: pieces for kind, pieces in found.items() if pieces}


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        node = list(node.values())
    for child in node if isinstance(node, list) else ():
        yield from _references(child)
