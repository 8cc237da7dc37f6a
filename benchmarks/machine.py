"""What a run was made on and with: the machine, the programs and their versions."""

import os
import platform
import re
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from . import tokens
from .environments import PINS


def lines(environments: list[str]) -> list[str]:
    """Return the lines that every table of results stands under."""
    tokenizer = tokens.name() or "none installed, so no tokens were counted"
    return [
        f"{datetime.now(UTC):%Y-%m-%d}; {_processor()}, {os.cpu_count()} cores, {platform.machine()}",
        f"Python {platform.python_version()}, mcp {version('mcp')}, httpx {version('httpx')}; {_node()}",
        f"tokens: {tokenizer}; every Python environment is byte-compiled before anything is measured",
        *[f"{name}: {', '.join(_pins(name))}" for name in environments],
    ]


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text("utf-8")
    except OSError:
        return platform.processor() or "unknown processor"
    found = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return found[1] if found else platform.processor() or "unknown processor"


def _node() -> str:
    try:
        done = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True, timeout=20)  # noqa: S607
    except (OSError, subprocess.SubprocessError):
        return "no Node"
    return f"Node {done.stdout.strip().removeprefix('v')}"


def _pins(name: str) -> Iterator[str]:
    """Yield the packages that an environment is about, with their versions."""
    path = PINS / f"{name}.txt"
    if path.is_file():
        wanted = ("fastmcp", "awslabs-openapi-mcp-server", "mcp")
        yield from (
            f"{name} {number}"
            for name, number in re.findall(r"^(\S+)==(\S+)", path.read_text("utf-8"), re.MULTILINE)
            if name in wanted
        )
        return
    manifest = (PINS / name / "package.json").read_text("utf-8")
    yield from (f"{name} {number}" for name, number in re.findall(r'"(@[^"]+)": "([0-9.]+)"', manifest))
