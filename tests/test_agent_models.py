"""Which model the agent programs ask when a key is set. The provider listens here and refuses: no network."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from vercel_marketplace_mcp import specs

from .agents.programs import run, variables

CARD = "shown-by-this-test"


class Provider(BaseHTTPRequestHandler):
    """A provider of models that knows nobody."""

    asked: list[tuple[str, str, Any]]

    def do_POST(self) -> None:
        """Keep the path, the key and what is asked, and refuse."""
        card = self.headers["x-api-key"] or self.headers["authorization"].removeprefix("Bearer ")
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.asked.append((self.path, card, body))
        self.send_error(401)

    def log_message(self, *_: Any) -> None:
        """Stay quiet."""


@contextmanager
def provider() -> Iterator[tuple[str, list[tuple[str, str, Any]]]]:
    """Yield the address of a provider, and what it was asked."""
    asked: list[tuple[str, str, Any]] = []
    with ThreadingHTTPServer(("127.0.0.1", 0), type("Recording", (Provider,), {"asked": asked})) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()


@pytest.mark.parametrize(
    ("program", "maker", "path"),
    [
        ("pydantic_ai_agent.py", "OPENAI", "/responses"),
        ("openai_agents_sdk.py", "OPENAI", "/responses"),
        ("evaluate.py", "ANTHROPIC", "/v1/messages"),
    ],
)
def test_with_a_key_a_real_model_is_asked(program: str, maker: str, path: str, tmp_path: Path) -> None:
    """The script makes way: the provider is sent the key, the task and every tool; as it refuses, the program fails."""
    with provider() as (address, asked):
        given = {f"{maker}_API_KEY": CARD, f"{maker}_BASE_URL": address}
        done = run(program, "free-postgres", env=variables(tmp_path) | given)
    ((where, card, body),) = asked
    assert (done.code, where, card) == (1, path, CARD), done.shown
    assert {tool["name"] for tool in body["tools"]} == set(specs.TOOL_NAMES)
    assert "Create a free" in json.dumps(body)
