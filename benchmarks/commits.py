"""Counts the transactions of the ledger that wrote, each of which waits for the disk. It measures no time."""

import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from . import places
from .context import workflow
from .figures import READS, Samples
from .process import Server, running

NEEDED = 5
"""What the promise needs of an approved purchase: the question, the answer, the intent, the sending, the outcome."""
APPROVED = {"action": "accept", "content": {"amount": "20.00"}}
_COUNTED = str(places.HERE / "servers" / "counted.py")


def count(url: str, samples: Samples) -> None:
    """Count the commits of reads, of a free store and of one that a person approves in the client's form."""
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as folder:
        counts = Path(folder, "commits")
        command, environment = (
            (sys.executable, _COUNTED, str(counts), "serve"),
            places.account(url, Path(folder, "state")),
        )
        with running(command, environment, form=APPROVED) as server:
            server.open()
            asked = workflow("counted-0")
            _create(server, asked["create-store"])  # the first use makes the ledger and its key
            before = counts.stat().st_size
            for tool in READS:
                server.call(tool, asked[tool])
            reads = counts.stat().st_size
            _create(server, {**asked["create-store"], "name": "counted-1"})
            free = counts.stat().st_size
            _create(server, {**asked["create-store"], "name": "counted-2", "billingPlanId": "pro"})
            approved = counts.stat().st_size
    samples.add("ours", "commits of a read", reads - before)
    samples.add("ours", "commits of a free store", free - reads)
    samples.add("ours", "commits of an approved store", approved - free)


def _create(server: Server, arguments: Mapping[str, Any]) -> None:
    result = server.call("create-store", arguments)
    if result.get("isError"):
        raise ValueError(f"the store was not created: {str(result)[:300]}")
