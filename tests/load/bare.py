"""As a program: the SDK's Streamable HTTP app with our tool definitions, and nothing else of ours.

It passes Vercel's JSON through as it is, asks nobody who they are, and says where it serves as our server does.
"""

import asyncio
import json
import os
import socket
import sys
from typing import Any

import httpx
import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from uvicorn import Config
from uvicorn import Server as Uvicorn

from vercel_marketplace_mcp import specs

_CONFIGURATIONS = "/v1/integrations/configurations"


class Bare:
    """The least that answers list-configurations."""

    def __init__(self, api_url: str, token: str, team: str) -> None:
        headers = {"authorization": f"Bearer {token}", "accept-encoding": "identity"}
        self._vercel = httpx.AsyncClient(base_url=api_url, headers=headers, params={"teamId": team})
        definitions = [spec.definition for spec in specs.load().values()]
        self._tools = [types.Tool.model_validate(definition) for definition in definitions]
        self._schemas = {definition["name"]: definition["inputSchema"] for definition in definitions}

    def server(self) -> Server[Any]:
        """The low-level server."""
        return Server(
            "bare",
            on_list_tools=self._list_tools,
            on_call_tool=self._call_tool,
            get_tool_input_schema=self._schemas.get,
        )

    async def _list_tools(
        self, _asked: ServerRequestContext[Any, Any], _params: types.PaginatedRequestParams | None
    ) -> types.ListToolsResult:
        return types.ListToolsResult(tools=self._tools)

    async def _call_tool(
        self, _asked: ServerRequestContext[Any, Any], _params: types.CallToolRequestParams
    ) -> types.CallToolResult:
        answer = await self._vercel.get(_CONFIGURATIONS, params={"view": "account"})
        return types.CallToolResult(
            content=[types.TextContent(type="text", text=answer.text)],
            structured_content={"configurations": json.loads(answer.content)},
        )


async def _serve() -> None:
    bare = Bare(os.environ["VERCEL_API_URL"], os.environ["VERCEL_TOKEN"], os.environ["VERCEL_TEAM_ID"])
    config = Config(
        bare.server().streamable_http_app(host="127.0.0.1"),
        http="h11",
        ws="none",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        limit_concurrency=1000,
    )
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        sys.stderr.write(f"vercel-marketplace-mcp: serving MCP at http://127.0.0.1:{port}/mcp; it is bare\n")
        sys.stderr.flush()
        await Uvicorn(config).serve(sockets=[listener])


if __name__ == "__main__":
    asyncio.run(_serve())
