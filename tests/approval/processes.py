"""Servers as processes of their own, spoken to over stdio, as hosts start them."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from mcp import Client, StdioServerParameters

from vercel_marketplace_mcp.sandbox import SANDBOX_TEAM_ID, SANDBOX_TOKEN

from .terminal import PROGRAM, variables
from .world import Person, World, typed

OVER_STDIO = {"legacy": "legacy", "auto": "2026-07-28"}
"""What the SDK's client calls the two eras over stdio, by what it calls them in memory."""


def environment(world: World, base_url: str, **more: str) -> dict[str, str]:
    """What a host passes to a server on the world's state folder."""
    return variables(
        VERCEL_TOKEN=SANDBOX_TOKEN,
        VERCEL_TEAM_ID=SANDBOX_TEAM_ID,
        VERCEL_API_URL=base_url,
        VERCEL_MCP_STATE_DIR=str(world.folder),
        VERCEL_MCP_MAX_CREATES_PER_HOUR="1000",
        **more,
    )


def process(world: World, base_url: str, era: str, person: Person | None, **more: str) -> Client:
    """A client of a server that is a process of its own."""
    env = environment(world, base_url, **more)
    server = StdioServerParameters(command=PROGRAM[0], args=list(PROGRAM[1:]), env=env)
    return Client(server, mode=OVER_STDIO[era], elicitation_callback=person)


@asynccontextmanager
async def processes(world: World, number: int, base_url: str, **more: str) -> AsyncIterator[list[Client]]:
    """Clients of this many such servers in the era of 2026-07-28, whose person always says yes to 20.00."""
    async with AsyncExitStack() as stack:
        clients = [process(world, base_url, "auto", Person(typed("20.00")), **more) for _ in range(number)]
        yield [await stack.enter_async_context(client) for client in clients]
