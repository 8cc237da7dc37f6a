"""An installation of the command for tests: a program on a PATH that runs this checkout. It installs nothing."""

import os
import sys
from pathlib import Path

from vercel_marketplace_mcp import specs

from .reading import COMMAND

ROOT = Path(__file__).parents[2]


def put_command(folder: Path) -> Path:
    """Put the command into a folder, as pipx or uv would, and return it."""
    program = folder / COMMAND
    folder.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}/server" exec "{sys.executable}" -m {specs.__package__} "$@"\n')
    program.chmod(0o755)
    return program


def environment(folder: Path) -> dict[str, str]:
    """An environment whose PATH holds the command, and which keeps its state in the folder."""
    path = os.pathsep.join([str(put_command(folder / "bin").parent), os.environ["PATH"]])
    return {"PATH": path, "HOME": str(folder), "VERCEL_MCP_STATE_DIR": str(folder / "state")}
