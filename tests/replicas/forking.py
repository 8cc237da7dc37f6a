"""As a program: forks replicas that kill or stop themselves at a chosen step. Imported: what the steps are.

A replica is the real one, `serve --http`: a profiling function of the interpreter watches it from beside, and nothing
in it is replaced. It knows no test and judges nothing.
"""

import dis
import json
import os
import socket
import sys
import threading
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

sys.path.append(str(Path(__file__).parents[2]))  # as a program it finds its neighbours by their whole names

from tests.campaign.killing_server import STEPS as IN_A_FOLDER
from tests.campaign.killing_server import AtStep

STEPS = {
    name: replace(step, function="Session.transact") if step.function == "SqliteLedger._transact" else step
    for name, step in IN_A_FOLDER.items()
}
"""The steps of a purchase inside a replica, in their order."""


class AtReplicaStep(AtStep):
    """A profiling function that sends its process a signal at a step; a coroutine that only waits has not returned."""

    def __init__(self, name: str, number: int, vercel_port: int) -> None:
        super().__init__(STEPS[name])
        self._number = number
        self._vercel_port = vercel_port

    def _reached(self) -> None:
        os.kill(os.getpid(), self._number)

    def _fits(self, frame: FrameType, argument: Any) -> bool:
        if not super()._fits(frame, argument):
            return False
        if self._step.event == "c_call":
            return bool(argument.__self__.getpeername()[1] == self._vercel_port)
        return self._step.event != "return" or _has_returned(frame)


def _has_returned(frame: FrameType) -> bool:
    return dis.opname[frame.f_code.co_code[frame.f_lasti]] in {"RETURN_VALUE", "RETURN_CONST"}


def _live(life: dict[str, Any]) -> NoReturn:
    """Be a replica until it ends or is ended."""
    from vercel_marketplace_mcp import cli

    os.environ.clear()
    os.environ.update(life["environment"])
    sink = os.open(life["log"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    for stream, target in ((0, os.open(os.devnull, os.O_RDONLY)), (1, sink), (2, sink)):
        os.dup2(target, stream)
    if "step" in life:
        vercel_port = int(life["environment"]["VERCEL_API_URL"].rpartition(":")[2])
        at_step = AtReplicaStep(life["step"], life["signal"], vercel_port)
        threading.setprofile(at_step)
        sys.setprofile(at_step)
    sys.argv = ["vercel-marketplace-mcp"]
    cli.main(["serve", "--http", "127.0.0.1:0"])


def _warm_up() -> None:
    """Import what a replica would import, once for all of them."""
    import anyio._backends._asyncio
    import asyncpg  # type: ignore[import-untyped]
    import httpx
    import stamina

    from vercel_marketplace_mcp import app, cli, specs
    from vercel_marketplace_mcp.http import app as http_app
    from vercel_marketplace_mcp.http import serving
    from vercel_marketplace_mcp.ledger import postgres
    from vercel_marketplace_mcp.vercel import client

    assert all((anyio, asyncpg, httpx, stamina, app, cli, http_app, serving, postgres, client))
    specs.load()


def main(number: int) -> None:
    """Fork a replica for each life that the control socket of this number asks for, or wait for one to end."""
    _warm_up()
    with socket.socket(fileno=number) as control:
        while asked := control.recv(65536):
            life = json.loads(asked)
            if "wait" in life:
                _, status = os.waitpid(life["wait"], 0)
                control.sendall(f"{os.waitstatus_to_exitcode(status)}".encode())
                continue
            pid = os.fork()
            if pid == 0:
                control.close()
                _live(life)
            control.sendall(f"{pid}".encode())


if __name__ == "__main__":
    main(int(sys.argv[1]))
