"""The rules of the three reading operations, one question a rule."""

from typing import Any, TypeAlias

import httpx
import pytest

pytestmark = pytest.mark.anyio

Json: TypeAlias = dict[str, Any]

SOURCES = "marketplace deploy-button external v0 resource-claims cli oauth backoffice".split()
SOURCES += ["import-recommended-integrations", "organization"]
CONFIGURATIONS = "/v1/integrations/configurations"
PRODUCTS = "/v1/integrations/configuration/{}/products"
PLANS = "/v1/integrations/integration/{}/products/{}/plans"


@pytest.mark.parametrize(
    ("path", "query", "message"),
    [
        (CONFIGURATIONS, {}, "Invalid request: missing required property `view`"),
        (CONFIGURATIONS, {"view": "team"}, "Invalid request: `view` should be one of account, project"),
        (
            CONFIGURATIONS,
            {"view": "account", "installationType": "native"},
            "Invalid request: `installationType` should be one of marketplace, external, provisioning",
        ),
        (CONFIGURATIONS, {"view": "account", "limit": "5"}, "Invalid request: unknown query member `limit`"),
        (CONFIGURATIONS, {"view": ["account", "project"]}, "Invalid request: a query member stands more than once"),
        (PRODUCTS.format("cfg_x"), {}, "Invalid request: `id` should match icfg_[a-zA-Z0-9]+"),
        (
            PLANS.format("Brindle", "brindle-postgres"),
            {},
            "Invalid request: `integrationIdOrSlug` should match oac_[a-zA-Z0-9]+|[a-z0-9-]+",
        ),
        (
            PLANS.format("brindle", "iap_"),
            {},
            "Invalid request: `productIdOrSlug` should match iap_[a-zA-Z0-9_]+|[a-z0-9-]+",
        ),
        (
            PLANS.format("brindle", "brindle-postgres"),
            {"integrationConfigurationId": "brindle"},
            "Invalid request: `integrationConfigurationId` should match icfg_[a-zA-Z0-9]+",
        ),
        (
            PLANS.format("brindle", "brindle-postgres"),
            {"source": "api"},
            f"Invalid request: `source` should be one of {', '.join(SOURCES)}",
        ),
        (
            PLANS.format("brindle", "brindle-postgres"),
            {"metadata": "{"},
            "Invalid request: `metadata` is not valid JSON",
        ),
        (
            PLANS.format("brindle", "brindle-postgres"),
            {"metadata": '["region"]'},
            "Invalid request: `metadata` should be a metadata object",
        ),
    ],
)
async def test_a_malformed_question_is_refused(api: httpx.AsyncClient, path: str, query: Json, message: str) -> None:
    """400, and the message names what is wrong."""
    response = await api.get(path, params=query)
    assert response.status_code == 400
    assert response.json() == {"error": {"code": "bad_request", "message": message}}


@pytest.mark.parametrize(
    ("path", "query", "status"),
    [
        (PRODUCTS.format("icfg_unknown"), {}, 404),
        (PRODUCTS.format("icfg_PetrelSql0000000000010"), {}, 410),
        (PLANS.format("brindle", "unknown"), {}, 404),
        (PLANS.format("unknown", "brindle-postgres"), {}, 404),
        (PLANS.format("curlew", "curlew-graph"), {}, 404),
        (PLANS.format("petrel", "petrel-sql"), {}, 404),
        (PLANS.format("brindle", "brindle-postgres"), {"integrationConfigurationId": "icfg_unknown"}, 404),
        (
            PLANS.format("brindle", "brindle-postgres"),
            {"integrationConfigurationId": "icfg_MarrowCache000000000002"},
            404,
        ),
        (PLANS.format("petrel", "petrel-sql"), {"integrationConfigurationId": "icfg_PetrelSql0000000000010"}, 410),
        ("/v1/storage/stores/store_unknown", {}, 404),
        ("/v1/storage/stores/integration/direct", {}, 404),
        ("/v2/anything", {}, 404),
    ],
)
async def test_what_is_not_there_is_not_found(api: httpx.AsyncClient, path: str, query: Json, status: int) -> None:
    """404 for the unknown and the not installed, 410 for what was deleted."""
    assert (await api.get(path, params=query)).status_code == status


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"installationType": "external"}, ["oldharbor", "oldharbor"]),
        ({"installationType": "provisioning"}, []),
        ({"integrationIdOrSlug": "quarry"}, ["quarry"]),
        ({"integrationIdOrSlug": "oac_QuarryWorks0000000000003"}, ["quarry"]),
        ({"integrationIdOrSlug": "unknown"}, []),
        ({"integrationIdOrSlug": "oldharbor", "installationType": "marketplace"}, []),
    ],
)
async def test_configurations_can_be_filtered(api: httpx.AsyncClient, query: Json, expected: list[str]) -> None:
    """By kind, where none means external, and by integration."""
    for view in ("account", "project"):
        found = (await api.get(CONFIGURATIONS, params={"view": view, **query})).json()
        assert [one["slug"] for one in found] == expected
        assert all(("integration" in one) is (view == "account") for one in found)
