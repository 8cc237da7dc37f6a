"""Reads the files of examples/hosts as each host documents that it does. It starts nothing and knows nothing of ours.

The JSON files beside this module describe, in our own words, the part of each host's format that we use: `format` is
what the host takes, `ours` what we ask of our own files beyond that.
"""

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from jsonschema import Draft202012Validator

Json: TypeAlias = dict[str, Any]
Step: TypeAlias = str | int

FOLDER = Path(__file__).parents[2] / "examples" / "hosts"
NAME = "vercel-marketplace"
COMMAND = "vercel-marketplace-mcp"
REFERENCE = re.compile(r"\$\{[^}]+\}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Host:
    """What a host documents about one of its files, with the pages that say so and the day they were read."""

    host: str
    read: str
    sources: list[str]
    files: dict[str, str]
    format: Json
    ours: Json = field(default_factory=dict)
    servers: str | None = None
    reference: str | None = None
    unset: str = "kept"
    typed: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Launch:
    """What a host starts: the command, its arguments, and the variables that it adds."""

    command: str
    args: list[str]
    env: dict[str, str]


HOSTS = {
    path.stem: Host(**json.loads(path.read_text("utf-8"))) for path in sorted(Path(__file__).parent.glob("*.json"))
}
FILES = sorted((name, variant) for name, host in HOSTS.items() for variant in host.files)


def path_of(name: str, variant: str) -> Path:
    """Where a host's file lies in examples/hosts."""
    return FOLDER / variant / HOSTS[name].files[variant]


def read(name: str, variant: str) -> Json:
    """A host's file as data."""
    text = path_of(name, variant).read_text("utf-8")
    document: Json = tomllib.loads(text) if path_of(name, variant).suffix == ".toml" else json.loads(text)
    return document


def entry(host: Host, document: Json) -> Json:
    """The server that a file of the host's format starts."""
    server: Json = document["server"]["mcp_config"] if host.servers is None else document[host.servers][NAME]
    return server


def launch(name: str, variant: str, document: Json, environment: Mapping[str, str]) -> Launch:
    """What the host starts in an environment; what it asks a person for is typed from there too."""
    host, server = HOSTS[name], entry(HOSTS[name], document)
    values = dict(environment)
    if host.typed:
        asked = {one["id"] for one in document.get("inputs", [])}
        asked |= {f"user_config.{key}" for key in document.get("user_config", {})}
        values = {key: environment[variable] for key, variable in host.typed.items() if key in asked}
        values["__dirname"] = str(path_of(name, variant).parent)

    def put(match: re.Match[str]) -> str:
        return values.get(match[1], "" if host.unset == "empty" else match[0])

    def expand(text: str) -> str:
        return re.sub(host.reference, put, text) if host.reference else text

    passed = {key: environment[key] for key in server.get("env_vars", []) if key in environment}
    given = {key: expand(text) for key, text in server.get("env", {}).items()}
    return Launch(
        command=expand(server["command"]), args=[expand(one) for one in server.get("args", [])], env={**passed, **given}
    )


def wanted(name: str, variant: str, environment: Mapping[str, str]) -> Launch:
    """What the file of a variant has to start: the sandbox without a token, or the team's account."""
    if variant == "sandbox":
        return Launch(command=COMMAND, args=["serve", "--sandbox"], env={})
    account = {key: environment[key] for key in ("VERCEL_TOKEN", "VERCEL_TEAM_ID")}
    if name == "claude-desktop-extension":
        script = path_of(name, variant).parent / read(name, variant)["server"]["entry_point"]
        return Launch(command="/bin/sh", args=[str(script)], env=account)
    return Launch(command=COMMAND, args=[], env=account)


def problems(name: str, variant: str, document: Json, environment: Mapping[str, str]) -> list[str]:
    """What is wrong with a host's file, by the host's format first, then by what it has to start."""
    for schema in (HOSTS[name].format, HOSTS[name].ours):
        found = [f"{error.json_path}: {error.message}" for error in Draft202012Validator(schema).iter_errors(document)]
        if found:
            return found
    servers = HOSTS[name].servers
    if servers is not None and list(document[servers]) != [NAME]:
        return [f"{servers}: it names {list(document[servers])}"]
    started, right = launch(name, variant, document, environment), wanted(name, variant, environment)
    return [] if started == right else [f"it starts {started} in place of {right}"]


def members(value: Any, path: tuple[Step, ...] = ()) -> Iterator[tuple[Step, ...]]:
    """The way to every member of every object and to every element of every list."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, inner in pairs:
        yield (*path, step)
        yield from members(inner, (*path, step))


def objects(value: Any, path: tuple[Step, ...] = ()) -> Iterator[tuple[Step, ...]]:
    """The way to every object."""
    if isinstance(value, dict):
        yield path
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, inner in pairs:
        yield from objects(inner, (*path, step))


def at(document: Json, path: tuple[Step, ...]) -> Any:
    """What lies at the end of a way."""
    value: Any = document
    for step in path:
        value = value[step]
    return value
