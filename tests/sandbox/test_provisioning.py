"""A store's life: from the page's own example to a plan that rolls over, and prices that change meanwhile."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

import httpx
import pytest

from vercel_marketplace_mcp.sandbox import SANDBOX_TEAM_ID, SANDBOX_TEAM_SLUG, SANDBOX_TOKEN, Sandbox, catalog

pytestmark = pytest.mark.anyio

Json: TypeAlias = dict[str, Any]
Create: TypeAlias = Callable[..., Awaitable[tuple[int, Json]]]

CREATE = "/v1/storage/stores/integration/direct"
PLANS = "/v1/integrations/integration/{}/products/{}/plans"
PAGE_EXAMPLE = {
    "name": "my-dev-database",
    "integrationConfigurationId": "icfg_cuwj0AdCdH3BwWT4LPijCC7t",
    "integrationProductIdOrSlug": "iap_postgres_db",
    "metadata": {"environment": "development", "project": "my-app", "tags": ["database", "postgres"]},
    "externalId": "dev-db-001",
    "protocolSettings": {"experimentation": {"edgeConfigSyncingEnabled": True}},
    "source": "api",
    "billingPlanId": "bp_abc123def456",
    "paymentMethodId": "pm_1AbcDefGhiJklMno",
    "prepaymentAmountCents": 5000,
}
PAGE_STORE = {
    "id": "store_339639533b74d3c4",
    "name": "my-dev-database",
    "type": "integration",
    "status": "initializing",
    "externalResourceId": "quarry-3fb5aea3",
    "ownership": "owned",
    "projectsMetadata": [],
    "totalConnectedProjects": 0,
    "usageQuotaExceeded": False,
    "secrets": [{"name": "DATABASE_URL", "length": 104}],
    "metadata": PAGE_EXAMPLE["metadata"],
}
PAGE_PRODUCT = {
    "id": "iap_postgres_db",
    "slug": "quarry-postgres",
    "name": "Quarry Postgres",
    "primaryProtocol": "storage",
    "integration": {
        "id": "oac_QuarryWorks0000000000003",
        "slug": "quarry",
        "name": "Quarry",
        "icon": "quarry.png",
        "flags": [],
        "supportsInstallationBillingPlans": True,
        "capabilities": {"billable": True, "provisioning": True, "sso": True, "transferable": True},
    },
    "integrationConfigurationId": "icfg_cuwj0AdCdH3BwWT4LPijCC7t",
    "supportedProtocols": ["storage", "experimentation"],
}
MARROW = {"integrationConfigurationId": "icfg_MarrowCache000000000002", "integrationProductIdOrSlug": "marrow-kv"}


async def plans_of(api: httpx.AsyncClient, integration: str, product: str, **query: str) -> dict[str, Json]:
    """The plans by id."""
    response = await api.get(PLANS.format(integration, product), params=query)
    return {plan["id"]: plan for plan in response.json()["plans"]}


async def test_the_example_of_the_page_runs_as_printed(wire: httpx.AsyncClient, sandbox: Sandbox) -> None:
    """Discover, choose, create, with the page's ids, over a real socket."""
    configurations = (await wire.get("/v1/integrations/configurations", params={"view": "account"})).json()
    configuration = next(one for one in configurations if one["id"] == PAGE_EXAMPLE["integrationConfigurationId"])
    found = (await wire.get(f"/v1/integrations/configuration/{configuration['id']}/products")).json()
    product = next(one for one in found["products"] if one["id"] == PAGE_EXAMPLE["integrationProductIdOrSlug"])
    installed = {"integrationConfigurationId": configuration["id"]}
    plans = await plans_of(wire, found["integration"]["id"], product["id"], **installed)
    team = {"teamId": SANDBOX_TEAM_ID, "slug": SANDBOX_TEAM_SLUG}
    response = await wire.post(CREATE, json=PAGE_EXAMPLE, params=team)
    assert response.status_code == 200
    shown = catalog.load().shown
    product_shown = {**shown["product"], **PAGE_PRODUCT, "metadataSchema": product["metadataSchema"]}
    store = {**shown["store"], **PAGE_STORE, "product": product_shown, "billingPlan": plans["bp_abc123def456"]}
    assert response.json() == {"store": store}
    assert [one.json() for one in sandbox.posts] == [PAGE_EXAMPLE]


async def test_a_store_becomes_available_when_it_was_looked_at_twice(
    api: httpx.AsyncClient, create: Create, sandbox: Sandbox
) -> None:
    """Only a look at the one store moves it on; the list shows what was seen last."""
    store = (await create())[1]["store"]
    seen = []
    for _ in range(3):
        listed = (await api.get("/v1/storage/stores")).json()["stores"]
        looked = (await api.get(f"/v1/storage/stores/{store['id']}")).json()["store"]
        seen.append((listed[-1]["status"], looked["status"]))
    assert seen == [("initializing", "initializing"), ("initializing", "available"), ("available", "available")]
    assert sandbox.stores == [{**store, "status": "available"}]


async def test_the_list_holds_other_kinds_of_store_unless_a_configuration_is_named(
    api: httpx.AsyncClient, create: Create
) -> None:
    """What is not the marketplace's has no product."""
    brindle = (await create())[1]["store"]
    marrow = (await create(**MARROW))[1]["store"]
    listed = (await api.get("/v1/storage/stores")).json()["stores"]
    assert [(one["type"], one["name"]) for one in listed[:2]] == [("blob", "assets"), ("postgres", "legacy")]
    assert listed[2:] == [brindle, marrow]
    query = {"integrationConfigurationId": "icfg_MarrowCache000000000002"}
    assert (await api.get("/v1/storage/stores", params=query)).json() == {"stores": [marrow]}


async def test_what_is_no_storage_gets_another_kind_of_id(create: Create) -> None:
    """By protocol or by what the product is mainly for."""
    gloam = {"integrationConfigurationId": "icfg_GloamTrickery0000000006", "integrationProductIdOrSlug": "gloam-store"}
    queue = {**MARROW, "integrationProductIdOrSlug": "marrow-queue", "billingPlanId": "hobby"}
    assert (await create(**gloam))[1]["store"]["id"].startswith("store_")
    assert (await create(**queue))[1]["store"]["id"].startswith("ir_")


@pytest.mark.parametrize(("upgrades", "expected"), [(True, ["free", "paid"]), (False, ["free", "free"])])
async def test_a_free_store_that_upgrades_by_itself_ends_up_on_a_paid_plan(
    api: httpx.AsyncClient, create: Create, upgrades: bool, expected: list[str]
) -> None:
    """As soon as it runs, and nobody is asked."""
    store = (await create(**MARROW, metadata={"autoUpgrade": upgrades}))[1]["store"]
    await api.get(f"/v1/storage/stores/{store['id']}")
    later = (await api.get(f"/v1/storage/stores/{store['id']}")).json()["store"]
    assert [store["billingPlan"]["id"], later["billingPlan"]["id"]] == expected


@pytest.mark.parametrize(
    ("metadata", "cost"),
    [
        ("{}", "$20 + ($10 ✕ per read region) per month"),
        ('{"readRegions": []}', "$20 + ($10 ✕ per read region) per month"),
        ('{"readRegions": ["iad1", "fra1"]}', "$20 + ($10 ✕ 2 read regions) per month"),
    ],
)
async def test_read_regions_add_to_the_cost(api: httpx.AsyncClient, metadata: str, cost: str) -> None:
    """The same plan says more for more regions."""
    assert (await plans_of(api, "marrow", "marrow-kv", metadata=metadata))["fixed_1gb"]["cost"] == cost


@pytest.mark.parametrize(
    ("metadata", "cost", "required"),
    [("{}", None, False), ('{"tier": "m10"}', "$57.00/month", False), ('{"tier": "m30"}', "$389.00/month", True)],
)
async def test_the_tier_decides_what_a_plan_costs(
    api: httpx.AsyncClient, metadata: str, cost: str | None, required: bool
) -> None:
    """And, for the largest, whether a payment method is needed."""
    plan = (await plans_of(api, "fernhold", "fernhold-documents", metadata=metadata))["flex"]
    assert (plan.get("cost"), plan["paymentMethodRequired"]) == (cost, required)


async def test_a_store_shows_the_plan_as_its_metadata_makes_it(create: Create) -> None:
    """Not as the catalog has it."""
    members = {"integrationConfigurationId": "icfg_FernholdDocs00000000004", "billingPlanId": "flex"}
    store = (await create(**members, integrationProductIdOrSlug="fernhold-documents", metadata={"tier": "m10"}))[1]
    assert store["store"]["billingPlan"]["cost"] == "$57.00/month"


async def test_a_price_changes_at_once_or_after_some_more_answers(
    api: httpx.AsyncClient, create: Create, sandbox: Sandbox
) -> None:
    """The create operation sees it as well; None removes a member; the catalog of another sandbox stays as it was."""
    sandbox.change_plan("brindle-postgres", "pro", cost="$21.00/month", highlightedDetails=None)
    sandbox.change_plan("brindle-postgres", "pro", after=2, cost="$99.00/month")
    seen = [(await plans_of(api, "brindle", "brindle-postgres"))["pro"] for _ in range(3)]
    assert [plan["cost"] for plan in seen] == ["$21.00/month", "$21.00/month", "$99.00/month"]
    assert ["highlightedDetails" in plan for plan in seen] == [False, False, False]
    assert (await create(billingPlanId="pro"))[1]["store"]["billingPlan"] == seen[-1]
    sandbox.stores[0]["billingPlan"].clear()
    assert sandbox.stores[0]["billingPlan"] == seen[-1]


@pytest.mark.parametrize(("product", "plan"), [("brindle-postgres", "unknown"), ("unknown", "free")])
def test_a_price_of_a_plan_that_is_not_there_can_not_change(sandbox: Sandbox, product: str, plan: str) -> None:
    """A test that misspells a plan hears of it."""
    with pytest.raises(LookupError, match=f"The catalog has no plan '{plan}' of '{product}'"):
        sandbox.change_plan(product, plan, cost="Free")


async def test_the_journal_keeps_every_request_but_no_token(api: httpx.AsyncClient, sandbox: Sandbox) -> None:
    """Method, path as it was written, query, body, status, and whether the token was right."""
    await api.get("/v1/integrations/configuration/icfg_%41/products")
    await api.post(CREATE, content=b"{}", headers={"authorization": f"Bearer {SANDBOX_TOKEN}-not"})
    kept = [(one.method, one.path, one.body, one.status, one.authorized) for one in sandbox.journal]
    assert kept == [
        ("GET", "/v1/integrations/configuration/icfg_%41/products", b"", 404, True),
        ("POST", CREATE, b"{}", 401, False),
    ]
    assert [one.query for one in sandbox.journal] == [{"teamId": SANDBOX_TEAM_ID}] * 2
    assert SANDBOX_TOKEN not in repr(sandbox.journal)
    assert sandbox.posts == sandbox.journal[1:]
