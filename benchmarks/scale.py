"""How the cost of a call grows: with the entries of Vercel's answer, and with the purchases in the ledger.

Entries are as short as they can be, since the server reads no answer beyond 2 MiB: the series ends where one would be
longer.
"""

import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median

import anyio

from . import places
from .contestants import Contestant
from .context import workflow
from .figures import Samples
from .ledgers import fill
from .process import Server, running
from .vercel import many

MAX_BODY = 2 * 1024 * 1024
_REST = 0.005
"""Seconds after which a server that has answered does nothing more."""
_ENTRIES = {"plans": "list-plans", "configurations": "list-configurations"}


def entries(contestants: Sequence[Contestant], url: str, sizes: Sequence[int], calls: int, samples: Samples) -> None:
    """Measure calls that are answered with more and more entries, the contestants in turn."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="benchmarks-")))
        servers = {}
        for one in contestants:
            servers[one.name] = stack.enter_context(running(one.command(url), places.account(url, folder / one.name)))
            servers[one.name].open()
        for kind, tool in _ENTRIES.items():
            for size in (size for size in sizes if len(many(kind, size)) <= MAX_BODY):
                for number in range(calls + 1):
                    for one in contestants:
                        took = _read(servers[one.name], one, tool, size, number)
                        if number:  # the first is for the fake Vercel to make its answer
                            samples.add(one.name, f"scale {kind} {size}", took)


def _read(server: Server, contestant: Contestant, tool: str, size: int, number: int) -> float:
    named = f"of-{size}-{number:06}"
    given = {"integrationIdOrSlug": named}
    given |= {"view": "account"} if tool == "list-configurations" else {"productIdOrSlug": named}
    before = _billed(server)
    result = server.call(contestant.names[tool], contestant.adapt(tool, given))
    if result.get("isError"):
        raise ValueError(f"{contestant.name} could not read {size} entries: {str(result)[:300]}")
    return _billed(server) - before


def ledger(command: Sequence[str], url: str, sizes: Sequence[int], calls: int, samples: Samples) -> None:
    """Measure free purchases, and a look at the latest purchases, over ledgers with more and more in them."""
    for size in sizes:
        with tempfile.TemporaryDirectory(prefix="benchmarks-") as folder:
            environment = places.account(url, Path(folder))
            if size:
                with running(command, environment) as server:
                    server.open()
                    _create(server, f"first-{size}")  # its row is the pattern of all others
                anyio.run(fill, Path(folder), size)
            with running(command, environment) as server:
                server.open()
                _create(server, f"warm-{size}")
                created = [_create(server, f"store-{size}-{number}") for number in range(calls)]
                looked = [_look(server) for _ in range(calls)]
        for value in created:
            samples.add("ours", f"scale ledger create {size}", value)
        for value in looked:
            samples.add("ours", f"scale ledger look {size}", value)

    for kind in ("create", "look"):
        least, most = (median(samples.values["ours", f"scale ledger {kind} {size}"]) for size in (sizes[1], sizes[-1]))
        samples.add("ours", f"ledger growth {kind}", most / least)


def _billed(server: Server) -> float:
    """Return the CPU that a server has used, once it rests: the kernel bills a process when it stops to run."""
    time.sleep(_REST)
    return server.cpu()


def _create(server: Server, name: str) -> float:
    before = _billed(server)
    result = server.call("create-store", {**workflow(name)["create-store"]})
    if result.get("isError"):
        raise ValueError(f"the store was not created: {str(result)[:300]}")
    return _billed(server) - before


def _look(server: Server) -> float:
    before = _billed(server)
    server.request("resources/read", {"uri": "vercel-marketplace://purchases"})
    return _billed(server) - before
