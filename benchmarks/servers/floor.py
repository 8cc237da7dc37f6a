"""The floor: the same SDK and HTTP client as ours, four tools, and Vercel's answers passed through as they are.

It judges nothing and asks nobody. `--http` imports the HTTP client at the start, as a plain author would.
"""

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server

if TYPE_CHECKING or "--http" in sys.argv:
    import httpx

SPECS = Path(__file__).parents[2] / "tool_specs"
OPERATIONS = {
    "list-configurations": ("GET", "/v1/integrations/configurations"),
    "list-products": ("GET", "/v1/integrations/configuration/{id}/products"),
    "list-plans": ("GET", "/v1/integrations/integration/{integrationIdOrSlug}/products/{productIdOrSlug}/plans"),
    "create-store": ("POST", "/v1/storage/stores/integration/direct"),
}
Asked = ServerRequestContext[Any, Any]


def tool(name: str) -> types.Tool:
    """Return a tool as ours defines it, but for the schema of our answers, which Vercel's don't fit."""
    definition = json.loads((SPECS / f"{name}.json").read_text("utf-8"))
    definition.pop("outputSchema", None)
    return types.Tool.model_validate(definition)


async def list_tools(_asked: Asked, _params: types.PaginatedRequestParams | None) -> types.ListToolsResult:
    """Answer the four tools."""
    return types.ListToolsResult(tools=[tool(name) for name in OPERATIONS])


async def call(client: "httpx.AsyncClient", params: types.CallToolRequestParams) -> types.CallToolResult:
    """Send one request and answer what came back."""
    method, path = OPERATIONS[params.name]
    given = dict(params.arguments or {})
    url = path.format(**given)
    rest = {name: value for name, value in given.items() if f"{{{name}}}" not in path}
    team = {"teamId": os.environ["VERCEL_TEAM_ID"]}
    if method == "GET":
        answer = await client.get(url, params={**rest, **team})
    else:
        answer = await client.post(url, params=team, json=rest)
    return types.CallToolResult(content=[types.TextContent(type="text", text=answer.text)], is_error=answer.is_error)


async def main() -> None:
    """Serve over standard input and output until the client closes it."""
    clients: list[httpx.AsyncClient] = []

    async def call_tool(_asked: Asked, params: types.CallToolRequestParams) -> types.CallToolResult:
        if not clients:
            import httpx

            headers = {"Authorization": f"Bearer {os.environ['VERCEL_TOKEN']}"}
            clients.append(httpx.AsyncClient(base_url=os.environ["VERCEL_API_URL"], headers=headers))
        return await call(clients[0], params)

    server: Server[Any] = Server("floor", version="1", on_list_tools=list_tools, on_call_tool=call_tool)
    async with stdio_server() as (received, answers):
        await server.run(received, answers, server.create_initialization_options())


if __name__ == "__main__":
    anyio.run(main)
