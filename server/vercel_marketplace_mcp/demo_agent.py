"""The agent of the demonstration: calls tools as an agent does, and shows what it asked and what came back.

It knows no id and no plan, and decides nothing.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mcp import Client

from vercel_marketplace_mcp.screen import Screen

Json = dict[str, Any]


class DemoError(Exception):
    """A step did not do what it should; the message says which, and what came instead."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Offer:
    """A product with a plan that is free and one that may charge; `arguments` are what create-store needs besides."""

    arguments: Json
    free: Json
    paid: Json


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
            "price": ", ".join(tell_price(one) for one in quote.get("plans", ())),
            "store": " ".join(store[member] for member in ("id", "name", "status") if member in store),
        }
        self.show(answer, [(title, text) for title, text in told.items() if text])
        return answer

    def show(self, answer: Json, rows: Sequence[Sequence[str]], headings: Sequence[str] = ()) -> None:
        """Show an answer as a table, and what it says is to be done next."""
        self.screen.table(rows, headings)
        for step in answer["next_steps"]:
            self.screen.aside(f"next: {step}")


def tell_name(one: Json) -> str:
    """Return what something is called: an answer leaves a name out that only repeats the slug."""
    return str(one.get("name") or one.get("slug") or "?")


def tell_price(plan: Json) -> str:
    """Return a plan's price in the partner's words: its cost and amounts, or else its details."""
    price = dict(plan["price"])
    details = price.pop("details", [])
    words = [price.pop("cost", ""), *(f"{name} {amount}" for name, amount in price.items())]
    return "; ".join(filter(None, words)) or "; ".join(details)
