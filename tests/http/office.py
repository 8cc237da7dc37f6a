"""The server over HTTP in the running loop, on a real socket, before a sandbox; and clients of it. It holds no test."""

import socket
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import anyio
import httpx
import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from pydantic import SecretStr

from vercel_marketplace_mcp import app
from vercel_marketplace_mcp.http import settings as http_settings
from vercel_marketplace_mcp.http.app import build_app
from vercel_marketplace_mcp.http.serving import DrainingServer, ImpatientProtocol, configure
from vercel_marketplace_mcp.sandbox import SANDBOX_TEAM_ID, SANDBOX_TOKEN
from vercel_marketplace_mcp.settings import Settings, Team
from vercel_marketplace_mcp.tools.context import Context
from vercel_marketplace_mcp.vercel.client import VercelClient

from ..approval.world import Json, Person, World

HOST = "127.0.0.1"
GUARD = 60
"""Seconds after which a test gives up; none comes near it unless something hangs."""
OVER_HTTP = {"legacy": "legacy", "auto": "2026-07-28"}
"""What the SDK's client calls the two eras over HTTP, by what it calls them in memory."""
AGENT, PERSON = ("stores:read", "stores:create", "stores:purchase"), ("stores:approve",)
RESOURCE = "https://desk.example.com/mcp"


def static_token(name: str) -> str:
    """A token of the operator's file, long enough."""
    return f"{name}-{'0123456789abcdef' * 2}"


@dataclass(frozen=True, kw_only=True)
class Office:
    """One server that listens; `base` is where, without the path."""

    base: str
    world: World
    context: Context
    server: DrainingServer
    running: anyio.Event = field(default_factory=anyio.Event)

    @property
    def port(self) -> int:
        """The port that it listens at."""
        return int(self.base.rpartition(":")[2])

    @asynccontextmanager
    async def client(self, era: str, token: str | None, person: Person | None = None) -> AsyncIterator[Client]:
        """A client of the SDK's; without a person it can show no form."""
        headers = {"authorization": f"Bearer {token}"} if token else {}
        async with (
            httpx2.AsyncClient(headers=headers, timeout=GUARD) as http,
            Client(
                streamable_http_client(f"{self.base}/mcp", http_client=http),
                mode=OVER_HTTP[era],
                elicitation_callback=person,
                read_timeout_seconds=GUARD,
            ) as client,
        ):
            yield client

    async def ask(self, method: str, path: str, token: str | None = None, **given: Any) -> httpx.Response:
        """The answer to one plain request; more arguments are httpx's."""
        headers = {**({"authorization": f"Bearer {token}"} if token else {}), **given.pop("headers", {})}
        async with httpx.AsyncClient(base_url=self.base, trust_env=False, timeout=GUARD) as http:
            return await http.request(method, path, headers=headers, **given)

    async def waiting(self, token: str) -> list[Json]:
        """The questions that the bearer of a token may answer."""
        answer = await self.ask("GET", "/approvals", token)
        assert answer.status_code == 200, answer.text
        found: list[Json] = answer.json()["questions"]
        return found

    async def answer(self, code: str, typed: str, token: str) -> httpx.Response:
        """Answer a question as the command for people does."""
        return await self.ask("POST", f"/approvals/{code}", token, json={"typed": typed})


def token_file(folder: Path, *lines: str) -> str:
    """The operator's file of tokens, of these lines; the path of it."""
    path = folder / "tokens"
    path.touch(mode=0o600)
    path.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    return str(path)


def http_variables(folder: Path, scopes: Mapping[str, tuple[str, ...]], **more: str) -> dict[str, str]:
    """What an operator sets for these principals, each with a token of its own name."""
    lines = [" ".join((name, static_token(name), *granted)) for name, granted in scopes.items()]
    return {"VERCEL_MCP_HTTP_TOKENS_FILE": token_file(folder, *lines), **more} if lines else more


@asynccontextmanager
async def an_office(
    world: World,
    variables: Mapping[str, str],
    *,
    api_url: str | None = None,
    now: Callable[[], float] = time.monotonic,
    body_seconds: float = GUARD,
    protocol: type[ImpatientProtocol] = ImpatientProtocol,
    max_connections: int = 1000,
    max_sessions: int = 1000,
    **changes: Any,
) -> AsyncIterator[Office]:
    """Serve while the block runs, with the operator's variables for HTTP and the settings changed."""
    with socket.create_server((HOST, 0)) as listener:
        port = listener.getsockname()[1]
        chosen = http_settings.load(f"{HOST}:{port}", variables)
        context = _context(world, chosen.approvals_url, api_url, changes)
        bounds: Any = {"body_seconds": body_seconds, "max_sessions": max_sessions}
        application = build_app(app.build_server(lambda: context), context, chosen, now=now, **bounds)
        server = DrainingServer(configure(application, protocol, max_connections), context.drain)
        office = Office(base=f"http://{HOST}:{port}", world=world, context=context, server=server)
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(_serve, server, listener, office.running)
                yield office
                server.should_exit = True
        finally:
            await context.client.aclose()


async def _serve(server: DrainingServer, listener: socket.socket, ended: anyio.Event) -> None:
    await server.serve([listener])
    ended.set()


def _context(world: World, server_url: str | None, api_url: str | None, changes: Mapping[str, Any]) -> Context:
    chosen = replace(
        Settings(
            token=SecretStr(SANDBOX_TOKEN),
            team=Team(id=SANDBOX_TEAM_ID),
            state_dir=world.folder,
            form_wait=5,
            max_creates_per_hour=1000,
            reconcile=False,
            **({"api_url": api_url} if api_url else {}),  # type: ignore[arg-type] # a text, as it should be
        ),
        **changes,
    )
    vercel = VercelClient(chosen, None if api_url else world.sandbox.app)
    return Context(settings=chosen, client=vercel, ledger=world.ledger(), ready_wait=0, server_url=server_url)
