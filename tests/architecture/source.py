"""Reads the package's own source for the rules about it. It runs none of the code that it reads."""

import ast
import functools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = "vercel_marketplace_mcp"

Functions = ast.FunctionDef | ast.AsyncFunctionDef
Breaches = Callable[[str, str], Iterator[str]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """A rule about one module, with a small source that breaks it and the module that this source stands for."""

    breaches: Breaches
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


@functools.cache
def placed(source: str) -> tuple[tuple[str, ast.AST], ...]:
    """Every node of the source with the name of the innermost function that it stands in, or an empty one."""
    return tuple(_placed(ast.parse(source), ""))


def _placed(above: ast.AST, function: str) -> Iterator[tuple[str, ast.AST]]:
    for node in ast.iter_child_nodes(above):
        yield function, node
        yield from _placed(node, node.name if isinstance(node, Functions) else function)


def nodes(source: str) -> Iterator[ast.AST]:
    """Every node of the source."""
    return (node for _, node in placed(source))


def calls(source: str) -> Iterator[ast.Call]:
    """Every call in the source."""
    return (node for node in nodes(source) if isinstance(node, ast.Call))


def called(call: ast.Call) -> str:
    """The last name of what is called: `client.post(...)` calls post."""
    return last_name(call.func)


def last_name(node: ast.AST) -> str:
    """The name of a name, an attribute or a keyword, without what stands before it; empty for anything else."""
    return str(getattr(node, "attr", None) or getattr(node, "id", None) or getattr(node, "arg", None) or "")


def text_of(node: ast.AST) -> str:
    """The text of a constant; empty for anything else."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def is_false(node: ast.expr) -> bool:
    """Whether an expression is the literal False."""
    return isinstance(node, ast.Constant) and node.value is False


def words(name: str) -> set[str]:
    """The words of an identifier or a key, in lower case: `VERCEL_TOKEN` and `vercelToken` are vercel and token."""
    return {word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)}


def imports(module: str, source: str) -> Iterator[str]:
    """Every module that is imported anywhere in the source; `from a import b` may mean a and a.b."""
    for node in nodes(source):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = f"{PACKAGE}.{module}".split(".")[: -node.level] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and called(node) in {"import_module", "__import__"}:
            yield from (str(argument.value) for argument in node.args if isinstance(argument, ast.Constant))
