"""Ten thousand hostile calls: whatever a model, a partner or Vercel says, nothing happens that nobody agreed to.

The calls go through real servers and clients in both protocol eras; what they come to is judged at the sandbox's door.
"""

import io
import json
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager, redirect_stderr
from itertools import product
from pathlib import Path

import pytest
from pydantic import SecretStr
from starlette.types import Receive, Scope, Send

from vercel_marketplace_mcp import logs, specs
from vercel_marketplace_mcp.sandbox import Fault

from ..approval.world import BRINDLE, FREE, World, a_world, buy
from . import scale
from .hostile import CALLS, script
from .hostile_api import SPELLED
from .hostile_oracle import CANARY, leaks
from .hostile_tally import Tally
from .hostile_world import run

SEED = 20261122
PARTS = range(scale.of(1, 9))
WORLDS = 14
"""Worlds in each part of each era."""


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """A sandbox and a state folder in which nothing has happened."""
    async with a_world(tmp_path / "state") as made:
        yield made


@contextmanager
def logged() -> Iterator[io.StringIO]:
    """What the server's own logging writes to standard error, more of it than operators see."""
    root, before = logging.getLogger(), logging.getLogger().handlers[:]
    levels = {name: logging.getLogger(name).level for name in ("", "httpx", "httpcore", "stamina")}
    stream = io.StringIO()
    with redirect_stderr(stream):
        logs.configure([CANARY], logging.INFO)
    try:
        yield stream
    finally:
        root.handlers[:] = before
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)


def play(era: str, part: int, tally: Tally, capfd: pytest.CaptureFixture[str], folder: Path) -> None:
    """Play the worlds of one part, and look at what the server wrote meanwhile."""
    before = tally.calls
    with logged() as log:
        for number in range(part * WORLDS, (part + 1) * WORLDS):
            run(folder / f"{era}-{number}", script(SEED, 2 * number + (era == "auto")), era, tally)
    written = [*log.getvalue().splitlines(), *"".join(capfd.readouterr()).splitlines()]
    tally.sightings += sum(map(leaks, written))
    tally.problems += [line for line in written if line.startswith(("ERROR ", "CRITICAL "))]
    assert (tally.unapproved, tally.problems) == ([], [])
    assert (tally.hangs, tally.sightings, tally.outside) == (0, 0, 0)
    assert tally.calls - before >= 0.95 * CALLS * WORLDS
    assert any("[redacted]" in line or "status 200" in line for line in written)


def test_whatever_is_called_nothing_happens_unasked_and_nothing_leaks(
    capfd: pytest.CaptureFixture[str], tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """T02, T31, T47, T51: every call is answered, by the rules, and every request that needs a yes had one.

    And the campaign did what it claims: each status of each tool was answered, and people were asked and said yes.
    """
    tally = Tally()
    for era, part in product(("legacy", "auto"), PARTS):
        play(era, part, tally, capfd, tmp_path)
    assert tally.calls >= scale.of(1000, 10_000)
    for tool in ("create-store", "connect-store"):
        statuses = specs.load()[tool].definition["outputSchema"]["properties"]["status"]["enum"]
        assert [status for status in statuses if not tally.statuses[tool, status]] == []
    assert {tool for tool, status in tally.statuses if status in ("answered", "created", "connected")} == {
        *specs.load()
    }
    assert 0 < tally.charging <= tally.posts
    assert 0 < tally.production <= tally.connections
    assert tally.charging + tally.production <= tally.approvals < tally.questions
    figures = {
        "hostile calls": tally.calls,
        "POSTs that reached Vercel": tally.posts,
        "POSTs that may charge": tally.charging,
        "connections of production": tally.production,
        "questions that people read": tally.questions,
        "right answers that people typed": tally.approvals,
        "POSTs and connections that nobody had approved": len(tally.unapproved),
        "hostile calls that hung": tally.hangs,
        "sightings of the token": tally.sightings,
        "replies outside their schema or rules": tally.outside,
    }
    for name, number in figures.items():
        record_property(name, number)


@pytest.mark.anyio
async def test_after_a_request_has_left_even_an_unforeseen_failure_is_told_as_unclear(era: str, world: World) -> None:
    """The store exists and the variables are set when the way back breaks: no answer says that nothing happened."""
    inner = world.sandbox.app.middleware_stack

    async def broken(scope: Scope, receive: Receive, send: Send) -> None:
        await inner(scope, receive, send)
        if scope["method"] == "POST":
            raise RuntimeError("unforeseen")

    async with world.client(era) as client:
        store = (await buy(client, **FREE))["store"]["id"]
        world.sandbox.app.middleware_stack = broken
        lost = await buy(client, **{**FREE, "name": "lost"})
        given = {"integrationConfigurationId": BRINDLE, "resourceId": store, "projectId": "prj_sandboxStorefront"}
        result = await client.call_tool("connect-store", {**given, "envVarEnvironments": ["preview"]})
    assert result.structured_content
    assert (lost["status"], result.structured_content["status"]) == ("outcome_unknown", "connected")
    assert (len(world.sandbox.stores), len(world.sandbox.connections)) == (2, 1)


@pytest.mark.anyio
@pytest.mark.parametrize("echo", [CANARY, SPELLED, SPELLED.lower(), CANARY[:6] + SPELLED[36:]])
async def test_the_token_is_taken_out_however_an_answer_spells_it(echo: str, world: World) -> None:
    """T51: plain, in the escapes of JSON, or partly so."""
    world.sandbox.token = CANARY
    body = f'{{"error":{{"code":"forbidden","message":"Not accepted: {echo}"}}}}'
    world.sandbox.misbehave("getConfigurations", Fault(status=403, body=body.encode()))
    async with world.client("auto", token=SecretStr(CANARY)) as client:
        result = await client.call_tool("list-configurations", {})
    assert json.loads(body)["error"]["message"] == f"Not accepted: {CANARY}"
    assert result.structured_content
    assert 'Vercel said: "forbidden: Not accepted: [redacted]".' in result.structured_content["error"]["message"]
