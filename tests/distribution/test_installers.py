"""Runs the wheel as people do who keep programs apart from each other: uvx, uv and pipx themselves, offline.

Each of them resolves what the wheel declares, from wheels in a folder. Nothing is asked of an index.
"""

import shutil
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client, StdioServerParameters

from vercel_marketplace_mcp import specs

from .building import VERSION, run

PROGRAM = "vercel-marketplace-mcp"
INSTALLERS = {
    "uvx": (None, ("uvx", "--from", "WHEEL", PROGRAM)),
    "uv": (("uv", "tool", "install", "WHEEL"), (PROGRAM,)),
    "pipx": (("pipx", "install", "WHEEL"), (PROGRAM,)),
}


def found(command: tuple[str, ...], wheel: Path, environment: dict[str, str]) -> tuple[str, ...]:
    """A command as a shell in this environment would run it, with the wheel where it is named."""
    program = shutil.which(command[0], path=environment["PATH"])
    assert program, f"there is no {command[0]}"
    return (program, *(str(wheel) if word == "WHEEL" else word for word in command[1:]))


async def tools_of(command: tuple[str, ...], environment: dict[str, str]) -> list[dict[str, Any]]:
    """What tools/list answers to a client of the server that the command starts."""
    program, *arguments = command
    parameters = StdioServerParameters(command=program, args=[*arguments, "serve", "--sandbox"], env=environment)
    with anyio.fail_after(120):
        async with Client(parameters, read_timeout_seconds=60) as client:
            listed = await client.list_tools()
    return [tool.model_dump(mode="json", by_alias=True, exclude_unset=True) for tool in listed.tools]


@pytest.mark.parametrize("installer", INSTALLERS)
def test_an_installer_makes_a_server_of_the_wheel(
    installer: str, wheel: Path, tmp_path: Path, offline: dict[str, str]
) -> None:
    """What the wheel declares is all that it needs: the program tells its version and serves the tools."""
    install, start = INSTALLERS[installer]
    if install:
        run(*found(install, wheel, offline), cwd=tmp_path, environment=offline)
    command = found(start, wheel, offline)
    assert run(*command, "--version", cwd=tmp_path, environment=offline) == f"{VERSION}\n"
    assert anyio.run(tools_of, command, offline) == [spec.definition for spec in specs.load().values()]
