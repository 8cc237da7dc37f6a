"""The token reaches Vercel and nothing else: no answer, no log, whatever the other side says."""

import base64
import json
from typing import Any

import pytest

from vercel_marketplace_mcp.sandbox import SANDBOX_TEAM_ID, Fault, Sandbox
from vercel_marketplace_mcp.sandbox.http import serving

pytestmark = pytest.mark.anyio

TOKEN = "canary_Qv7mZ2kXw9Lr4Tn8"
ECHO = f"Bearer {TOKEN}"
CREATE = {
    "name": "my-store",
    "integrationConfigurationId": "icfg_BrindleData000000000001",
    "integrationProductIdOrSlug": "brindle-postgres",
    "billingPlanId": "free",
}
LIST = "getConfigurations"
POST = "createIntegrationStoreDirect"


def error(status: int, **members: Any) -> Fault:
    """An answer that repeats the Authorization header, as a careless server does."""
    body = {"error": {"code": "forbidden", "message": f"Not accepted: {ECHO}", **members}}
    return Fault(status=status, body=json.dumps(body).encode(), headers={"x-vercel-id": TOKEN})


def said(code: int, rest: bytes, errors: str, *answers: Any) -> str:
    """All that left the process, as one text."""
    assert code == 0
    return json.dumps(answers) + rest.decode() + errors


def assert_hidden(text: str) -> None:
    """Neither the token nor its base64 form is in a text, nor any part of it that would help."""
    assert TOKEN not in text
    assert TOKEN[7:15] not in text
    assert base64.b64encode(TOKEN.encode()).decode()[:20] not in text


async def call(server: Any, name: str, arguments: dict[str, Any]) -> Any:
    """The result of a tool call."""
    parameters = {"name": name, "arguments": arguments}
    return (await server.ask({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": parameters}))["result"]


def account(url: str) -> dict[str, str]:
    """The variables of a server for the account whose token is the canary."""
    return {"VERCEL_API_URL": url, "VERCEL_TOKEN": TOKEN, "VERCEL_TEAM_ID": SANDBOX_TEAM_ID}


async def test_a_server_that_repeats_the_token_does_not_get_it_through(connect: Any, initialize: Any) -> None:
    """Echoed in errors, in good answers and in headers, to reads and to the create request: it is redacted."""
    market = Sandbox(token=TOKEN)
    echoes = [error(401), error(403), error(500), Fault(body=f'"{ECHO}"'.encode()), Fault(body=ECHO.encode())]
    echoes.append(error(403, message="x" * 170 + ECHO))
    echoes.append(Fault(edit=lambda plans: [{**plan, "slug": TOKEN, "id": f"icfg_{TOKEN}"} for plan in plans]))
    for fault in echoes:
        market.misbehave(LIST, fault)
    for fault in [error(401), error(500), Fault(edit=lambda body: {"store": {**body["store"], "name": ECHO}})]:
        market.misbehave(POST, fault)
    async with serving(market) as url:
        server = await connect("-m", "vercel_marketplace_mcp", **account(url))
        answers = [await server.ask(initialize)]
        answers += [await call(server, "list-configurations", {}) for _ in echoes]
        answers += [await call(server, "create-store", {**CREATE, "name": f"store-{n}"}) for n in range(3)]
        text = said(*await server.end(), *answers)
    assert [one.authorized for one in market.journal].count(False) == 0
    assert len(market.posts) == 3
    assert text.count("[redacted]") > 5
    assert_hidden(text)


async def test_a_server_that_is_not_there_does_not_bring_the_token_out(connect: Any, initialize: Any) -> None:
    """A port on which nobody listens is told without the token."""
    async with serving(Sandbox()) as url:
        pass
    server = await connect("-m", "vercel_marketplace_mcp", **account(url))
    answers = [await server.ask(initialize), await call(server, "list-configurations", {})]
    text = said(*await server.end(), *answers)
    assert "could not be reached" in text
    assert_hidden(text)


async def test_a_refused_token_is_not_shown(connect: Any, initialize: Any) -> None:
    """A token that Vercel does not accept is told by the name of its variable."""
    async with serving(Sandbox(token="another-token-altogether")) as url:
        server = await connect("-m", "vercel_marketplace_mcp", **account(url))
        answers = [await server.ask(initialize), await call(server, "list-configurations", {})]
        text = said(*await server.end(), *answers)
    assert "VERCEL_TOKEN" in text
    assert_hidden(text)


async def test_a_malformed_token_is_not_shown(connect: Any) -> None:
    """A token with a line's end, which HTTP libraries print whole, stops the start without being printed."""
    server = await connect("-m", "vercel_marketplace_mcp", VERCEL_TOKEN=f"{TOKEN}\n")
    code, rest, errors = await server.end()
    assert (code, rest) == (2, b"")
    assert errors.startswith("vercel-marketplace-mcp: VERCEL_TOKEN must be ")
    assert_hidden(errors)
