"""create-store and what may charge: whatever is not surely free is not bought without a person."""

import json

import pytest
from mcp import Client

from vercel_marketplace_mcp.sandbox import Fault, Sandbox, catalog
from vercel_marketplace_mcp.tools.offer import MAX_PLANS

from .calls import NOT_BOUGHT, NOTHING, QUARRY, VALID, changed, check_nothing_bought
from .conftest import Call, Clock, Connect, Json
from .purchase import oracle

pytestmark = pytest.mark.anyio

TOOL = "create-store"
PAGE_EXAMPLE: Json = {
    "name": "my-dev-database",
    "integrationConfigurationId": QUARRY,
    "integrationProductIdOrSlug": "iap_postgres_db",
    "metadata": {"environment": "development", "project": "my-app", "tags": ["database", "postgres"]},
    "externalId": "dev-db-001",
    "protocolSettings": {"experimentation": {"edgeConfigSyncingEnabled": True}},
    "source": "api",
    "billingPlanId": "bp_abc123def456",
    "paymentMethodId": "pm_1AbcDefGhiJklMno",
    "prepaymentAmountCents": 5000,
}
NEEDED = {"fernhold-workbench": {"label": "bench"}}
USABLE = {
    one["integrationId"]: one["id"]
    for one in catalog.load().configurations
    if one.get("status", "ready") in ("ready", "resumed") and not one.get("disabledAt")
}
OFFERS = [(USABLE[one.id], offer) for one in catalog.load().integrations if one.id in USABLE for offer in one.offers]
in_every_offer = pytest.mark.parametrize(
    ("configuration", "offer"), OFFERS, ids=[offer.product["slug"] for _, offer in OFFERS]
)


def request_for(configuration: str, offer: catalog.Offer, name: str, plan_id: str | None) -> Json:
    """A request for a plan of a product."""
    slug = offer.product["slug"]
    body = {"name": name, "integrationConfigurationId": configuration, "integrationProductIdOrSlug": slug}
    body |= {"metadata": NEEDED[slug]} if slug in NEEDED else {}
    return body | ({"billingPlanId": plan_id} if plan_id else {})


async def test_the_example_of_vercels_page_is_not_bought_unconfirmed(
    call: Call, client: Client, sandbox: Sandbox
) -> None:
    """T01: a prepayment of 50 dollars needs a person, however complete the request is."""
    reply = await call(client, TOOL, PAGE_EXAMPLE)
    check_nothing_bought(reply, sandbox)
    assert reply["quote"]["billing"] == "may_charge"
    assert reply["quote"]["reasons"] == [
        "it is a prepayment",
        "needs a payment method",
        "minimumAmount is not zero",
        "maximumAmount is not zero",
        "cost is not plainly zero",
        "texts name an amount",
        "the request names a payment method",
        "the request names an amount to prepay",
    ]
    (plan,) = reply["quote"]["plans"]
    assert (plan["id"], plan["type"], plan["price"]["minimumAmount"]) == ("bp_abc123def456", "prepayment", "10.00")
    assert "- it is a prepayment" in reply.text
    assert "price: 50.00 USD now, more that is only stated in words" in reply.text


@in_every_offer
async def test_of_every_product_what_is_free_is_created_and_nothing_else(
    configuration: str, offer: catalog.Offer, call: Call, connect: Connect, sandbox: Sandbox, clock: Clock
) -> None:
    """T01, T05, T06, T23: every plan of the catalog by its id, against an oracle that shares no code with the rules."""
    free = oracle.free_ids(offer.plans, clock.now())
    async with connect(max_creates_per_hour=1000) as client:
        for number, plan in enumerate(offer.plans):
            made = len(sandbox.stores)
            reply = await call(client, TOOL, request_for(configuration, offer, f"db-{number}", plan["id"]))
            if plan["id"] in free:
                assert (reply["status"], len(sandbox.stores), len(sandbox.posts)) == ("created", made + 1, made + 1)
                assert reply["store"]["billingPlan"]["id"] == plan["id"]
            else:
                assert reply["status"] in (*NOT_BOUGHT, "invalid_arguments"), plan
                assert (reply["money"], len(sandbox.posts)) == (NOTHING, made)
    assert [post.json()["billingPlanId"] for post in sandbox.posts] == free


@in_every_offer
async def test_of_every_product_the_plan_is_left_to_vercel_only_where_it_can_pick_nothing_that_costs(
    configuration: str, offer: catalog.Offer, call: Call, client: Client, sandbox: Sandbox, clock: Clock
) -> None:
    """T04: at least one plan is free, and every other one that is enabled asks for a payment method."""
    reply = await call(client, TOOL, request_for(configuration, offer, "my-db", None))
    if oracle.goes_through_without_a_plan(offer.plans, clock.now()):
        assert (reply["status"], len(sandbox.posts)) == ("created", 1)
        assert "billingPlanId" not in sandbox.posts[0].json()
        return
    check_nothing_bought(reply, sandbox)
    assert reply["status"] == "refused"
    assert reply["error"]["code"] == "without_a_plan_id_the_store_is_not_certainly_free"
    enabled = [plan["id"] for plan in offer.plans if not plan.get("disabled")]
    assert [plan["id"] for plan in reply["quote"]["plans"]] == enabled


async def test_a_choice_between_plans_of_absurd_length_is_told_in_bounds(
    call: Call, client: Client, sandbox: Sandbox
) -> None:
    """T48: some lines of each of the first plans; list-plans, which the answer names, has more of both."""
    details = [{"label": f"line {number}", "value": "x" * 300} for number in range(50)]
    many = [{"id": f"p{number}", "type": "subscription", "cost": "$9", "details": details} for number in range(100)]
    sandbox.misbehave("getBillingPlans", Fault(body=json.dumps({"plans": many}).encode()))
    request = {name: value for name, value in VALID[TOOL].items() if name != "billingPlanId"}
    reply = await call(client, TOOL, request)
    check_nothing_bought(reply, sandbox)
    shown = reply["quote"]["plans"]
    assert (len(shown), {one["price"]["details"][-1] for one in shown}) == (20, {"and 45 more lines"})
    assert (len(json.dumps(reply.structured)) < 40_000, "list-plans" in reply["next_steps"][0]) == (True, True)


MAKES_IT_COST: dict[str, Json] = {
    "a payment method": {"paymentMethodId": "pm_1AbcDefGhiJklMno"},
    "auto-upgrade": {"metadata": {"autoUpgrade": True}},
    "a pack for paid plans": {"metadata": {"prodPack": True}},
    "auto-scale in a protocol": {"protocolSettings": {"storage": [{"auto_scale": {"max": 3}}]}},
    "automatic renewal": {"protocolSettings": {"renewal": {"automatic": "yes"}}},
}


@pytest.mark.parametrize("plan_id", ["free", None])
@pytest.mark.parametrize("kind", MAKES_IT_COST)
async def test_what_the_request_adds_can_make_a_free_plan_cost(
    kind: str, plan_id: str | None, call: Call, client: Client, sandbox: Sandbox
) -> None:
    """T24: with the plan named, and without."""
    change = {"integrationConfigurationId": "icfg_MarrowCache000000000002", "integrationProductIdOrSlug": "marrow-kv"}
    reply = await call(client, TOOL, changed(TOOL, {**change, "billingPlanId": plan_id or ..., **MAKES_IT_COST[kind]}))
    check_nothing_bought(reply, sandbox)


@pytest.mark.parametrize("size", ["large", None])
async def test_an_option_whose_label_names_a_price_is_not_free(
    size: str | None, call: Call, client: Client, sandbox: Sandbox
) -> None:
    """T24: the same plan is free with the small size, chosen or by default."""
    change = {"integrationConfigurationId": "icfg_FernholdDocs00000000004", "billingPlanId": "included"}
    change |= {"integrationProductIdOrSlug": "fernhold-search"}
    reply = await call(client, TOOL, changed(TOOL, {**change, "metadata": {"size": size} if size else {}}))
    if size is None:
        assert (reply["status"], len(sandbox.posts)) == ("created", 1)
    else:
        check_nothing_bought(reply, sandbox)


@pytest.mark.parametrize(
    ("product", "plan_id", "rule"),
    [
        ("tollgate-later", "retired", "the_plan_is_disabled"),
        ("tollgate-mirror", "basic", "the_plan_id_stands_more_than_once"),
    ],
)
async def test_a_plan_that_nobody_can_buy_is_refused_by_its_rule(
    product: str, plan_id: str, rule: str, call: Call, client: Client, sandbox: Sandbox
) -> None:
    """Disabled, or one of two with the same id."""
    change = {"integrationConfigurationId": "icfg_TollgateStore0000000005", "integrationProductIdOrSlug": product}
    reply = await call(client, TOOL, changed(TOOL, {**change, "billingPlanId": plan_id}))
    check_nothing_bought(reply, sandbox)
    assert (reply["status"], reply["error"]["code"]) == ("refused", rule)


@pytest.mark.parametrize(
    "members", [{"initialCharge": "1,000.00"}, {"minimumAmount": 5}, {"preauthorizationAmount": "free"}]
)
async def test_a_price_that_can_not_be_read_is_refused(
    members: Json, call: Call, client: Client, sandbox: Sandbox
) -> None:
    """T06: nobody is asked about a guess."""
    sandbox.change_plan("brindle-postgres", "free", **members)
    reply = await call(client, TOOL, VALID[TOOL])
    check_nothing_bought(reply, sandbox)
    assert (reply["status"], reply["error"]["code"]) == ("refused", "the_price_can_not_be_read")


async def test_a_price_that_changes_before_the_call_is_seen(call: Call, client: Client, sandbox: Sandbox) -> None:
    """T09: what list-plans told is no promise; plans are read afresh for every purchase."""
    listed = await call(client, "list-plans", VALID["list-plans"])
    assert listed["plans"][0]["billing"] == "free"
    sandbox.change_plan("brindle-postgres", "free", cost="$1.00/month")
    check_nothing_bought(await call(client, TOOL, VALID[TOOL]), sandbox)


@pytest.mark.parametrize(
    "schema", [["size"], "none", {"properties": ["size"]}], ids=["a list", "a text", "odd members"]
)
async def test_a_schema_that_can_not_be_read_proves_nothing_free(
    client: Client, call: Call, sandbox: Sandbox, schema: object
) -> None:
    """What the metadata means is unknown, and so is what it costs: a person is asked."""

    def edit(answer: Json) -> Json:
        return {**answer, "products": [{**product, "metadataSchema": schema} for product in answer["products"]]}

    sandbox.misbehave("getConfigurationProducts", Fault(edit=edit))
    answer = await call(client, TOOL, {**VALID[TOOL], "metadata": {"size": "large"}})
    assert answer["status"] == "confirmation_required"
    assert "the product's metadata can't be read, so neither can what it costs" in answer["quote"]["reasons"]
    assert sandbox.posts == []


async def test_a_slug_of_two_products_buys_neither(client: Client, call: Call, sandbox: Sandbox) -> None:
    """Vercel would choose between them; the id says which is meant."""

    def edit(answer: Json) -> Json:
        first, *others = answer["products"]
        return {**answer, "products": [first, *({**other, "slug": first["slug"]} for other in others)]}

    sandbox.misbehave("getConfigurationProducts", Fault(edit=edit))
    answer = await call(client, TOOL, VALID[TOOL])
    assert (answer["status"], answer["error"]["code"]) == ("refused", "the_product_stands_more_than_once")
    assert sandbox.posts == []


async def test_a_list_of_absurd_length_buys_nothing(call: Call, client: Client, sandbox: Sandbox) -> None:
    """T48: who could not read the list either should not buy from it."""
    sandbox.misbehave("getBillingPlans", Fault(body=json.dumps({"plans": [0] * (MAX_PLANS + 1)}).encode()))
    reply = await call(client, "create-store", VALID["create-store"])
    assert (reply["status"], reply["error"]["code"], sandbox.posts) == ("unavailable", "unreadable_answer", [])
