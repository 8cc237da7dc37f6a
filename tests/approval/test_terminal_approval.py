"""A person answers in a terminal: a real one, a process of its own, and no token."""

import shlex
import signal
import stat
import sys
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import pytest
from mcp import Client, StdioServerParameters

from vercel_marketplace_mcp import cli
from vercel_marketplace_mcp.approval.desk import AGENT_MARKERS, answer
from vercel_marketplace_mcp.sandbox import SANDBOX_TEAM_ID, SANDBOX_TOKEN
from vercel_marketplace_mcp.sandbox.http import serving

from .terminal import PROGRAM, Done, at_the_desk, variables, without_a_terminal
from .world import PRO, Json, Person, World, approved, buy, first_round, typed

pytestmark = pytest.mark.anyio

NOT_APPROVED = "Not approved. Nothing is bought.\n"


async def desk(world: World, *arguments: str, answer: bytes | signal.Signals = b"", **more: Any) -> Done:
    """Run `approve` in a terminal on this world's state folder."""
    command = [*PROGRAM, "approve", *arguments, "--state-dir", str(world.folder)]
    return await anyio.to_thread.run_sync(lambda: at_the_desk(command, answer, **more))


async def ask(client: Client, **changes: Any) -> str:
    """Make a call that must be approved in a terminal, and return its code."""
    found = await buy(client, **changes)
    assert found["status"] == "confirmation_required", found
    return str(found["approval"]["code"])


async def test_the_exact_answer_lets_the_same_call_buy_once(era: str, world: World) -> None:
    """The terminal shows the question byte for byte as the ledger keeps it; then the call goes through, once."""
    world.use_the_time_of_day()
    async with world.client(era) as client:
        code = await ask(client, metadata={"region": "iad1", "version": "16"}, externalId="x [31mred")
        (question,) = await world.waiting()
        done = await desk(world, code.lower(), answer=b" 20.00 \n")
        said = "Approved. Tell the assistant to make the same call again; that must happen soon.\n"
        assert (done.code, done.shown) == (0, f"{question.text}\n\n> {said}")
        assert world.sandbox.posts == []
        given: Json = {"metadata": {"region": "iad1", "version": "16"}, "externalId": "x [31mred"}
        found = [await buy(client, **given) for _ in range(3)]
    assert [(one["status"], one.get("replayed", False)) for one in found] == [
        ("created", False),
        ("created", True),
        ("created", True),
    ]
    assert world.bodies == [{**PRO, **given}]


@pytest.mark.parametrize("line", [b"20\n", b"\n", b"\x04", b"\xff\xfe20.00\n", b"yes\n"], ids=repr)
async def test_any_other_answer_declines(line: bytes, world: World) -> None:
    """A wrong text, an empty line, the end of input, bytes that are no text: nothing is bought, the code is used up."""
    world.use_the_time_of_day()
    async with world.client("auto") as client:
        code = await ask(client)
        done = await desk(world, code, answer=line)
        assert (done.code, done.shown.endswith(f"\n\n> {NOT_APPROVED}")) == (1, True), done
        assert await ask(client) != code
    assert world.sandbox.posts == []


async def test_who_types_something_else_is_never_told_that_it_is_approved(world: World) -> None:
    """Two people at two terminals: the second one's no is not answered with the first one's yes."""
    async with world.client("auto") as client:
        code = await ask(client)
    (question,) = await world.waiting()
    await world.approve(code)
    assert await answer(question, "no\n", world.ledger(), 600) == "declined"


async def test_without_a_terminal_nobody_can_answer(world: World) -> None:
    """An answer through a pipe is refused, wherever the pipe is, and the question goes on waiting."""
    world.use_the_time_of_day()
    async with world.client("auto") as client:
        code = await ask(client)
    command = [*PROGRAM, "approve", code, "--state-dir", str(world.folder)]
    piped_out = ["sh", "-c", f"{shlex.join(command)} | cat"]
    said = "vercel-marketplace-mcp: This needs a terminal, for a person to read the question and type the answer.\n"
    assert without_a_terminal(command, b"20.00\n") == Done(code=2, shown=said)
    assert at_the_desk(piped_out, b"20.00\n").shown == said
    assert [question.code for question in await world.waiting()] == [code]


@pytest.mark.parametrize("marker", AGENT_MARKERS)
@pytest.mark.parametrize("command", [["approve"], ["ledger", "resolve", "purchase_1", "--created"]], ids=" ".join)
def test_where_an_agent_announces_itself_nobody_can_answer(
    command: list[str],
    marker: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Each marker that agents set for the commands they run ends those commands that speak for a person."""
    for name in AGENT_MARKERS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(marker, "1")
    with pytest.raises(SystemExit) as ended:
        cli.main([*command, "--state-dir", str(tmp_path / "state")])
    said = f"This runs inside an agent ({marker} is set). A person must run it in their own terminal."
    assert (ended.value.code, capsys.readouterr()) == (2, ("", f"vercel-marketplace-mcp: {said}\n"))


async def test_not_even_a_terminal_helps_an_agent(world: World) -> None:
    """With a marker in the environment a real terminal makes no difference."""
    world.use_the_time_of_day()
    async with world.client("auto") as client:
        code = await ask(client)
        done = await desk(world, code, answer=b"20.00\n", env=variables(CLAUDECODE="1"))
    assert (done.code, "(CLAUDECODE is set)" in done.shown, len(await world.waiting())) == (2, True, 1)


async def test_a_code_that_waits_for_nothing_is_answered_with_a_sentence(world: World) -> None:
    """Unknown, used up, declined, or older than an hour: exit code 2, and nothing of the input reaches the screen."""
    world.clock.now = world.the_time_of_day() - 3601
    async with world.client("auto") as client:
        late = await ask(client, name="late")
        world.use_the_time_of_day()
        used = await ask(client, name="used")
        await world.approve(used)
        found = [await desk(world, code) for code in ("NO\x1b]0;WAY", late, used)]
    texts = [
        f"No question with the code {code} waits here. It may be answered, replaced or too old."
        for code in ("NO", late, used)
    ]
    assert found == [Done(code=2, shown=f"vercel-marketplace-mcp: {text}\n") for text in texts]
    assert world.sandbox.posts == []


async def test_without_a_code_the_only_question_is_shown(world: World) -> None:
    """With none waiting there is nothing to answer, with several the codes are named, oldest first."""
    world.use_the_time_of_day()
    none = await desk(world)
    async with world.client("auto") as client:
        await ask(client)
        one = await desk(world, answer=b"no\n")
        codes = [await ask(client, name="first")]
        world.clock.now += 1
        codes.append(await ask(client, name="second"))
    several = await desk(world)
    assert (none.code, none.shown.count("No question with any code waits here.")) == (2, 1)
    assert (one.code, one.shown.startswith("Buy a store for 20.00 USD")) == (1, True)
    said = f"vercel-marketplace-mcp: Several questions wait. Name one of them: {', '.join(codes)}\n"
    assert several == Done(code=2, shown=said)


async def test_ctrl_c_leaves_the_question_open(world: World) -> None:
    """Who looks and goes away has decided nothing."""
    world.use_the_time_of_day()
    async with world.client("auto") as client:
        code = await ask(client)
    done = await desk(world, code, answer=signal.SIGINT)
    assert (done.code, [question.code for question in await world.waiting()]) == (130, [code])


async def test_a_terminal_that_knows_only_ascii_shows_the_question(world: World) -> None:
    """Characters that it can't show are written out; the answer counts as ever."""
    world.use_the_time_of_day()
    arguments = {
        "name": "kv",
        "integrationConfigurationId": "icfg_MarrowCache000000000002",
        "integrationProductIdOrSlug": "marrow-kv",
        "billingPlanId": "fixed_1gb",
        "metadata": None,
    }
    async with world.client("auto") as client:
        code = await ask(client, **arguments)
        (question,) = await world.waiting()
        plain = variables(PYTHONIOENCODING="ascii", PYTHONUTF8="0", LC_ALL="C")
        done = await desk(world, code, answer=f"{question.expected}\n".encode(), env=plain)
        assert (done.code, "\\u2715 per read region" in done.shown) == (0, True), done
        assert (await buy(client, **arguments))["status"] == "created"
    assert len(world.bodies) == 1


@pytest.mark.parametrize("seconds", [29.9, 30.0])
async def test_an_approval_lives_as_long_as_the_setting_says(era: str, seconds: float, world: World) -> None:
    """VERCEL_MCP_APPROVAL_TTL: after that the same call asks again, and nothing is bought."""
    async with world.client(era) as client:
        code = await ask(client)
        await world.approve(code, ttl=30)
        world.clock.now += seconds
        found = await buy(client)
    in_time = seconds < 30
    assert (found["status"], len(world.bodies)) == (("created", 1) if in_time else ("confirmation_required", 0))


async def test_the_servers_setting_bounds_an_approval_of_a_terminal(era: str, world: World) -> None:
    """The command for people knows nothing of the host's settings: the shorter time holds."""
    async with world.client(era, approval_ttl=30) as client:
        await world.approve(await ask(client), ttl=600)
        world.clock.now += 31
        assert (await buy(client))["status"] == "confirmation_required"
    assert world.bodies == []


async def test_a_no_takes_back_a_yes_that_was_given_elsewhere(world: World) -> None:
    """Approved in a terminal while the form stood open, then declined there: nothing is bought, now or later."""
    async with world.client("auto", Person()) as client:
        opened = await first_round(client)
        (question,) = await world.waiting()
        await world.approve(question.code)
        assert (await opened.end(client, typed("no")))["status"] == "not_confirmed"
    async with world.client("auto") as client:
        assert (await buy(client))["status"] == "confirmation_required"
    assert world.bodies == []


async def test_an_approval_survives_a_restart_but_is_used_once(era: str, world: World) -> None:
    """T14: a new server on the same folder takes the yes; once it is used, another request needs another yes."""
    async with world.client(era) as client:
        await approved(world, client)
    async with world.client(era) as client:
        assert (await buy(client))["status"] == "created"
        assert (await buy(client, name="orders-2"))["status"] == "confirmation_required"
    assert world.bodies == [PRO]


def console_script(folder: Path) -> Path:
    """The script that an installer writes for this program."""
    script = folder / "a folder" / "vercel-marketplace-mcp"
    script.parent.mkdir()
    start = f"#!/bin/sh\n'''exec' {shlex.quote(sys.executable)} \"$0\" \"$@\"\n' '''\n"  # a path may hold a space
    script.write_text(f"{start}from vercel_marketplace_mcp.cli import main\nmain()\n", "utf-8")
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    return script


@pytest.mark.parametrize("how", ["python -m", "the console script"])
async def test_the_printed_command_works_as_it_stands(how: str, world: World, tmp_path: Path) -> None:
    """Whichever way the server was started, a shell without a token can run what the answer prints, word for word."""
    program = list(PROGRAM) if how == "python -m" else [str(console_script(tmp_path))]
    state = tmp_path / "state of 'mine'; exit 3"
    async with serving(world.sandbox) as base_url:
        env = variables(
            VERCEL_TOKEN=SANDBOX_TOKEN,
            VERCEL_TEAM_ID=SANDBOX_TEAM_ID,
            VERCEL_API_URL=base_url,
            VERCEL_MCP_STATE_DIR=str(state),
        )
        server = StdioServerParameters(command=program[0], args=program[1:], env=env)
        async with Client(server, mode="legacy") as client:
            command = (await buy(client))["approval"]["command"]
            done = await anyio.to_thread.run_sync(lambda: at_the_desk(["sh", "-c", command], b"20.00\n"))
            assert done.code == 0, done
            assert (await buy(client))["status"] == "created"
    assert command.startswith(shlex.join([*program, "approve"]))
    assert world.bodies == [PRO]
