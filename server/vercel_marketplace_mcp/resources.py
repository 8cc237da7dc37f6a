"""What agents and people may read beside the tools: the guide, the rules, the purchases, Vercel's operations.

It asks Vercel nothing and changes nothing; no secret stands in what it shows.
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources as package_data
from typing import Any

import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from vercel_marketplace_mcp import excerpt, specs
from vercel_marketplace_mcp.ledger.records import Purchase
from vercel_marketplace_mcp.purchase.money import dollars
from vercel_marketplace_mcp.purchase.policy import ASKING_RULES, RULES, Rule, explain
from vercel_marketplace_mcp.results import moment
from vercel_marketplace_mcp.settings import Settings
from vercel_marketplace_mcp.text import clean
from vercel_marketplace_mcp.tools.context import Context

SCHEME = specs.SCHEME
TEMPLATE = f"{SCHEME}://openapi/{{tool}}"
_OPERATION = TEMPLATE.removesuffix("{tool}")
MAX_PURCHASES = 50
MAX_PRODUCTS = 100
"""Products of the operator's list that are shown."""
_HOUR = 3_600_000
_NOT_FOUND_BEFORE_2026 = -32002
"""What "no such resource" was called up to the protocol of 2025-11-25; since then it is an invalid parameter."""
_MARKDOWN, _JSON = "text/markdown", "application/json"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Resource:
    """A resource: how it is listed, how it is read, and for how many milliseconds a client may keep it."""

    title: str
    description: str
    mime_type: str
    priority: float
    kept: int
    read: Callable[[Context], Awaitable[str]]


@cache
def guide() -> str:
    """Return the guide through the workflow."""
    return package_data.files(__package__).joinpath("guides", "workflow.md").read_text(encoding="utf-8")


async def _guide(_context: Context) -> str:
    return guide()


async def _rules(context: Context) -> str:
    """Return the rules in the words of their docstrings, and what the operator has set."""
    chosen = context.settings
    ours = f"`{chosen.team}`. A call that names another one is refused"
    team = ours if chosen.team else "none is set, so nothing can be created"
    lines = ["# Purchase rules", "", f"Team: {team}.", "Nothing that may be billed is bought without a person's yes."]
    lines += ["", "## What the operator has set (amounts in dollars)", "", "| setting | value |", "|---|---|"]
    lines += [f"| `{name}` | {value} |" for name, value in _limits(chosen).items()]
    lines += ["", "## A purchase is refused if one of these is true", "", *map(_rule, RULES)]
    lines += ["", "## Nobody is asked if one of these is true", "", *map(_rule, ASKING_RULES), ""]
    return "\n".join(lines)


def _rule(rule: Rule) -> str:
    return f"- `{rule.__name__}`: {explain(rule.__name__)}"


def _limits(chosen: Settings) -> Mapping[str, str]:
    """Return the settings that the rules look at, as they would be written in the environment."""
    products = sorted(chosen.allowed_products or ())
    shown = ", ".join(products[:MAX_PRODUCTS])
    if len(products) > MAX_PRODUCTS:
        shown += f" and {len(products) - MAX_PRODUCTS} more"
    return {
        "VERCEL_MCP_PAID": "ask" if chosen.paid else "deny",
        "VERCEL_MCP_APPROVAL": chosen.approval,
        "VERCEL_MCP_MAX_PER_PURCHASE": dollars(chosen.max_per_purchase),
        "VERCEL_MCP_MAX_PER_DAY": dollars(chosen.max_per_day),
        "VERCEL_MCP_UNPRICED": "ask" if chosen.unpriced else "deny",
        "VERCEL_MCP_MAX_CREATES_PER_HOUR": str(chosen.max_creates_per_hour),
        "VERCEL_MCP_ALLOWED_PRODUCTS": shown or "all products",
    }


async def _purchases(context: Context) -> str:
    found = await context.ledger.purchases(MAX_PURCHASES + 1, principal=context.caller.principal)
    shown = [_show(purchase) for purchase in found[:MAX_PURCHASES]]
    return json.dumps({"purchases": shown, "truncated": len(found) > MAX_PURCHASES}, ensure_ascii=False, indent=2)


def _show(purchase: Purchase) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "id": purchase.id,
        "account": clean(purchase.account),
        "product": clean(purchase.product),
        "name": clean(purchase.name),
        "plan": clean(purchase.plan) if purchase.plan else None,
        "state": purchase.state,
        "counts_usd": dollars(purchase.counts),
        "created_at": moment(purchase.created_at),
        "finished_at": moment(purchase.finished_at) if purchase.finished_at else None,
        "settled_at": moment(purchase.settled_at) if purchase.settled_at else None,
    }
    store = (purchase.receipt or {}).get("store")
    if isinstance(store, Mapping):
        shown["store"] = {name: store[name] for name in ("id", "integrationConfigurationId") if name in store}
    return shown


_RESOURCES: Mapping[str, _Resource] = {
    f"{SCHEME}://guide": _Resource(
        title="How to provision a store",
        description="The steps from an installed integration to a connected store, and what each status asks of you.",
        mime_type=_MARKDOWN,
        priority=0.8,
        kept=_HOUR,
        read=_guide,
    ),
    f"{SCHEME}://rules": _Resource(
        title="Purchase rules",
        description="What this server refuses to buy, in the words of its rules, and the operator's limits.",
        mime_type=_MARKDOWN,
        priority=0.6,
        kept=0,
        read=_rules,
    ),
    f"{SCHEME}://purchases": _Resource(
        title="Purchases",
        description=f"What was bought, or tried, according to this server's ledger: the newest {MAX_PURCHASES}.",
        mime_type=_JSON,
        priority=0.5,
        kept=0,
        read=_purchases,
    ),
}


async def list_resources(_asked: ServerRequestContext[Any, Any], _params: Any) -> types.ListResourcesResult:
    """Return the resources that have an address of their own."""
    return types.ListResourcesResult(
        resources=[
            types.Resource(
                uri=uri,
                name=uri.removeprefix(f"{SCHEME}://"),
                title=one.title,
                description=one.description,
                mime_type=one.mime_type,
                annotations=types.Annotations(audience=["user", "assistant"], priority=one.priority),
            )
            for uri, one in _RESOURCES.items()
        ]
    )


async def list_templates(_asked: ServerRequestContext[Any, Any], _params: Any) -> types.ListResourceTemplatesResult:
    """Return the template of Vercel's operations."""
    template = types.ResourceTemplate(
        uri_template=TEMPLATE,
        name="openapi",
        title="Vercel's operation behind a tool",
        description=f"An OpenAPI document of the one operation that a tool calls: {', '.join(specs.TOOL_NAMES)}.",
        mime_type=_JSON,
        annotations=types.Annotations(audience=["assistant"], priority=0.2),
    )
    return types.ListResourceTemplatesResult(resource_templates=[template])


def check_template(template: str, argument: str) -> None:
    """Raise `MCPError` if there is no template like this, or it has no such part."""
    if template != TEMPLATE or argument != "tool":
        raise MCPError(types.INVALID_PARAMS, f"There is one template, {TEMPLATE}, and one part of it, tool.")


async def read(
    context: Context, asked: ServerRequestContext[Any, Any], params: types.ReadResourceRequestParams
) -> types.ReadResourceResult:
    """Return the text of a resource.

    Raises:
        MCPError: there is no such resource. LedgerError: the purchases can't be read.
    """
    if one := _RESOURCES.get(params.uri):
        return _result(params.uri, one.mime_type, await one.read(context), one.kept)
    tool = params.uri.removeprefix(_OPERATION)
    if tool != params.uri and tool in specs.TOOL_NAMES:
        return _result(params.uri, _JSON, excerpt.document(tool), _HOUR)
    is_modern = asked.protocol_version in MODERN_PROTOCOL_VERSIONS
    message = f"There is no resource {clean(params.uri)}. Valid: {', '.join([*_RESOURCES, TEMPLATE])}."
    code = types.INVALID_PARAMS if is_modern else _NOT_FOUND_BEFORE_2026
    raise MCPError(code, message, {"uri": clean(params.uri)})


def _result(uri: str, mime_type: str, text: str, kept: int) -> types.ReadResourceResult:
    content = types.TextResourceContents(uri=uri, mime_type=mime_type, text=text)
    return types.ReadResourceResult(contents=[content], ttl_ms=kept, cache_scope="private")
