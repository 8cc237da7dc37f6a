"""Tokens that may both ask and approve: their bearers are served, and the operator hears that nobody else confirms."""

import pytest

from ..approval.world import World
from .issuing import an_issuer
from .knocking import call, knock, request
from .office import AGENT, Office, an_office, static_token, token_file

pytestmark = pytest.mark.anyio

LIST = call("list-configurations")


def warned(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Who is named in the warnings about such tokens, one after the other."""
    told = "may both ask for purchases and approve them: whoever holds it buys unconfirmed"
    found = [record.getMessage() for record in caplog.records if told in record.getMessage()]
    return [text.removeprefix("a token of ").removesuffix(f" {told}") for text in found]


async def status(office: Office, token: str) -> int:
    """How a call with this token is answered."""
    return (await knock(office.port, request(LIST, authorization=f"Bearer {token}"))).status


async def test_a_line_of_the_file_is_told_at_the_start(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """Each principal once, before anybody calls; whoever has a token of each kind is not meant."""
    lines = [
        f"alice {static_token('alice')}",
        f"alice {static_token('alice-herself')} stores:approve",
        f"bob {static_token('bob')} stores:read stores:purchase stores:approve",
        f"bob {static_token('bob-2')} stores:purchase stores:approve",
        f"warden {static_token('warden')} stores:read stores:purchase stores:approve-all",
        f"clerk {static_token('clerk')} stores:read stores:create stores:approve",
    ]
    variables = {"VERCEL_MCP_HTTP_TOKENS_FILE": token_file(world.folder.parent, *lines)}
    async with an_office(world, variables) as office:
        at_first = warned(caplog)
        assert [await status(office, static_token(name)) for name in ("alice", "bob", "warden")] == [200] * 3
    assert (at_first, warned(caplog)) == (["bob", "warden"], ["bob", "warden"])


async def test_a_token_of_an_issuer_is_told_when_it_comes(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """Each principal once, whichever client it comes by; what a name may do to a terminal is taken out of it."""
    both = " ".join((*AGENT, "stores:approve"))
    async with an_issuer() as issuer, an_office(world, issuer.variables()) as office:
        tokens = [
            issuer.token(),
            issuer.token(scope=both),
            issuer.token(scope=both, client_id="another"),
            issuer.token(scope=" ".join((*AGENT, "stores:approve-all")), sub="<b>bob"),
            issuer.token(scope=both, aud="https://other.example.com", sub="carol"),
        ]
        assert [await status(office, token) for token in tokens] == [200, 200, 200, 200, 401]
    assert warned(caplog) == [f"{issuer.url}|alice", f"{issuer.url}|‹b>bob"]
