"""create-store up to the request: what is free goes out exactly as asked, and nothing else goes out by itself."""

import json
from typing import Any

import pytest
from mcp import Client

from vercel_marketplace_mcp.sandbox import SANDBOX_TEAM_ID, SANDBOX_TEAM_SLUG, Fault, Sandbox
from vercel_marketplace_mcp.settings import Team

from .calls import BRINDLE, NOTHING, VALID, changed, check_nothing_bought
from .conftest import Call, Connect, Json

pytestmark = pytest.mark.anyio

TOOL = "create-store"


async def test_a_free_store_is_created_as_asked(call: Call, client: Client, sandbox: Sandbox) -> None:
    """The whole answer, and every request that was made for it."""
    reply = await call(client, TOOL, VALID[TOOL])
    (store,) = sandbox.stores
    assert reply.structured == {
        "status": "created",
        "money": "The store was created on a free plan; nothing was charged.",
        "next_steps": ["It is not ready yet: call get-store with its id in half a minute, then connect-store."],
        "store": {
            "id": store["id"],
            "name": "my-db",
            "status": "initializing",
            "integrationConfigurationId": BRINDLE,
            "billingPlan": {"id": "free", "cost": "Free"},
        },
    }
    plans = "/v1/integrations/integration/oac_BrindleData0000000000001/products/iap_brindle_postgres/plans"
    assert [(one.method, one.path, one.query, one.status) for one in sandbox.journal] == [
        ("GET", f"/v1/integrations/configuration/{BRINDLE}/products", {"teamId": SANDBOX_TEAM_ID}, 200),
        ("GET", plans, {"integrationConfigurationId": BRINDLE, "teamId": SANDBOX_TEAM_ID}, 200),
        ("POST", "/v1/storage/stores/integration/direct", {"teamId": SANDBOX_TEAM_ID}, 200),
    ]
    assert sandbox.posts[0].json() == VALID[TOOL]


async def test_without_a_plan_id_none_is_sent(call: Call, client: Client, sandbox: Sandbox) -> None:
    """T04: every other plan asks for a payment method, so Vercel can only pick the free one."""
    reply = await call(client, TOOL, changed(TOOL, {"billingPlanId": ...}))
    assert (reply["status"], reply["store"]["billingPlan"]["id"]) == ("created", "free")
    assert sandbox.posts[0].json() == changed(TOOL, {"billingPlanId": ...})


async def test_what_was_asked_reaches_vercel_to_the_byte(call: Call, client: Client, sandbox: Sandbox) -> None:
    """T07: whole numbers stay whole, fractions stay fractions, and what was left out stays out."""
    metadata = {"label": "bench", "replicas": 2, "sampling": 0.5, "memory": [1, 2], "backups": False, "extensions": []}
    asked = {
        "name": "Zoë’s data ✓",
        "integrationConfigurationId": "icfg_FernholdDocs00000000004",
        "integrationProductIdOrSlug": "iap_fernhold_workbench",
        "metadata": metadata,
        "externalId": "",
        "protocolSettings": {"b": {"deep": [1, 1.0, -0.0, None, True, "é\n"]}, "a": {}},
        "source": "api",
        "billingPlanId": "free",
    }
    reply = await call(client, TOOL, asked)
    assert (reply["status"], reply["store"]["name"]) == ("created", "Zoë’s data ✓")
    (post,) = sandbox.posts
    assert post.body == json.dumps(asked, ensure_ascii=False, separators=(",", ":")).encode()
    assert post.headers["content-type"] == "application/json"
    planned = json.dumps(metadata, ensure_ascii=False, separators=(",", ":"))
    assert sandbox.journal[1].query["metadata"] == planned


@pytest.mark.parametrize("operation", ["getConfigurationProducts", "getBillingPlans"])
@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (Fault(status=401), "unauthorized"),
        (Fault(status=403), "forbidden"),
        (Fault(status=410), "gone"),
        (Fault(status=500), "server_error"),
        (Fault(status=302), "redirected"),
        (Fault(body=b"{}"), "unreadable_answer"),
        (Fault(body=b'{"plans": null, "products": {}}'), "unreadable_answer"),
        (Fault(body=b'{"plans": [], "plans": [{}]}'), "unreadable_answer"),
        (Fault(headers={"content-type": "text/html"}), "unreadable_answer"),
    ],
)
async def test_what_can_not_be_read_is_not_bought(
    operation: str, fault: Fault, code: str, call: Call, client: Client, sandbox: Sandbox
) -> None:
    """Without the product and its plans, read afresh, nothing is sent."""
    sandbox.misbehave(operation, fault)
    reply = await call(client, TOOL, VALID[TOOL])
    assert (reply["status"], reply["money"], reply["error"]["code"]) == ("unavailable", NOTHING, code)
    assert sandbox.posts == []


@pytest.mark.parametrize(
    ("allowed", "created"),
    [
        ({"brindle/brindle-postgres"}, True),
        ({"marrow/marrow-kv", "brindle/brindle-postgres"}, True),
        ({"brindle/brindle-preview"}, False),
        ({"brindle/iap_brindle_postgres"}, False),
        ({"marrow/brindle-postgres"}, False),
        (set(), False),
    ],
)
@pytest.mark.parametrize("named", ["brindle-postgres", "iap_brindle_postgres"])
async def test_only_products_of_the_operators_list_are_created_free_ones_included(
    named: str, allowed: set[str], created: bool, call: Call, connect: Connect, sandbox: Sandbox
) -> None:
    """By the product's own slug, however the call names it."""
    async with connect(allowed_products=frozenset(allowed)) as client:
        reply = await call(client, TOOL, changed(TOOL, {"integrationProductIdOrSlug": named}))
    if created:
        assert (reply["status"], len(sandbox.posts)) == ("created", 1)
    else:
        check_nothing_bought(reply, sandbox)
        assert (reply["status"], reply["error"]["code"]) == ("refused", "the_product_is_not_on_the_operators_list")


@pytest.mark.parametrize("named", [{}, {"teamId": SANDBOX_TEAM_ID}, {"slug": SANDBOX_TEAM_SLUG}])
async def test_without_the_operators_team_nothing_is_created(
    named: Json, call: Call, connect: Connect, sandbox: Sandbox
) -> None:
    """T50: an argument is not enough to choose who pays."""
    async with connect(team=None) as client:
        reply = await call(client, TOOL, changed(TOOL, named))
    check_nothing_bought(reply, sandbox)
    assert reply["error"]["code"] == "no_team_is_set"
    assert "VERCEL_TEAM_ID or VERCEL_TEAM_SLUG" in reply["next_steps"][0]
    assert sandbox.journal == []


async def test_a_team_that_is_set_by_its_slug_is_sent_as_such(call: Call, connect: Connect, sandbox: Sandbox) -> None:
    """T50: in every request, and never with an id beside it."""
    async with connect(team=Team(slug=SANDBOX_TEAM_SLUG)) as client:
        reply: Any = await call(client, TOOL, changed(TOOL, {"slug": SANDBOX_TEAM_SLUG}))
    assert reply["status"] == "created"
    assert [one.query.get("slug") for one in sandbox.journal] == [SANDBOX_TEAM_SLUG] * 3
    assert [one for one in sandbox.journal if "teamId" in one.query] == []


async def test_a_repeat_of_what_was_not_ready_sends_to_get_store(call: Call, client: Client) -> None:
    """Its receipt is as old as the store, and says nothing of how far it has come since."""
    replies = [await call(client, TOOL, VALID[TOOL]) for _ in range(2)]
    assert [reply["store"]["status"] for reply in replies] == ["initializing"] * 2
    assert replies[0]["next_steps"][0].startswith("It is not ready yet: call get-store")
    assert replies[1]["next_steps"] == ["It was not ready then: call get-store with its id to see whether it is now."]
