"""What a create request must look like, and what it must name, one request a rule."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

import httpx
import pytest

from vercel_marketplace_mcp.sandbox import Sandbox

pytestmark = pytest.mark.anyio

Json: TypeAlias = dict[str, Any]
Create: TypeAlias = Callable[..., Awaitable[tuple[int, Json]]]

AMOUNT = "Invalid request: `prepaymentAmountCents` should be a number of at least 50"
BRINDLE = "icfg_BrindleData000000000001"
BAD_BODIES: list[tuple[Json, int, str]] = [
    ({"name": None}, 400, "Invalid request: missing required property `name`"),
    ({"name": ""}, 400, "Invalid request: `name` should be a string of 1 to 128 characters"),
    ({"name": "n" * 129}, 400, "Invalid request: `name` should be a string of 1 to 128 characters"),
    ({"name": 5}, 400, "Invalid request: `name` should be a string of 1 to 128 characters"),
    ({"confirm": True}, 400, "Invalid request: should NOT have additional property `confirm`"),
    (
        {"integrationConfigurationId": "icfg-x"},
        400,
        "Invalid request: `integrationConfigurationId` should be a string like icfg_[a-zA-Z0-9]+",
    ),
    (
        {"integrationConfigurationId": f"{BRINDLE}\n"},
        400,
        "Invalid request: `integrationConfigurationId` should be a string like icfg_[a-zA-Z0-9]+",
    ),
    (
        {"integrationProductIdOrSlug": "Brindle Postgres"},
        400,
        "Invalid request: `integrationProductIdOrSlug` should be a string like iap_[a-zA-Z0-9_]+|[a-z0-9-]+",
    ),
    ({"externalId": 7}, 400, "Invalid request: `externalId` should be a string"),
    ({"protocolSettings": []}, 400, "Invalid request: `protocolSettings` should be an object"),
    ({"source": 1}, 400, "Invalid request: `source` should be a string"),
    ({"billingPlanId": 1}, 400, "Invalid request: `billingPlanId` should be a string"),
    ({"paymentMethodId": False}, 400, "Invalid request: `paymentMethodId` should be a string"),
    ({"prepaymentAmountCents": 49}, 400, AMOUNT),
    (
        {"prepaymentAmountCents": True},
        400,
        "Invalid request: `prepaymentAmountCents` should be a number of at least 50",
    ),
    ({"prepaymentAmountCents": "5000"}, 400, AMOUNT),
    ({"prepaymentAmountCents": 5000}, 400, "`prepaymentAmountCents` is for prepayment plans only"),
    ({"integrationConfigurationId": "icfg_unknown"}, 404, "Integration configuration not found"),
    ({"integrationProductIdOrSlug": "marrow-kv"}, 404, "Integration product not found"),
    ({"integrationConfigurationId": "icfg_OldHarbor0000000000012"}, 404, "Integration product not found"),
    (
        {"integrationConfigurationId": "icfg_PetrelSql0000000000010", "integrationProductIdOrSlug": "petrel-sql"},
        410,
        "The integration configuration was deleted",
    ),
    (
        {"integrationConfigurationId": "icfg_WickerCaches00000000008", "integrationProductIdOrSlug": "wicker-cache"},
        403,
        "The integration configuration is not active",
    ),
    (
        {"integrationConfigurationId": "icfg_DunlinBlobs000000000009", "integrationProductIdOrSlug": "dunlin-blob"},
        403,
        "The integration configuration is not active",
    ),
    ({"billingPlanId": "unknown"}, 400, "Invalid request: unknown `billingPlanId`"),
    ({"billingPlanId": ""}, 400, "Invalid request: unknown `billingPlanId`"),
    ({"billingPlanId": "pro", "paymentMethodId": "pm_another"}, 402, "The team has no such payment method"),
]


@pytest.mark.parametrize(("changes", "status", "message"), BAD_BODIES)
async def test_a_create_that_breaks_a_rule_creates_nothing(
    sandbox: Sandbox, create: Create, changes: Json, status: int, message: str
) -> None:
    """The status and the message say which rule."""
    code, answer = await create(**changes)
    assert (code, answer["error"]["message"]) == (status, message)
    assert sandbox.stores == []
    assert [one.status for one in sandbox.posts] == [status]


@pytest.mark.parametrize(
    ("content_type", "body", "message"),
    [
        ("text/plain", b"{}", "Invalid request: the body should be application/json"),
        ("application/json", b"", "Invalid request: the body is not valid JSON"),
        ("application/json", b"[]", "Invalid request: the body should be an object"),
        ("application/json", b'{"name": NaN}', "Invalid request: the body is not valid JSON"),
        ("application/json", b'{"prepaymentAmountCents": 1e400}', "Invalid request: the body is not valid JSON"),
        ("application/json", b'{"name": "\\ud800"}', "Invalid request: the body is not valid JSON"),
        ("application/json", b"[" * 100_000, "Invalid request: the body is not valid JSON"),
        ("application/json", b"\xff", "Invalid request: the body is not valid JSON"),
        ("application/json; charset=utf-8", b"{}", "Invalid request: missing required property `name`"),
    ],
)
async def test_a_body_that_is_no_json_object_is_refused(
    api: httpx.AsyncClient, content_type: str, body: bytes, message: str
) -> None:
    """Neither by type nor by content."""
    headers = {"content-type": content_type}
    response = await api.post("/v1/storage/stores/integration/direct", content=body, headers=headers)
    assert response.status_code == 400
    assert response.json() == {"error": {"code": "bad_request", "message": message}}
