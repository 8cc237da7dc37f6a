"""The tool definitions are found beside the installed package first, then in the checkout, or their lack is said."""

import json
import runpy
from pathlib import Path
from typing import Any

import pytest

from vercel_marketplace_mcp import specs

ROOT = Path(__file__).parents[1]
SOURCE = Path(specs.__file__)


def definitions(folder: Path, **changes: Any) -> Path:
    """Write a definition for every tool into `folder`."""
    folder.mkdir(parents=True)
    for name in specs.TOOL_NAMES:
        definition = {"name": name, "inputSchema": {"properties": {}}, **changes}
        (folder / f"{name}.json").write_text(json.dumps(definition), encoding="utf-8")
    return folder


def installed(site: Path) -> dict[str, Any]:
    """Run a copy of the loader as if the package lay in `site`, and return what it defines."""
    package = site / "vercel_marketplace_mcp"
    package.mkdir(parents=True, exist_ok=True)
    copy = package / "specs.py"
    copy.write_bytes(SOURCE.read_bytes())
    return runpy.run_path(str(copy), run_name="specs_of_this_test")


def test_the_checkout_s_definitions_are_loaded_as_they_are() -> None:
    """In the order in which they are listed, each equal to the JSON value of its file."""
    files = {name: ROOT / "tool_specs" / f"{name}.json" for name in specs.TOOL_NAMES}
    assert {name: spec.definition for name, spec in specs.load().items()} == {
        name: json.loads(path.read_text(encoding="utf-8")) for name, path in files.items()
    }
    assert tuple(specs.load()) == specs.TOOL_NAMES
    assert [spec.name for spec in specs.load().values()] == list(specs.TOOL_NAMES)


def test_the_definitions_beside_the_package_come_first(tmp_path: Path) -> None:
    """An installed package uses its own definitions, whatever lies in a folder above it."""
    inside = definitions(tmp_path / "lib" / "site" / "vercel_marketplace_mcp" / "tool_specs", title="inside")
    definitions(tmp_path / "lib" / "tool_specs", title="above")
    loader = installed(tmp_path / "lib" / "site")
    assert loader["folder"]() == inside
    assert {spec.definition["title"] for spec in loader["load"]().values()} == {"inside"}


def test_a_checkout_s_definitions_are_found_beside_its_source_root(tmp_path: Path) -> None:
    """Without definitions in the package, those of the checkout are used."""
    beside = definitions(tmp_path / "tool_specs")
    assert installed(tmp_path / "server")["folder"]() == beside


def test_an_empty_folder_beside_the_package_is_no_definition(tmp_path: Path) -> None:
    """A folder that holds no definition is passed over."""
    (tmp_path / "server" / "vercel_marketplace_mcp" / "tool_specs").mkdir(parents=True)
    beside = definitions(tmp_path / "tool_specs")
    assert installed(tmp_path / "server")["folder"]() == beside


def test_missing_definitions_are_said_with_what_to_do(tmp_path: Path) -> None:
    """An installation that holds none says so in one sentence, and names no path."""
    loader = installed(tmp_path / "server")
    with pytest.raises(FileNotFoundError) as caught:
        loader["load"]()
    assert str(caught.value) == ("the tool definitions (tool_specs/) are missing from this installation; reinstall it")


def test_a_definition_knows_its_arguments_and_checks_them() -> None:
    """The names of the arguments come in the order of the file, and the validator is compiled once."""
    spec = specs.load()["list-products"]
    assert spec.argument_names == tuple(spec.definition["inputSchema"]["properties"])
    assert spec.validator is spec.validator
    assert spec.validator.is_valid({"id": "icfg_a1"})
    assert not spec.validator.is_valid({"id": "icfg_a1", "force": True})
    assert not spec.validator.is_valid({})
