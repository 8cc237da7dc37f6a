"""What an operator may set for HTTP: each variable, its default, and the sentence that a malformed value gets."""

from pathlib import Path
from typing import TypeAlias

import pytest

from vercel_marketplace_mcp.http.settings import HttpSettings, load

from .office import static_token, token_file
from .refusing import refused_start

HOSTS, ORIGINS = "VERCEL_MCP_HTTP_ALLOWED_HOSTS", "VERCEL_MCP_HTTP_ALLOWED_ORIGINS"
ISSUER, RESOURCE, TOKENS = "VERCEL_MCP_HTTP_ISSUER", "VERCEL_MCP_HTTP_RESOURCE", "VERCEL_MCP_HTTP_TOKENS_FILE"
HERE = "127.0.0.1:8000"
OURS = ("127.0.0.1", "localhost", "[::1]", "127.0.0.1:*", "localhost:*", "[::1]:*")
ALICE = static_token("alice")
Set: TypeAlias = dict[str, str]


@pytest.mark.parametrize(
    "empty", [{}, dict.fromkeys([HOSTS, ORIGINS, ISSUER, RESOURCE, TOKENS], "")], ids=["unset", ""]
)
def test_on_this_machine_nothing_needs_to_be_set(empty: Set) -> None:
    """An empty value is an unset one, as hosts pass a field left blank; only this machine's names are served."""
    assert load(HERE, empty) == HttpSettings(host="127.0.0.1", port=8000, allowed_hosts=OURS)


ADDRESSES = {
    "127.0.0.1:8000": ("127.0.0.1", 8000),
    "127.8.9.10:0": ("127.8.9.10", 0),
    "localhost:65535": ("localhost", 65535),
    "LOCALHOST:1": ("localhost", 1),
    "[::1]:8000": ("::1", 8000),
    "::1:8000": ("::1", 8000),
}


def test_an_address_is_a_host_and_a_port() -> None:
    """Of IPv4, of IPv6 in both spellings, or the name of this machine."""
    found = {address: load(address, {}) for address in ADDRESSES}
    assert {address: (one.host, one.port) for address, one in found.items()} == ADDRESSES


@pytest.mark.parametrize(
    "address",
    [
        "",
        ":",
        "8000",
        ":8000",
        "127.0.0.1",
        "127.0.0.1:",
        "127.0.0.1:65536",
        "127.0.0.1:-1",
        "127.0.0.1:http",
        "127.0.0.1:８０",
        "127.0.0.1: 80",
        "http://127.0.0.1:80/",
        "127.0.0.1:80/mcp",
        "a b:80",
        "[::1]",
        "a\n:80",
        "127.0.0.1:000080",
    ],
)
def test_anything_else_is_no_address(address: str) -> None:
    """The sentence says what one looks like, and repeats nothing."""
    assert refused_start(address, {}) == "--http must be HOST:PORT, as in 127.0.0.1:8000."


@pytest.mark.parametrize("address", ["0.0.0.0:80", "[::]:80", "10.0.0.1:80", "desk:80", "0:80", "localhost.example:80"])
def test_off_this_machine_identities_and_names_must_be_set(address: str, tmp_path: Path) -> None:
    """T54: neither alone is enough, and both together are, whichever kind of identity it is."""
    tokens, hosts = {TOKENS: token_file(tmp_path, f"alice {ALICE}")}, {HOSTS: "desk.example.com"}
    issuer = {ISSUER: "https://id.example.com", RESOURCE: "https://desk.example.com/mcp"}
    nobody = f"{ISSUER} or {TOKENS} must be set: off this machine nobody is served without a token."
    nowhere = f"{HOSTS} must be set: off this machine only the names that you list are served."
    assert [refused_start(address, known) for known in ({}, hosts)] == [nobody] * 2
    assert [refused_start(address, known) for known in (tokens, issuer)] == [nowhere] * 2
    found = [load(address, {**known, **hosts}) for known in (tokens, issuer)]
    assert [one.allowed_hosts for one in found] == [("desk.example.com",)] * 2


MALFORMED: dict[str, list[str]] = {
    HOSTS: [
        "*",
        "*.example.com",
        "desk example",
        "https://desk.example.com",
        "desk/mcp",
        ",",
        "desk,",
        "desk:port",
        "desk:123456",
        "a@desk",
        "[::1",
        "dësk.example",
    ],
    ORIGINS: [
        "*",
        "null",
        "app.example.com",
        "http://app.example.com",
        "https://app.example.com/path",
        "https://",
        "https://a@app.example.com",
        "https://app.example.com,",
        "https://*.example.com",
        "https://app.example.com:port",
    ],
    ISSUER: [
        "id.example.com",
        "http://id.example.com",
        "https://id.example.com?x=1",
        "https://id.example.com#x",
        "https://a:b@id.example.com",
        "ftp://id.example.com",
        "https://",
        "https://id.example.com/a b",
    ],
    RESOURCE: [
        "desk",
        "http://desk.example.com/mcp",
        "https://desk.example.com/mcp?x",
        "https://desk.example.com/\n",
        "https://desk.example.com\\@evil.example",
    ],
    TOKENS: ["tokens", "./tokens", "/nonexistent/tokens", "/", "/a\0b", "/dev/null"],
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_value_stops_the_start(name: str) -> None:
    """Each sentence names the variable and what it must look like, and never the value."""
    said = {
        value: refused_start(HERE, {RESOURCE: "https://desk.example.com/mcp", name: value}) for value in MALFORMED[name]
    }
    assert {value: text for value, text in said.items() if name not in text} == {}
    assert {value: text for value, text in said.items() if len(value) > 8 and value in text} == {}


def test_names_and_origins_are_kept_as_browsers_send_them() -> None:
    """In small letters, without a slash at the end; http only for this machine."""
    found = load(
        HERE,
        {
            HOSTS: "Desk.Example.com, desk.example.com:8443,[::1]:*",
            ORIGINS: "https://App.Example.com/, http://localhost:3000, https://[::1]:8443",
        },
    )
    assert found.allowed_hosts == ("desk.example.com", "desk.example.com:8443", "[::1]:*")
    assert found.allowed_origins == ("https://app.example.com", "http://localhost:3000", "https://[::1]:8443")


def test_an_issuer_is_kept_to_the_letter_and_needs_the_name_of_this_server() -> None:
    """A slash at its end belongs to it; on this machine the server's public name is served as well."""
    issuer = {ISSUER: "https://id.example.com/realm/"}
    assert refused_start(HERE, issuer) == f"{RESOURCE} must be set with {ISSUER}: the URL that tokens are issued for."
    found = load(HERE, {**issuer, RESOURCE: "https://desk.example.com:8443/mcp/"})
    assert (found.issuer, found.resource) == ("https://id.example.com/realm/", "https://desk.example.com:8443/mcp")
    assert found.allowed_hosts == (*OURS, "desk.example.com:8443")


def test_people_are_sent_to_where_they_can_answer(tmp_path: Path) -> None:
    """The public URL, else the first name of a server elsewhere, else this machine; nowhere without identities."""
    tokens = {TOKENS: token_file(tmp_path, f"alice {ALICE}")}
    found = {
        "nobody is known": load(HERE, {RESOURCE: "https://desk.example.com/mcp"}),
        "the public URL": load(HERE, {**tokens, RESOURCE: "https://desk.example.com/mcp"}),
        "with a path in front": load(HERE, {**tokens, RESOURCE: "https://desk.example.com/team/mcp"}),
        "elsewhere": load("0.0.0.0:80", {**tokens, HOSTS: "desk.example.com:*,desk"}),
        "here": load(HERE, tokens),
        "here, IPv6": load("[::1]:8000", tokens),
    }
    assert {name: one.approvals_url for name, one in found.items()} == {
        "nobody is known": None,
        "the public URL": "https://desk.example.com",
        "with a path in front": "https://desk.example.com/team",
        "elsewhere": "https://desk.example.com",
        "here": "http://127.0.0.1:8000",
        "here, IPv6": "http://[::1]:8000",
    }
