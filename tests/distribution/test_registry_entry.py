"""Holds server.json, the entry for the MCP registry, against the registry's format, the settings and the README.

The format is described in our own words in server-json.json, with the documents it was taken from and the day.
"""

import copy
import json
import re
from pathlib import Path
from typing import Any, get_args

import pytest
from jsonschema import Draft202012Validator

from vercel_marketplace_mcp import settings

from ..hosts.reading import Step, at, members, objects
from .building import ROOT

FACTS = json.loads((ROOT / "tests" / "distribution" / "server-json.json").read_text("utf-8"))
ENTRY = json.loads((ROOT / "server.json").read_text("utf-8"))
VARIABLES = {each["name"]: each for each in ENTRY["packages"][0]["environmentVariables"]}
NEEDED = {"VERCEL_TOKEN": "a-token-for-this-test", "VERCEL_TEAM_ID": "team_ForThisTest"}
MARKER = "<!-- mcp-name: {name} -->"


def place(path: tuple[Step, ...]) -> str:
    """A readable test id."""
    return ".".join(map(str, path)) or "."


def problems(entry: Any) -> list[str]:
    """What is wrong with an entry, by the registry's format and by what we ask of ours."""
    schemas = (FACTS["format"], FACTS["ours"])
    found = [error for schema in schemas for error in Draft202012Validator(schema).iter_errors(entry)]
    return [f"{error.json_path}: {error.message}" for error in found] or wrong_defaults(entry)


def wrong_defaults(entry: Any) -> list[str]:
    """Whether a default differs from the server's own: a host that sets them all changes nothing."""
    variables = entry["packages"][0]["environmentVariables"]
    given = {each["name"]: each["default"] for each in variables if "default" in each}
    try:
        chosen = load(given)
    except settings.SettingsError as error:
        return [str(error)]
    return [] if chosen == load({}) else ["a default is not that of the setting"]


def load(more: dict[str, str]) -> settings.Settings:
    """The settings of an environment with what is required and with more."""
    return settings.load({"HOME": str(Path.home()), **NEEDED, **more})


def test_the_entry_has_the_registrys_format() -> None:
    """Nothing is missing, nothing is unknown, and every default is that of the server."""
    assert problems(ENTRY) == []


@pytest.mark.parametrize("path", list(objects(ENTRY)), ids=place)
def test_an_unknown_member_is_noticed(path: tuple[Step, ...]) -> None:
    """A misspelt member would be dropped by the registry without a word."""
    entry = copy.deepcopy(ENTRY)
    at(entry, path)["environment_variables"] = []
    assert problems(entry)


@pytest.mark.parametrize("path", [path for path in members(ENTRY) if len(path) in {1, 3, 5}], ids=place)
def test_a_member_of_the_wrong_type_is_noticed(path: tuple[Step, ...]) -> None:
    """No member can hold just anything."""
    entry = copy.deepcopy(ENTRY)
    at(entry, path[:-1])[path[-1]] = {"type": 0}
    assert problems(entry)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("description",), "x" * 101),
        (("name",), "vercel-marketplace-mcp"),
        (("version",), "^0.1.0"),
        (("packages", 0, "version"), "latest"),
        (("packages", 0, "registryType"), "pip"),
        (("packages", 0, "environmentVariables", 2, "default"), "always"),
        (("packages", 0, "environmentVariables", 4, "default"), "1000.00"),
    ],
)
def test_a_wrong_value_is_noticed(path: tuple[Step, ...], value: str) -> None:
    """What the registry refuses, and what would let the server spend more than it says."""
    entry = copy.deepcopy(ENTRY)
    at(entry, path[:-1])[path[-1]] = value
    assert problems(entry)


def test_the_token_alone_is_secret_and_without_it_or_a_team_nothing_is_created() -> None:
    """A host asks for both, hides one, and asks for nothing else."""
    assert [name for name, each in VARIABLES.items() if each.get("isSecret")] == ["VERCEL_TOKEN"]
    assert [name for name, each in VARIABLES.items() if each.get("isRequired")] == list(NEEDED)
    assert {name for name, each in VARIABLES.items() if "default" in each and name in NEEDED} == set()


@pytest.mark.parametrize("name", [name for name, each in VARIABLES.items() if "choices" in each])
def test_every_choice_is_one_of_the_server(name: str) -> None:
    """The server takes each of the values, and no other."""
    for choice in VARIABLES[name]["choices"]:
        load({name: choice})
    with pytest.raises(settings.SettingsError, match=name):
        load({name: "always"})


def test_every_way_to_approve_is_a_choice() -> None:
    """A host offers nothing less than the server takes."""
    assert VARIABLES["VERCEL_MCP_APPROVAL"]["choices"] == list(get_args(settings.Approval))


def test_every_variable_is_one_that_the_server_reads() -> None:
    """A misspelt name would be asked for and never looked at."""
    source = (ROOT / "server" / "vercel_marketplace_mcp" / "settings.py").read_text("utf-8")
    assert {name for name in VARIABLES if f'"{name}"' not in source} == set()


def test_the_readme_proves_to_the_registry_whose_the_package_is() -> None:
    """The registry looks for the entry's name in the description on the index, alone on its line, once."""
    readme = (ROOT / "README.md").read_text("utf-8")
    assert re.findall(r"^.*mcp-name:.*$", readme, re.MULTILINE) == [MARKER.format(name=ENTRY["name"])]
