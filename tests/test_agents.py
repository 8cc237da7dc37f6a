"""Runs the agent programs as their readers would, a script in the model's place, and asks the sandbox what they did.

No network: the sandbox is served here, or by the server itself.
"""

import re
import shlex
import subprocess
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from anyio import to_thread

from vercel_marketplace_mcp.sandbox import Sandbox
from vercel_marketplace_mcp.sandbox.http import serving

from .agents.programs import AGENTS, command, run, variables
from .approval.terminal import GUARD, Done, at_the_desk

FREE = ("plain_client.py", "pydantic_ai_agent.py", "openai_agents_sdk.py", "langgraph_agent.py")
PROGRAMS = {*FREE, "approve_in_a_form.py", "approve_elsewhere.py", "free_only_pipeline.py", "evaluate.py"}
MAX_LINES = 80
PROJECT = "prj_sandboxStorefront"
LISTED = "list-configurations: listed\nlist-products: listed\nlist-plans: listed\n"
CONNECTED = "The store's variables were set in the project, in: preview."
PROVISIONED = f"""{LISTED}\
create-store: created: The store was created on a free plan; nothing was charged.
connect-store: connected: {CONNECTED}
agent: The store orders exists. {CONNECTED}
"""
BOUGHT = f"""{LISTED}\
create-store: created: The store was created and is billed as confirmed. Every month: 20.00 USD, until the store is \
removed.
connect-store: connected: {CONNECTED}
agent: The store orders exists. {CONNECTED}
"""
NOTHING = "This call created nothing and charged nothing."
DENIED = "The operator has switched off everything that may be billed (VERCEL_MCP_PAID=deny)."


@dataclass(frozen=True, kw_only=True)
class Account:
    """A served sandbox, and the environment of programs that take it for Vercel."""

    sandbox: Sandbox
    env: dict[str, str]

    @property
    def plans(self) -> list[Any]:
        """The plan of every request to create that was sent, in this order."""
        return [post.json().get("billingPlanId") for post in self.sandbox.posts]

    @property
    def environments(self) -> list[Any]:
        """Where the project has variables now."""
        return sorted({tuple(variable["target"]) for variable in self.sandbox.variables(PROJECT)})


@pytest.fixture
def anyio_backend() -> str:
    """The sandbox is served by uvicorn, which knows asyncio only."""
    return "asyncio"


@pytest.fixture
def installed(tmp_path: Path) -> dict[str, str]:
    """An environment whose PATH holds the command, and which keeps its state apart."""
    return variables(tmp_path)


@pytest.fixture
async def account(installed: dict[str, str]) -> AsyncIterator[Account]:
    """A sandbox in which nothing has happened, served as Vercel is."""
    sandbox = Sandbox()
    async with serving(sandbox) as api_url:
        settings = {"VERCEL_TOKEN": sandbox.token, "VERCEL_TEAM_ID": sandbox.team_id, "VERCEL_API_URL": api_url}
        yield Account(sandbox=sandbox, env=installed | settings)


@pytest.mark.anyio
@pytest.mark.parametrize("program", FREE)
async def test_an_agent_provisions_a_free_store_and_connects_it(program: str, account: Account) -> None:
    """It lists, chooses, creates once on a free plan, and sets the variables of previews; it prints exactly that."""
    done = await to_thread.run_sync(partial(run, program, "orders", env=account.env))
    assert done == Done(code=0, shown=PROVISIONED)
    assert ([store["name"] for store in account.sandbox.stores], account.plans) == (["orders"], ["free"])
    assert (len(account.sandbox.connections), account.environments) == (1, [("preview",)])


@pytest.mark.parametrize("program", ["plain_client.py", "langgraph_agent.py"])
def test_an_agent_needs_neither_a_token_nor_a_key(program: str, installed: dict[str, str]) -> None:
    """With nothing set the server is the sandbox, and the outcome is the same."""
    assert run(program, "orders", env=installed) == Done(code=0, shown=PROVISIONED)


@pytest.mark.anyio
async def test_an_unattended_pipeline_gets_free_plans_only(account: Account) -> None:
    """What is free is created; what may be billed is refused, by the operator's setting, and nobody is asked."""
    done = await to_thread.run_sync(partial(run, "free_only_pipeline.py", env=account.env))
    assert (done.code, account.plans, len(account.sandbox.connections)) == (0, ["free"], 1), done.shown
    assert done.shown == (
        f"# pipeline-preview, on a plan that is free\n{PROVISIONED.replace('orders', 'pipeline-preview')}"
        f"# pipeline-production, on a plan that is may_charge\n{LISTED}"
        f"create-store: refused: {NOTHING}: {DENIED}\n"
        "agent: There is no store pipeline-production.\n"
    )


@pytest.mark.anyio
async def test_a_person_buys_in_the_agents_terminal(account: Account) -> None:
    """The server's question is shown there, the amount typed under it, and one store bought."""
    agent = command("approve_in_a_form.py", "orders")
    done = await to_thread.run_sync(partial(at_the_desk, agent, b"20.00\n", env=account.env))
    question, _, report = done.shown.partition("\n> ")
    assert (done.code, report, account.plans) == (0, BOUGHT, ["pro"]), done.shown
    assert question.startswith(f"\nBuy a store for 20.00 USD, charged to the team {account.sandbox.team_id}?\n")
    assert question.endswith("\nTo buy, type 20.00 - anything else buys nothing.\n")


@pytest.mark.anyio
async def test_another_amount_buys_nothing(account: Account) -> None:
    """Whoever types something else has not confirmed, and no request leaves."""
    agent = command("approve_in_a_form.py", "orders")
    done = await to_thread.run_sync(partial(at_the_desk, agent, b"yes\n", env=account.env))
    assert (done.code, account.sandbox.posts) == (1, [])
    assert f"create-store: not_confirmed: {NOTHING}" in done.shown


@pytest.mark.anyio
async def test_where_nobody_sits_nothing_is_bought(account: Account) -> None:
    """Without a terminal the program offers no form: the answer asks for a person, and no request leaves."""
    done = await to_thread.run_sync(partial(run, "approve_in_a_form.py", "orders", env=account.env))
    assert (done.code, account.sandbox.posts) == (1, [])
    assert f"create-store: confirmation_required: {NOTHING}\n" in done.shown


def buy_elsewhere(env: dict[str, str], typed: bytes) -> tuple[Done, Done]:
    """Run the agent, and in another terminal the command that it shows. Returns how both ended."""
    agent = command("approve_elsewhere.py", "orders")
    pipe = subprocess.PIPE
    with subprocess.Popen(agent, env=env, stdin=pipe, stdout=pipe, stderr=subprocess.STDOUT, text=True) as child:
        try:
            assert child.stdin
            assert child.stdout
            shown = "".join(iter(child.stdout.readline, "Then press Return here.\n"))
            (approve,) = re.findall(r"^.* approve .*$", shown, re.MULTILINE)
            person = at_the_desk(shlex.split(approve), typed)
            rest, _ = child.communicate("\n", timeout=GUARD)
            return person, Done(code=child.returncode, shown=rest)
        finally:
            child.kill()


@pytest.mark.anyio
async def test_a_person_buys_in_another_terminal(account: Account) -> None:
    """The command that the program shows asks the person; the agent's repeated call then buys, once."""
    person, agent = await to_thread.run_sync(buy_elsewhere, account.env, b"20.00\n")
    assert (person.code, agent) == (0, Done(code=0, shown=BOUGHT.removeprefix(LISTED)))
    assert account.plans == ["pro"]


@pytest.mark.anyio
async def test_a_no_in_another_terminal_buys_nothing(account: Account) -> None:
    """After a decline there, the agent's repeated call buys nothing."""
    person, agent = await to_thread.run_sync(buy_elsewhere, account.env, b"no\n")
    assert (person.code, agent.code, account.sandbox.posts) == (1, 1, [])
    assert NOTHING in agent.shown


def test_a_program_is_short() -> None:
    """A reader takes each of them in at one look, and the modules that they share."""
    lengths = {path.name: len(path.read_text("utf-8").splitlines()) for path in AGENTS.glob("*.py")}
    assert lengths.pop("evaluation.py") <= MAX_LINES + 20
    assert {name: length for name, length in lengths.items() if length > MAX_LINES} == {}


def test_the_readme_lists_every_program() -> None:
    """What can be run stands in the table, and nothing else does."""
    listed = re.findall(r"^\| \[\w+\.py\]\((\w+\.py)\)", (AGENTS / "README.md").read_text("utf-8"), re.MULTILINE)
    runnable = {path.name for path in AGENTS.glob("*.py") if '__name__ == "__main__"' in path.read_text("utf-8")}
    assert (len(listed), set(listed), runnable) == (len(PROGRAMS), PROGRAMS, PROGRAMS)
