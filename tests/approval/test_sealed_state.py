"""The state that a client carries between two rounds: only what this ledger sealed for exactly this call is read."""

import json
import random
import time

import pytest
from mcp import MCPError
from mcp.server.request_state import AESGCMRequestStateCodec

from .world import FROZEN, PRO, Person, World, clicked, first_round, typed

pytestmark = pytest.mark.anyio


async def test_a_forged_state_is_refused_with_one_message(world: World) -> None:
    """T15: a thousand flipped bits, cuts and inventions; then the true state still buys, once."""
    chance = random.Random(15)
    async with world.client("auto", Person()) as client:
        opened = await first_round(client)
        forged = [_flipped(opened.state, chance) for _ in range(1000)]
        forged += [opened.state[:length] for length in range(0, len(opened.state), 16)]
        forged += [f"{opened.state}A", f"v2.{opened.state[3:]}", "v1.", "{}", json.dumps({"question": "x"})]
        refusals = set()
        for state in forged:
            with pytest.raises(MCPError) as refusal:
                await opened.end(client, state=state)
            refusals.add((refusal.value.error.code, refusal.value.error.message))
        assert refusals == {(-32602, FROZEN)}
        assert world.sandbox.posts == []
        assert (await opened.end(client))["status"] == "created"
    assert world.bodies == [PRO]


def _flipped(state: str, chance: random.Random) -> str:
    """The state with one bit of one character flipped to another printable one."""
    while True:
        at, bit = chance.randrange(len(state)), 1 << chance.randrange(7)
        flipped = chr(ord(state[at]) ^ bit)
        if flipped.isprintable():
            return state[:at] + flipped + state[at + 1 :]


async def test_a_borrowed_state_is_refused_with_the_same_message(world: World) -> None:
    """T15: sealed for another tool, other arguments, another service, an hour ago or in the future: never read."""
    async with world.client("auto", Person()) as client:
        opened = await first_round(client)
        codec = AESGCMRequestStateCodec([await world.ledger().secret()])
        claims = json.loads(codec.unseal(opened.state))
        now = time.time()
        borrowed = [
            *({**claims, "t": "list-plans"}, {**claims, "a": "another call's"}, {**claims, "aud": "another server"}),
            *({**claims, "m": "prompts/get"}, {**claims, "exp": now - 1}, {**claims, "iat": now + 3600}),
            *(
                {**claims, "v": 2},
                {**claims, "p": "somebody"},
                {name: claims[name] for name in claims if name != "aud"},
            ),
        ]
        states = [codec.seal(json.dumps(claim).encode()) for claim in borrowed]
        states.append(AESGCMRequestStateCodec([b"the key of another state folder."]).seal(json.dumps(claims).encode()))
        for state in states:
            with pytest.raises(MCPError, match=FROZEN):
                await opened.end(client, state=state)
    assert (world.sandbox.posts, len(await world.waiting())) == ([], 1)


@pytest.mark.parametrize("state", ["garbage", "{}", '{"question": "q", "expected": "20.00", "at": 0}'])
async def test_a_state_means_nothing_to_a_tool_that_asks_nothing(state: str, world: World) -> None:
    """The list tools answer as ever, whatever state a client sends along."""
    async with world.client("auto", Person()) as client:
        found = await client.session.call_tool("list-configurations", {}, request_state=state)
    assert found.structured_content
    assert found.structured_content["count"] > 0


async def test_an_answer_can_not_be_carried_over_to_a_declined_question(world: World) -> None:
    """T14: once declined, a question's state buys nothing more, whatever comes with it."""
    async with world.client("auto", Person()) as client:
        opened = await first_round(client)
        assert (await opened.end(client, typed("no")))["status"] == "not_confirmed"
        found = [(await opened.end(client, answer))["status"] for answer in (typed("20.00"), clicked("cancel"))]
    assert (found, world.sandbox.posts) == (["not_confirmed", "not_confirmed"], [])
