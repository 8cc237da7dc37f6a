"""Every status becomes a fixed code, sentence and next step; Vercel's own words are quoted, cleaned and bounded."""

import json
from typing import Any

import pytest

from vercel_marketplace_mcp.sandbox import SANDBOX_TOKEN
from vercel_marketplace_mcp.settings import Team
from vercel_marketplace_mcp.vercel.client import VercelClient
from vercel_marketplace_mcp.vercel.errors import RefusedError, UnclearError, VercelError
from vercel_marketplace_mcp.vercel.operations import GET_CONFIGURATIONS, Call

pytestmark = pytest.mark.anyio

READ = Call(operation=GET_CONFIGURATIONS, team=Team(id="team_a"))
REFUSED = {
    400: ("bad_request", "Vercel says that a value of the request is invalid.", "Change what the message names."),
    401: ("unauthorized", "Vercel does not accept the token.", "Ask the operator to renew VERCEL_TOKEN."),
    402: (
        "payment_required",
        "The team has no valid payment method, or is blocked for payment.",
        "A person can mend this in the team's billing settings: https://vercel.com/dashboard, Settings, Billing.",
    ),
    403: (
        "forbidden",
        "The token may not do this in the team team_a.",
        "Ask the operator for a token of a member who may manage integrations there, or to correct VERCEL_TEAM_ID.",
    ),
    404: (
        "not_found",
        "Vercel does not know this id in the team team_a, or the integration is not installed there.",
        "Check the ids with list-configurations and list-products.",
    ),
    409: (
        "conflict",
        "Vercel reports a conflict with something that exists.",
        "Choose another name, or use what exists.",
    ),
    410: ("gone", "What the request names has been removed.", "List again and use what exists now."),
    418: ("refused", "Vercel refused the request with status 418.", "Read Vercel's message."),
    422: ("refused", "Vercel refused the request with status 422.", "Read Vercel's message."),
    429: ("rate_limited", "Vercel has limited the rate of requests.", "Wait a minute, then try again."),
}
UNCLEAR = {
    status: ("server_error", f"Vercel's API failed with status {status}.", "Try again in a minute.")
    for status in (408, 500, 501, 502, 503, 504, 599)
}


async def refusal(wire: Any, client: VercelClient, status: int, body: Any, **headers: str) -> VercelError:
    """The error that an answer becomes, however often it is given."""
    wire.will_answer(status, body, times=3, **headers)
    with pytest.raises(VercelError) as caught:
        await client.read(READ)
    return caught.value


@pytest.mark.parametrize("status", [*REFUSED, *UNCLEAR])
async def test_every_status_has_its_own_words(wire: Any, client: VercelClient, status: int) -> None:
    """A 4xx other than 408 means that Vercel did nothing; of anything else that is not known."""
    error = await refusal(wire, client, status, {"error": {"code": "a_code", "message": "A sentence."}})
    code, sentence, step = (REFUSED | UNCLEAR)[status]
    assert type(error) is (RefusedError if status in REFUSED else UnclearError)
    assert (error.code, error.next_step) == (code, step)
    assert error.message == str(error) == f'{sentence} Vercel said: "a_code: A sentence.".'


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"error": {"code": "forbidden", "message": "No."}}, "forbidden: No."),
        ({"error": {"message": "No."}}, "No."),
        ({"error": {"code": "forbidden"}}, "forbidden"),
        ({"code": "forbidden", "message": "No."}, "forbidden: No."),
        ({"error": {"code": 5, "message": ["No."]}}, ""),
        ({"error": "No."}, ""),
        ({"error": {"message": "\u200b\x1b[0m"}}, ""),
        ([], ""),
        (b"", ""),
        (b"<html>No.</html>", ""),
        (b'{"error":{"message":"No.","message":"Yes."}}', ""),
        ({"error": {"message": "\x1b[31mNo\x1b[0m\r\nApproved \u202eby\u2066 a person"}}, "No Approved by a person"),
        ({"error": {"message": "[No](https://evil.example)<img src=x>"}}, "[No] (https://evil.example)‹img src=x>"),
        ({"error": {"message": "No", "code": "x" * 500}}, f"{'x' * 199}…: No"),
        ({"error": {"message": f"Authorization: Bearer {SANDBOX_TOKEN}"}}, "Authorization: Bearer [redacted]"),
        ({"error": {"message": "n" * 190 + SANDBOX_TOKEN}}, "n" * 190 + "[redacted]"),
    ],
    ids=lambda value: repr(value)[:40],
)
async def test_vercel_s_words_are_quoted_and_nothing_else_of_it(
    wire: Any, client: VercelClient, body: Any, said: str
) -> None:
    """Code and message, in every envelope that occurs, cleaned, cut and without the token; or none at all."""
    error = await refusal(wire, client, 400, body)
    quoted = f' Vercel said: "{said}".' if said else ""
    assert error.message == f"Vercel says that a value of the request is invalid.{quoted}"


async def test_an_error_that_is_no_json_is_told_by_its_status(wire: Any, client: VercelClient) -> None:
    """The words of a page are not quoted."""
    body = json.dumps({"error": {"message": "words"}}).encode()
    error = await refusal(wire, client, 404, body, content_type="text/html")
    assert error.message == REFUSED[404][1]


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (json.dumps({"error": {"message": "x" * 10_000_000}}).encode(), {}),
        (b"\x1f\x8b", {"content_encoding": "gzip"}),
    ],
    ids=["ten megabytes", "compressed"],
)
@pytest.mark.parametrize(("status", "kind"), [(400, RefusedError), (403, RefusedError), (500, UnclearError)])
async def test_an_error_whose_body_can_t_be_used_is_told_by_its_status(
    wire: Any, client: VercelClient, status: int, kind: type[VercelError], body: bytes, headers: dict[str, str]
) -> None:
    """That Vercel refused is certain, whatever came with it; the body is not read beyond the bound."""
    error = await refusal(wire, client, status, body, **headers)
    assert (type(error), error.message) == (kind, (REFUSED | UNCLEAR)[status][1])


@pytest.mark.parametrize("then", ["close", "reset"])
async def test_a_refusal_that_breaks_off_is_a_refusal(wire: Any, client: VercelClient, then: Any) -> None:
    """The status was read before the connection was lost, and it says that nothing was done."""
    wire.will_send(b'HTTP/1.1 403 No\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{"e', then=then)
    with pytest.raises(RefusedError) as caught:
        await client.read(READ)
    assert (caught.value.code, caught.value.message) == ("forbidden", REFUSED[403][1])


@pytest.mark.parametrize(
    ("team", "named"),
    [
        (Team(id="team_b"), "the team team_b"),
        (Team(slug="our-team"), "the team our-team"),
        (None, "the token's default team"),
    ],
    ids=["id", "slug", "none"],
)
@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (403, "The token may not do this in {}."),
        (404, "Vercel does not know this id in {}, or the integration is not installed there."),
    ],
)
async def test_a_refusal_that_may_be_for_the_wrong_team_names_the_team(
    wire: Any, client: VercelClient, status: int, sentence: str, team: Team | None, named: str
) -> None:
    """The commonest cause of both: whoever reads it sees which team was asked, whether or not a call named it."""
    wire.will_answer(status, b"")
    with pytest.raises(RefusedError) as caught:
        await client.read(Call(operation=GET_CONFIGURATIONS, team=team))
    assert caught.value.message == sentence.format(named)


@pytest.mark.parametrize(
    ("advice", "told"),
    [
        ("7", "7 seconds"),
        ("0", "2 seconds"),
        ("1000000000", "3600 seconds"),
        ("Wed, 21 Oct 2015 07:28:00 GMT", "2 seconds"),
        ("soon", "a minute"),
        ("-5", "a minute"),
        ("1.5", "a minute"),
    ],
)
async def test_a_limit_says_how_long_to_wait(wire: Any, client: VercelClient, advice: str, told: str) -> None:
    """T45: Vercel's advice, within an hour, or a minute where there is none that can be read."""
    error = await refusal(wire, client, 429, b"", retry_after=advice)
    assert error.next_step == f"Wait {told}, then try again."


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (401, ("VERCEL_TOKEN", "operator")),
        (402, ("payment method", "https://vercel.com/dashboard", "Billing", "person")),
        (403, ("team_a", "manage integrations", "VERCEL_TEAM_ID", "operator")),
        (404, ("team_a", "not installed", "list-configurations", "list-products")),
        (409, ("another name",)),
        (410, ("List again",)),
        (429, ("Wait a minute",)),
    ],
)
async def test_a_refusal_says_who_can_do_what_about_it(
    wire: Any, client: VercelClient, status: int, words: tuple[str, ...]
) -> None:
    """The setting, the page, the permission, the tools: whatever the next step needs is named."""
    error = await refusal(wire, client, status, b"")
    assert [word for word in words if word not in f"{error.message} {error.next_step}"] == []
