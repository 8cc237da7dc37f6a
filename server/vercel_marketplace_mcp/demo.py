"""The demonstration: walks the workflow against the sandbox through a real MCP client, and checks what came of it.

It reaches nothing but this machine and knows no id and no plan but those that the tools answer. In a terminal it asks
for one input, the amount with which a person approves the paid store; in a pipe it asks for none.
"""

import json
import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

import anyio
from mcp import Client, MCPError, StdioServerParameters

from vercel_marketplace_mcp.demo_agent import Agent, DemoError, Json, Offer, tell_name, tell_price
from vercel_marketplace_mcp.sandbox import Sandbox
from vercel_marketplace_mcp.sandbox.http import serving
from vercel_marketplace_mcp.screen import Screen

_FREE_NAME, _PAID_NAME = "demo-free", "demo-paid"


async def run(sandbox: Sandbox | None = None, out: TextIO | None = None) -> int:
    """Show the workflow on `out`. Returns 0 if every step did what it should, else 1."""
    sandbox, screen = sandbox or Sandbox(), Screen.on(out or sys.stdout)
    screen.heading("The workflow of vercel-marketplace-mcp, as an AI agent sees it")
    screen.text(
        "A real MCP client starts the server and speaks to it over standard input and output. The server speaks HTTP "
        "to the sandbox, an embedded Vercel Marketplace: no token, no account, no cost."
    )
    with tempfile.TemporaryDirectory(prefix="vercel-marketplace-mcp-") as state_dir:
        async with serving(sandbox) as api_url:
            failure = await _attempt(_server(sandbox, api_url, state_dir), sandbox, screen)
    if failure:
        screen.heading(f"FAILED: {failure}")
        return 1
    screen.heading("Done: the free store was created, and nothing was bought without a person's yes.")
    return 0


def _server(sandbox: Sandbox, api_url: str, state_dir: str) -> StdioServerParameters:
    """Return how to start the server as a process of its own, from the very package that runs here."""
    package = Path(__file__).parent
    search_path = [str(package.parent), os.environ.get("PYTHONPATH", "")]
    environment = {
        "PYTHONPATH": os.pathsep.join(filter(None, search_path)),
        "VERCEL_API_URL": api_url,
        "VERCEL_TOKEN": sandbox.token,
        "VERCEL_TEAM_ID": sandbox.team_id,
        "VERCEL_MCP_STATE_DIR": state_dir,
    }
    return StdioServerParameters(command=sys.executable, args=["-m", package.name, "serve"], env=environment)


async def _attempt(server: StdioServerParameters, sandbox: Sandbox, screen: Screen) -> str | None:
    """Walk the workflow; return what went wrong, or None."""
    failure: BaseException | None = None
    try:
        async with Client(server, read_timeout_seconds=60) as client:
            await _walk(Agent(client=client, screen=screen), sandbox, server)
        await _show_the_ledger(server, screen)
    except* (DemoError, MCPError) as group:
        failure = group
        while isinstance(failure, BaseExceptionGroup):  # the client wraps what passes through it
            failure = failure.exceptions[0]
    return None if failure is None else str(failure)


async def _walk(agent: Agent, sandbox: Sandbox, server: StdioServerParameters) -> None:
    offer = await _find_offer(agent)
    await _create_a_free_store(agent, offer, sandbox)
    await _ask_for_a_paid_store(agent, offer, sandbox, server)
    agent.screen.heading("6. Which stores exist now? The sandbox says:")
    rows = [(one["name"], one["product"]["name"], one["billingPlan"]["id"], one["status"]) for one in sandbox.stores]
    agent.screen.table(rows, ("store", "product", "plan", "status"))


async def _show_the_ledger(server: StdioServerParameters, screen: Screen) -> None:
    """Run the commands with which a person looks at what has happened.

    Raises:
        DemoError: one of them fails.
    """
    screen.heading("7. What does the ledger say, to a person?")
    for action in ("list", "verify"):
        screen.aside(f"> vercel-marketplace-mcp ledger {action}")
        command = [server.command, *server.args[:-1], "ledger", action]
        done = await anyio.run_process(command, env=server.env, stderr=subprocess.STDOUT, check=False)
        for line in done.stdout.decode().splitlines():
            screen.text(line)
        if done.returncode:
            raise DemoError(f"ledger {action} ended with exit code {done.returncode}.")


async def _find_offer(agent: Agent) -> Offer:
    """Ask for configurations, products and plans until a product has a plan of either kind.

    Raises:
        DemoError: no product has.
    """
    agent.screen.heading("1. Which integrations are installed?")
    installed = await agent.ask("list-configurations")
    rows = [(one["id"], tell_name(one), one.get("problem", "yes")) for one in installed["configurations"]]
    agent.show(installed, rows, ("configuration", "integration", "usable"))
    for configuration in (one for one in installed["configurations"] if "problem" not in one):
        agent.screen.heading(f"2. What does {tell_name(configuration)} offer?")
        offered = await agent.ask("list-products", id=configuration["id"])
        rows = [(one["id"], tell_name(one), _tell_metadata(one)) for one in offered["products"]]
        agent.show(offered, rows, ("product", "name", "metadata (* is required)"))
        for product in (one for one in offered["products"] if one["storage"]):
            if offer := await _look_at_plans(agent, configuration["id"], offered["integration"], product):
                return offer
    raise DemoError("No usable configuration has a storage product with a free plan and one that may charge.")


async def _look_at_plans(agent: Agent, configuration_id: str, integration: Json, product: Json) -> Offer | None:
    metadata = _choose_metadata(product["metadata"])
    if metadata is None:
        return None
    agent.screen.heading(f"3. What does {tell_name(product)} cost?")
    answer = await agent.ask(
        "list-plans",
        integrationIdOrSlug=integration.get("id") or integration["slug"],
        productIdOrSlug=product["id"],
        integrationConfigurationId=configuration_id,
        metadata=json.dumps(metadata),
    )
    rows = [(one["id"], one["billing"], tell_price(one), "; ".join(one["reasons"])) for one in answer["plans"]]
    agent.show(answer, rows, ("plan", "billing", "price", "why"))
    on_sale = [one for one in answer["plans"] if "type" not in one and not one.get("disabled")]
    free = next((plan for plan in on_sale if plan["billing"] == "free"), None)
    paid = next((plan for plan in on_sale if plan["billing"] == "may_charge"), None)
    arguments = {
        "integrationConfigurationId": configuration_id,
        "integrationProductIdOrSlug": product["id"],
        "metadata": metadata,
    }
    return Offer(arguments=arguments, free=free, paid=paid) if free and paid else None


def _choose_metadata(fields: Sequence[Json]) -> Json | None:
    """Return the first option of every field that has some and no default, or None where a field needs more thought."""
    chosen: Json = {}
    for field in fields:
        if "default" not in field and isinstance(next(iter(field.get("options", ())), None), str):
            chosen[field["key"]] = field["options"][0]
        elif "default" not in field and "required" in field:
            return None
    return chosen


def _tell_metadata(product: Json) -> str:
    return ", ".join(field["key"] + "*" * ("required" in field) for field in product["metadata"])


async def _create_a_free_store(agent: Agent, offer: Offer, sandbox: Sandbox) -> None:
    """Ask for a store on the free plan.

    Raises:
        DemoError: it was not created.
    """
    agent.screen.heading("4. Create a store on the free plan.")
    answer = await agent.create(_FREE_NAME, offer.free, offer)
    if answer["status"] != "created" or [store["name"] for store in sandbox.stores] != [_FREE_NAME]:
        raise DemoError(f"The free store should have been created. The answer was {answer['status']}.")


async def _ask_for_a_paid_store(agent: Agent, offer: Offer, sandbox: Sandbox, server: StdioServerParameters) -> None:
    """Ask for a store on the plan that may charge: refused at first, and in a terminal put to the person who is there.

    Raises:
        DemoError: something was sent without a yes, or not sent after one.
    """
    agent.screen.heading("5. Ask for a store on a plan that may be billed.")
    before = len(sandbox.posts)
    answer = await agent.create(_PAID_NAME, offer.paid, offer)
    if answer["status"] != "confirmation_required" or len(sandbox.posts) != before:
        raise DemoError(f"Nothing that may be billed should have been sent. The answer was {answer['status']}.")
    if not (sys.stdin.isatty() and agent.screen.out.isatty()):
        agent.screen.text("Nobody is here to confirm it, so nothing was sent.")
        return
    agent.screen.text("You are the person. What follows is the command of the answer; nothing here can be charged.")
    command = shlex.split(answer["approval"]["command"])
    approved = await anyio.to_thread.run_sync(lambda: subprocess.run(command, env=_with(server), check=False))  # noqa: S603
    agent.screen.heading("   The agent makes the same call again.")
    answer = await agent.create(_PAID_NAME, offer.paid, offer)
    if (answer["status"] == "created", len(sandbox.posts) - before) != (approved.returncode == 0,) * 2:
        raise DemoError(f"One yes should have bought one store. The answer was {answer['status']}.")


def _with(server: StdioServerParameters) -> dict[str, str]:
    """Return the environment of a command that a person runs: theirs without settings, and the way to this package."""
    theirs = {name: value for name, value in os.environ.items() if not name.startswith("VERCEL_")}
    return {**theirs, "PYTHONPATH": (server.env or {})["PYTHONPATH"]}
