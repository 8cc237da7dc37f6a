"""A setting that can't be read stops the start, names its variable, and never widens what is allowed."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vercel_marketplace_mcp.settings import SettingsError, load

TOKEN = "canary_0123456789abcdefghij"
ENVIRONMENT = {"VERCEL_TOKEN": TOKEN, "HOME": "/home/someone"}
DEFAULTS = load(dict(ENVIRONMENT))
TIGHTER: dict[str, set[object]] = {"paid": {False}, "approval": {"terminal", "both"}, "unpriced": {False}}
MALFORMED = {
    "VERCEL_TOKEN": [
        "",
        "short",
        "x" * 15,
        "x" * 513,
        f"{TOKEN}\n",
        f" {TOKEN}",
        f"Bearer {TOKEN}",
        f"{TOKEN}é",
        "a/" * 9,
    ],
    "VERCEL_TEAM_ID": [
        "team_",
        "my-team",
        "team_a/b",
        "team_a\n",
        "team_é",
        " team_a",
        "team_a&slug=b",
        "team_" + "a" * 65,
    ],
    "VERCEL_TEAM_SLUG": ["-a", "a b", "a/b", "a\n", "ä", "a?b", "a" * 101, "..", "a&teamId=team_b"],
    "VERCEL_API_URL": [
        "api.vercel.com",
        "ftp://api.vercel.com",
        "file:///etc/passwd",
        "https://",
        "https:///v1",
        "//evil.example",
        "http://api.vercel.com",
        "http://169.254.169.254",
        "http://0.0.0.0:80",
        "http://[::]:80",
        "http://localhost.evil",
        "http://127.0.0.1.evil.example",
        "http://127.0.0.1@evil.example",
        "https://api.vercel.com@evil.example",
        "https://user:secret@api.vercel.com",
        "https://api.vercel.com/v1",
        "https://api.vercel.com//",
        "https://a?b=c",
        "https://a?",
        "https://a#b",
        "https://a#",
        "https://a\\b",
        "https://a:99999",
        "https://a:b",
        "https://a b",
        "https://a\n",
        "https://a\t.b",
        " https://a",
        "https://\u0430.example",
        "https://a%2eb",
        "https://[::1",
        "HTTPS:api",
    ],
    "VERCEL_MCP_PAID": ["always", "Ask", "yes", "true", " ask", "ask\n", "1", "allow"],
    "VERCEL_MCP_APPROVAL": ["none", "off", "Client", "terminal\n", "either"],
    "VERCEL_MCP_MAX_PER_PURCHASE": [
        "-1",
        "+1",
        "1e9",
        "inf",
        "nan",
        "$100",
        "100.0",
        "100.000",
        "1,000",
        "1_000",
        ".5",
        "5.",
        "10000000",
        "\u0665",
        "unlimited",
        "none",
        " 5",
        "5 ",
        "5\n",
    ],
    "VERCEL_MCP_MAX_PER_DAY": ["-1", "all", "1e9", "1,000.00", "5.001"],
    "VERCEL_MCP_UNPRICED": ["always", "allow", "ASK"],
    "VERCEL_MCP_MAX_CREATES_PER_HOUR": ["-1", "10001", "1.5", "many", "1e3", "\u0663", "0x10", "1000000"],
    "VERCEL_MCP_ALLOWED_PRODUCTS": ["", " ", ",", "*", "a", "a/b,", "a/b/c", "a/*", "a//b", "all", "a/b;c/d"],
    "VERCEL_MCP_FORM_WAIT": ["9", "601", "-55", "55s", "1e2"],
    "VERCEL_MCP_APPROVAL_TTL": ["29", "601", "0", "forever"],
    "VERCEL_MCP_RECONCILE": ["true", "ON", "0", "no"],
    "VERCEL_MCP_STATE_DIR": [
        "state",
        "./state",
        "~no-such-user-here/state",
        "/a\0b",
        "~\0/b",
        "..",
        "C:state",
        "/a/\udcff",
    ],
    "VERCEL_MCP_LEDGER_URL": [
        "sqlite:///x",
        "postgresql://",
        "mysql://h/db",
        "h/db",
        "postgresql://h/d b",
        "postgresql:h",
    ],
}
CASES = [(name, text) for name, texts in MALFORMED.items() for text in texts]


def refusal(name: str, text: str) -> str:
    """The sentence that stops a start."""
    with pytest.raises(SettingsError) as caught:
        load({**ENVIRONMENT, name: text})
    return str(caught.value)


@pytest.mark.parametrize(("name", "text"), CASES, ids=[f"{name}={text[:24]!r}" for name, text in CASES])
def test_a_malformed_value_stops_the_start(name: str, text: str) -> None:
    """The start ends with a sentence that begins with the variable's name and holds no token."""
    sentence = refusal(name, text)
    assert sentence.startswith(f"{name} ")
    assert TOKEN not in sentence


@pytest.mark.parametrize("name", MALFORMED)
def test_the_sentence_about_a_variable_never_depends_on_its_value(name: str) -> None:
    """One fixed sentence a variable: the value, which may hold a secret, is not in it."""
    assert len({refusal(name, text) for text in MALFORMED[name] if text or name != "VERCEL_TOKEN"}) == 1


nonsense = (
    st.text(max_size=12)
    | st.from_regex(r"\A[\s+\-$]?[0-9.,_e]{0,9}[\s%]?\Z")
    | st.sampled_from([text for texts in MALFORMED.values() for text in texts])
)


@settings(max_examples=1500, deadline=None)
@given(name=st.sampled_from([name for name in MALFORMED if name != "VERCEL_TOKEN"]), text=nonsense)
def test_no_text_widens_what_is_allowed_by_accident(name: str, text: str) -> None:
    """A text is refused, or read as one of the documented forms; a switch only ever tightens."""
    try:
        found = load({**ENVIRONMENT, name: text})
    except SettingsError:
        return
    for switch, tight in TIGHTER.items():
        assert getattr(found, switch) in tight | {getattr(DEFAULTS, switch)}
    for limit in ("max_per_purchase", "max_per_day"):
        cents = getattr(found, limit)
        assert cents == getattr(DEFAULTS, limit) or f"{cents / 100:.2f}" == f"{float(text):.2f}"
    assert found.max_creates_per_hour in {20, *([int(text)] if text.isdecimal() else [])}
    assert (found.form_wait, found.approval_ttl) <= (600, 600)
    assert found.allowed_products is None if name != "VERCEL_MCP_ALLOWED_PRODUCTS" else found.allowed_products
    assert found.state_dir.is_absolute()
    assert found.api_url.startswith(("https://", "http://127.", "http://[::1]", "http://localhost"))
