"""Where the time of a start goes, import by import, summed up by the package that is imported."""

import re
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from statistics import median

from .places import HERE, environment

_LINE = re.compile(r"import time:\s+([0-9]+) \|\s+[0-9]+ \| \s*(\S+)")
OURS = ("-m", "vercel_marketplace_mcp", "serve", "--sandbox")
FLOOR = (str(HERE / "servers" / "floor.py"),)


def seconds(arguments: Sequence[str], rounds: int) -> dict[str, float]:
    """Return the median seconds that each top package takes at a start, largest first."""
    found = [_once(arguments) for _ in range(rounds)]
    names = {name for counter in found for name in counter}
    medians = {name: median(counter[name] for counter in found) / 1e6 for name in names}
    return dict(sorted(medians.items(), key=lambda item: -item[1]))


def _once(arguments: Sequence[str]) -> Counter[str]:
    command = [sys.executable, "-X", "importtime", *arguments]
    done = subprocess.run(  # noqa: S603 - our own servers
        command, stdin=subprocess.DEVNULL, env=environment(), capture_output=True, text=True, check=True, timeout=120
    )
    taken: Counter[str] = Counter()
    for micros, name in _LINE.findall(done.stderr):
        taken[name.split(".")[0]] += int(micros)
    return taken
