"""Replicas forked from a program that has imported everything, to be killed at a step. It fakes and judges nothing."""

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

from ..approval.terminal import GUARD, variables
from .town import Replica

PROGRAM = Path(__file__).with_name("forking.py")


class Forks:
    """The program that forks replicas."""

    def __init__(self, control: socket.socket, folder: Path) -> None:
        self._control = control
        self._folder = folder
        self._number = 0

    def replica(
        self, environment: Mapping[str, str], step: str | None = None, number: signal.Signals = signal.SIGKILL
    ) -> Replica:
        """A new replica that listens, and that will send itself this signal at this step, if one is named."""
        self._number += 1
        log = self._folder / f"fork {self._number}"
        log.touch()
        life: dict[str, object] = {"environment": dict(environment), "log": str(log)}
        if step:
            life |= {"step": step, "signal": int(number)}
        replica = Replica(pid=int(self._asked(life)), log=log)
        replica.wait_until_it_listens()
        return replica

    def ended(self, replica: Replica) -> int:
        """Its exit code once it has ended, or the number of the signal that killed it, negative."""
        return int(self._asked({"wait": replica.pid}))

    def _asked(self, question: Mapping[str, object]) -> bytes:
        self._control.sendall(json.dumps(question).encode())
        return self._control.recv(64)


@contextmanager
def forks(folder: Path) -> Iterator[Forks]:
    """A program that forks replicas, for as long as the block runs."""
    ours, theirs = socket.socketpair()
    ours.settimeout(GUARD)
    command = [sys.executable, str(PROGRAM), str(theirs.fileno())]
    with subprocess.Popen(command, env=variables(), pass_fds=[theirs.fileno()]) as program:
        theirs.close()
        with closing(ours):
            yield Forks(ours, folder)
        program.wait(GUARD)
