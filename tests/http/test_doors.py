"""Who may come in: without a good token and its scope nothing reaches a tool, and no token crosses the server."""

import json
from typing import Any

import pytest
from mcp.shared.exceptions import MCPError

from vercel_marketplace_mcp.sandbox import SANDBOX_TOKEN, Fault

from ..approval.world import FREE, QUARRY, Json, World
from .knocking import call, head, knock, request, statuses
from .office import RESOURCE, Office, an_office, http_variables, static_token
from .refusing import answers

pytestmark = pytest.mark.anyio

LIST = call("list-configurations")
CONNECT = {"integrationConfigurationId": QUARRY, "resourceId": "store_1a2b3c4d", "projectId": "prj_sandboxStorefront"}
ALICE, READER, CLERK = (f"Bearer {static_token(name)}" for name in ("alice", "reader", "clerk"))

TOKENS: dict[str, Json] = {
    "no token": {},
    "no token after the scheme": {"authorization": "Bearer "},
    "another scheme": {"authorization": f"Basic {static_token('alice')}"},
    "no scheme": {"authorization": static_token("alice")},
    "an unknown token": {"authorization": f"Bearer {'x' * 40}"},
    "a part of a token": {"authorization": ALICE[:-1]},
    "more than a token": {"authorization": f"{ALICE}0"},
    "a token in another case": {"authorization": f"Bearer {static_token('ALICE')}"},
    "a token in the address": {"path": f"/mcp?access_token={static_token('alice')}"},
    "the token of the server": {"authorization": f"Bearer {SANDBOX_TOKEN}"},
    "two tokens": {"authorization": f"Bearer {'x' * 40}\r\nauthorization: {ALICE}"},
    "bytes that are no text": {"authorization": "Bearer \xff\xfe"},
}


async def test_without_a_good_token_nobody_is_served(office: Office) -> None:
    """401, and the challenge names all scopes of an agent, to sign in once; it is the same whatever is wrong."""
    found = await answers(office, {name: request(LIST, **given) for name, given in TOKENS.items()})
    assert statuses(found) == dict.fromkeys(TOKENS, 401)
    assert {(answer.headers["www-authenticate"], answer.body) for answer in found.values()} == {
        (
            'Bearer error="invalid_token", scope="stores:read stores:create stores:purchase"',
            b'{"error": "invalid_token", "error_description": "This needs a good token with the scope stores:read."}',
        )
    }


async def test_questions_are_for_people_and_so_is_the_challenge(office: Office) -> None:
    """Where a person answers, a token is asked for that a person has: no scope of an agent is suggested."""
    found = await answers(office, {"to see questions": head("GET", "/approvals")})
    assert [(one.status, one.headers["www-authenticate"]) for one in found.values()] == [
        (401, 'Bearer error="invalid_token", scope="stores:approve"')
    ]


@pytest.mark.parametrize("path", ["", "/", "/realm", "/realm/"])
async def test_where_there_is_an_issuer_the_challenge_says_how_to_get_a_token(path: str, world: World) -> None:
    """RFC 9728: the metadata name the issuer to the letter, this server and an agent's scopes, none of a person's."""
    issuer = f"http://127.0.0.1:9{path}"
    variables = {"VERCEL_MCP_HTTP_ISSUER": issuer, "VERCEL_MCP_HTTP_RESOURCE": RESOURCE}
    async with an_office(world, variables) as office:
        refused = await knock(office.port, request(LIST, host="desk.example.com"))
        metadata = await knock(office.port, head("GET", "/.well-known/oauth-protected-resource/mcp"))
    address = "https://desk.example.com/.well-known/oauth-protected-resource/mcp"
    scopes = ["stores:read", "stores:create", "stores:purchase"]
    challenge = f'Bearer error="invalid_token", scope="{" ".join(scopes)}", resource_metadata="{address}"'
    assert (refused.status, refused.headers["www-authenticate"]) == (401, challenge)
    assert metadata.json() == {
        "resource": RESOURCE,
        "authorization_servers": [issuer],
        "scopes_supported": scopes,
        "bearer_methods_supported": ["header"],
    }


SCOPES: dict[str, tuple[bytes, str]] = {
    "to read": (request(LIST, authorization=CLERK), "stores:read"),
    "to list tools": (request({"jsonrpc": "2.0", "id": 7, "method": "tools/list"}, authorization=CLERK), "stores:read"),
    "to open a stream": (head("GET", authorization=CLERK), "stores:read"),
    "to create": (request(call("create-store", FREE), authorization=READER), "stores:create"),
    "to connect": (request(call("connect-store", CONNECT), authorization=READER), "stores:create"),
    "to create under another name": (
        request(call("create-store", FREE), authorization=READER, mcp_name="list-plans"),
        "stores:create",
    ),
    "to see questions": (head("GET", "/approvals", authorization=ALICE), "stores:approve"),
    "to answer": (request({"typed": "20.00"}, path="/approvals/AAAAAA", authorization=ALICE), "stores:approve"),
}


async def test_without_a_scope_what_needs_it_is_refused(office: Office) -> None:
    """403, and the challenge names the scope that is missing."""
    found = await answers(office, {name: sent for name, (sent, _) in SCOPES.items()})
    told = {name: (answer.status, answer.headers["www-authenticate"]) for name, answer in found.items()}
    assert told == {
        name: (403, f'Bearer error="insufficient_scope", scope="{scope}"') for name, (_, scope) in SCOPES.items()
    }


async def test_without_a_scope_the_client_is_told_in_words_that_it_shows(office: Office) -> None:
    """An error of the protocol for a message, with its id once that is read; elsewhere no protocol is spoken."""
    found = await answers(office, {name: sent for name, (sent, _) in SCOPES.items()})
    told = {name: answer.json() for name, answer in found.items()}
    of_messages = {name: (one.pop("id"), one["error"]["code"]) for name, one in told.items() if "jsonrpc" in one}
    assert of_messages == {
        "to read": (None, -32600),
        "to list tools": (None, -32600),
        "to create": (7, -32600),
        "to connect": (7, -32600),
        "to create under another name": (7, -32600),
    }
    words = {name: one.get("error_description") or one["error"]["message"] for name, one in told.items()}
    assert words == {name: f"This needs a good token with the scope {scope}." for name, (_, scope) in SCOPES.items()}


async def test_an_agent_reads_which_scope_it_lacks(era: str, world: World) -> None:
    """The SDK's client shows the sentence, in either era."""
    variables = http_variables(world.folder.parent, {"reader": ("stores:read",)})
    async with an_office(world, variables) as office, office.client(era, static_token("reader")) as client:
        with pytest.raises(MCPError, match="This needs a good token with the scope stores:create."):
            await client.call_tool("create-store", FREE)
    assert world.bodies == []


async def test_arguments_that_contradict_themselves_are_answered_by_their_tool(office: Office) -> None:
    """A key that stands twice, half a character, NaN: the agent reads what to mend, as over stdio."""
    wrong = {
        "a key twice": (b'{"id":"icfg_a","id":"icfg_b"}', "id"),
        "NaN": (b'{"id":NaN}', "id"),
        "half a character": (b'{"id":"\\ud800"}', "id"),
    }
    found: dict[str, Any] = {}
    for name, (arguments, _) in wrong.items():
        body = json.dumps(call("list-products", {})).encode().replace(b'"arguments": {}', b'"arguments": ' + arguments)
        answer = await knock(office.port, request(body, authorization=ALICE, mcp_name="list-products"))
        error = answer.json()["result"]["structuredContent"]["error"]
        found[name] = (answer.status, error["code"], error["argument"])
    assert found == {name: (200, "invalid_arguments", argument) for name, (_, argument) in wrong.items()}
    assert office.world.sandbox.journal == []


async def test_no_token_crosses_the_server(office: Office) -> None:
    """T57: Vercel sees the server's token and no client's; a client never sees the server's, whatever Vercel says."""
    echo = json.dumps({"error": {"code": "bad_request", "message": f"Bearer {SANDBOX_TOKEN}"}}).encode()
    office.world.sandbox.misbehave("getConfigurationProducts", Fault(status=400, body=echo))
    plain = await knock(office.port, request(LIST, authorization=ALICE))
    products = call("list-products", {"id": QUARRY})
    told = await knock(office.port, request(products, authorization=ALICE))
    assert [plain.status, told.status] == [200, 200]
    journal = office.world.sandbox.journal
    assert [one.authorized for one in journal] == [True, True]
    assert [one for one in journal if static_token("alice") in repr(one)] == []
    assert SANDBOX_TOKEN.encode() not in plain.body + told.body
    assert b"[redacted]" in told.body
