"""The loop that every framework runs, without one: ask the model, call the tool that it names, tell it the answer.

Run it with `python examples/agents/plain_client.py [NAME]`; it uses no model, only the stand-in for one.
"""

import sys
from typing import Any

import anyio
from common import PROJECT, report, server
from mcp import Client, StdioServerParameters
from stand_in import Script, StandIn, provision


async def run(client: Client, script: Script) -> tuple[list[tuple[str, Any]], str]:
    """Play the script to its end. Returns every tool that was called with what it answered, and the last words."""
    agent = StandIn(script)
    calls: list[tuple[str, Any]] = []
    step = agent.next(None)
    while not isinstance(step, str):
        tool, arguments = step
        answer = (await client.call_tool(tool, arguments)).structured_content
        calls.append((tool, answer))
        step = agent.next(answer)
    return calls, step


async def main(name: str) -> int:
    """Find a free plan, create a store on it, connect it to a project. Returns 0 if the store exists now."""
    async with Client(StdioServerParameters(**server())) as client:
        return report(*await run(client, provision(name, "free", PROJECT)))


if __name__ == "__main__":
    sys.exit(anyio.run(main, sys.argv[1] if len(sys.argv) > 1 else "plain-store"))
