"""Replicas of the real program as processes, over one PostgreSQL server and one Vercel on a socket.

It fakes the wire to Vercel, and nothing of ours. It judges nothing.
"""

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Any

import anyio
import anyio.to_thread
from anyio.from_thread import start_blocking_portal

from vercel_marketplace_mcp.callers import APPROVE, CREATE, PURCHASE, READ
from vercel_marketplace_mcp.ledger.postgres import PostgresLedger
from vercel_marketplace_mcp.ledger.records import Purchase
from vercel_marketplace_mcp.sandbox import SANDBOX_TEAM_ID, SANDBOX_TOKEN, Recorded, Sandbox
from vercel_marketplace_mcp.sandbox.http import serving

from ..approval.terminal import GUARD, PROGRAM, variables
from ..ledger.postgres import Server

_SAYS = b"vercel-marketplace-mcp: serving MCP at "
_TICKS = os.sysconf("SC_CLK_TCK")
PRINCIPALS = tuple(f"agent-{number}" for number in range(16))
"""Who may call: each reads, buys, and answers the questions of its own agent."""


def token(principal: str) -> str:
    """The bearer token of a principal."""
    return f"{principal}-{'t' * 32}"


async def until(holds: Callable[[], bool]) -> None:
    """Return once this holds."""
    while not holds():  # noqa: ASYNC110 - what is waited for happens in other processes
        await anyio.sleep(0.02)


async def in_thread(work: Callable[[], object]) -> None:
    """Do something that takes its time, beside this loop."""
    await anyio.to_thread.run_sync(work)


async def start_again(server: Server) -> None:
    """Start a database that was killed; it ends with the thread that has started it, so that is one that stays."""
    await asyncio.wrap_future(_STARTER.submit(server.start))


_STARTER = ThreadPoolExecutor(1)


@dataclass(kw_only=True)
class Replica:
    """A server process: its process id, and the file that its standard error goes to."""

    pid: int
    log: Path
    url: str = ""

    @property
    def base(self) -> str:
        """The address without the path of MCP."""
        return self.url.removesuffix("/mcp")

    @property
    def address(self) -> str:
        """Host and port."""
        return self.base.removeprefix("http://")

    def wait_until_it_listens(self) -> None:
        """Return once the process has said where it serves."""
        deadline = time.monotonic() + GUARD
        while not self.url:
            said = self.log.read_bytes()
            if _SAYS in said and b"\n" in said.split(_SAYS)[1]:
                self.url = said.split(_SAYS)[1].split(b";")[0].decode()
            assert time.monotonic() < deadline, said.decode()
            time.sleep(0.01)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal, unless the process has just ended."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it as nothing can be prepared for."""
        self.signal(signal.SIGKILL)

    def has_stopped(self) -> bool:
        """Whether it stands still until it is told to go on."""
        return Path(f"/proc/{self.pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0] == "T"

    def processor_seconds(self) -> float:
        """How long it has computed, in its own code and in the system's."""
        fields = Path(f"/proc/{self.pid}/stat").read_text("utf-8").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def resident_bytes(self) -> int:
        """How much memory of the machine it holds."""
        pages = Path(f"/proc/{self.pid}/statm").read_text("utf-8").split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")


class Hold:
    """Holds an answer of Vercel's back until it is let go, and tells when its request has arrived."""

    def __init__(self) -> None:
        self.arrived, self.released = Event(), Event()

    async def __call__(self) -> None:
        """Wait."""
        self.arrived.set()
        await anyio.to_thread.run_sync(self.released.wait, GUARD)


@dataclass(kw_only=True)
class Town:
    """Everything that one file of tests needs: a Vercel, a database, and replicas."""

    folder: Path
    server: Server
    database: str
    sandbox: Sandbox
    vercel_url: str
    replicas: list[Replica] = field(default_factory=list)
    _processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def environment(self, **more: str) -> dict[str, str]:
        """What an operator sets for a replica."""
        tokens = self.folder / "tokens"
        if not tokens.exists():
            tokens.touch(mode=0o600)
            scopes = f"{READ} {CREATE} {PURCHASE} {APPROVE}"
            tokens.write_text("".join(f"{name} {token(name)} {scopes}\n" for name in PRINCIPALS), "utf-8")
        usual = {
            "VERCEL_TOKEN": SANDBOX_TOKEN,
            "VERCEL_TEAM_ID": SANDBOX_TEAM_ID,
            "VERCEL_API_URL": self.vercel_url,
            "VERCEL_MCP_LEDGER_URL": self.server.url(self.database).get_secret_value(),
            "VERCEL_MCP_STATE_DIR": str(self.folder / "state"),
            "VERCEL_MCP_HTTP_TOKENS_FILE": str(tokens),
            "VERCEL_MCP_MAX_CREATES_PER_HOUR": "10000",
            "VERCEL_MCP_MAX_PER_DAY": "1000000.00",
            "VERCEL_MCP_RECONCILE": "off",
        }
        return variables(**{**usual, **more})

    def start(self, number: int = 1, **more: str) -> list[Replica]:
        """Start this many replicas with settings of their own, and wait until they listen."""
        return self.start_with([self.environment(**more)] * number)

    def start_with(self, environments: Sequence[Mapping[str, str]]) -> list[Replica]:
        """Start a replica for each of these environments."""
        command = [*PROGRAM, "serve", "--http", "127.0.0.1:0"]
        started = [self.run(command, environment) for environment in environments]
        for replica in started:
            replica.wait_until_it_listens()
        return started

    def run(self, command: Sequence[str], environment: Mapping[str, str]) -> Replica:
        """Run a program that says where it serves as a replica does, and don't wait."""
        log = self.folder / f"log {len(self.replicas)}"
        with log.open("wb") as sink:
            process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink)
        self._processes.append(process)
        self.replicas.append(Replica(pid=process.pid, log=log))
        return self.replicas[-1]

    def end(self) -> None:
        """Kill every replica that is left."""
        for process in self._processes:
            process.kill()
            process.wait()

    @property
    def posts(self) -> list[Recorded]:
        """The requests that may have created a store: the oracle."""
        return self.sandbox.posts

    def posts_for(self, name: str) -> int:
        """How many requests may have created the store of this name."""
        return sum(post.json()["name"] == name for post in self.posts)

    async def select(self, statement: str) -> list[tuple[Any, ...]]:
        """What stands in the ledger's tables, read beside our own code."""
        found = await anyio.to_thread.run_sync(self.server.run, self.database, statement)
        return list(found)

    async def states(self) -> dict[str, str]:
        """How the purchase of each name stands; of several the newest."""
        rows = await self.select("SELECT name, state FROM vercel_marketplace_mcp.purchases ORDER BY created_at")
        return {str(name): str(state) for name, state in rows}

    async def problem(self) -> str | None:
        """What is wrong with the audit log."""
        ledger = PostgresLedger(self.server.url(self.database))
        try:
            return await ledger.verify()
        finally:
            await ledger.aclose()

    async def settle(self, purchase_id: str, *, created: bool) -> Purchase | None:
        """Record what a person found out."""
        ledger = PostgresLedger(self.server.url(self.database))
        try:
            return await ledger.settle(purchase_id, created=created)
        finally:
            await ledger.aclose()

    async def let_time_pass(self) -> None:
        """Let every purchase under way be older than it may get: the database's clock can't be set."""
        await self.select(
            "UPDATE vercel_marketplace_mcp.purchases SET created_at = created_at - 121, sending_at = sending_at - 121"
            " WHERE state IN ('prepared', 'sending')"
        )


@contextmanager
def a_town(server: Server, folder: Path) -> Iterator[Town]:
    """A town in which nothing has happened; its Vercel lives in a thread of its own."""
    sandbox = Sandbox()
    database = server.new_database()
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(serving(sandbox)) as vercel_url,
    ):
        town = Town(folder=folder, server=server, database=database, sandbox=sandbox, vercel_url=vercel_url)
        try:
            yield town
        finally:
            town.end()
    server.drop_database(database)
