"""After an outcome that nobody knows, the team's stores tell; what is ambiguous settles nothing."""

from typing import Any

import pytest

from vercel_marketplace_mcp.sandbox import Fault, Sandbox

from .conftest import Clock, Connect, Json

pytestmark = pytest.mark.anyio

CREATE = "createIntegrationStoreDirect"
FREE: Json = {
    "name": "orders",
    "integrationConfigurationId": "icfg_BrindleData000000000001",
    "integrationProductIdOrSlug": "brindle-postgres",
    "billingPlanId": "free",
}


async def create(client: Any, **changes: Any) -> Json:
    """What create-store answers."""
    return (await client.call_tool("create-store", {**FREE, **changes})).structured_content  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    "fault",
    [Fault(drop="after"), Fault(status=500, acted=True), Fault(body=b"{", acted=True)],
    ids=["lost connection", "500", "torn answer"],
)
async def test_a_repeat_finds_the_store_that_was_made(connect: Connect, sandbox: Sandbox, fault: Fault) -> None:
    """The first answer says that nobody knows, the repeat that the store exists; one request was sent."""
    sandbox.misbehave(CREATE, fault)
    async with connect() as client:
        found = [await create(client) for _ in range(3)]
    assert [(one["status"], one.get("replayed")) for one in found] == [
        ("outcome_unknown", None),
        ("created", True),
        ("created", True),
    ]
    assert [one["store"]["id"] for one in found[1:]] == [sandbox.stores[0]["id"]] * 2
    assert len(sandbox.posts) == 1


async def test_a_store_that_was_not_made_stays_unknown(connect: Connect, sandbox: Sandbox) -> None:
    """A list without the store proves nothing: it may be late. The purchase stays blocked."""
    sandbox.misbehave(CREATE, Fault(status=502))
    async with connect() as client:
        found = [(await create(client))["status"] for _ in range(2)]
    assert (found, len(sandbox.posts)) == (["outcome_unknown"] * 2, 1)


def _other(name: str, value: Any) -> Any:
    def edit(answer: Json) -> Json:
        for store in answer["stores"]:
            target = store["product"] if name == "integrationConfigurationId" and "product" in store else store
            target[name] = value
        return answer

    return edit


def _doubled(answer: Json) -> Json:
    made = next(store for store in answer["stores"] if store["name"] == FREE["name"])
    return {"stores": [*answer["stores"], {**made, "id": "store_another0000001"}]}


@pytest.mark.parametrize(
    "listed",
    [
        Fault(edit=_other("name", "Orders")),
        Fault(edit=_other("integrationConfigurationId", "icfg_another")),
        Fault(edit=_other("createdAt", 1_000_000_000_000)),
        Fault(edit=_other("id", 7)),
        Fault(edit=_doubled),
        Fault(edit=lambda _: {"stores": "none"}),
        Fault(edit=lambda _: {"stores": [None, 1, []]}),
        Fault(status=403),
        Fault(body=b"{"),
    ],
    ids=["name", "configuration", "made earlier", "no id", "two fit", "no list", "odd entries", "refused", "torn"],
)
async def test_what_is_ambiguous_settles_nothing(connect: Connect, sandbox: Sandbox, listed: Fault) -> None:
    """Another name, configuration or time, more than one that fits, or a list that can't be read: still unknown."""
    sandbox.misbehave(CREATE, Fault(drop="after"))
    sandbox.misbehave("listStores", listed, times=3)
    async with connect() as client:
        found = [(await create(client))["status"] for _ in range(2)]
    assert (found, len(sandbox.posts)) == (["outcome_unknown"] * 2, 1)


async def test_a_store_that_vercel_does_not_show_by_itself_settles_nothing(connect: Connect, sandbox: Sandbox) -> None:
    """The list is cached; only the store itself counts."""
    sandbox.misbehave(CREATE, Fault(drop="after"))
    sandbox.misbehave("getStorageStoresById", Fault(status=404))
    async with connect() as client:
        found = [(await create(client))["status"] for _ in range(3)]
    assert (found, len(sandbox.posts)) == (["outcome_unknown", "outcome_unknown", "created"], 1)


async def test_a_store_found_with_another_plan_is_a_mismatch(connect: Connect, sandbox: Sandbox) -> None:
    """What is found is held against what was meant, like an answer to the request itself."""
    sandbox.misbehave(CREATE, Fault(drop="after"))
    sandbox.misbehave(
        "getStorageStoresById", Fault(edit=lambda answer: {"store": {**answer["store"], "billingPlan": {"id": "pro"}}})
    )
    async with connect() as client:
        await create(client)
        found = await create(client)
        other = await create(client, name="another")
    assert (found["status"], other["error"]["code"]) == ("billing_mismatch", "a_billing_mismatch_is_unsettled")
    assert len(sandbox.posts) == 1


async def test_the_operator_can_switch_it_off(connect: Connect, sandbox: Sandbox) -> None:
    """VERCEL_MCP_RECONCILE=off: no store is looked at, after an unknown outcome or before a replay."""
    sandbox.misbehave(CREATE, Fault(drop="after"))
    async with connect(reconcile=False) as client:
        found = [(await create(client))["status"] for _ in range(2)]
        again = [(await create(client, name="second"))["status"] for _ in range(2)]
    assert (found, again) == (["outcome_unknown"] * 2, ["created"] * 2)
    assert not [one for one in sandbox.journal if one.path.startswith("/v1/storage/stores") and one.method == "GET"]


async def test_a_store_that_is_gone_is_made_anew(connect: Connect, sandbox: Sandbox, clock: Clock) -> None:
    """A receipt for a store that Vercel neither lists nor knows is no answer: the call starts over.

    Not so within ten minutes: Vercel's reads may not show a new store yet, and to buy it twice would be worse.
    """
    async with connect() as client:
        found = [await create(client)]
        # the list and the store itself, as they are once it was removed, or before they have caught up
        sandbox.misbehave("listStores", Fault(edit=lambda _: {"stores": []}), times=2)
        sandbox.misbehave("getStorageStoresById", Fault(status=404), times=2)
        for seconds in (590, 20):
            clock.advance(seconds)
            found.append(await create(client))
    assert [(one["status"], one.get("replayed")) for one in found] == [
        ("created", None),
        ("created", True),
        ("rejected", None),  # the sandbox still has the name
    ]
    assert len(sandbox.posts) == 2


@pytest.mark.parametrize(
    ("listed", "single"),
    [
        (None, Fault(status=404)),
        (Fault(edit=lambda _: {"stores": []}), None),
        (Fault(edit=lambda _: {"stores": []}), Fault(status=500)),
        (Fault(status=404), Fault(status=404)),
    ],
    ids=["still listed", "still there", "unclear", "no list"],
)
async def test_a_doubtful_absence_changes_nothing(
    connect: Connect, sandbox: Sandbox, listed: Fault | None, single: Fault | None
) -> None:
    """To buy again what still exists would be worse than an old receipt: both signs are needed."""
    async with connect() as client:
        await create(client)
        if listed:
            sandbox.misbehave("listStores", listed)
        if single:
            sandbox.misbehave("getStorageStoresById", single, times=3)
        again = await create(client)
    assert (again["status"], again["replayed"], len(sandbox.posts)) == ("created", True, 1)


PLAN_IS_GONE: dict[str, Any] = {
    "disabled": lambda sandbox: sandbox.change_plan("brindle-postgres", "free", disabled=True),
    "under another id": lambda sandbox: sandbox.change_plan("brindle-postgres", "free", id="free-2027"),
    "unreadable": lambda sandbox: sandbox.misbehave("getBillingPlans", Fault(status=500), times=9),
    "not to be bound": lambda sandbox: sandbox.change_plan("brindle-postgres", "free", seats=2**60 + 1),
}


@pytest.mark.parametrize("fault", [None, Fault(drop="before"), Fault(edit=lambda _answer: {"store": None})])
@pytest.mark.parametrize("change", PLAN_IS_GONE)
async def test_a_repeat_is_answered_from_the_ledger_though_the_plan_is_gone(
    connect: Connect, sandbox: Sandbox, change: str, fault: Fault | None
) -> None:
    """T40: the same request is the same purchase, whatever became of its plan; another one is told of the plan."""
    if fault is not None:
        sandbox.misbehave(CREATE, fault)
    async with connect() as client:
        first = await create(client)
        PLAN_IS_GONE[change](sandbox)
        again = await create(client)
        other = await create(client, name="another")
    assert (again["status"], again["replayed"]) == (first["status"], True)
    if fault is not None:
        assert again["next_steps"] == first["next_steps"][:2]
    assert other["status"] in {"refused", "invalid_arguments", "unavailable"}
    assert len(sandbox.posts) == 1
