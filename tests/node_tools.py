"""Finds the programs of node_modules that tests run, and installs them from package-lock.json if they are not there.

Node is needed for these tests and for nothing else: without it they are skipped, except in CI, where they fail.
"""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import NoReturn

import pytest

ROOT = Path(__file__).parents[1]
PROGRAMS = ROOT / "node_modules" / ".bin"
OLDEST_NODE = 20


def program(name: str) -> Path:
    """The program of that name, in the version that package-lock.json pins."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if not npm or not node:
        give_up(name, "there is no Node with npm on the PATH")
    else:
        version = subprocess.run([node, "--version"], capture_output=True, text=True, check=False, timeout=60).stdout
        if int((re.findall(r"\d+", version) or ["0"])[0]) < OLDEST_NODE:
            give_up(name, f"Node is {version.strip() or 'broken'}; {OLDEST_NODE} or newer is needed")
        install(npm, name)
    return PROGRAMS / name


def install(npm: str, name: str) -> None:
    """Make node_modules what package-lock.json says, unless a stamp in it says that it is."""
    stamp = ROOT / "node_modules" / ".made-from"
    with (ROOT / "package-lock.json").open("rb") as pins:
        fcntl.flock(pins, fcntl.LOCK_EX)  # tests run in several processes, and one of them installs
        wanted = hashlib.sha256(pins.read()).hexdigest()
        if (PROGRAMS / name).exists() and stamp.is_file() and stamp.read_text("utf-8") == wanted:
            return
        command = [npm, "ci", "--no-audit", "--no-fund"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=280)
        if done.returncode or not (PROGRAMS / name).exists():
            give_up(name, f"npm ci failed: {done.stderr[-2000:]}")
        stamp.write_text(wanted, "utf-8")


def give_up(name: str, reason: str) -> NoReturn:
    """Skip the test, or fail it where the programs of node_modules are required."""
    if os.environ.get("CI") == "true" or os.environ.get("VERCEL_MCP_REQUIRE_INSPECTOR") == "1":
        pytest.fail(f"{name} is required here, but {reason}")
    pytest.skip(f"{name} is not here: {reason}")
