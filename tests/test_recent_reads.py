"""Reads that are remembered for a minute: bounded, forgotten at any change, and never what a purchase is decided by."""

import asyncio
import json
from typing import Any

import pytest
from mcp import Client

from vercel_marketplace_mcp.sandbox import SANDBOX_TEAM_ID, SANDBOX_TEAM_SLUG, Fault, Sandbox
from vercel_marketplace_mcp.settings import Team
from vercel_marketplace_mcp.vercel import cache, errors
from vercel_marketplace_mcp.vercel.answers import Answered
from vercel_marketplace_mcp.vercel.cache import RecentReads
from vercel_marketplace_mcp.vercel.operations import GET_CONFIGURATIONS, GET_PRODUCTS, Call

from .calls import BRINDLE, VALID
from .conftest import Call as CallTool
from .conftest import Clock, Connect, Json

pytestmark = pytest.mark.anyio

LISTS = ("list-configurations", "list-products", "list-plans")
CREATE, CONNECT = "createIntegrationStoreDirect", "connectIntegrationResourceToProject"


class Vercel:
    """Answers reads with what it is told to, and counts them."""

    def __init__(self, *answers: Any) -> None:
        self.asked = 0
        self._answers = answers

    async def read(self, _call: Call) -> Answered:
        """The next answer; the last one is repeated."""
        await asyncio.sleep(0)
        answer = self._answers[min(self.asked, len(self._answers) - 1)]
        self.asked += 1
        if isinstance(answer, Exception):
            raise answer
        return Answered(answer, len(json.dumps(answer)))


def configurations(**query: str) -> Call:
    """A read of the configurations."""
    return Call(operation=GET_CONFIGURATIONS, team=None, query=query)


@pytest.mark.parametrize("tool", LISTS)
async def test_a_list_is_read_once_a_minute(
    tool: str, call: CallTool, client: Client, sandbox: Sandbox, clock: Clock
) -> None:
    """Up to the sixtieth second the answer is the same, and Vercel is not asked."""
    first = await call(client, tool, VALID[tool])
    clock.advance(59.9)
    assert (await call(client, tool, VALID[tool]), len(sandbox.journal)) == (first, 1)
    clock.advance(0.1)
    assert (await call(client, tool, VALID[tool]), len(sandbox.journal)) == (first, 2)
    clock.advance(-3600)
    assert (await call(client, tool, VALID[tool]), len(sandbox.journal)) == (first, 3)


async def test_what_is_asked_differently_is_read_by_itself(call: CallTool, connect: Connect, sandbox: Sandbox) -> None:
    """Team, path and query each make another question."""
    async with connect(team=None) as client:
        for given in ({}, {"view": "project"}, {"teamId": SANDBOX_TEAM_ID}, {"slug": SANDBOX_TEAM_SLUG}):
            await call(client, "list-configurations", given)
            await call(client, "list-configurations", given)
    assert len(sandbox.journal) == 4
    async with connect(team=Team(id=SANDBOX_TEAM_ID)) as client:
        for configuration in (BRINDLE, "icfg_MarrowCache000000000002", BRINDLE):
            await call(client, "list-products", {"id": configuration})
    assert len(sandbox.journal) == 6


@pytest.mark.parametrize("fault", [None, Fault(status=409), Fault(status=500), Fault(drop="after")])
@pytest.mark.parametrize("tool", ["create-store", "connect-store"])
async def test_any_change_makes_everything_be_read_anew(
    tool: str, fault: Fault | None, call: CallTool, client: Client, sandbox: Sandbox
) -> None:
    """Whether it succeeded, was refused, or nobody knows."""
    made = await call(client, "create-store", VALID["create-store"])
    for listed in LISTS:
        await call(client, listed, VALID[listed])
    if fault:
        sandbox.misbehave(CREATE if tool == "create-store" else CONNECT, fault)
    changes: Json = {"name": "another"} if tool == "create-store" else {"envVarEnvironments": ["preview"]}
    changes |= {"resourceId": made["store"]["id"]} if tool == "connect-store" else {}
    await call(client, tool, {**VALID[tool], **changes})
    sandbox.journal.clear()
    for listed in LISTS:
        await call(client, listed, VALID[listed])
    assert len(sandbox.journal) == 3


async def test_a_purchase_is_decided_by_what_vercel_says_now(call: CallTool, client: Client, sandbox: Sandbox) -> None:
    """T09: a plan that was free when it was listed and costs now is not bought, though the list is a second old."""
    listed = await call(client, "list-plans", VALID["list-plans"])
    assert listed["plans"][0]["billing"] == "free"
    sandbox.change_plan("brindle-postgres", "free", cost="$9.00/month", paymentMethodRequired=True)
    reply = await call(client, "create-store", VALID["create-store"])
    assert (reply["status"], sandbox.posts) == ("confirmation_required", [])
    assert reply["quote"]["recurring_cents"] == 900
    assert (await call(client, "list-plans", VALID["list-plans"]))["plans"] == listed["plans"]


async def test_those_who_ask_at_once_share_one_request(call: CallTool, client: Client, sandbox: Sandbox) -> None:
    """However many: they get the same answer."""
    asked = [call(client, "list-plans", VALID["list-plans"]) for _ in range(8)]
    replies = await asyncio.gather(*asked)
    assert (len(sandbox.journal), [one == replies[0] for one in replies]) == (1, [True] * 8)


async def test_a_failure_is_shared_but_never_kept(clock: Clock) -> None:
    """Whoever asks afterwards asks Vercel; an answer that lists nothing is not kept either."""
    recent, vercel = RecentReads(clock.seconds), Vercel(errors.timed_out(), {"error": None}, [1])
    found = await asyncio.gather(
        *(recent.read(configurations(), vercel.read) for _ in range(3)), return_exceptions=True
    )
    assert ([type(one) for one in found], vercel.asked) == ([errors.UnclearError] * 3, 1)
    assert [await recent.read(configurations(), vercel.read) for _ in range(3)] == [{"error": None}, [1], [1]]
    assert vercel.asked == 3


async def test_who_waits_for_a_read_that_is_cancelled_reads_by_himself(clock: Clock) -> None:
    """A call that its client gave up takes nobody else's answer away."""
    recent, vercel = RecentReads(clock.seconds), Vercel([1])
    first = asyncio.ensure_future(recent.read(configurations(), vercel.read))
    second = asyncio.ensure_future(recent.read(configurations(), vercel.read))
    await asyncio.sleep(0)
    first.cancel()
    assert await second == [1]


async def test_what_was_asked_before_a_change_is_not_kept_after_it(clock: Clock) -> None:
    """Nor does anyone who asks after the change wait for it."""
    recent, vercel = RecentReads(clock.seconds), Vercel(["before"], ["after"])
    early = asyncio.ensure_future(recent.read(configurations(), vercel.read))
    await asyncio.sleep(0)
    with recent.changing():
        assert await early == ["before"]
    assert await recent.read(configurations(), vercel.read) == ["after"]


@pytest.mark.parametrize(
    ("answers", "answer", "kept"),
    [
        (cache.MAX_ANSWERS, [], cache.MAX_ANSWERS),
        (cache.MAX_ANSWERS + 5, [], cache.MAX_ANSWERS),
        (6, ["x" * (cache.MAX_BYTES // 4)], 3),
        (2, ["x" * cache.MAX_BYTES], 0),
    ],
    ids=["full", "too many", "too large together", "too large by itself"],
)
async def test_what_is_kept_is_bounded(answers: int, answer: Any, kept: int, clock: Clock) -> None:
    """In number and in bytes; the oldest go first."""
    recent, vercel = RecentReads(clock.seconds), Vercel(answer)
    for number in range(answers):
        await recent.read(configurations(n=str(number)), vercel.read)
    assert vercel.asked == answers
    for number in reversed(range(answers - kept, answers)):
        await recent.read(configurations(n=str(number)), vercel.read)
    assert vercel.asked == answers
    if kept < answers:
        await recent.read(configurations(n=str(answers - kept - 1)), vercel.read)
        assert vercel.asked == answers + 1


@pytest.mark.parametrize(
    ("operation", "answer", "lists"),
    [
        (GET_CONFIGURATIONS, [], True),
        (GET_CONFIGURATIONS, {"configurations": []}, False),
        (GET_PRODUCTS, {"products": []}, True),
        (GET_PRODUCTS, {"products": {}}, False),
        (GET_PRODUCTS, [], False),
    ],
)
def test_an_answer_lists_something_only_in_its_place(operation: Any, answer: Any, lists: bool) -> None:
    """What has another shape can't be read, and is asked for again."""
    assert operation.lists(answer) is lists
