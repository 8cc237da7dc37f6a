"""A server with one tool whose schema few hosts can read. It exists to prove that the Inspector's check can fail."""

from typing import Any

import anyio
from mcp import types
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server

SCHEMA = {"type": "object", "properties": {"unportable": True}}


async def main() -> None:
    """Serve the tool over standard input and output."""

    async def list_tools(_context: Any, _params: Any) -> types.ListToolsResult:
        return types.ListToolsResult(tools=[types.Tool(name="unportable", input_schema=SCHEMA)])

    server = Server("unportable", on_list_tools=list_tools)
    async with stdio_server() as (read, write):
        await server.run(read, write, server.create_initialization_options())


anyio.run(main)
