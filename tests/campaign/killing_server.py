"""As a program: forks servers that kill themselves at a chosen step. Imported: what the steps are.

A server is the real one, `serve` on its standard streams: a profiling or tracing function of the interpreter watches
it from beside, and nothing in it is replaced. It knows no test and judges nothing.
"""

import json
import os
import signal
import socket
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, NoReturn


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """A moment in a server's life: this function is called, or has returned, in this transaction if one is named.

    `nth`: how often before it counts, itself included. `free`: a free purchase comes by as well.
    """

    function: str
    event: str = "return"
    within: str = ""
    nth: int = 1
    free: bool = True


_COMMITTED = "SqliteLedger._transact"
STEPS = {
    "the question is written, not committed": Step(function="SqlLedger.ask.<locals>.work", free=False),
    "the question is recorded": Step(function=_COMMITTED, within="SqlLedger.ask.", free=False),
    "the yes is written, not committed": Step(function="SqlLedger.answer.<locals>.work", free=False),
    "the yes is recorded": Step(function=_COMMITTED, within="SqlLedger.answer.", free=False),
    "the intent is written, not committed": Step(function="SqlLedger.begin.<locals>.work"),
    "the intent is recorded": Step(function=_COMMITTED, within="SqlLedger.begin."),
    "sending is written, not committed": Step(function="SqlLedger.start_sending.<locals>.<lambda>"),
    "sending is recorded": Step(function=_COMMITTED, within="SqlLedger.start_sending."),
    "a connection is open, no byte has left": Step(function="send", event="c_call"),
    "a part of the request has left": Step(function="send", event="c_call", nth=2),
    "the answer has arrived": Step(function="_read_store", event="call"),
    "the outcome is written, not committed": Step(function="SqlLedger.finish.<locals>.<lambda>"),
    "the outcome is recorded": Step(function=_COMMITTED, within="SqlLedger.finish."),
}
"""The steps of a purchase inside the server, in their order."""


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class AtStep:
    """A profiling function that ends the process at a step."""

    def __init__(self, step: Step) -> None:
        self._step = step
        self._seen = 0
        self._creates = False

    def __call__(self, frame: FrameType, event: str, argument: Any) -> None:
        """See one call or return."""
        self._creates = self._creates or frame.f_code.co_qualname == "VercelClient.create"
        if event == self._step.event and self._fits(frame, argument):
            self._seen += 1
            if self._seen == self._step.nth:
                self._reached()

    def _reached(self) -> None:
        """End the process."""
        _die()

    def _fits(self, frame: FrameType, argument: Any) -> bool:
        if self._step.event == "c_call":  # to Vercel, while the create request is under way
            peer = getattr(argument, "__self__", None)
            to_vercel = isinstance(peer, socket.socket) and peer.family == socket.AF_INET
            return self._creates and to_vercel and argument.__name__ == self._step.function
        if frame.f_code.co_qualname != self._step.function:
            return False
        work = frame.f_locals.get("work")
        return not self._step.within or getattr(work, "__qualname__", "").startswith(self._step.within)


class AtLine:
    """A tracing function that ends the process at the n-th line run in these folders or files of ours."""

    def __init__(self, number: int, rooms: list[str], start: CodeType) -> None:
        self._left = number
        self._rooms = tuple(str(Path(start.co_filename).parent / room) for room in rooms)
        self._start = start
        self._started = False

    def __call__(self, frame: FrameType, _event: str, _argument: Any) -> Any:
        """See a function that is entered, and its lines if they count."""
        self._started = self._started or frame.f_code is self._start
        return self._line if self._started and frame.f_code.co_filename.startswith(self._rooms) else None

    def _line(self, _frame: FrameType, event: str, _argument: Any) -> Any:
        self._left -= event == "line"
        if self._left == 0:
            _die()
        return self._line


def _watch(life: dict[str, Any]) -> None:
    from vercel_marketplace_mcp import calls

    if "step" in life:
        at_step = AtStep(STEPS[life["step"]])
        threading.setprofile(at_step)
        sys.setprofile(at_step)
    if "line" in life:
        at_line = AtLine(life["line"], life["rooms"], calls._answer.__code__)  # noqa: SLF001 - where each call begins
        threading.settrace(at_line)
        sys.settrace(at_line)


def _live(connection: int, life: dict[str, Any]) -> NoReturn:
    """Be a server that speaks over this connection, until it ends or is ended."""
    from vercel_marketplace_mcp import cli

    os.environ.clear()
    os.environ.update(life["environment"])
    for stream in (0, 1):
        os.dup2(connection, stream)
    if life.get("fresh"):
        os.execv(sys.executable, [sys.executable, "-m", "vercel_marketplace_mcp"])  # noqa: S606
    _watch(life)
    sys.argv = ["vercel-marketplace-mcp"]
    cli.main(["serve"])


def _warm_up() -> None:
    """Import what a server would import, once for all of them."""
    import anyio._backends._asyncio
    import httpx
    import stamina
    import truststore

    from vercel_marketplace_mcp import app, calls, cli, completions, prompts, specs, stdio
    from vercel_marketplace_mcp.ledger import sqlite
    from vercel_marketplace_mcp.vercel import client

    assert all((anyio, httpx, stamina, truststore, app, calls, cli, completions, prompts, stdio, sqlite, client))
    specs.load()


def main(number: int) -> None:
    """Fork a server for each life that the control socket of this number asks for, one after the other."""
    _warm_up()
    with socket.socket(fileno=number) as control:
        while True:
            asked, connections, _, _ = socket.recv_fds(control, 65536, 1)
            if not asked:
                return
            pid = os.fork()
            if pid == 0:
                control.close()
                _live(connections[0], json.loads(asked))
            os.close(connections[0])
            control.sendall(f"{pid}\n".encode())
            _, status = os.waitpid(pid, 0)
            control.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())


if __name__ == "__main__":
    main(int(sys.argv[1]))
