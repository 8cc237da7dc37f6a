"""The command `approve --server`: a person in a real terminal answers at a server elsewhere, with their own token."""

import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import anyio.to_thread
import pytest

from vercel_marketplace_mcp.approval.desk import AGENT_MARKERS

from ..approval.terminal import PROGRAM, Done, at_the_desk, variables, without_a_terminal
from ..approval.world import Json, World, buy
from .approving import NOTHING, PREFIX, WARDEN, Approve
from .office import AGENT, PERSON, Office, an_office, http_variables, static_token
from .speaking import Speaker, speaking

pytestmark = pytest.mark.anyio

ALICE, CLERK = static_token("alice"), static_token("clerk")


@pytest.fixture
async def office(world: World) -> AsyncIterator[Office]:
    """A server for an agent, a person who answers for all, and one with no questions of their own."""
    scopes = {"alice": AGENT, "warden": ("stores:approve-all",), "clerk": PERSON}
    async with an_office(world, http_variables(world.folder.parent, scopes)) as made:
        yield made


async def ask(office: Office, **changes: object) -> Json:
    """Make a call that a person must approve, and return its answer."""
    async with office.client("auto", ALICE) as client:
        found = await buy(client, **changes)
    assert found["status"] == "confirmation_required", found
    return found


async def test_what_the_answer_prints_can_be_run_and_buys_once(office: Office, home: Path) -> None:
    """The terminal shows the question as the ledger keeps it, under who asked; no state folder is made or needed."""
    command = (await ask(office, metadata={"region": "iad1", "version": "16"}))["approval"]["command"]
    program, *rest = command.split(" ")
    assert program == "vercel-marketplace-mcp"
    (question,) = await office.world.waiting()
    env = variables(HOME=str(home), VERCEL_MCP_APPROVER_TOKEN=WARDEN)
    done = await anyio.to_thread.run_sync(lambda: at_the_desk([*PROGRAM, *rest], b" 20.00 \n", env=env))
    said = "Approved. Tell the assistant to make the same call again; that must happen soon.\n"
    assert (done.code, done.shown) == (0, f"Asked by alice:\n\n{question.text}\n\n> {said}")
    async with office.client("auto", ALICE) as client:
        found = await buy(client, metadata={"region": "iad1", "version": "16"})
    assert (found["status"], len(office.world.bodies)) == ("created", 1)


async def test_any_other_answer_declines(office: Office, approve: Approve) -> None:
    """A no, another amount, nothing at all, bytes that are no text: nothing is bought, and the question is settled."""
    lines = [b"no\n", b"20\n", b"\n", b"\x04", b"\xff20.00\n"]
    found = []
    for number, line in enumerate(lines):
        code = (await ask(office, name=f"orders-{number}"))["approval"]["code"]
        done = await approve(office.base, code.lower(), typed=line)
        found.append((done.code, done.shown.endswith("\n\n> Not approved. Nothing is bought.\n")))
        office.world.clock.now += 601
    assert found == [(1, True)] * len(lines)
    assert (await office.world.waiting(), office.world.bodies) == ([], [])


async def test_a_code_that_waits_for_nothing_is_answered_with_a_sentence(office: Office, approve: Approve) -> None:
    """Unknown, or somebody else's: the same sentence, and nothing of the input reaches the screen."""
    code = (await ask(office))["approval"]["code"]
    found = [await approve(office.base, one, token=CLERK) for one in (code, "NO\x1b]0;WAY")]
    found += [await approve(f"{office.base}/mcp/", "AAAAAA")]
    shown = [
        f"{PREFIX}No question with the code {one} waits here. It may be answered, replaced or too old.\n"
        for one in (code, "NO", "AAAAAA")
    ]
    assert found == [Done(code=2, shown=one) for one in shown]
    assert [one.code for one in await office.world.waiting()] == [code]


async def test_without_a_code_the_only_question_is_shown(office: Office, approve: Approve) -> None:
    """With several the codes are named, and nothing is answered."""
    codes = [(await ask(office, name="first"))["approval"]["code"]]
    one = await approve(office.base, typed=b"no\n")
    office.world.clock.now += 1
    codes = [(await ask(office, name=name))["approval"]["code"] for name in ("second", "third")]
    several = await approve(office.base)
    assert (one.code, several.code) == (1, 2)
    assert sorted(re.findall(r"[0-9A-Z]{6}", several.shown.partition(": ")[2])) == sorted(codes)


async def test_a_token_that_does_not_count_answers_nothing(office: Office, approve: Approve) -> None:
    """Unknown, without the scope, too short to be one, or with a line break that could smuggle in a header."""
    code = (await ask(office))["approval"]["code"]
    tokens = {
        "x" * 40: "The server does not take this token.",
        ALICE: "This token may not approve: it lacks the scope stores:approve.",
        "short": "That can't be a token.",
        f"{WARDEN}\r\nx-more: 1": "That can't be a token.",
        "tökenstökenstökenstökenstöken": "That can't be a token.",
    }
    found = {token: await approve(office.base, code, token=token) for token in tokens}
    assert found == {token: Done(code=2, shown=f"{PREFIX}{said} {NOTHING}\n") for token, said in tokens.items()}
    assert [one.code for one in await office.world.waiting()] == [code]


IN_A_TERMINAL_OF_ITS_OWN = "import fcntl, os, sys, termios; os.setsid(); fcntl.ioctl(0, termios.TIOCSCTTY, 0); "


async def test_without_a_token_it_is_asked_for_unseen(office: Office, home: Path) -> None:
    """What is typed at the prompt is not shown; the end of input is no token."""
    start = [sys.executable, "-c", f"{IN_A_TERMINAL_OF_ITS_OWN}os.execv(sys.argv[1], sys.argv[1:])"]
    command = [*start, *PROGRAM, "approve", "AAAAAA", "--server", office.base]
    env, prompt = variables(HOME=str(home)), f"Your token for {office.base}: "

    def run(typed: bytes) -> Done:
        return at_the_desk(command, typed, env=env, prompt=prompt.encode())

    good = await anyio.to_thread.run_sync(run, f"{WARDEN}\n".encode())
    none = await anyio.to_thread.run_sync(run, b"\x04")
    said = "No question with the code AAAAAA waits here. It may be answered, replaced or too old."
    assert good == Done(code=2, shown=f"{prompt}\n{PREFIX}{said}\n")
    assert (none.code, none.shown.endswith(f"{PREFIX}That can't be a token. {NOTHING}\n")) == (2, True)


async def test_no_agent_and_no_pipe_answers(office: Office, approve: Approve, home: Path) -> None:
    """As with the command on the server's own machine; the server is not even asked."""
    code = (await ask(office))["approval"]["code"]
    command = [*PROGRAM, "approve", code, "--server", office.base]
    env = variables(HOME=str(home), VERCEL_MCP_APPROVER_TOKEN=WARDEN)
    piped = await anyio.to_thread.run_sync(without_a_terminal, command, b"20.00\n", env)
    said = "This needs a terminal, for a person to read the question and type the answer."
    assert piped == Done(code=2, shown=f"{PREFIX}{said}\n")
    agents = [await approve(office.base, code, typed=b"20.00\n", env={marker: "1"}) for marker in AGENT_MARKERS[:2]]
    assert [done.shown for done in agents] == [
        f"{PREFIX}This runs inside an agent ({marker} is set). A person must run it in their own terminal.\n"
        for marker in AGENT_MARKERS[:2]
    ]
    assert (len(await office.world.waiting()), office.world.bodies) == (1, [])


@pytest.mark.parametrize(
    "server", ["http://desk.example.com", "ftp://127.0.0.1", "https://x@evil.example", "desk.example.com", "https://"]
)
async def test_a_token_goes_nowhere_in_the_open(server: str, approve: Approve) -> None:
    """Only https, or this machine: anything else is no address, and what was given is not repeated."""
    done = await approve(server, "AAAAAA")
    said = "--server must be https://HOST[:PORT][/PATH] (http only for this machine: 127.0.0.1, [::1], localhost)."
    assert done == Done(code=2, shown=f"{PREFIX}{said}\n")


async def test_a_server_that_is_away_is_said_to_be(approve: Approve) -> None:
    """Nothing listens: exit code 2, and the person knows that nothing was answered."""
    speaker = Speaker()
    async with speaking(speaker):
        pass
    done = await approve(speaker.url, "AAAAAA")
    assert done == Done(code=2, shown=f"{PREFIX}The server can't be reached (ConnectError). {NOTHING}\n")


async def test_a_terminal_that_knows_only_ascii_shows_the_question(office: Office, approve: Approve) -> None:
    """Characters that it can't show are written out; the answer counts as ever."""
    arguments = {
        "name": "kv",
        "integrationConfigurationId": "icfg_MarrowCache000000000002",
        "integrationProductIdOrSlug": "marrow-kv",
        "billingPlanId": "fixed_1gb",
        "metadata": None,
    }
    await ask(office, **arguments)
    (question,) = await office.world.waiting()
    plain = {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "LC_ALL": "C"}
    done = await approve(office.base, typed=f"{question.expected}\n".encode(), env=plain)
    assert (done.code, "\\u2715 per read region" in done.shown) == (0, True), done
