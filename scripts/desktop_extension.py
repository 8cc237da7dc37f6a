"""Lays out the folder that becomes a desktop extension (an MCP bundle), from files that exist for other reasons.

Its manifest is that of examples/hosts, but for how the server is started: there an installed command, here the wheel
that lies in the folder, in an environment that the host's uv makes of the pinned packages. It packs nothing.
"""

import json
import re
import shutil
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from check_locks import PIN, RUNTIME

from vercel_marketplace_mcp import specs

Json = dict[str, Any]

FOLDER = Path("build", "mcpb")
EXAMPLE = Path("examples", "hosts", "account", "claude-desktop", "manifest.json")
START = Path("mcpb", "main.py")
# With this type a host ignores the command, takes these arguments for its own uv, and sets the variables.
ARGUMENTS = ["run", "--directory", "${__dirname}", "--compile-bytecode", START.name]


def main(root: Path) -> int:
    """Lay the folder out in the checkout at `root`, around the one wheel that was built into it; 0 if it could."""
    folder = root / FOLDER
    wheels = list(folder.glob("*.whl"))
    if len(wheels) != 1:
        sys.stdout.write(f"{FOLDER} holds {len(wheels)} wheels; scripts/bundle builds one into it\n")
        return 1
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    example = json.loads((root / EXAMPLE).read_text("utf-8"))
    text = json.dumps(manifest(example, project), indent=2)
    (folder / "manifest.json").write_text(text + "\n", "utf-8")
    environment = "\n".join(environment_of(project, wheels[0].name, (root / RUNTIME).read_text("utf-8")))
    (folder / "pyproject.toml").write_text(environment + "\n", "utf-8")
    for name in (START, *project["license-files"]):
        shutil.copy(root / name, folder)
    return 0


def manifest(example: Json, project: Json) -> Json:
    """The manifest: what a person reads and is asked for as in the example, started through uv."""
    tools = [spec.definition for spec in specs.load().values()]
    started = {"command": "uv", "args": ARGUMENTS, "env": example["server"]["mcp_config"]["env"]}
    return {
        **example,
        "manifest_version": "0.4",
        "display_name": "Vercel Marketplace storage",
        "version": project["version"],
        "license": project["license"],
        "keywords": project["keywords"],
        "server": {"type": "uv", "entry_point": START.name, "mcp_config": started},
        "tools": [{"name": tool["name"], "description": tool["description"]} for tool in tools],
    }


def environment_of(project: Json, wheel: str, requirements: str) -> Iterator[str]:
    """The lines of the pyproject.toml from which uv makes the environment: our wheel, and no version but the pinned."""
    minors = [int(found) for found in re.findall(r"Python :: 3\.(\d+)", "\n".join(project["classifiers"]))]
    yield "[project]"
    yield f'name = "{project["name"]}-bundle"'
    yield f'version = "{project["version"]}"'
    yield f'requires-python = ">=3.{min(minors)},<3.{max(minors) + 1}"'
    yield f'dependencies = ["{project["name"]}"]'
    yield "\n[tool.uv]"
    yield "package = false"
    yield "no-build = true"
    yield "environments = [\"sys_platform == 'darwin'\", \"sys_platform == 'linux'\"]"
    yield "constraint-dependencies = ["
    yield from (f"    {json.dumps(pin)}," for pin in pins(requirements))
    yield "]"
    yield "\n[tool.uv.sources]"
    yield f'{project["name"]} = {{ path = "{wheel}" }}'


def pins(requirements: str) -> Iterator[str]:
    """Each pin of a requirements file with its marker, without its hashes, which uv knows no place for here."""
    for pin in PIN.finditer(requirements):
        marker = pin["rest"].split("\\", 1)[0].strip()
        yield f"{pin['name']}=={pin['version']}{' ' * bool(marker)}{marker}"


if __name__ == "__main__":
    sys.exit(main(Path(*sys.argv[1:2]) if sys.argv[1:] else Path(__file__).parents[1]))
