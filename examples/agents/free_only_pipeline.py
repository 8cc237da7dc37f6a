"""An unattended pipeline that can use free plans only, whatever is asked of it: the operator's setting holds it.

Nobody is there to confirm anything, so VERCEL_MCP_PAID=deny refuses what may be billed before anybody is asked.
Run it with `python examples/agents/free_only_pipeline.py`; it asks for a free store and for a paid one.
"""

import sys

import anyio
from common import PROJECT, report, say, server
from mcp import Client, StdioServerParameters
from plain_client import run
from stand_in import provision

WANTED = {"pipeline-preview": "free", "pipeline-production": "may_charge"}
EXPECTED = {"free": "created", "may_charge": "refused"}


async def main() -> int:
    """Ask for every wanted store. Returns 0 if what is free was created, and what may be billed was refused."""
    surprises = 0
    async with Client(StdioServerParameters(**server(VERCEL_MCP_PAID="deny"))) as client:
        for name, billing in WANTED.items():
            say(f"# {name}, on a plan that is {billing}")
            calls, last_words = await run(client, provision(name, billing, PROJECT))
            report(calls, last_words)
            answers = [answer for tool, answer in calls if tool == "create-store"]
            surprises += [answer["status"] for answer in answers] != [EXPECTED[billing]]
    return 1 if surprises else 0


if __name__ == "__main__":
    sys.exit(anyio.run(main))
