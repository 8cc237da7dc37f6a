"""What scripts/generate_tool_specs.py makes and refuses, run on copies; the checkout itself is only read."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
COMMAND = "python scripts/generate_tool_specs.py"

Json = dict[str, Any]


def read(path: Path) -> Json:
    """A JSON file."""
    value: Json = json.loads(path.read_text("utf-8"))
    return value


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the scripts and of tool_specs/."""
    for name in ("scripts", "tool_specs"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def generate(root: Path, *options: str) -> tuple[int, str, str]:
    """Exit code, output and error output of the script."""
    command = [sys.executable, str(root / "scripts" / "generate_tool_specs.py"), *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def edit(root: Path, name: str, change: Callable[[Json], Any]) -> None:
    """Change a source of a copy."""
    path = root / "tool_specs" / name
    document = read(path)
    change(document)
    path.write_text(json.dumps(document), "utf-8")


def test_the_committed_files_are_what_the_script_makes() -> None:
    """Nothing is stale and nothing was edited by hand."""
    assert generate(ROOT, "--check") == (0, "", "")


def test_a_changed_excerpt_is_noticed_and_mended(checkout: Path) -> None:
    """--check names the stale file and the command, and writes nothing; the command mends it."""
    edit(checkout, "openapi.json", lambda it: it["components"]["schemas"]["CreateStore"]["required"].remove("name"))
    stale = (1, f"create-store.json is stale; run: {COMMAND}\n", "")
    assert generate(checkout, "--check") == generate(checkout, "--check") == stale
    assert generate(checkout) == generate(checkout, "--check") == (0, "", "")
    assert read(checkout / "tool_specs" / "create-store.json")["inputSchema"]["required"] == [
        "integrationConfigurationId",
        "integrationProductIdOrSlug",
    ]


def test_a_changed_difference_makes_the_readme_stale(checkout: Path) -> None:
    """The table is made from x-differences."""
    edit(checkout, "openapi.json", lambda it: it["x-differences"].pop())
    assert generate(checkout, "--check") == (1, f"README.md is stale; run: {COMMAND}\n", "")


def test_a_definition_without_a_tool_is_named(checkout: Path) -> None:
    """What a removed tool leaves behind is not overlooked."""
    edit(checkout, "tools.json", lambda it: it["tools"].pop("list-plans"))
    assert generate(checkout, "--check") == (1, "list-plans.json belongs to no tool of tools.json; remove it\n", "")


def tool(document: Json) -> Json:
    """Our part of list-plans."""
    part: Json = document["tools"]["list-plans"]
    return part


def plans(document: Json) -> list[Json]:
    """The parameters of getBillingPlans."""
    path = next(path for path in document["paths"] if path.endswith("/plans"))
    found: list[Json] = document["paths"][path]["get"]["parameters"]
    return found


@pytest.mark.parametrize(
    ("name", "change", "sentence"),
    [
        ("tools.json", lambda it: tool(it).update(operationId="getPlans"), "list-plans names getPlans, which"),
        ("tools.json", lambda it: tool(it).pop("title"), "list-plans lacks title."),
        ("tools.json", lambda it: tool(it).update(inputDefaults={"view": "x"}), 'the default "x" for view, which'),
        ("tools.json", lambda it: it["$defs"].pop("store"), "refers to #/$defs/store, which is nowhere"),
        ("tools.json", lambda it: tool(it)["outputSchema"].update(type="array"), "must be an object"),
        ("openapi.json", lambda it: plans(it).append({**plans(it)[0], "in": "query"}), "called integrationIdOrSlug."),
        ("openapi.json", lambda it: plans(it)[0].update({"in": "header"}), "stands in the header"),
        (
            "openapi.json",
            lambda it: plans(it)[0].update(schema={"$ref": "#/components/schemas/X"}),
            "#/components/schemas/X",
        ),
        ("openapi.json", lambda it: it["components"]["schemas"]["CreateStore"].update(oneOf=[]), "cannot be flattened"),
    ],
)
def test_sources_that_do_not_fit_together_are_refused(
    checkout: Path, name: str, change: Callable[[Json], Any], sentence: str
) -> None:
    """Exit code 2, one sentence, nothing written."""
    edit(checkout, name, change)
    before = {path.name: path.read_bytes() for path in (checkout / "tool_specs").iterdir()}
    code, output, errors = generate(checkout)
    assert (code, output, errors.count("\n"), sentence in errors) == (2, "", 1, True)
    assert {path.name: path.read_bytes() for path in (checkout / "tool_specs").iterdir()} == before


def test_words_of_openapi_become_words_of_json_schema(checkout: Path) -> None:
    """Null, exclusive limits and references are translated; examples and extensions stay behind."""

    def extend(document: Json) -> None:
        shared = {"type": "integer", "nullable": True, "enum": [60, 70], "example": 60, "x-note": "ours"}
        document["components"]["schemas"]["Shared"] = shared
        member = {"minimum": 1, "exclusiveMinimum": True, "items": {"$ref": "#/components/schemas/Shared"}}
        properties = {"example": member, "either": {"nullable": True, "anyOf": [{"type": "string"}]}}
        plans(document)[0]["schema"] = {"type": "object", "properties": properties}

    edit(checkout, "openapi.json", extend)
    assert generate(checkout) == (0, "", "")
    schema = read(checkout / "tool_specs" / "list-plans.json")["inputSchema"]["properties"]["integrationIdOrSlug"]
    assert schema["properties"] == {
        "example": {"exclusiveMinimum": 1, "items": {"type": ["integer", "null"], "enum": [60, 70, None]}},
        "either": {"anyOf": [{"anyOf": [{"type": "string"}]}, {"type": "null"}]},
    }
