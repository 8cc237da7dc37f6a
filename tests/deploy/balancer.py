"""The real load balancer with the committed configuration, in front of stand-ins for replicas. It holds no test."""

import json
import os
import socket
import subprocess
import sysconfig
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

ROOT = Path(__file__).parents[2]
CADDY = Path(sysconfig.get_path("scripts")) / "caddy"
CADDYFILE = ROOT / "deploy" / "Caddyfile"
GUARD = 30.0
"""Seconds after which a test gives up; none comes near it unless something hangs."""


@dataclass
class Replica:
    """Holds its own sessions, as a replica does, and does what it is told: be ready, and go on with its stream."""

    address: str
    is_ready: bool = True
    goes_on: threading.Event = field(default_factory=threading.Event)
    sessions: set[str] = field(default_factory=set)
    posts: list[bytes] = field(default_factory=list)
    heads: list[dict[str, str]] = field(default_factory=list)
    looks: list[int] = field(default_factory=list)
    """What was answered to whoever asked whether it is ready."""


class Handler(BaseHTTPRequestHandler):
    """Answers as a replica of its server."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1
    server: "Server"

    def setup(self) -> None:
        """Note the connection: a replica that is gone keeps none open."""
        super().setup()
        self.server.connections.append(self.connection)

    def do_GET(self) -> None:
        """Tell how it is, or stream."""
        if self.path == "/events":
            return self._stream()
        made = self.server.made
        status = 200 if self.path == "/healthz" or made.is_ready else 503
        self._answer(status)
        if self.path == "/readyz":
            made.looks.append(status)
        return None

    def do_POST(self) -> None:
        """Open a session for whoever has none, and know nobody else's."""
        made, session = self.server.made, self.headers["mcp-session-id"]
        made.heads.append({name.lower(): value for name, value in self.headers.items()})
        made.posts.append(self.rfile.read(int(self.headers["content-length"])))
        if session is None:
            session = uuid.uuid4().hex
            made.sessions.add(session)
        self._answer(200 if session in made.sessions else 404, session)

    def _answer(self, status: int, session: str = "") -> None:
        body = json.dumps({"replica": self.server.made.address}).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.send_header("mcp-session-id", session)
        self.end_headers()
        self.wfile.write(body)

    def _stream(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("connection", "close")
        self.end_headers()
        self.wfile.write(b"data: the question\n\n")
        self.wfile.flush()
        self.server.made.goes_on.wait(GUARD)
        self.wfile.write(b"data: the end\n\n")

    def log_message(self, *_: object) -> None:
        """A test needs no access log."""


class Server(ThreadingHTTPServer):
    """A stand-in on a free port of loopback."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.made = Replica(f"127.0.0.1:{self.server_address[1]}")
        self.connections: list[socket.socket] = []

    def end(self) -> None:
        """Take no further connection, and close those there are."""
        self.shutdown()
        self.server_close()
        for each in self.connections:
            with suppress(OSError):  # it may be closed
                each.shutdown(socket.SHUT_RDWR)


@contextmanager
def replica() -> Iterator[Replica]:
    """A stand-in for a replica, for as long as the block runs."""
    server = Server()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server.made
    finally:
        server.end()
        thread.join()


@contextmanager
def balancing(folder: Path, *replicas: Replica) -> Iterator[str]:
    """The load balancer in front of these; yields its address once both of its lists know who is well."""
    port = free_port()
    environment = {
        "PATH": os.defpath,
        "HOME": str(folder),
        "DESK_ADDRESS": f"http://127.0.0.1:{port}",
        "REPLICAS": " ".join(each.address for each in replicas),
    }
    command = (CADDY, "run", "--config", CADDYFILE, "--adapter", "caddyfile")
    with ExitStack() as stack:
        log = stack.enter_context((folder / "caddy.log").open("wb"))
        process = stack.enter_context(subprocess.Popen(command, env=environment, stdout=log, stderr=log))
        stack.callback(process.terminate)
        wait_for(port)
        yield environment["DESK_ADDRESS"]


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(port: int) -> None:
    """Return once somebody listens."""
    until = time.monotonic() + GUARD
    while time.monotonic() < until:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise TimeoutError("the load balancer does not listen")
