"""Rules about who may import whom, and about what the judgement on a purchase may know."""

from collections.abc import Iterator

from .source import PACKAGE, Rule, called, calls, imports, within

PURE_STDLIB = frozenset(
    "__future__ collections dataclasses datetime decimal enum fractions functools hashlib html itertools json math "
    "operator re string types typing unicodedata".split()
)
PURE_OTHERS = ("rfc8785", f"{PACKAGE}.purchase", f"{PACKAGE}.text")
IMPURE_CALLS = frozenset({"now", "utcnow", "today", "open", "input", "print"})
HTTP_CLIENTS = ("httpx", "httpx2", "httpcore", "http.client", "requests", "urllib.request", "urllib3")
ASKS = ("vercel.client", "http.fetch")
"""Who makes requests: to Vercel; and to an issuer of tokens, or a person's to their server."""
BEHIND = ("account", "app", "calls", "cli", "http", "sandbox")
"""What puts the rooms together, and the stage: no room on the way imports them."""
FORBIDDEN = {
    # Nothing later on the way from a tool call to its result is imported by anything earlier.
    "purchase": (*BEHIND, "approval", "arguments", "ledger", "results", "tools", "vercel"),
    "ledger": (*BEHIND, "results", "tools", "vercel"),
    "vercel": (*BEHIND, "approval", "ledger", "results", "tools"),
    "approval": (*BEHIND, "tools", "vercel"),
    "tools": BEHIND,
    # A transport knows the server that it is given, and not how that is put together.
    "stdio": BEHIND,
    "http": ("account", "calls", "cli", "sandbox", "stdio"),
    # The sandbox stands for Vercel: if it shared our judgement, it could prove nothing about it.
    "sandbox": (
        "account",
        "app",
        "approval",
        "calls",
        "cli",
        "http",
        "ledger",
        "purchase",
        "results",
        "tools",
        "vercel",
    ),
}


def http_clients(module: str, source: str) -> Iterator[str]:
    """Requests leave this process from two modules: one speaks to Vercel, the other never does."""
    if module not in ASKS:
        yield from (name for name in imports(module, source) if within(name, *HTTP_CLIENTS))


def impure_imports(module: str, source: str) -> Iterator[str]:
    """The judgement on a purchase knows no clock, network, file or MCP: what it may import is a short list."""
    if within(module, "purchase"):
        for name in imports(module, source):
            if name.split(".")[0] not in PURE_STDLIB and name != PACKAGE and not within(name, *PURE_OTHERS):
                yield name


def impure_calls(module: str, source: str) -> Iterator[str]:
    """It asks no clock for the time either, and opens no file."""
    if within(module, "purchase"):
        yield from (called(call) for call in calls(source) if called(call) in IMPURE_CALLS)


def later_rooms(module: str, source: str) -> Iterator[str]:
    """Nothing imports a room that comes after its own."""
    rooms = [f"{PACKAGE}.{room}" for room in FORBIDDEN.get(module.split(".", 1)[0], ())]
    yield from (name for name in imports(module, source) if within(name, *rooms))


RULES = [
    Rule(breaches=http_clients, broken_in="tools.list_plans", broken_by="def f():\n    from httpx import post"),
    Rule(
        breaches=http_clients, broken_in="vercel.models", broken_by="import importlib\nimportlib.import_module('httpx')"
    ),
    Rule(breaches=http_clients, broken_in="sandbox.app", broken_by="import httpx._client as http"),
    Rule(breaches=http_clients, broken_in="ledger.sqlite", broken_by="from urllib import request"),
    Rule(breaches=impure_imports, broken_in="purchase.plan", broken_by="import time"),
    Rule(breaches=impure_imports, broken_in="purchase.plan", broken_by="from mcp import types"),
    Rule(breaches=impure_imports, broken_in="purchase.plan", broken_by="from .. import settings"),
    Rule(breaches=impure_imports, broken_in="purchase.__init__", broken_by="from ..strict_json import parse"),
    Rule(breaches=impure_calls, broken_in="purchase.plan", broken_by="datetime.datetime.now(UTC)"),
    Rule(breaches=impure_calls, broken_in="purchase.plan", broken_by="open('plans.json')"),
    Rule(breaches=later_rooms, broken_in="purchase.plan", broken_by="from ..vercel import models"),
    Rule(breaches=later_rooms, broken_in="ledger.sqlite", broken_by=f"from {PACKAGE} import tools"),
    Rule(breaches=later_rooms, broken_in="vercel.client", broken_by=f"import {PACKAGE}.app"),
    Rule(breaches=later_rooms, broken_in="sandbox.pricing", broken_by=f"from {PACKAGE}.purchase.money import cents"),
]
