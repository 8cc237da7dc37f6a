"""Whatever is asked, the answers obey the OpenAPI excerpt: statuses, content types, bodies.

The questions are drawn from the excerpt, and then from the catalog, so that every answer of substance is seen too.
"""

import json
from collections import Counter
from pathlib import Path
from typing import Any, TypeAlias

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.types import Receive, Scope, Send

from vercel_marketplace_mcp.sandbox import SANDBOX_TOKEN, Sandbox

Json: TypeAlias = dict[str, Any]

EXCERPT = json.loads((Path(__file__).parents[2] / "tool_specs" / "openapi.json").read_text("utf-8"))
CONFIGURATIONS = "/v1/integrations/configurations"
PRODUCTS = "/v1/integrations/configuration/{id}/products"
PLANS = "/v1/integrations/integration/{integrationIdOrSlug}/products/{productIdOrSlug}/plans"
CREATE = "/v1/storage/stores/integration/direct"
OBEYS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


async def fresh(scope: Scope, receive: Receive, send: Send) -> None:
    """A new sandbox for each request."""
    await Sandbox().app(scope, receive, send)


excerpt = schemathesis.openapi.from_dict(EXCERPT)
excerpt.app = fresh


@excerpt.parametrize()
@settings(max_examples=50, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_any_question_is_answered_as_the_excerpt_says(case: "schemathesis.Case[Any]") -> None:
    """Well formed or not, and what is not is refused."""
    headers = {"authorization": f"Bearer {SANDBOX_TOKEN}"}
    case.call_and_validate(headers=headers, checks=[*OBEYS, negative_data_rejection])


async def ask(api: httpx.AsyncClient, path: str, query: Json | None = None, **names: str) -> Any:
    """The answer to a read, which obeys the excerpt."""
    response = await api.get(path.format(**names), params=query)
    excerpt[path]["GET"].validate_response(response)
    return response.json()


async def buy(api: httpx.AsyncClient, configuration: str, product: str, plan: Json) -> int:
    """The status of a create, whose answer obeys the excerpt."""
    body = {
        "name": f"{product}-{plan['id']}-{plan['paymentMethodRequired']}",
        "integrationConfigurationId": configuration,
        "integrationProductIdOrSlug": product,
        "billingPlanId": plan["id"],
        "metadata": {"label": "bench"} if product == "fernhold-workbench" else {},
    }
    if plan["type"] == "prepayment":
        body["prepaymentAmountCents"] = round(float(plan["minimumAmount"]) * 100)
    response = await api.post(CREATE, json=body)
    excerpt[CREATE]["POST"].validate_response(response)
    return response.status_code


@pytest.mark.anyio
async def test_every_answer_about_the_catalog_obeys_the_excerpt(api: httpx.AsyncClient, sandbox: Sandbox) -> None:
    """Every configuration, every product, every plan, and a store on each."""
    statuses: Counter[int] = Counter()
    await ask(api, CONFIGURATIONS, {"view": "project"})
    for configuration in await ask(api, CONFIGURATIONS, {"view": "account"}):
        for product in (await ask(api, PRODUCTS, id=configuration["id"])).get("products", ()):
            names = {"integrationIdOrSlug": configuration["slug"], "productIdOrSlug": product["slug"]}
            for plan in (await ask(api, PLANS, **names))["plans"]:
                statuses[await buy(api, configuration["id"], product["slug"], plan)] += 1
    assert statuses == {200: 53, 400: 2, 403: 4}
    assert len(sandbox.stores) == statuses[200]
