"""The real load balancer, caddy, with the Caddyfile that is deployed. It fakes nothing."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ..approval.terminal import GUARD, ROOT, variables
from .town import Replica

CADDYFILE = ROOT / "deploy" / "Caddyfile"
CADDY = Path(sys.executable).with_name("caddy")
STICKY = "lb_policy header Authorization"


@contextmanager
def balanced(replicas: Sequence[Replica], folder: Path, *, is_sticky: bool = True) -> Iterator[str]:
    """The address of MCP behind the balancer; without stickiness it takes the replicas in turn."""
    text = CADDYFILE.read_text("utf-8")
    assert STICKY in text
    used = folder / "Caddyfile"
    used.write_text(text if is_sticky else _in_turn(text), "utf-8")
    address = f"http://127.0.0.1:{_free_port()}"
    said = {"REPLICAS": " ".join(each.address for each in replicas), "DESK_ADDRESS": address}
    environment = variables(**said, XDG_DATA_HOME=str(folder), XDG_CONFIG_HOME=str(folder))
    with (folder / "caddy.log").open("wb") as log:
        command = [str(CADDY), "run", "--adapter", "caddyfile", "--config", str(used)]
        process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        _wait_until_it_listens(address, process, folder / "caddy.log")
        yield f"{address}/mcp"
    finally:
        process.kill()
        process.wait()


def _in_turn(text: str) -> str:
    """The same configuration without the lines that make it sticky."""
    before, _, rest = text.partition(STICKY)
    return f"{before}lb_policy round_robin\n{rest.partition('}')[2]}"


def _wait_until_it_listens(address: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    port, deadline = int(address.rpartition(":")[2]), time.monotonic() + GUARD
    while True:
        assert process.poll() is None, log.read_text("utf-8")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert time.monotonic() < deadline, log.read_text("utf-8")
            time.sleep(0.02)
        else:
            return


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def is_there() -> bool:
    """Whether the balancer is installed."""
    return os.access(CADDY, os.X_OK)
