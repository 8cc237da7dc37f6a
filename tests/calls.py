"""A valid call of every tool, to be spoilt, and the check that a spoilt one sent nothing. Fakes nothing of ours."""

from typing import Any

from mcp import Client

from vercel_marketplace_mcp import inputs
from vercel_marketplace_mcp.sandbox import Sandbox
from vercel_marketplace_mcp.text import clean

from .conftest import Call, Json, Reply

BRINDLE, QUARRY = "icfg_BrindleData000000000001", "icfg_cuwj0AdCdH3BwWT4LPijCC7t"
VALID: dict[str, Json] = {
    "list-configurations": {},
    "list-products": {"id": BRINDLE},
    "list-plans": {"integrationIdOrSlug": "brindle", "productIdOrSlug": "brindle-postgres"},
    "create-store": {
        "name": "my-db",
        "integrationConfigurationId": BRINDLE,
        "integrationProductIdOrSlug": "brindle-postgres",
        "billingPlanId": "free",
    },
    "get-store": {"id": "store_1a2b3c4d"},
    "connect-store": {
        "integrationConfigurationId": BRINDLE,
        "resourceId": "store_1a2b3c4d",
        "projectId": "prj_sandboxStorefront",
    },
}
MODELS: dict[str, Any] = {
    "list-configurations": inputs.ListConfigurations,
    "list-products": inputs.ListProducts,
    "list-plans": inputs.ListPlans,
    "create-store": inputs.CreateStore,
    "get-store": inputs.GetStore,
    "connect-store": inputs.ConnectStore,
}
NOT_BOUGHT = ("refused", "confirmation_required")
NOTHING = "This call created nothing and charged nothing."


def changed(tool: str, change: Json) -> Json:
    """A valid call with members changed; `...` removes one."""
    return {name: value for name, value in {**VALID[tool], **change}.items() if value is not ...}


async def check_refused(call: Call, client: Client, tool: str, change: Json, argument: str) -> Reply:
    """Call with the change; the answer blames the argument and says that nothing happened."""
    reply = await call(client, tool, changed(tool, change))
    blamed = (reply.is_error, reply["error"]["code"], reply["error"].get("argument"))
    assert blamed == (True, "invalid_arguments", argument), change
    assert clean(reply["error"]["message"], 5000) == reply["error"]["message"]
    assert reply["next_steps"]
    if tool == "create-store":
        assert (reply["status"], reply["money"]) == ("invalid_arguments", NOTHING)
    return reply


def check_nothing_bought(reply: Reply, sandbox: Sandbox) -> None:
    """No request that could create or charge has left, and the answer says so."""
    assert sandbox.posts == []
    assert sandbox.stores == []
    assert (reply["status"] in NOT_BOUGHT, reply.is_error, reply["money"]) == (True, True, NOTHING)


def check_unclear(reply: Reply, sandbox: Sandbox) -> None:
    """It is not known whether the store exists, the answer says so, and the request was made once."""
    assert (reply["status"], reply.is_error) == ("outcome_unknown", True)
    assert reply["money"].startswith("Vercel did not answer clearly: the store may exist")
    assert "https://vercel.com/dashboard/stores" in reply["next_steps"][0]
    assert len(sandbox.posts) == 1
