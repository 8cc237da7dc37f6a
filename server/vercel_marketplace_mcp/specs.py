"""The tool definitions of tool_specs/, exactly as tools/list sends them. It holds no handler and asks nobody."""

import json
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator

SCHEME = "vercel-marketplace"
"""Begins the addresses of this server's resources."""
TOOL_NAMES = ("list-configurations", "list-products", "list-plans", "create-store", "get-store", "connect-store")


@dataclass(frozen=True)
class ToolSpec:
    """One tool's definition; `definition` is the JSON value of its file."""

    definition: dict[str, Any]

    @property
    def name(self) -> str:
        """The tool's name on the wire."""
        return str(self.definition["name"])

    @property
    def argument_names(self) -> tuple[str, ...]:
        """The arguments the tool takes, in the order of its file."""
        return tuple(self.definition["inputSchema"]["properties"])

    @cached_property
    def validator(self) -> "Draft202012Validator":
        """The compiled check of the tool's arguments (jsonschema is imported on first use: it costs 45 ms)."""
        from jsonschema import Draft202012Validator

        return Draft202012Validator(self.definition["inputSchema"])


def folder() -> Path:
    """Return the folder of the tool definitions: inside the installed package, or the checkout's.

    Raises:
        FileNotFoundError: the installation holds neither.
    """
    package = Path(__file__).parent
    for candidate in (package / "tool_specs", package.parents[1] / "tool_specs"):
        if (candidate / f"{TOOL_NAMES[0]}.json").is_file():
            return candidate
    raise FileNotFoundError("the tool definitions (tool_specs/) are missing from this installation; reinstall it")


@cache
def load() -> dict[str, ToolSpec]:
    """Return the definitions by tool name, in the order in which they are listed."""
    files = {name: folder() / f"{name}.json" for name in TOOL_NAMES}
    return {name: ToolSpec(json.loads(path.read_text(encoding="utf-8"))) for name, path in files.items()}
