"""Finds the browser that @sparticuz/chromium brings, and unpacks it within the package if it is not there yet.

It downloads nothing: the package holds the browser, its libraries and a font.
"""

import contextlib
import os
import platform
import shutil
import subprocess
import tempfile
from pathlib import Path

from .. import node_tools

FOLDER = node_tools.ROOT / "node_modules" / "@sparticuz" / "chromium" / "unpacked"
UNPACK = 'import chromium from "@sparticuz/chromium"; await chromium.executablePath();'
WITH_LIBRARIES = {"AWS_EXECUTION_ENV": "AWS_Lambda_nodejs24.x"}
"""What has the package unpack its libraries, too."""
FONTS = "<fontconfig><dir>{0}/fonts/fonts</dir><cachedir>{0}/cache</cachedir></fontconfig>"
"""The package's own list of fonts names folders that are not there, and without a font the browser breaks off."""


def environment() -> dict[str, str]:
    """The variables that page.mjs and the browser need; the test is given up where no browser can be had."""
    node_tools.program("playwright-core")
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        node_tools.give_up("the browser", "it is packed for Linux on x86_64 only")
    if not FOLDER.exists():
        unpack()
    libraries = str(FOLDER / "al2023" / "lib")
    found = {"CHROMIUM": str(FOLDER / "chromium"), "LD_LIBRARY_PATH": libraries, "FONTCONFIG_PATH": str(FOLDER)}
    command = [found["CHROMIUM"], "--version"]
    done = subprocess.run(command, env=found, capture_output=True, text=True, check=False, timeout=120)
    if done.returncode:
        node_tools.give_up("the browser", f"it does not start: {done.stderr[-2000:]}")
    return {"PATH": os.environ["PATH"], **found}


def unpack() -> None:
    """Unpack the browser into a folder of its own, which gets its name when all is there."""
    with tempfile.TemporaryDirectory(dir=FOLDER.parent, prefix="unpacking-") as folder:
        fresh = Path(folder) / "chromium"
        fresh.mkdir()
        variables = {"PATH": os.environ["PATH"], "TMPDIR": str(fresh), **WITH_LIBRARIES}
        command = [str(shutil.which("node")), "--input-type=module", "--eval", UNPACK]
        done = subprocess.run(
            command, env=variables, cwd=node_tools.ROOT, capture_output=True, text=True, check=False, timeout=240
        )
        if done.returncode:
            node_tools.give_up("the browser", f"it cannot be unpacked: {done.stderr[-2000:]}")
        (fresh / "fonts.conf").write_text(FONTS.format(FOLDER), "utf-8")
        with contextlib.suppress(OSError):  # another run was quicker
            fresh.rename(FOLDER)
