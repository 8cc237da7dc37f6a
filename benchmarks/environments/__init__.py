"""The environments of the alternatives: each pinned by the file of its name, each under build/benchmarks/.

What can't be installed is left out with the reason; nothing is installed beside the server itself.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from benchmarks.places import BUILD, ROOT

PINS = Path(__file__).parent
LONGEST = 600


class NotInstalledError(Exception):
    """An environment can't be made here; the message says why."""


def install(name: str) -> None:
    """Make the environment of this name, unless it is there and made from the same pins.

    Raises:
        NotInstalledError: it can't be made.
    """
    folder, stamp = BUILD / name, BUILD / name / "made-from"
    pins = PINS / f"{name}.txt"
    is_python = pins.is_file()
    wanted = hashlib.sha256((pins if is_python else PINS / name / "package-lock.json").read_bytes()).hexdigest()
    if stamp.is_file() and stamp.read_text("utf-8") == wanted:
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    if is_python:
        _install_python(pins, folder)
    else:
        _install_node(PINS / name, folder)
    stamp.write_text(wanted, "utf-8")


def _install_python(pins: Path, folder: Path) -> None:
    python = folder / "bin" / "python"
    _run([sys.executable, "-m", "venv", "--without-pip", str(folder)])
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "-qq", "--no-input"]
    # The file pins everything: nothing is left to be resolved, and nothing is built.
    _run(
        [
            *pip,
            "--disable-pip-version-check",
            "--no-deps",
            "--only-binary",
            ":all:",
            "--require-hashes",
            "-r",
            str(pins),
        ]
    )


def _install_node(pins: Path, folder: Path) -> None:
    if not shutil.which("npm") or not shutil.which("node"):
        raise NotInstalledError("there is no Node with npm on the PATH")
    for path in (*pins.iterdir(), ROOT / ".npmrc"):
        shutil.copy(path, folder / path.name)
    _run(["npm", "ci", "--loglevel", "error"], folder)


def compile_all(name: str | None) -> None:
    """Byte-compile an environment, or the one that runs this: all of them alike, before anything is measured."""
    root = Path(sys.prefix) if name is None else BUILD / name
    folders = [str(path) for path in root.glob("lib/python*/site-packages")]
    ours = [str(ROOT / "server"), str(ROOT / "benchmarks")] if name is None else []
    if folders or ours:
        _run([sys.executable, "-m", "compileall", "-q", "-j", "2", *folders, *ours], accept_failure=True)


def _run(command: list[str], folder: Path | None = None, *, accept_failure: bool = False) -> None:
    # What lies on the caller's path would count as installed.
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    try:
        done = subprocess.run(  # noqa: S603 - lists of our own making
            command, cwd=folder, env=clean, capture_output=True, text=True, check=False, timeout=LONGEST
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotInstalledError(f"{command[0]} could not be run: {error}") from None
    if done.returncode and not accept_failure:
        lines = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        raise NotInstalledError(lines[-1][:300] if lines else f"{command[0]} failed")
