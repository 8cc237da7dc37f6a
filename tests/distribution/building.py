"""Builds what is published, and the wheels that installers need beside it. It asks no index for anything.

An installer that may not reach an index still has to resolve and install what our wheel declares: the pinned packages
of this environment are made into wheels again, which lie in a folder for it.
"""

import functools
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import Distribution, distributions
from pathlib import Path

from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PACKAGE = "vercel_marketplace_mcp"
VERSION: str = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
PROGRAMS = Path(sys.executable).parent
NOT_PUBLISHED = {"INSTALLER", "REQUESTED", "RECORD", "direct_url.json"}


def run(*command: str | Path, cwd: Path, environment: dict[str, str] | None = None) -> str:
    """Run a command that has to succeed, and return what it printed."""
    done = subprocess.run(
        command,
        cwd=cwd,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def clean_environment(folder: Path, **more: str) -> dict[str, str]:
    """What a child process sees: no path of this checkout, and its state in a folder of its own."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "SYSTEMROOT") if name in os.environ}
    return {**kept, "HOME": str(folder), "VERCEL_MCP_STATE_DIR": str(folder / "state"), **more}


@functools.cache
def built(temporary: Path) -> Path:
    """A folder with the source distribution of the checkout and the wheel that was built from it."""
    folder = temporary / "dist"
    folder.mkdir()
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, ROOT, cwd=folder)
    return folder


def wheel(temporary: Path) -> Path:
    """The wheel that was built by way of the source distribution."""
    return built(temporary) / f"{PACKAGE}-{VERSION}-py3-none-any.whl"


@functools.cache
def wheelhouse(temporary: Path) -> Path:
    """A folder with a wheel of every package that requirements-team.txt pins for this machine."""
    folder = temporary / "wheelhouse"
    folder.mkdir()
    pinned = set(re.findall(r"^([\w.-]+)==", (ROOT / "requirements-team.txt").read_text("utf-8"), re.MULTILINE))
    for installed in distributions():
        if canonicalize_name(installed.name) in pinned:
            make_wheel(installed, folder)
    return folder


def make_wheel(installed: Distribution, folder: Path) -> None:
    """Put the files of an installed package back into a wheel, without what installing added to them.

    It says that it is for any machine, since uv resolves for others too; but it is installed on this one alone.
    """
    name = re.sub(r"[-_.]+", "_", installed.name)
    files = [file for file in installed.files or [] if ".." not in file.parts and "__pycache__" not in file.parts]
    record = next(file for file in files if file.name == "RECORD").as_posix()
    with zipfile.ZipFile(folder / f"{name}-{installed.version}-py3-none-any.whl", "w") as archive:
        rows = [f"{record},,"]
        for file in files:
            if file.name not in NOT_PUBLISHED:
                archive.write(str(file.locate()), file.as_posix())
                rows.append(f"{file.as_posix()},,")
        archive.writestr(record, "\n".join(rows) + "\n")


def offline(wheels: Path, folder: Path) -> dict[str, str]:
    """An environment in which installers find these wheels, no network, and nothing of the person's own."""
    kept = {
        "UV_OFFLINE": "1",
        "UV_NO_INDEX": "1",
        "UV_NO_CONFIG": "1",
        "UV_FIND_LINKS": str(wheels),
        "UV_CACHE_DIR": str(folder / "cache"),
        "UV_PYTHON": sys.executable,
        "UV_PYTHON_DOWNLOADS": "never",
        "UV_TOOL_DIR": str(folder / "tools"),
        "UV_TOOL_BIN_DIR": str(folder / "bin"),
        "PIPX_HOME": str(folder / "pipx"),
        "PIPX_BIN_DIR": str(folder / "bin"),
        "PIPX_DEFAULT_PYTHON": sys.executable,
        "PIPX_DEFAULT_BACKEND": "uv",  # the other one would fetch the newest pip
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(wheels),
    }
    path = os.pathsep.join([str(folder / "bin"), str(PROGRAMS), os.defpath])
    return clean_environment(folder, **kept, PATH=path)
