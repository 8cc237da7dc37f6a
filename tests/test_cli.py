"""The command line: what it prints where, its exit codes, and a server that it starts, asked through a real client."""

import os
import sys
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest
from mcp import Client, StdioServerParameters

from vercel_marketplace_mcp.cli import main
from vercel_marketplace_mcp.sandbox import SANDBOX_TEAM_ID, SANDBOX_TEAM_SLUG, Sandbox
from vercel_marketplace_mcp.sandbox.http import serving

ROOT = Path(__file__).parents[1]
TOKEN = "canary_0123456789abcdefghij"
CREATE = {
    "name": "my-store",
    "integrationConfigurationId": "icfg_BrindleData000000000001",
    "integrationProductIdOrSlug": "brindle-postgres",
    "billingPlanId": "free",
}
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def anyio_backend() -> str:
    """The sandbox is served by uvicorn, which knows asyncio only."""
    return "asyncio"


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Run a command line that ends before anything is served: its exit code, what it printed, its standard error."""
    for name in os.environ:
        if name.startswith("VERCEL_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))

    def call(*arguments: str, **variables: str) -> tuple[int, str, str]:
        for name, text in variables.items():
            monkeypatch.setenv(name, text)
        with pytest.raises(SystemExit) as caught:
            main(arguments)
        assert isinstance(caught.value.code, int)
        return caught.value.code, *capsys.readouterr()

    return call


def test_help_names_every_command_and_how_to_start_without_one(run: Run) -> None:
    """Help is a command's output: it goes to standard output, and the exit code is 0."""
    code, printed, errors = run("--help")
    assert (code, errors) == (0, "")
    assert all(f"\n    {name} " in printed for name in ("serve", "demo", "sandbox", "approve", "ledger", "doctor"))
    assert "Without a command it serves MCP over standard input and output." in " ".join(printed.split())


@pytest.mark.parametrize("command", ["serve", "demo", "sandbox", "approve", "ledger", "doctor"])
def test_every_command_explains_itself(run: Run, command: str) -> None:
    """A command's own help costs nothing and does nothing."""
    code, printed, errors = run(command, "--help")
    assert (code, errors) == (0, "")
    assert printed.startswith(f"usage: vercel-marketplace-mcp {command}")


def test_the_version_is_that_of_the_package(run: Run) -> None:
    """The version alone is printed, whatever else stands on the line."""
    try:
        expected = version("vercel-marketplace-mcp")
    except PackageNotFoundError:
        expected = "0+unknown"
    assert run("--version") == run("--version", "demo") == (0, f"{expected}\n", "")


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["nonsense"], "invalid choice: 'nonsense'"),
        (["--sandbox"], "unrecognized arguments: --sandbox"),
        (["serve", "extra"], "unrecognized arguments: extra"),
        (["serve", "--token", "x"], "unrecognized arguments: --token x"),
        (["serve", "--yes"], "unrecognized arguments: --yes"),
        (["sandbox", "--port"], "argument --port: expected one argument"),
        *(
            (["sandbox", "--port", port], "argument --port: must be a whole number from 0 to 65535")
            for port in ("abc", "65536", "", "1.5", "٣", "9" * 5000)
        ),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_wrong_usage_is_said_on_standard_error(run: Run, arguments: list[str], problem: str) -> None:
    """The exit code is 2, the last line says what is wrong, and standard output stays empty."""
    code, printed, errors = run(*arguments)
    assert (code, printed) == (2, "")
    assert errors.startswith("usage: vercel-marketplace-mcp")
    assert problem in errors.splitlines()[-1]


@pytest.mark.parametrize("arguments", [[], ["serve"]], ids=["no command", "serve"])
@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({}, "VERCEL_TOKEN is not set."),
        ({"VERCEL_TOKEN": "short"}, "VERCEL_TOKEN must be 16 to 512 letters"),
        ({"VERCEL_TOKEN": f"{TOKEN}\n"}, "VERCEL_TOKEN must be 16 to 512 letters"),
        (
            {"VERCEL_TOKEN": TOKEN, "VERCEL_TEAM_ID": "team_a", "VERCEL_TEAM_SLUG": "a"},
            "VERCEL_TEAM_ID and VERCEL_TEAM_SL",
        ),
        ({"VERCEL_TOKEN": TOKEN, "VERCEL_API_URL": "http://vercel.example"}, "VERCEL_API_URL must be https://HOST"),
        ({"VERCEL_TOKEN": TOKEN, "VERCEL_MCP_PAID": "always"}, "VERCEL_MCP_PAID must be ask or deny."),
        ({"VERCEL_TOKEN": TOKEN, "VERCEL_MCP_ALLOWED_PRODUCTS": ""}, "VERCEL_MCP_ALLOWED_PRODUCTS must be "),
        ({"VERCEL_TOKEN": TOKEN, "VERCEL_MCP_STATE_DIR": "here"}, "VERCEL_MCP_STATE_DIR must be an absolute path."),
        ({"VERCEL_TOKEN": TOKEN, "VERCEL_MCP_LEDGER_URL": "nonsense"}, "VERCEL_MCP_LEDGER_URL must be "),
    ],
    ids=lambda value: repr(value)[:50],
)
def test_a_setting_that_can_t_be_used_stops_the_start(
    run: Run, arguments: list[str], variables: dict[str, str], sentence: str
) -> None:
    """One sentence on standard error names the variable; nothing goes to standard output; the exit code is 2."""
    code, printed, errors = run(*arguments, **variables)
    assert (code, printed) == (2, "")
    assert errors.startswith(f"vercel-marketplace-mcp: {sentence}")
    assert errors.count("\n") == 1
    assert TOKEN not in errors


def test_a_rule_that_can_t_be_read_stops_the_sandbox_too(run: Run) -> None:
    """The sandbox needs no token, but it does not run under rules that nobody set."""
    code, printed, errors = run("serve", "--sandbox", VERCEL_MCP_MAX_PER_DAY="lots")
    assert (code, printed) == (2, "")
    assert errors == "vercel-marketplace-mcp: VERCEL_MCP_MAX_PER_DAY must be an amount in dollars, as in 100.00.\n"


def server(home: Path, *arguments: str, **variables: str) -> StdioServerParameters:
    """How a host starts the server."""
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ}
    env = {**kept, "HOME": str(home), "PYTHONPATH": str(ROOT / "server"), **variables}
    return StdioServerParameters(command=sys.executable, args=["-m", "vercel_marketplace_mcp", *arguments], env=env)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("arguments", "team", "query"),
    [
        ([], {"VERCEL_TEAM_ID": SANDBOX_TEAM_ID}, {"teamId": SANDBOX_TEAM_ID}),
        (["serve"], {"VERCEL_TEAM_SLUG": SANDBOX_TEAM_SLUG}, {"slug": SANDBOX_TEAM_SLUG}),
    ],
    ids=["no command, a team's id", "serve, a team's slug"],
)
async def test_an_account_s_server_works_with_what_its_variables_say(
    tmp_path: Path, arguments: list[str], team: dict[str, str], query: dict[str, str]
) -> None:
    """Address, token and team come from the environment: every request carries them, and a store comes of it."""
    market = Sandbox(token=TOKEN)
    async with serving(market) as url:
        started = server(tmp_path, *arguments, VERCEL_API_URL=url, VERCEL_TOKEN=TOKEN, **team)
        async with Client(started, mode="legacy") as client:
            answer = await client.call_tool("create-store", CREATE)
    assert answer.structured_content
    assert answer.structured_content["status"] == "created"
    assert [store["name"] for store in market.stores] == ["my-store"]
    assert len(market.posts) == 1
    assert all(one.authorized for one in market.journal)
    assert [{name: one.query.get(name) for name in query} for one in market.journal] == [query] * len(market.journal)
    assert not any({"teamId", "slug"} <= set(one.query) for one in market.journal)


@pytest.mark.anyio
async def test_the_sandbox_needs_no_account_and_touches_none(tmp_path: Path) -> None:
    """With --sandbox the account's variables are ignored: a Vercel at that address hears nothing."""
    market = Sandbox(token=TOKEN)
    async with serving(market) as url:
        account = {"VERCEL_API_URL": url, "VERCEL_TOKEN": TOKEN, "VERCEL_TEAM_SLUG": "someone-s-team"}
        async with Client(server(tmp_path, "serve", "--sandbox", **account), mode="legacy") as client:
            answer = await client.call_tool("create-store", CREATE)
    assert answer.structured_content
    assert answer.structured_content["status"] == "created"
    assert market.journal == []
