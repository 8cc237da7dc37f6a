"""Provisions a free store the way an agent does: list, choose by what the answers say, create.

Without VERCEL_TOKEN it uses the server's sandbox. With VERCEL_TOKEN and VERCEL_TEAM_ID it creates a real, free store.
Run it with `python examples/provision_free_store.py [NAME]`, where the server is installed.
"""

import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import anyio
from mcp import Client, StdioServerParameters


def server() -> StdioServerParameters:
    """The server: beside this Python if it is installed there, else as found on the PATH. It gets our settings."""
    command = "vercel-marketplace-mcp"
    command = shutil.which(command, path=str(Path(sys.executable).parent)) or command
    settings = {name: value for name, value in os.environ.items() if name.startswith("VERCEL_")}
    mode = [] if settings.get("VERCEL_TOKEN") else ["--sandbox"]
    return StdioServerParameters(command=command, args=["serve", *mode], env=settings)


async def ask(agent: Client, tool: str, **arguments: Any) -> dict[str, Any]:
    """Call a tool. The answer of a list tool that fails holds the error, and lists nothing."""
    answer: dict[str, Any] = (await agent.call_tool(tool, arguments)).structured_content
    if "error" in answer:
        sys.stderr.write(f"{tool}: {answer['error']['message']}\n")
    return answer


def choose_metadata(product: dict[str, Any]) -> dict[str, Any] | None:
    """The metadata that a product requires, its first options; None if that takes more thought."""
    required = [field for field in product["metadata"] if "required" in field and "default" not in field]
    if not all(field.get("options") for field in required):
        return None
    return {field["key"]: field["options"][0] for field in required}


async def find_free_plan(agent: Client) -> dict[str, Any] | None:
    """The arguments of create-store for the first free plan of a storage product that can be used."""
    installed = await ask(agent, "list-configurations")
    for configuration in (one for one in installed["configurations"] if "problem" not in one):
        offered = await ask(agent, "list-products", id=configuration["id"])
        for product in offered["products"]:
            metadata = choose_metadata(product)
            if not product["storage"] or metadata is None:
                continue
            answer = await ask(
                agent,
                "list-plans",
                integrationIdOrSlug=offered["integration"].get("id") or offered["integration"]["slug"],
                productIdOrSlug=product["id"],
                integrationConfigurationId=configuration["id"],
                metadata=json.dumps(metadata),
            )
            for plan in answer["plans"]:
                if plan["billing"] == "free":
                    chosen = {"integrationProductIdOrSlug": product["id"], "billingPlanId": plan["id"]}
                    return chosen | {"integrationConfigurationId": configuration["id"], "metadata": metadata}
    return None


async def main(name: str) -> int:
    """Create the store and print the server's answer. Returns 0 if the store exists now."""
    async with Client(server()) as agent:
        arguments = await find_free_plan(agent)
        if arguments is None:
            sys.stderr.write("Nothing that is installed here has a free plan.\n")
            return 1
        answer = await ask(agent, "create-store", name=name, **arguments)
    sys.stdout.write(json.dumps(answer, indent=2) + "\n")
    return 0 if answer["status"] == "created" else 1


if __name__ == "__main__":
    sys.exit(anyio.run(main, sys.argv[1] if len(sys.argv) > 1 else "example-store"))
