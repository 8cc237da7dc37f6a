"""Whose token and which team: what the API checks before all else."""

from typing import Any, TypeAlias

import httpx
import pytest

from vercel_marketplace_mcp.sandbox import SANDBOX_TEAM_ID, SANDBOX_TEAM_SLUG, SANDBOX_TOKEN, Sandbox

pytestmark = pytest.mark.anyio

Json: TypeAlias = dict[str, Any]

BRINDLE = "icfg_BrindleData000000000001"
READS = [
    ("/v1/integrations/configurations", {"view": "account"}),
    (f"/v1/integrations/configuration/{BRINDLE}/products", {}),
    ("/v1/integrations/integration/brindle/products/brindle-postgres/plans", {}),
    ("/v1/storage/stores", {}),
    ("/v1/storage/stores/store_assets0000000001", {}),
]


MESSAGES = {"missingToken": "The request carries no token", "invalidToken": "The token is not valid"}


def error(code: str, message: str, **more: Any) -> Json:
    """The envelope of an error."""
    return {"error": {"code": code, "message": message, **more}}


@pytest.mark.parametrize(("path", "query"), READS)
@pytest.mark.parametrize(
    ("header", "mark"),
    [
        (None, "missingToken"),
        ("", "missingToken"),
        ("Bearer wrong-token-entirely", "invalidToken"),
        (f"Bearer {SANDBOX_TOKEN}x", "invalidToken"),
        (f"bearer {SANDBOX_TOKEN}", "invalidToken"),
        (SANDBOX_TOKEN, "invalidToken"),
    ],
)
async def test_a_call_without_the_right_token_is_refused(
    sandbox: Sandbox, path: str, query: dict[str, str], header: str | None, mark: str
) -> None:
    """401, and whether the token is missing or wrong."""
    headers = {} if header is None else {"authorization": header}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(sandbox.app), base_url="http://sandbox.test") as client:
        response = await client.get(path, params={**query, "teamId": SANDBOX_TEAM_ID}, headers=headers)
    assert response.status_code == 401
    assert response.json() == error("forbidden", MESSAGES[mark], **{mark: True})


@pytest.mark.parametrize(("path", "query"), READS)
@pytest.mark.parametrize("team", [{"teamId": "team_another"}, {"slug": "another"}, {"teamId": ""}])
async def test_another_team_is_refused(api: httpx.AsyncClient, path: str, query: Json, team: dict[str, str]) -> None:
    """403, whichever way it is named."""
    api.params = httpx.QueryParams()
    response = await api.get(path, params={**query, **team})
    assert response.status_code == 403
    assert response.json() == error(
        "team_unauthorized", "The token has no access to this team", scope=next(iter(team.values()))
    )


@pytest.mark.parametrize(("path", "query"), READS)
async def test_the_team_may_be_named_by_id_by_slug_or_by_both(api: httpx.AsyncClient, path: str, query: Json) -> None:
    """As the page's own sample does."""
    api.params = httpx.QueryParams()
    for team in ({"teamId": SANDBOX_TEAM_ID}, {"slug": SANDBOX_TEAM_SLUG}):
        assert (await api.get(path, params={**query, **team})).status_code == 200
    both = {"teamId": SANDBOX_TEAM_ID, "slug": SANDBOX_TEAM_SLUG}
    assert (await api.get(path, params={**query, **both})).status_code == 200


async def test_without_a_team_the_personal_scope_is_asked_which_holds_nothing(
    api: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    """Empty lists, nothing found, and no right to create."""
    api.params = httpx.QueryParams()
    answers = [await api.get(path, params=query) for path, query in READS]
    assert [answer.status_code for answer in answers] == [200, 404, 404, 200, 404]
    assert answers[0].json() == []
    assert answers[3].json() == {"stores": []}
    body = {"name": "x", "integrationConfigurationId": BRINDLE, "integrationProductIdOrSlug": "brindle-postgres"}
    response = await api.post("/v1/storage/stores/integration/direct", json=body)
    assert response.status_code == 403
    assert sandbox.stores == []
