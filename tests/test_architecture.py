"""Holds the import rules and the house rules against the source itself. It runs none of the code that it reads.

The rules stand in `architecture/`, each with small sources that break it.
"""

import ast
from collections import defaultdict

import pytest

from .architecture import house, rooms, secrecy, wire
from .architecture.source import ROOT, Breaches, Functions, Rule, modules, nodes, within

RULES = [*rooms.RULES, *wire.RULES, *secrecy.RULES, *house.RULES]


@pytest.mark.parametrize("breaches", dict.fromkeys(rule.breaches for rule in RULES))
def test_every_module_keeps_the_rule(breaches: Breaches) -> None:
    """No module of the package breaks the rule that the function's docstring states."""
    found = {module: list(breaches(module, source)) for module, source in modules().items()}
    assert {module: names for module, names in found.items() if names} == {}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.breaches.__name__}:{rule.broken_in}")
def test_a_module_that_breaks_the_rule_is_noticed(rule: Rule) -> None:
    """Each rule can fail: the small source that breaks it is reported."""
    assert list(rule.breaches(rule.broken_in, rule.broken_by))


def test_the_rules_speak_of_modules_that_exist() -> None:
    """A rule about a renamed module would hold for ever without guarding anything."""
    named = {"vercel.client", *rooms.FORBIDDEN, *house.MAY_PRINT, *house.MAY_WRITE, *house.MAY_RUN_COMMANDS}
    named |= {wire.LIST, *wire.ELSEWHERE, *(rule.broken_in for rule in RULES)}
    assert {name for name in named if not any(within(module, name) for module in modules())} == set()


def test_the_rules_speak_of_functions_that_exist() -> None:
    """The same holds for a function that was renamed."""
    named = {
        *house.MIGRATES,
        house.TRANSLATES,
        *((module, name) for module, names in wire.ONCE.items() for name in names),
    }
    existing = {
        (module, node.name)
        for module, source in modules().items()
        for node in nodes(source)
        if isinstance(node, Functions)
    }
    assert named - existing == set()


def test_a_create_request_has_exactly_one_way() -> None:
    """Every step from the decision to the wire is called by the one function that may call it, once."""
    taken = defaultdict(list)
    for module, source in modules().items():
        for step, caller in wire.steps_taken(module, source):
            taken[module, step].append(caller)
    assert dict(taken) == wire.WAY


def test_the_token_is_unwrapped_in_the_places_that_need_it() -> None:
    """The list of who sees the token is exact: a place that needs it no longer leaves the list."""
    found = [(module, at) for module, source in modules().items() for at, _ in secrecy.unwrappings(source)]
    assert sorted(found) == sorted(secrecy.SEES_THE_TOKEN)


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
    return [name for name in names if within(name, *rooms.HTTP_CLIENTS)]
