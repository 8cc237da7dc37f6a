"""Which plan a create request may take, what it must pay, and which name it may use."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

import pytest

from vercel_marketplace_mcp.sandbox import Sandbox

pytestmark = pytest.mark.anyio

Json: TypeAlias = dict[str, Any]
Create: TypeAlias = Callable[..., Awaitable[tuple[int, Json]]]


def error(code: str, message: str, **more: Any) -> Json:
    """The envelope of an error."""
    return {"error": {"code": code, "message": message, **more}}


QUARRY = {"integrationConfigurationId": "icfg_cuwj0AdCdH3BwWT4LPijCC7t"}


@pytest.mark.parametrize(
    ("product", "plan", "cents", "expected"),
    [
        ("quarry-postgres", "bp_abc123def456", None, 400),
        ("quarry-postgres", "bp_abc123def456", 999, 400),
        ("quarry-postgres", "bp_abc123def456", 1000, 200),
        ("quarry-postgres", "bp_abc123def456", 1000.5, 400),
        ("quarry-postgres", "bp_abc123def456", 10000, 200),
        ("quarry-postgres", "bp_abc123def456", 10001, 400),
        ("quarry-postgres", "bp_fixed50", None, 200),
        ("quarry-postgres", "bp_fixed50", 5000, 200),
        ("quarry-postgres", "bp_fixed50", 5001, 400),
        ("quarry-tokens", "prepay10", 1000000, 200),
        ("quarry-tokens", "claims-free", 500, 200),
    ],
)
async def test_a_prepayment_stays_within_its_plan(
    create: Create, product: str, plan: str, cents: float | None, expected: int
) -> None:
    """Needed where the amount is variable, and bounded on both sides."""
    members = {"integrationProductIdOrSlug": product, "billingPlanId": plan, "prepaymentAmountCents": cents}
    status, _ = await create(**QUARRY, **members)
    assert status == expected


async def test_a_prepayment_needs_a_payment_method_whatever_the_plan_says(create: Create, sandbox: Sandbox) -> None:
    """What a plan claims about payment methods means nothing on a prepayment plan."""
    sandbox.payment_methods.clear()
    members = {"integrationProductIdOrSlug": "quarry-tokens", "billingPlanId": "claims-free"}
    status, answer = await create(**QUARRY, **members, prepaymentAmountCents=500)
    assert (status, answer) == (402, error("payment_failed", "The team has no such payment method"))


@pytest.mark.parametrize(
    ("configuration", "product", "expected"),
    [
        ("icfg_BrindleData000000000001", "brindle-postgres", "free"),
        ("icfg_TollgateStore0000000005", "tollgate-files", "starter"),
        ("icfg_TollgateStore0000000005", "tollgate-mirror", "basic"),
        ("icfg_TollgateStore0000000005", "tollgate-archive", None),
        ("icfg_FernholdDocs00000000004", "fernhold-legacy", None),
    ],
)
async def test_without_a_plan_the_first_that_claims_to_need_no_payment_is_picked(
    create: Create, configuration: str, product: str, expected: str | None
) -> None:
    """Whatever it costs in truth; where there is none, the answer is 400."""
    status, answer = await create(
        integrationConfigurationId=configuration, integrationProductIdOrSlug=product, billingPlanId=None
    )
    if expected is None:
        assert (status, answer) == (400, error("bad_request", "No free billing plan is available for this product"))
    else:
        assert answer["store"]["billingPlan"]["id"] == expected


async def test_a_disabled_plan_can_not_be_chosen(create: Create) -> None:
    """It is listed all the same."""
    members = {"integrationConfigurationId": "icfg_FernholdDocs00000000004", "billingPlanId": "free"}
    status, answer = await create(**members, integrationProductIdOrSlug="fernhold-legacy")
    assert (status, answer) == (400, error("bad_request", "The billing plan is disabled"))


async def test_a_name_can_be_used_once_in_a_configuration(create: Create, sandbox: Sandbox) -> None:
    """409 for the second store, whatever its product; another configuration may use the name."""
    assert (await create())[0] == 200
    conflict = (409, error("conflict", "A store of this name already exists"))
    assert await create() == conflict
    assert await create(integrationProductIdOrSlug="brindle-preview", billingPlanId="team") == conflict
    marrow = {"integrationConfigurationId": "icfg_MarrowCache000000000002", "integrationProductIdOrSlug": "marrow-kv"}
    assert (await create(**marrow))[0] == 200
    assert len(sandbox.stores) == 2


@pytest.mark.parametrize("value", [None, 5, "", "nonsense", "NaN", "1e3", [], {}, True])
@pytest.mark.parametrize("member", ["id", "type", "scope", "paymentMethodRequired", "minimumAmount", "maximumAmount"])
async def test_a_plan_of_nonsense_never_breaks_the_sandbox(
    create: Create, sandbox: Sandbox, member: str, value: Any
) -> None:
    """A price change may put anything anywhere; the create operation takes it or refuses it."""
    sandbox.change_plan("quarry-postgres", "bp_abc123def456", **{member: value})
    members = {"integrationProductIdOrSlug": "quarry-postgres", "billingPlanId": "bp_abc123def456"}
    status, _ = await create(**QUARRY, **members, prepaymentAmountCents=5000)
    assert status in {200, 400}
