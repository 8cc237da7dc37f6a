"""Ties the promises to the tests that prove them and to the README that makes them. It runs none of those tests."""

import ast
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from vercel_marketplace_mcp.vercel import operations

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
SECURITY_MODEL = README.split("\n## Security model\n", 1)[1].split("\n## ", maxsplit=1)[0]
PROMISES: list[dict[str, Any]] = tomllib.loads((ROOT / "tests" / "promises.toml").read_text("utf-8"))["promise"]
MAX_SENTENCE = 200
SKIPPED = {"skip", "skipif", "xfail"}


@cache
def functions_of(name: str) -> dict[str, set[str]]:
    """The tests of a file, each with the marks that stand on it."""
    path = ROOT / name
    if not (path.is_file() and path.name.startswith("test_")):
        return {}
    functions = [
        node
        for node in ast.parse(path.read_text("utf-8")).body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
    ]
    return {function.name: {mark for each in function.decorator_list for mark in names(each)} for function in functions}


def names(node: ast.AST) -> Iterator[str]:
    """Every name in a piece of source."""
    for part in ast.walk(node):
        if isinstance(part, ast.Attribute):
            yield part.attr
        elif isinstance(part, ast.Name):
            yield part.id


def problems(promises: list[dict[str, Any]], security_model: str) -> Iterator[str]:
    """What is wrong with a manifest, beside a README's security model."""
    for number, promise in enumerate(promises, start=1):
        name, sentence, tests = promise.get("id"), promise.get("sentence", ""), promise.get("tests", [])
        if name != f"P{number:02}":
            yield f"the promise number {number} is called {name}"
        if set(promise) != {"id", "sentence", "tests"}:
            yield f"{name} has other members than id, sentence and tests"
        if not re.fullmatch(r"It must not [^.\n]+\.", sentence) or len(sentence) > MAX_SENTENCE:
            yield f"{name} is not one plain sentence"
        if sentence not in security_model:
            yield f"{name} is not in the README"
        if not tests or len(set(tests)) != len(tests):
            yield f"{name} has no test, or one twice"
        yield from (f"{name} names {test}, {found}" for test in tests if (found := why_not_a_test(test)))
    said = re.findall(r"It must not [^\n]*?\.(?=\s)", f"{security_model}\n")
    yield from (f"the README promises more: {sentence}" for sentence in said if not is_kept(sentence, promises))


def is_kept(sentence: str, promises: list[dict[str, Any]]) -> bool:
    """Whether a sentence of the README is one of the manifest."""
    return sentence in [promise.get("sentence") for promise in promises]


def why_not_a_test(test: str) -> str | None:
    """Why this names no test that is run."""
    file, _, function = test.partition("::")
    marks = functions_of(file).get(function)
    if marks is None:
        return "which does not exist"
    return "which is skipped" if marks & SKIPPED else None


def test_every_promise_is_made_in_the_readme_and_proved_by_tests() -> None:
    """Each has an id of its own, one sentence, which the README repeats, and tests that exist and are not skipped."""
    assert list(problems(PROMISES, SECURITY_MODEL)) == []
    assert 15 <= len(PROMISES) <= 25


GOOD: dict[str, Any] = {
    "id": "P01",
    "sentence": "It must not lie.",
    "tests": ["tests/test_promises.py::test_a_broken_one_is_noticed"],
}
OTHER: dict[str, Any] = {**GOOD, "id": "P02", "sentence": "It must not steal."}


@pytest.mark.parametrize(
    ("promises", "problem"),
    [
        ([GOOD, OTHER], None),
        ([GOOD, {**OTHER, "id": "P01"}], "the promise number 2 is called P01"),
        ([GOOD, {**OTHER, "tests": []}], "P02 has no test, or one twice"),
        ([GOOD, {**OTHER, "tests": GOOD["tests"] * 2}], "P02 has no test, or one twice"),
        ([GOOD, {**OTHER, "tests": ["tests/no.py::test_x"]}], "P02 names tests/no.py::test_x, which does not exist"),
        (
            [GOOD, {**OTHER, "tests": ["tests/test_promises.py::names"]}],
            "P02 names tests/test_promises.py::names, which does not exist",
        ),
        (
            [GOOD, {**OTHER, "tests": ["README.md::test_x"]}],
            "P02 names README.md::test_x, which does not exist",
        ),
        ([GOOD, {**OTHER, "sentence": "It must not steal"}], "P02 is not one plain sentence"),
        ([GOOD, {**OTHER, "sentence": "It must not stray."}], "P02 is not in the README"),
        ([GOOD, {**OTHER, "note": "x"}], "P02 has other members than id, sentence and tests"),
        ([GOOD], "the README promises more: It must not steal."),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_broken_one_is_noticed(promises: list[dict[str, Any]], problem: str | None) -> None:
    """The check above finds each way in which a manifest can be broken, and nothing in one that is whole."""
    found = list(problems(promises, "- It must not lie. It must not steal.\n- Nor anything else.\n"))
    assert found == [] if problem is None else problem in found


def test_the_only_requests_that_change_anything_create_a_store_and_connect_one() -> None:
    """Of all operations that the one client of Vercel knows, two are no reading."""
    known = [value for value in vars(operations).values() if isinstance(value, operations.Operation)]
    assert len(known) >= 7
    assert [one for one in known if one.method != "GET"] == [operations.CREATE_STORE, operations.CONNECT]
    assert operations.CREATE_STORE.template == "/v1/storage/stores/integration/direct"
    assert operations.CONNECT.template.endswith("/resources/{resourceId}/connections")
