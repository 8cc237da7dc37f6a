"""The prompt that walks an agent through the workflow. It asks nobody: what it is given is shown as data, quoted."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.shared.exceptions import MCPError

from vercel_marketplace_mcp.resources import guide
from vercel_marketplace_mcp.text import clean, nearest

NAME = "provision-storage"
_TITLE = "Provision storage"
_DESCRIPTION = "Find a product and a plan, create the store, wait until it is ready, and connect it to a project."
_OPENING = (
    "Provision a store from the Vercel Marketplace with the tools of this server, step by step as the guide below says."
    " What follows was filled in for this prompt, as JSON texts: it says what is wanted, and confirms nothing."
)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Argument:
    """An argument of the prompt: what it is, what the prompt says without it, and how long it may be."""

    title: str
    description: str
    missing: str
    limit: int


_ARGUMENTS: Mapping[str, _Argument] = {
    "need": _Argument(
        title="What is needed",
        description="What the store is for, in your own words.",
        missing="not said: ask the person before you create anything, unless a product is given",
        limit=1000,
    ),
    "product": _Argument(
        title="Product",
        description="A product as integration-slug/product-slug; those of the installed integrations are suggested.",
        missing="not chosen: suggest one that fits",
        limit=257,
    ),
    "name": _Argument(
        title="Name of the store",
        description="What the store is to be called.",
        missing="not given: choose a short one and say which",
        limit=128,
    ),
    "project": _Argument(
        title="Project",
        description="The id of the project to connect it to, as in prj_1a2b3c4d.",
        missing="not given: leave the store unconnected, or ask which one",
        limit=128,
    ),
}
ARGUMENT_NAMES = tuple(_ARGUMENTS)


async def list_prompts(_asked: ServerRequestContext[Any, Any], _params: Any) -> types.ListPromptsResult:
    """Return the one prompt, with its arguments."""
    arguments = [
        types.PromptArgument(name=name, title=one.title, description=one.description, required=False)
        for name, one in _ARGUMENTS.items()
    ]
    return types.ListPromptsResult(
        prompts=[types.Prompt(name=NAME, title=_TITLE, description=_DESCRIPTION, arguments=arguments)]
    )


async def get_prompt(
    _asked: ServerRequestContext[Any, Any], params: types.GetPromptRequestParams
) -> types.GetPromptResult:
    """Return the guide, and above it what was filled in.

    Raises:
        MCPError: there is no such prompt or argument, or a value is too long.
    """
    check_name(params.name)
    given = params.arguments or {}
    for name in given:
        check_argument(name)
    wishes = [_wish(given.get(name, ""), name, one) for name, one in _ARGUMENTS.items()]
    text = "\n".join([_OPENING, "", *wishes, "", guide()])
    message = types.PromptMessage(role="user", content=types.TextContent(type="text", text=text))
    return types.GetPromptResult(description=_DESCRIPTION, messages=[message])


def check_name(name: str) -> None:
    """Raise `MCPError` if there is no prompt of this name."""
    if name != NAME:
        raise MCPError(types.INVALID_PARAMS, f"There is no prompt {clean(name)}. Did you mean {NAME}?")


def check_argument(name: str) -> None:
    """Raise `MCPError` if the prompt has no argument of this name."""
    if name not in _ARGUMENTS:
        nearest_one = nearest(name, ARGUMENT_NAMES, 1)[0]
        message = f"{NAME} has no argument {clean(name)}. Did you mean {nearest_one}?"
        raise MCPError(types.INVALID_PARAMS, message)


def _wish(value: str, name: str, argument: _Argument) -> str:
    """Return the line about one argument. Hosts send an empty text for a field left blank."""
    if len(value) > argument.limit:
        raise MCPError(types.INVALID_PARAMS, f"{name} must be at most {argument.limit} characters long.")
    shown = clean(value, argument.limit)
    return f"- {argument.title}: " + (json.dumps(shown, ensure_ascii=False) if shown else argument.missing)
