"""Makes the mutants of a Python source: each is the source with one small fault. It runs none of them."""

import ast
import copy
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import mutant_texts

Node = TypeVar("Node", bound=ast.AST)

_SWAPPED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_OTHER_NAMES = {"any": "all", "all": "any", "max": "min", "min": "max"}
_NOT_RUN = frozenset({"annotation", "returns", "decorator_list", "format_spec"})
_SHORT, _AROUND = 70, 24
_TYPE_ALIAS = re.compile(r"[A-Z]([a-z]\w*)?")


@dataclass(frozen=True, kw_only=True, slots=True)
class Mutant:
    """A source with one fault. `name` says where and which; it stays the same when lines are added elsewhere."""

    line: int
    name: str
    source: str


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a node hangs: a member of its parent, or an entry of a list that is one."""

    parent: ast.AST
    field: str
    index: int | None
    function: str

    def put(self, node: ast.AST) -> None:
        if self.index is None:
            setattr(self.parent, self.field, node)
        else:
            getattr(self.parent, self.field)[self.index] = node


def mutants(source: str) -> Iterator[Mutant]:
    """Yield every mutant of a source that differs from it."""
    tree = ast.parse(source)
    original = ast.unparse(tree)
    seen = Counter[str]()
    for place, node in list(_places(tree, "")):
        for other in _alternatives(place, node):
            place.put(ast.fix_missing_locations(ast.copy_location(other, node)))
            mutated = ast.unparse(tree)
            place.put(node)
            if mutated != original:
                change = f"{place.function or 'module'}: {_change(_shown(node), _shown(other))}"
                seen[change] += 1
                name = change if seen[change] == 1 else f"{change} ({seen[change]})"
                yield Mutant(line=getattr(node, "lineno", 0), name=name, source=mutated)


def _places(parent: ast.AST, function: str) -> Iterator[tuple[_Place, ast.AST]]:
    """Yield each node that runs, with its place: no annotation, no docstring, no alias of a type."""
    if isinstance(parent, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        function = f"{function}.{parent.name}".lstrip(".")
    for field, value in ast.iter_fields(parent):
        for index, node in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if isinstance(node, ast.AST) and field not in _NOT_RUN and not _only_tells(node, function):
                yield _Place(parent, field, index, function), node
                yield from _places(node, function)


def _only_tells(node: ast.AST, function: str) -> bool:
    match node:
        case ast.Expr(value=ast.Constant(value=str())):
            return True
        case ast.Assign(targets=[ast.Name(id=name)]):
            return not function and _TYPE_ALIAS.fullmatch(name) is not None
    return False


def _alternatives(place: _Place, node: ast.AST) -> Iterator[ast.AST]:
    if place.field == "ifs" or (place.field == "test" and not isinstance(place.parent, ast.While)):
        yield ast.Constant(True)
    if place.field == "test":
        yield ast.Constant(False)
    match node:
        case ast.Constant(value=str() as text):
            yield from (ast.Constant(other) for other in _other_texts(place, text))
        case ast.Constant(value=value):
            yield from (ast.Constant(other) for other in _other_values(value))
        case ast.stmt():
            yield from _other_statements(node)
        case ast.expr() if not _is_argument_list(place, node):
            yield from _other_expressions(node)


def _is_argument_list(place: _Place, node: ast.expr) -> bool:
    """A tuple given to a call, as a statement's values are: one less is an error at once and tells nothing."""
    return isinstance(node, ast.Tuple) and isinstance(place.parent, ast.Call)


def _other_values(value: object) -> Iterator[float | bytes]:
    match value:
        case bool():
            yield not value
        case int():
            yield from (value + 1, value - 1)
        case float():
            yield value + 1
        case bytes():
            yield b"XX" + value


def _other_texts(place: _Place, text: str) -> Iterator[str]:
    if isinstance(place.parent, ast.Attribute) and place.parent.attr == "split":
        yield from mutant_texts.without_a_word(text)
    elif mutant_texts.is_statement(text):
        yield from mutant_texts.statements(text)
    elif not place.function and mutant_texts.is_pattern(text):
        yield from mutant_texts.patterns(text)
    else:
        yield f"XX{text}"


def _other_statements(node: ast.stmt) -> Iterator[ast.AST]:
    match node:
        case ast.Expr() | ast.AugAssign() | ast.Raise() | ast.Break() | ast.Continue() | ast.Delete():
            yield ast.Pass()
            if isinstance(node, ast.AugAssign):
                yield ast.Assign([node.target], node.value)
        case ast.Assign(targets=[ast.Attribute()]):
            yield ast.Pass()
        case ast.Return(value=ast.expr() as value) if not isinstance(value, ast.Constant):
            yield ast.Return(ast.Constant(None))
        case ast.With(items=[ast.withitem(optional_vars=None)], body=body):
            yield ast.If(ast.Constant(True), body, [])
        case ast.Match(cases=cases):
            yield from _without_one(node, "cases", cases)


def _other_expressions(node: ast.expr) -> Iterator[ast.AST]:
    match node:
        case ast.Compare(ops=operators):
            for index, operator in enumerate(operators):
                yield _with(node, "ops", [*operators[:index], _SWAPPED[type(operator)](), *operators[index + 1 :]])
        case ast.BoolOp(values=values):
            for other in _without_one(node, "values", values):
                yield other.values[0] if len(other.values) == 1 else other
        case ast.BinOp(left=left, right=right):
            yield from (left, right)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield operand
        case ast.Subscript(value=value, slice=ast.Slice()):
            yield value
        case ast.Call():
            yield from _other_calls(node)
        case _:
            yield from _other_displays(node)


def _other_displays(node: ast.expr) -> Iterator[ast.AST]:
    match node:
        case (
            ast.Tuple(elts=elements, ctx=ast.Load()) | ast.List(elts=elements, ctx=ast.Load()) | ast.Set(elts=elements)
        ):
            yield from _without_one(node, "elts", elements)
        case ast.Dict(keys=keys, values=values):
            for index in range(len(keys)):
                yield ast.Dict(keys[:index] + keys[index + 1 :], values[:index] + values[index + 1 :])


def _other_calls(node: ast.Call) -> Iterator[ast.AST]:
    match node.func:
        case ast.Attribute(value=value) if not node.args and not node.keywords:
            yield value
        case ast.Name(id=name) if name in _OTHER_NAMES:
            yield _with(node, "func", ast.Name(_OTHER_NAMES[name]))
    yield from _without_one(node, "keywords", node.keywords)


def _without_one(node: Node, field: str, members: Sequence[ast.AST]) -> Iterator[Node]:
    """Yield the node without each of its members in turn."""
    for index in range(len(members)):
        yield _with(node, field, [*members[:index], *members[index + 1 :]])


def _with(node: Node, field: str, value: object) -> Node:
    other = copy.copy(node)
    setattr(other, field, value)
    return other


def _shown(node: ast.AST) -> str:
    return " ".join(ast.unparse(ast.fix_missing_locations(copy.deepcopy(node))).split())


def _change(old: str, new: str) -> str:
    """Say how two texts differ; of long ones only what surrounds the difference."""
    if max(len(old), len(new)) <= _SHORT:
        return f"{old} -> {new}"
    start = max(0, _length_in_common(old, new) - _AROUND)
    old, new = old[start:], new[start:]
    end = max(0, _length_in_common(old[::-1], new[::-1]) - _AROUND)
    old, new = old[: len(old) - end], new[: len(new) - end]
    return f"{'…' * (start > 0)}{old}{'…' * (end > 0)} -> {new}"


def _length_in_common(one: str, other: str) -> int:
    differing = (place for place, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1])
    return next(differing, min(len(one), len(other)))
