"""Every setting: its default, what it may be, and what the sandbox takes of it."""

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from vercel_marketplace_mcp.settings import Settings, SettingsError, Team, load, load_for_sandbox

TOKEN = "canary_0123456789abcdefghij"
DEFAULTS = Settings(
    token=SecretStr(TOKEN),
    team=None,
    api_url="https://api.vercel.com",
    paid=True,
    approval="client",
    max_per_purchase=100_00,
    max_per_day=250_00,
    unpriced=True,
    max_creates_per_hour=20,
    allowed_products=None,
    form_wait=55,
    approval_ttl=600,
    reconcile=True,
    state_dir=Path("/home/someone/state/vercel-marketplace-mcp"),
    ledger_url=None,
)
MAY_BE_EMPTY = (
    "VERCEL_TEAM_ID VERCEL_TEAM_SLUG VERCEL_API_URL VERCEL_MCP_PAID VERCEL_MCP_APPROVAL VERCEL_MCP_MAX_PER_PURCHASE "
    "VERCEL_MCP_MAX_PER_DAY VERCEL_MCP_UNPRICED VERCEL_MCP_MAX_CREATES_PER_HOUR VERCEL_MCP_FORM_WAIT "
    "VERCEL_MCP_APPROVAL_TTL VERCEL_MCP_RECONCILE VERCEL_MCP_STATE_DIR VERCEL_MCP_LEDGER_URL"
).split()


def environment(**variables: str) -> dict[str, str]:
    """What a host passes: a token, a home, and the variables of a test."""
    return {"VERCEL_TOKEN": TOKEN, "HOME": "/home/someone", "XDG_STATE_HOME": "/home/someone/state", **variables}


def test_without_any_variable_but_the_token_everything_is_at_its_default() -> None:
    """The defaults are the documented ones."""
    assert load(environment()) == DEFAULTS


@pytest.mark.parametrize("name", MAY_BE_EMPTY)
def test_an_empty_variable_means_the_default(name: str) -> None:
    """Hosts pass an empty text for a field that was left blank."""
    assert load(environment(**{name: ""})) == DEFAULTS


@pytest.mark.parametrize(
    ("name", "text", "changed"),
    [
        ("VERCEL_TEAM_ID", "team_1a2b3c", {"team": Team(id="team_1a2b3c")}),
        ("VERCEL_TEAM_SLUG", "my-team", {"team": Team(slug="my-team")}),
        ("VERCEL_API_URL", "https://vercel.example", {"api_url": "https://vercel.example"}),
        ("VERCEL_MCP_PAID", "ask", {}),
        ("VERCEL_MCP_PAID", "deny", {"paid": False}),
        ("VERCEL_MCP_APPROVAL", "client", {}),
        ("VERCEL_MCP_APPROVAL", "terminal", {"approval": "terminal"}),
        ("VERCEL_MCP_MAX_PER_PURCHASE", "0", {"max_per_purchase": 0}),
        ("VERCEL_MCP_MAX_PER_PURCHASE", "25", {"max_per_purchase": 25_00}),
        ("VERCEL_MCP_MAX_PER_PURCHASE", "25.07", {"max_per_purchase": 25_07}),
        ("VERCEL_MCP_MAX_PER_DAY", "0.00", {"max_per_day": 0}),
        ("VERCEL_MCP_MAX_PER_DAY", "9999999.99", {"max_per_day": 9_999_999_99}),
        ("VERCEL_MCP_UNPRICED", "ask", {}),
        ("VERCEL_MCP_UNPRICED", "deny", {"unpriced": False}),
        ("VERCEL_MCP_MAX_CREATES_PER_HOUR", "0", {"max_creates_per_hour": 0}),
        ("VERCEL_MCP_MAX_CREATES_PER_HOUR", "10000", {"max_creates_per_hour": 10_000}),
        ("VERCEL_MCP_ALLOWED_PRODUCTS", "acme/db", {"allowed_products": frozenset({"acme/db"})}),
        ("VERCEL_MCP_ALLOWED_PRODUCTS", "a/b, c/d-e_f", {"allowed_products": frozenset({"a/b", "c/d-e_f"})}),
        ("VERCEL_MCP_FORM_WAIT", "10", {"form_wait": 10}),
        ("VERCEL_MCP_FORM_WAIT", "600", {"form_wait": 600}),
        ("VERCEL_MCP_APPROVAL_TTL", "30", {"approval_ttl": 30}),
        ("VERCEL_MCP_RECONCILE", "on", {}),
        ("VERCEL_MCP_RECONCILE", "off", {"reconcile": False}),
        ("VERCEL_MCP_STATE_DIR", "/srv/state", {"state_dir": Path("/srv/state")}),
        ("VERCEL_MCP_LEDGER_URL", "postgresql://h/db", {"ledger_url": SecretStr("postgresql://h/db")}),
    ],
)
def test_a_valid_value_changes_its_setting_and_no_other(name: str, text: str, changed: dict[str, Any]) -> None:
    """Each variable sets one setting; everything else stays at its default."""
    assert load(environment(**{name: text})) == replace(DEFAULTS, **changed)


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://api.vercel.com/", "https://api.vercel.com"),
        ("HTTPS://API.Vercel.com", "https://api.vercel.com"),
        ("https://10.0.0.1:8443", "https://10.0.0.1:8443"),
        ("https://[2001:db8::1]:8443", "https://[2001:db8::1]:8443"),
        ("http://127.0.0.1:3000", "http://127.0.0.1:3000"),
        ("http://127.8.8.8", "http://127.8.8.8"),
        ("http://[::1]:3000/", "http://[::1]:3000"),
        ("http://localhost:3000", "http://localhost:3000"),
    ],
)
def test_the_api_s_address_is_a_host_and_a_port(text: str, url: str) -> None:
    """Https anywhere, http on this machine only; a final slash is dropped."""
    assert load(environment(VERCEL_API_URL=text)).api_url == url


def test_a_team_is_named_once() -> None:
    """Two names of a team are refused, since one of them would have to win."""
    with pytest.raises(SettingsError, match=r"^VERCEL_TEAM_ID and VERCEL_TEAM_SLUG are both set; set one of them\.$"):
        load(environment(VERCEL_TEAM_ID="team_a", VERCEL_TEAM_SLUG="a"))
    assert [str(Team(id="team_a")), str(Team(slug="a")), str(Team())] == ["team_a", "a", ""]


def test_the_token_leaves_the_environment_even_if_the_start_fails() -> None:
    """No child process inherits the token, and it can't be read from the settings by printing them."""
    for variables in ({}, {"VERCEL_TOKEN": f"{TOKEN}\n"}, {"VERCEL_MCP_PAID": "always"}):
        given_ = environment(**variables)
        try:
            assert TOKEN not in repr(load(given_))
        except SettingsError as error:
            assert TOKEN not in repr(error)  # noqa: PT017 - one of the three starts does not fail
        assert "VERCEL_TOKEN" not in given_


def test_the_token_leaves_the_process_s_own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an argument the variables are those of the process."""
    for name, text in environment().items():
        monkeypatch.setenv(name, text)
    assert load() == DEFAULTS
    assert "VERCEL_TOKEN" not in os.environ


def test_a_missing_token_is_said_with_both_ways_on() -> None:
    """The sentence says where a token is made, and what needs none."""
    with pytest.raises(SettingsError) as caught:
        load({"HOME": "/home/someone"})
    assert "https://vercel.com/account/settings/tokens" in str(caught.value)
    assert "--sandbox" in str(caught.value)


def test_the_sandbox_ignores_the_account_and_keeps_the_rules() -> None:
    """Token, team, address and ledger are its own, whatever the variables hold; the operator's rules hold."""
    theirs = environment(
        VERCEL_TOKEN="malformed\n",
        VERCEL_TEAM_ID="malformed",
        VERCEL_TEAM_SLUG="malformed too",
        VERCEL_API_URL="malformed",
        VERCEL_MCP_LEDGER_URL="postgresql://production/ledger",
        VERCEL_MCP_PAID="deny",
        VERCEL_MCP_MAX_PER_DAY="1.00",
    )
    assert load_for_sandbox("sandbox-token", "team_sandbox", theirs) == replace(
        DEFAULTS,
        token=SecretStr("sandbox-token"),
        team=Team(id="team_sandbox"),
        paid=False,
        max_per_day=1_00,
        state_dir=DEFAULTS.state_dir / "sandbox",
    )
    assert "VERCEL_TOKEN" not in theirs


def test_a_malformed_rule_stops_the_sandbox_too() -> None:
    """What is nonsense for the account's server is nonsense here."""
    with pytest.raises(SettingsError, match=r"^VERCEL_MCP_PAID must be ask or deny"):
        load_for_sandbox("sandbox-token", "team_sandbox", environment(VERCEL_MCP_PAID="always"))


@pytest.mark.parametrize(
    ("variables", "folder"),
    [
        ({"HOME": "/home/a"}, "/home/a/.local/state/vercel-marketplace-mcp"),
        ({"HOME": "/home/a", "XDG_STATE_HOME": "/srv/s"}, "/srv/s/vercel-marketplace-mcp"),
        ({"HOME": "/home/a", "XDG_STATE_HOME": "relative"}, "/home/a/.local/state/vercel-marketplace-mcp"),
        ({"HOME": "/home/a", "XDG_STATE_HOME": ""}, "/home/a/.local/state/vercel-marketplace-mcp"),
        ({"VERCEL_MCP_STATE_DIR": "/srv/t"}, "/srv/t"),
    ],
)
@pytest.mark.skipif(sys.platform != "linux", reason="other platforms keep state elsewhere")
def test_the_state_folder_is_absolute(variables: dict[str, str], folder: str) -> None:
    """State is kept in the platform's folder, never in one relative to wherever the process was started."""
    assert load({"VERCEL_TOKEN": TOKEN, **variables}).state_dir == Path(folder)


@pytest.mark.parametrize("variables", [{}, {"HOME": ""}, {"HOME": "relative"}])
def test_a_process_without_a_home_is_asked_for_a_state_folder(variables: dict[str, str]) -> None:
    """A home that does not exist or is relative does not put the ledger into the working folder."""
    with pytest.raises(SettingsError, match=r"^VERCEL_MCP_STATE_DIR must be set to an absolute path"):
        load({"VERCEL_TOKEN": TOKEN, **variables})


def test_a_home_in_the_state_folder_s_path_is_that_of_the_user() -> None:
    """A tilde means the home of whoever runs the server."""
    assert load(environment(VERCEL_MCP_STATE_DIR="~/s")).state_dir == Path("~/s").expanduser()
