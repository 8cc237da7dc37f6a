"""Holds the import rules and the house rules against the source itself. It runs none of the code that it reads."""

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = "vercel_marketplace_mcp"

PURE_STDLIB = frozenset(
    "__future__ collections dataclasses datetime decimal enum fractions functools hashlib html itertools json math "
    "operator re string types typing unicodedata".split()
)
PURE_OTHERS = ("rfc8785", f"{PACKAGE}.purchase", f"{PACKAGE}.text")
IMPURE_CALLS = frozenset({"now", "utcnow", "today", "open", "input", "print"})
HTTP_CLIENTS = ("httpx", "httpx2", "httpcore", "http.client", "requests", "urllib.request", "urllib3")
UNCHECKED_TLS = frozenset({"CERT_NONE", "_create_unverified_context"})
MAY_PRINT = ("cli", "commands", "demo", "sandbox.http")
FORBIDDEN = {
    # Nothing later on the way from a tool call to its result is imported by anything earlier.
    "purchase": ("app", "approval", "arguments", "cli", "ledger", "results", "sandbox", "tools", "vercel"),
    "ledger": ("app", "cli", "results", "sandbox", "tools", "vercel"),
    "vercel": ("app", "approval", "cli", "ledger", "results", "sandbox", "tools"),
    "approval": ("app", "cli", "sandbox", "tools", "vercel"),
    "tools": ("app", "cli", "sandbox"),
    # The sandbox stands for Vercel: if it shared our judgement, it could prove nothing about it.
    "sandbox": ("app", "approval", "cli", "ledger", "purchase", "results", "tools", "vercel"),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """A rule about one module, with a small source that breaks it and the module that this source stands for."""

    breaches: Callable[[str, str], Iterator[str]]
    broken_in: str
    broken_by: str


def modules() -> dict[str, str]:
    """The source of every module by its name inside the package; a folder's own is `folder.__init__`."""
    top = ROOT / "server" / PACKAGE
    paths = sorted(top.rglob("*.py"))
    return {".".join(path.relative_to(top).with_suffix("").parts): path.read_text("utf-8") for path in paths}


def within(name: str, *rooms: str) -> bool:
    """Whether a dotted name is one of the rooms, or lies in one."""
    return any(name == room or name.startswith(f"{room}.") for room in rooms)


def imports(module: str, source: str) -> Iterator[str]:
    """Every module that is imported anywhere in the source; `from a import b` may mean a and a.b."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = f"{PACKAGE}.{module}".split(".")[: -node.level] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and called(node) in {"import_module", "__import__"}:
            yield from (str(argument.value) for argument in node.args if isinstance(argument, ast.Constant))


def calls(source: str) -> Iterator[ast.Call]:
    """Every call in the source."""
    return (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))


def called(call: ast.Call) -> str:
    """The last name of what is called: `client.post(...)` calls post."""
    return str(getattr(call.func, "attr", getattr(call.func, "id", "")))


def http_clients(module: str, source: str) -> Iterator[str]:
    """Requests leave this process from one module."""
    if module != "vercel.client":
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


def unchecked_certificates(module: str, source: str) -> Iterator[str]:
    """Certificates are always checked."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.keyword) and node.arg == "verify" and getattr(node.value, "value", True) is not True:
            yield f"{module}: verify={ast.unparse(node.value)}"
        elif getattr(node, "attr", getattr(node, "id", "")) in UNCHECKED_TLS:
            yield f"{module}: {ast.unparse(node)}"


def prints(module: str, source: str) -> Iterator[str]:
    """Standard output carries the protocol: only the commands for people print."""
    if not within(module, *MAY_PRINT):
        yield from (ast.unparse(call) for call in calls(source) if called(call) == "print")


def long_files(module: str, source: str) -> Iterator[str]:
    """A file is one room: 250 lines at most."""
    if (lines := source.count("\n")) > 250:
        yield f"{module}: {lines} lines"


def long_functions(module: str, source: str) -> Iterator[str]:
    """A function is read at a glance: 40 lines of code at most, docstring and blank lines aside."""
    text = source.splitlines()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            start = node.body[0].end_lineno if ast.get_docstring(node) else node.lineno
            body = text[start or 0 : node.end_lineno]
            if sum(1 for line in body if line.strip() and not line.strip().startswith("#")) > 40:
                yield f"{module}: {node.name}"


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
    Rule(breaches=unchecked_certificates, broken_in="vercel.client", broken_by="AsyncClient(verify=False)"),
    Rule(breaches=unchecked_certificates, broken_in="cli", broken_by="context.verify_mode = ssl.CERT_NONE"),
    Rule(breaches=prints, broken_in="stdio", broken_by="print('ready')"),
    Rule(breaches=long_files, broken_in="app", broken_by="pass\n" * 251),
    Rule(breaches=long_functions, broken_in="app", broken_by="def f():\n" + "    pass\n" * 41),
]


@pytest.mark.parametrize("breaches", dict.fromkeys(rule.breaches for rule in RULES))
def test_every_module_keeps_the_rule(breaches: Callable[[str, str], Iterator[str]]) -> None:
    """No module of the package breaks the rule that the function's docstring states."""
    found = {module: list(breaches(module, source)) for module, source in modules().items()}
    assert {module: names for module, names in found.items() if names} == {}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.breaches.__name__}:{rule.broken_in}")
def test_a_module_that_breaks_the_rule_is_noticed(rule: Rule) -> None:
    """Each rule can fail: the small source that breaks it is reported."""
    assert list(rule.breaches(rule.broken_in, rule.broken_by))


def test_the_rules_speak_of_modules_that_exist() -> None:
    """A rule about a renamed module would hold for ever without guarding anything."""
    named = {"vercel.client", *FORBIDDEN, *MAY_PRINT}
    assert {name for name in named if not any(within(module, name) for module in modules())} == set()


def test_the_only_http_client_is_imported_on_first_use() -> None:
    """Starting the server does not pay for httpx: its one importer does so inside a function or for types only."""
    tree = ast.parse(modules()["vercel.client"])
    assert [name for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom) for name in named(node)] == []


def test_no_test_replaces_our_own_code() -> None:
    """Tests fake the wire: none of them patches an attribute or imports a mock."""
    patched = {"monkeypatch." + "setattr", "unittest." + "mock", "Magic" + "Mock"}
    texts = {path.relative_to(ROOT): path.read_text("utf-8") for path in (ROOT / "tests").rglob("*.py")}
    assert {path for path, text in texts.items() if any(word in text for word in patched)} == set()


def named(node: ast.Import | ast.ImportFrom) -> list[str]:
    """The HTTP clients that one import statement names."""
    names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
    return [name for name in names if within(name, *HTTP_CLIENTS)]
