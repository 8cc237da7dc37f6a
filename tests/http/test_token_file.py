"""The operator's file of tokens: what a line may say, and that a file which can't be used opens no door."""

import hashlib
from pathlib import Path

import pytest

from vercel_marketplace_mcp.http.settings import StaticToken, load

from .office import AGENT, static_token, token_file
from .refusing import refused_start

HERE, TOKENS = "127.0.0.1:8000", "VERCEL_MCP_HTTP_TOKENS_FILE"
ALICE, BOB = static_token("alice"), static_token("bob")


def as_kept(principal: str, token: str, *scopes: str) -> StaticToken:
    """What is kept of a line of the file."""
    return StaticToken(principal=principal, digest=hashlib.sha256(token.encode()).digest(), scopes=scopes or AGENT)


def test_a_file_holds_a_token_a_line(tmp_path: Path) -> None:
    """Without scopes they are an agent's, never a person's; of the token itself only a digest is kept."""
    lines = [
        "# principal token scopes",
        "",
        f"alice {ALICE}",
        f"  bob\t{BOB}  stores:read stores:approve",
        f"alice {static_token('alice-2')} stores:approve-all",
    ]
    found = load(HERE, {TOKENS: token_file(tmp_path, *lines)})
    assert found.tokens == (
        as_kept("alice", ALICE),
        as_kept("bob", BOB, "stores:read", "stores:approve"),
        as_kept("alice", static_token("alice-2"), "stores:approve-all"),
    )
    assert [token for token in (ALICE, BOB) if token in repr(found)] == []


LINES = {
    "a token without a principal": (ALICE, "line 2 must be a principal, a token of 32 characters or more, and scopes."),
    "a short token": (f"alice {ALICE[:31]}", "line 2 must be a principal"),
    "an endless token": (f"alice {'x' * 513}", "line 2 must be a principal"),
    "a token that no header carries": (f"alice {'ö' * 32}", "line 2 must be a principal"),
    "a principal that looks like an issuer's": (f"https://id|alice {ALICE}", "line 2 must be a principal"),
    "a principal that is too long": (f"{'a' * 65} {ALICE}", "line 2 must be a principal"),
    "scopes between commas": (f"alice {ALICE} stores:read,stores:create", "line 2 names a scope that is none of "),
    "a scope that does not exist": (f"alice {ALICE} stores:all", "line 2 names a scope that is none of "),
    "a scope in capitals": (f"alice {ALICE} STORES:READ", "line 2 names a scope that is none of "),
    "the same token twice": (f"bob {BOB}", "holds a token twice."),
    "a remark behind": (f"alice {ALICE} # hers", "line 2 names a scope that is none of "),
}


def test_a_malformed_line_stops_the_start(tmp_path: Path) -> None:
    """The sentence names the variable and the line; no word of the file is repeated."""
    said = {}
    for name, (line, _) in LINES.items():
        said[name] = refused_start(HERE, {TOKENS: token_file(tmp_path, f"bob {BOB}", line)})
    wrong = {name: text for name, text in said.items() if not text.startswith(TOKENS) or LINES[name][1] not in text}
    assert wrong == {}
    told = {
        name: text for name, text in said.items() for word in LINES[name][0].split() if len(word) > 5 and word in text
    }
    assert told == {}


@pytest.mark.parametrize("lines", [[], [""], ["# alice", " ", "\t"]], ids=["empty", "a blank line", "remarks"])
def test_a_file_without_tokens_opens_no_door(lines: list[str], tmp_path: Path) -> None:
    """Whoever names a file wants identities: without any the server does not fall back to serving everybody."""
    assert refused_start(HERE, {TOKENS: token_file(tmp_path, *lines)}) == f"{TOKENS} names a file without tokens."


@pytest.mark.parametrize(
    ("mode", "is_safe"), [(0o400, True), (0o600, True), (0o640, True), (0o644, False), (0o602, False)]
)
def test_a_file_that_everybody_may_read_or_write_is_refused_start(mode: int, is_safe: bool, tmp_path: Path) -> None:
    """T58: a group may read it, as secrets of containers are handed over; nobody else."""
    path = token_file(tmp_path, f"alice {ALICE}")
    Path(path).chmod(mode)
    if is_safe:
        assert len(load(HERE, {TOKENS: path}).tokens) == 1
    else:
        said = f"Everybody may read or write the file of {TOKENS}. Take that permission away (chmod o=)."
        assert refused_start(HERE, {TOKENS: path}) == said


def test_a_file_that_is_no_text_is_refused_start(tmp_path: Path) -> None:
    """Bytes that are no UTF-8, or more of them than anybody would write by hand."""
    path = Path(token_file(tmp_path))
    path.write_bytes(b"alice \xff\xfe")
    unreadable = refused_start(HERE, {TOKENS: str(path)})
    path.write_bytes(b"# " * 40_000)
    assert [unreadable, refused_start(HERE, {TOKENS: str(path)})] == [
        f"The file that {TOKENS} names can't be read.",
        f"{TOKENS} must name a file of at most 65536 bytes.",
    ]
