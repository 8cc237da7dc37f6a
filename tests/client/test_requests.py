"""What leaves for Vercel: the headers, the team once, and every value in its place of the address."""

import logging
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import pytest

from vercel_marketplace_mcp.sandbox import SANDBOX_TOKEN
from vercel_marketplace_mcp.settings import Team
from vercel_marketplace_mcp.vercel.client import VercelClient
from vercel_marketplace_mcp.vercel.errors import NotSentError
from vercel_marketplace_mcp.vercel.operations import CREATE_STORE, GET_CONFIGURATIONS, GET_PLANS, GET_PRODUCTS, Call

pytestmark = pytest.mark.anyio

LEAVING = [".", "..", "", "\ud800", "x" * 70_000]
STAYING = {
    "../..": "..%2F..",
    "../../v1/storage/stores/integration/direct": "..%2F..%2Fv1%2Fstorage%2Fstores%2Fintegration%2Fdirect",
    "..%2f": "..%252f",
    "%2e%2e": "%252e%252e",
    "..\\..": "..%5C..",
    "a/b": "a%2Fb",
    "?teamId=team_other": "%3FteamId%3Dteam_other",
    "#fragment": "%23fragment",
    "//evil.example": "%2F%2Fevil.example",
    "http://evil.example/": "http%3A%2F%2Fevil.example%2F",
    "@evil.example": "%40evil.example",
    "a;b=c": "a%3Bb%3Dc",
    "a\r\nX-Evil: 1": "a%0D%0AX-Evil%3A%201",
    "a b": "a%20b",
    "\0": "%00",
    "і": "%D1%96",
    "{id}": "%7Bid%7D",
}


def own_version() -> str:
    """The version that the package says it has."""
    try:
        return version("vercel-marketplace-mcp")
    except PackageNotFoundError:
        return "0+unknown"


async def test_a_read_carries_the_token_and_asks_for_plain_json(wire: Any, client: VercelClient, team: Team) -> None:
    """The request line and every header of a read, and nothing besides."""
    wire.will_answer(200, [])
    assert await client.read(Call(operation=GET_CONFIGURATIONS, team=team, query={"view": "account"})) == []
    (seen,) = wire.seen
    assert seen.line == f"GET /v1/integrations/configurations?view=account&teamId={team.id} HTTP/1.1"
    assert dict(seen.headers) == {
        "Host": wire.url.removeprefix("http://"),
        "Accept": "application/json",
        "Accept-Encoding": "identity",
        "Connection": "keep-alive",
        "User-Agent": f"vercel-marketplace-mcp/{own_version()}",
        "Authorization": f"Bearer {SANDBOX_TOKEN}",
    }
    assert len(seen.headers) == 6


async def test_the_create_request_carries_its_body_as_it_was_given(wire: Any, client: VercelClient, team: Team) -> None:
    """JSON in UTF-8, its numbers as they were, the token and the team, and no other header than its own."""
    wire.will_answer(200, {"store": {}})
    await client.create({"name": "größe", "prepaymentAmountCents": 5000, "metadata": {"a": [1, 2.5]}}, team)
    (seen,) = wire.seen
    assert seen.line == f"POST {CREATE_STORE.template}?teamId={team.id} HTTP/1.1"
    assert seen.body == '{"name":"größe","prepaymentAmountCents":5000,"metadata":{"a":[1,2.5]}}'.encode()
    assert seen.all("authorization") == [f"Bearer {SANDBOX_TOKEN}"]
    assert seen.all("content-type") == ["application/json"]
    assert seen.all("content-length") == [str(len(seen.body))]


@pytest.mark.parametrize(
    ("team", "query"), [(Team(id="team_a1"), "teamId=team_a1"), (Team(slug="my-team"), "slug=my-team"), (None, "")]
)
async def test_the_team_is_named_exactly_once(wire: Any, client: VercelClient, team: Team | None, query: str) -> None:
    """By its id or by its slug, whichever is set, and not at all without a team."""
    wire.will_answer(200, [])
    await client.read(Call(operation=GET_CONFIGURATIONS, team=team))
    assert wire.seen[0].target == "/v1/integrations/configurations" + (f"?{query}" if query else "")


async def test_a_parameter_without_a_value_is_left_out(wire: Any, client: VercelClient, team: Team) -> None:
    """None is absence; an empty text is a value; a value can't add a parameter or end the query."""
    wire.will_answer(200, {"plans": []})
    query = {"source": None, "metadata": '{"a":"&teamId=team_other#?"}', "integrationConfigurationId": ""}
    path = {"integrationIdOrSlug": "acme", "productIdOrSlug": "db"}
    await client.read(Call(operation=GET_PLANS, team=team, path=path, query=query))
    assert wire.seen[0].target == (
        "/v1/integrations/integration/acme/products/db/plans"
        "?metadata=%7B%22a%22%3A%22%26teamId%3Dteam_other%23%3F%22%7D"
        f"&integrationConfigurationId=&teamId={team.id}"
    )


@pytest.mark.parametrize(("value", "quoted"), STAYING.items(), ids=lambda text: repr(text)[:24])
async def test_a_value_stays_in_its_place_of_the_path(
    wire: Any, client: VercelClient, team: Team, value: str, quoted: str
) -> None:
    """Whatever it holds, it is one segment of the request line as the server sees it, and no header of its own."""
    wire.will_answer(200, {})
    await client.read(Call(operation=GET_PRODUCTS, team=team, path={"id": value}))
    (seen,) = wire.seen
    assert seen.line == f"GET /v1/integrations/configuration/{quoted}/products?teamId={team.id} HTTP/1.1"
    assert seen.all("x-evil") == []


@pytest.mark.parametrize("value", LEAVING, ids=lambda text: repr(text[:4]))
async def test_a_value_that_would_not_stay_in_its_place_is_not_sent(
    wire: Any, client: VercelClient, team: Team, value: str
) -> None:
    """Dots that servers resolve, nothing at all, what has no UTF-8 and what no address holds: no connection is made."""
    path = {"integrationIdOrSlug": "acme", "productIdOrSlug": value}
    with pytest.raises(NotSentError) as caught:
        await client.read(Call(operation=GET_PLANS, team=team, path=path))
    assert (caught.value.code, caught.value.may_retry) == ("unaddressable", False)
    assert wire.connections == 0


async def test_a_query_that_no_address_holds_is_not_sent(wire: Any, client: VercelClient, team: Team) -> None:
    """Metadata of 64 KiB is within the limits of arguments, yet does not fit into an address."""
    with pytest.raises(NotSentError) as caught:
        await client.read(Call(operation=GET_CONFIGURATIONS, team=team, query={"metadata": '"' * 64_000}))
    assert caught.value.code == "unaddressable"
    assert wire.connections == 0


async def test_a_proxy_does_not_see_an_unencrypted_token(
    wire: Any, client: VercelClient, listen: Any, monkeypatch: pytest.MonkeyPatch, team: Team
) -> None:
    """For an http address no proxy of the environment is used."""
    proxy = await listen()
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, proxy.url)
    wire.will_answer(200, [])
    await client.read(Call(operation=GET_CONFIGURATIONS, team=team))
    assert (len(wire.seen), proxy.connections) == (1, 0)


async def test_a_log_line_holds_the_template_and_the_outcome_only(
    wire: Any, client: VercelClient, team: Team, caplog: pytest.LogCaptureFixture
) -> None:
    """Method, template, status, Vercel's request id cleaned, milliseconds: no value of the address, no token."""
    caplog.set_level(logging.DEBUG, "vercel_marketplace_mcp")
    wire.will_answer(200, {}, x_vercel_id="fra1::abc\x1b[31m")
    wire.will_answer(404, {"error": {"message": "icfg_secret"}})
    call = Call(operation=GET_PRODUCTS, team=team, path={"id": "icfg_secret"}, query={"a": "icfg_secret"})
    await client.read(call)
    with pytest.raises(Exception, match="does not know this id"):
        await client.read(call)
    lines = [record.getMessage() for record in caplog.records if record.name.startswith("vercel_marketplace_mcp")]
    shown = [line.rpartition(", ") for line in lines]
    assert [head for head, _, _ in shown] == [
        "GET /v1/integrations/configuration/{id}/products: status 200, request id fra1::abc",
        "GET /v1/integrations/configuration/{id}/products: status 404, request id none",
    ]
    assert all(took.removesuffix(" ms").isdecimal() for _, _, took in shown)
