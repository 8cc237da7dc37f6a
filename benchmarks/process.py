"""A server as a process, spoken to in plain JSON-RPC lines, and what the operating system counts for it.

One small driver for all contestants, so that the client's own cost is the same for each. It knows no contestant.
"""

import json
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LONGEST = 900.0
"""Seconds after which a server that hangs is killed."""
_OPENING = {"protocolVersion": "2025-11-25", "clientInfo": {"name": "benchmarks", "version": "1"}}


class ServerError(Exception):
    """The server ended, or answered with an error."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Memory:
    """What a process holds, in bytes; `pss` shares pages out among those that use them."""

    rss: int
    pss: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Moment:
    """Seconds since the server was started, and seconds of CPU that it has used since."""

    wall: float
    cpu: float


class Server:
    """A running server. Times are taken when a line has arrived, before it is read.

    `form` is what every form that the server shows is answered with; without it the client can show none.
    """

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], form: Mapping[str, Any] | None = None
    ) -> None:
        self._form = form
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - it is closed with the server
        self.latest = 0.0
        self._number = 0
        self._started = time.perf_counter()
        self._process = subprocess.Popen(  # noqa: S603 - commands are lists of our own making
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log, env=dict(environment)
        )
        self._limit = threading.Timer(LONGEST, self._process.kill)
        self._limit.daemon = True
        self._limit.start()

    def open(self) -> Moment:
        """Send `initialize`; return when it was answered."""
        self.request("initialize", {**_OPENING, "capabilities": {} if self._form is None else {"elicitation": {}}})
        answered = Moment(wall=self.latest - self._started, cpu=self.cpu())
        self._send({"jsonrpc": "2.0", "method": "notifications/initialized"})
        return answered

    def moment(self) -> Moment:
        """Return when the latest answer came, and the CPU used until now."""
        return Moment(wall=self.latest - self._started, cpu=self.cpu())

    def request(self, method: str, params: Mapping[str, Any]) -> Any:
        """Return the result of one request.

        Raises:
            ServerError: the server ended or refused it.
        """
        return self._answers([self._ask(method, params)])[0]

    def call(self, name: str, arguments: Mapping[str, Any]) -> Any:
        """Return the result of one tool call."""
        return self.request("tools/call", {"name": name, "arguments": arguments})

    def calls(self, name: str, several: Sequence[Mapping[str, Any]]) -> list[Any]:
        """Send all calls at once and return their results, once the last one is there."""
        return self._answers([self._ask("tools/call", {"name": name, "arguments": one}) for one in several])

    def cpu(self) -> float:
        """Return the seconds of CPU that the process has used, user and system, in all its threads."""
        return time.clock_gettime(~self._process.pid << 3 | 2)  # the kernel's number for the clock of a process

    def memory(self) -> Memory:
        """Return what the process holds now."""
        text = Path(f"/proc/{self._process.pid}/smaps_rollup").read_text("ascii")
        sizes = {line.split(":")[0]: int(line.split()[1]) * 1024 for line in text.splitlines()[1:]}
        return Memory(rss=sizes["Rss"], pss=sizes["Pss"])

    def close(self) -> None:
        """Close the server's input and wait for its end."""
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._limit.cancel()
        self._log.close()

    def _ask(self, method: str, params: Mapping[str, Any]) -> int:
        self._number += 1
        self._send({"jsonrpc": "2.0", "id": self._number, "method": method, "params": params})
        return self._number

    def _send(self, message: Mapping[str, Any]) -> None:
        assert self._process.stdin is not None  # noqa: S101 - asked for above
        try:
            self._process.stdin.write(json.dumps(message, separators=(",", ":")).encode() + b"\n")
            self._process.stdin.flush()
        except OSError:
            raise ServerError(self._why()) from None

    def _answers(self, numbers: Sequence[int]) -> list[Any]:
        found: dict[int, Any] = {}
        while len(found) < len(numbers):
            message = self._read()
            if message.get("method") == "elicitation/create":
                self._send({"jsonrpc": "2.0", "id": message["id"], "result": self._form})
            if message.get("id") not in numbers or "method" in message:
                continue
            if "error" in message:
                raise ServerError(json.dumps(message["error"])[:500])
            found[message["id"]] = message["result"]
        return [found[number] for number in numbers]

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None  # noqa: S101 - asked for above
        while line := self._process.stdout.readline():
            self.latest = time.perf_counter()
            if line.startswith(b"{"):  # a few print something else first
                message: dict[str, Any] = json.loads(line)
                return message
        raise ServerError(self._why())

    def _why(self) -> str:
        self._log.seek(0)
        lines = self._log.read().decode(errors="replace").strip().splitlines()
        return "the server ended: " + (lines[-1][:300] if lines else "it said nothing")


@contextmanager
def running(
    command: Sequence[str], environment: Mapping[str, str], form: Mapping[str, Any] | None = None
) -> Iterator[Server]:
    """A server that is closed when the block ends."""
    server = Server(command, environment, form)
    try:
        yield server
    finally:
        server.close()
