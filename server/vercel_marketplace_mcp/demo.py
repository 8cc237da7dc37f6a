"""The demonstration: walks the workflow against the sandbox through a real MCP client, and checks what came of it.

It reaches nothing but this machine, asks for no input, and knows no id and no plan but those that the tools answer.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import anyio
from mcp import Client, MCPError, StdioServerParameters

from vercel_marketplace_mcp.sandbox import Sandbox
from vercel_marketplace_mcp.sandbox.http import serving
from vercel_marketplace_mcp.screen import Screen

_FREE_NAME, _PAID_NAME = "demo-free", "demo-paid"

Json = dict[str, Any]


class DemoError(Exception):
    """A step did not do what it should; the message says which, and what came instead."""


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
    screen.heading("Done: the free store was created, and nothing that may be billed was sent.")
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
            await _walk(Agent(client=client, screen=screen), sandbox)
        await _show_the_ledger(server, screen)
    except* (DemoError, MCPError) as group:
        failure = group
        while isinstance(failure, BaseExceptionGroup):  # the client wraps what passes through it
            failure = failure.exceptions[0]
    return None if failure is None else str(failure)


async def _walk(agent: "Agent", sandbox: Sandbox) -> None:
    offer = await _find_offer(agent)
    await _create_a_free_store(agent, offer, sandbox)
    await _ask_for_a_paid_store(agent, offer, sandbox)
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


@dataclass(frozen=True, kw_only=True, slots=True)
class Offer:
    """A product with a plan that is free and one that may charge; `arguments` are what create-store needs besides."""

    arguments: Json
    free: Json
    paid: Json


async def _find_offer(agent: "Agent") -> Offer:
    """Ask for configurations, products and plans until a product has a plan of either kind.

    Raises:
        DemoError: no product has.
    """
    agent.screen.heading("1. Which integrations are installed?")
    installed = await agent.ask("list-configurations")
    rows = [(one["id"], one.get("name", "?"), one.get("problem", "yes")) for one in installed["configurations"]]
    agent.show(installed, rows, ("configuration", "integration", "usable"))
    for configuration in (one for one in installed["configurations"] if one["usable"]):
        agent.screen.heading(f"2. What does {configuration.get('name', 'it')} offer?")
        offered = await agent.ask("list-products", id=configuration["id"])
        rows = [(one["id"], one.get("name", "?"), _tell_metadata(one)) for one in offered["products"]]
        agent.show(offered, rows, ("product", "name", "metadata (* is required)"))
        for product in (one for one in offered["products"] if one["storage"]):
            if offer := await _look_at_plans(agent, configuration["id"], offered["integration"], product):
                return offer
    raise DemoError("No usable configuration has a storage product with a free plan and one that may charge.")


async def _look_at_plans(agent: "Agent", configuration_id: str, integration: Json, product: Json) -> Offer | None:
    metadata = _choose_metadata(product["metadata"])
    if metadata is None:
        return None
    agent.screen.heading(f"3. What does {product.get('name', 'it')} cost?")
    answer = await agent.ask(
        "list-plans",
        integrationIdOrSlug=integration.get("id") or integration["slug"],
        productIdOrSlug=product["id"],
        integrationConfigurationId=configuration_id,
        metadata=json.dumps(metadata),
    )
    rows = [(one["id"], one["billing"], _tell_price(one), "; ".join(one["reasons"])) for one in answer["plans"]]
    agent.show(answer, rows, ("plan", "billing", "price", "why"))
    on_sale = [one for one in answer["plans"] if one.get("type") == "subscription" and not one.get("disabled")]
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
        if "default" not in field and field["type"] == "string" and field.get("options"):
            chosen[field["key"]] = field["options"][0]["value"]
        elif "default" not in field and field["required"]:
            return None
    return chosen


def _tell_metadata(product: Json) -> str:
    return ", ".join(field["key"] + "*" * field["required"] for field in product["metadata"])


def _tell_price(plan: Json) -> str:
    price = dict(plan["price"])
    details = price.pop("details", [])
    words = [price.pop("cost", ""), *(f"{name} {amount}" for name, amount in price.items())]
    return "; ".join(filter(None, words)) or "; ".join(details)


async def _create_a_free_store(agent: "Agent", offer: Offer, sandbox: Sandbox) -> None:
    """Ask for a store on the free plan.

    Raises:
        DemoError: it was not created.
    """
    agent.screen.heading("4. Create a store on the free plan.")
    answer = await agent.create(_FREE_NAME, offer.free, offer)
    if answer["status"] != "created" or [store["name"] for store in sandbox.stores] != [_FREE_NAME]:
        raise DemoError(f"The free store should have been created. The answer was {answer['status']}.")


async def _ask_for_a_paid_store(agent: "Agent", offer: Offer, sandbox: Sandbox) -> None:
    """Ask for a store on the plan that may charge.

    Raises:
        DemoError: anything was sent.
    """
    agent.screen.heading("5. Ask for a store on a plan that may be billed.")
    before = len(sandbox.posts)
    answer = await agent.create(_PAID_NAME, offer.paid, offer)
    if answer["status"] == "created" or len(sandbox.posts) != before:
        raise DemoError(f"Nothing that may be billed should have been sent. The answer was {answer['status']}.")
    agent.screen.text("Nobody confirms it in this demonstration, so nothing was sent.")


@dataclass(frozen=True, kw_only=True, slots=True)
class Agent:
    """Calls tools as an agent does, and shows what it asked and what came back."""

    client: Client
    screen: Screen

    async def ask(self, tool: str, **arguments: Any) -> Json:
        """Return what a tool answers; create-store's answer also where it is no success.

        Raises:
            DemoError: a list tool failed.
        """
        self.screen.aside(f"> {tool} {json.dumps(arguments, ensure_ascii=False)}")
        result = await self.client.call_tool(tool, arguments)
        answer: Json = result.structured_content
        if result.is_error and "status" not in answer:
            raise DemoError(f"{tool} failed: {answer['error']['message']}")
        return answer

    async def create(self, name: str, plan: Json, offer: Offer) -> Json:
        """Ask for a store on one of the offer's plans, and show and return the answer, whatever it is."""
        answer = await self.ask("create-store", name=name, billingPlanId=plan["id"], **offer.arguments)
        quote, store = answer.get("quote", {}), answer.get("store", {})
        told = {
            "status": answer["status"],
            "money": answer["money"],
            "why": answer.get("error", {}).get("message"),
            "reasons": "; ".join(quote.get("reasons", ())),
            "price": ", ".join(_tell_price(one) for one in quote.get("plans", ())),
            "store": " ".join(store[member] for member in ("id", "name", "status") if member in store),
            "secrets": ", ".join(store.get("secrets", ())),
        }
        self.show(answer, [(title, text) for title, text in told.items() if text])
        return answer

    def show(self, answer: Json, rows: Sequence[Sequence[str]], headings: Sequence[str] = ()) -> None:
        """Show an answer as a table, and what it says is to be done next."""
        self.screen.table(rows, headings)
        for step in answer["next_steps"]:
            self.screen.aside(f"next: {step}")
