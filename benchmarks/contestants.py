"""Who takes part: how each server is started, and what it calls the four tools. It measures nothing."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .places import BUILD, HERE, OURS, SPECS, TEAM, TOKEN

TOOLS = ("list-configurations", "list-products", "list-plans", "create-store")
OPENAPI = SPECS / "openapi.json"
Arguments = Mapping[str, Any]


def _as_they_are(_tool: str, arguments: Arguments) -> Arguments:
    return arguments


def with_team(_tool: str, arguments: Arguments) -> Arguments:
    """Return the arguments with the team, which such a server knows from nowhere else."""
    return {**arguments, "teamId": TEAM}


def in_a_request(tool: str, arguments: Arguments) -> Arguments:
    """Return the arguments as Vercel's SDK wants them."""
    if tool == "create-store":
        return {"request": {"teamId": TEAM, "RequestBody": arguments}}
    return {"request": {**arguments, "teamId": TEAM}}


@dataclass(frozen=True, kw_only=True, slots=True)
class Contestant:
    """A server. `command` is made from the URL of the fake Vercel; `needs` names its environment, if it has one."""

    name: str
    what: str
    command: Callable[[str], tuple[str, ...]]
    needs: str | None = None
    names: Mapping[str, str] = field(default_factory=lambda: {tool: tool for tool in TOOLS})
    adapt: Callable[[str, Arguments], Arguments] = _as_they_are
    only_starts: bool = False


def _python(name: str) -> str:
    return str(BUILD / name / "bin" / "python")


def _node(*parts: str) -> str:
    return str(Path(BUILD, *parts))


def _awslabs(url: str) -> tuple[str, ...]:
    program = str(BUILD / "awslabs" / "bin" / "awslabs.openapi-mcp-server")
    api = ("--api-name", "vercel", "--api-url", url, "--spec-path", str(OPENAPI), "--log-level", "ERROR")
    allowed = ("--allow-insecure-http", "--allow-private-networks", "--allowed-spec-dirs", str(SPECS))
    return (_python("awslabs"), program, *api, *allowed, "--auth-type", "bearer", "--auth-token", TOKEN)


def _ivotoby(url: str) -> tuple[str, ...]:
    program = _node("node", "node_modules", "@ivotoby", "openapi-mcp-server", "bin", "mcp-server.js")
    options = ("--api-base-url", url, "--openapi-spec", str(OPENAPI), "--headers", f"Authorization:Bearer {TOKEN}")
    return ("node", program, *options)


def _vercel_sdk(url: str) -> tuple[str, ...]:
    program = _node("vercel-sdk", "node_modules", "@vercel", "sdk", "bin", "mcp-server.js")
    return ("node", program, "start", "--bearer-token", TOKEN, "--server-url", url, "--log-level", "error")


OPERATIONS = {
    "list-configurations": "getConfigurations",
    "list-products": "getConfigurationProducts",
    "list-plans": "getBillingPlans",
    "create-store": "createIntegrationStoreDirect",
}
ABBREVIATED = {
    "list-configurations": "get-configurations",
    "list-products": "get-config-products",
    "list-plans": "get-billing-plans",
    "create-store": "crt-integration-store-direct",
}
OF_VERCEL = {
    "list-configurations": "integrations-get-configurations",
    "list-products": "integrations-get-configuration-products",
    "list-plans": "integrations-get-billing-plans",
    "create-store": "integrations-create-integration-store-direct",
}
FLOOR = (sys.executable, str(HERE / "servers" / "floor.py"))

ALL = (
    Contestant(name="ours", what="this server", command=lambda _url: (*OURS, "serve")),
    Contestant(
        name="ours-sandbox",
        what="this server with the embedded sandbox",
        command=lambda _url: (*OURS, "serve", "--sandbox"),
        only_starts=True,
    ),
    Contestant(
        name="floor", what="the bare Python SDK, without an HTTP client", command=lambda _url: FLOOR, only_starts=True
    ),
    Contestant(name="floor+http", what="the bare Python SDK and httpx", command=lambda _url: (*FLOOR, "--http")),
    Contestant(
        name="fastmcp",
        what="fastmcp, from the OpenAPI document",
        command=lambda _url: (_python("fastmcp"), str(HERE / "servers" / "from_fastmcp.py"), str(OPENAPI)),
        needs="fastmcp",
        names=OPERATIONS,
        adapt=with_team,
    ),
    Contestant(
        name="awslabs",
        what="awslabs.openapi-mcp-server, from the OpenAPI document",
        command=_awslabs,
        needs="awslabs",
        names=OPERATIONS,
        adapt=with_team,
    ),
    Contestant(
        name="ivotoby",
        what="@ivotoby/openapi-mcp-server (Node), from the OpenAPI document",
        command=_ivotoby,
        needs="node",
        names=ABBREVIATED,
        adapt=with_team,
    ),
    Contestant(
        name="ts-floor",
        what="the bare TypeScript SDK (Node)",
        command=lambda _url: ("node", str(HERE / "servers" / "floor.mjs"), str(SPECS), _node("node")),
        needs="node",
    ),
    Contestant(
        name="vercel-sdk",
        what="the MCP server of @vercel/sdk (Node), 299 tools",
        command=_vercel_sdk,
        needs="vercel-sdk",
        names=OF_VERCEL,
        adapt=in_a_request,
    ),
)
