"""What a model has to read: the definitions of the tools, and the answers of the whole workflow, within their budgets.

Bytes are always counted; tokens where the tokenizer is installed (o200k_base, by bpe-openai).
"""

import json
from collections.abc import Callable, Sequence
from typing import Any

import httpx
import pytest
from mcp import Client

from vercel_marketplace_mcp import specs
from vercel_marketplace_mcp.sandbox import SANDBOX_TEAM_ID, Sandbox

from .calls import BRINDLE
from .conftest import Connect, Json

CORE = specs.TOOL_NAMES[:4]
MOST_TOKENS = 2_500
"""Of the definitions of the four tools of the core, together."""
MOST_BYTES = 10_500
"""The same where no tokenizer is installed."""
MOST_BYTES_OF_A_FURTHER_TOOL = 6_000
LIGHTER = 5
"""How many times lighter than Vercel's own JSON the structured content of the workflow must be, in tokens.

It is about 5.06, and the texts about 8.7: random ids move both by a hundredth.
"""
LIGHTER_TEXTS = 8
"""The same of the answers' texts."""
LIGHTER_IN_BYTES = 4.5
"""The same in bytes: what is left out are numbers, ids and punctuation, which take more tokens than their bytes."""
METADATA = {"region": "iad1"}
PLANS = "/v1/integrations/integration/brindle/products/brindle-postgres/plans"
STORE: Json = {
    "name": "my-db",
    "integrationConfigurationId": BRINDLE,
    "integrationProductIdOrSlug": "brindle-postgres",
    "billingPlanId": "free",
    "metadata": METADATA,
}
WORKFLOW: dict[str, Json] = {
    "list-configurations": {},
    "list-products": {"id": BRINDLE},
    "list-plans": {
        "integrationIdOrSlug": "brindle",
        "productIdOrSlug": "brindle-postgres",
        "integrationConfigurationId": BRINDLE,
        "metadata": json.dumps(METADATA),
    },
    "create-store": STORE,
}


def compact(value: Any) -> str:
    """JSON without a character too many."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def size(text: str) -> int:
    """Bytes of a text."""
    return len(text.encode())


@pytest.fixture
def tokens() -> Callable[[str], int]:
    """Count the tokens of a text, where that is possible."""
    tokenizer = pytest.importorskip("bpe_openai").get_encoding("o200k_base")
    return lambda text: len(tokenizer.encode_ordinary(text))


async def raw_answers() -> list[str]:
    """What Vercel answers to the four requests of the workflow."""
    sandbox = Sandbox()
    transport = httpx.ASGITransport(app=sandbox.app)
    headers, team = {"authorization": f"Bearer {sandbox.token}"}, {"teamId": SANDBOX_TEAM_ID}
    async with httpx.AsyncClient(transport=transport, base_url="http://vercel", headers=headers, params=team) as api:
        query = {"integrationConfigurationId": BRINDLE, "metadata": json.dumps(METADATA)}
        answers = [
            await api.get("/v1/integrations/configurations", params={"view": "account"}),
            await api.get(f"/v1/integrations/configuration/{BRINDLE}/products"),
            await api.get(PLANS, params=query),
            await api.post("/v1/storage/stores/integration/direct", json=STORE),
        ]
    return [compact(answer.raise_for_status().json()) for answer in answers]


async def our_answers(client: Client) -> tuple[list[str], list[str]]:
    """What a host may pass to a model: the structured content of every answer, and its text."""
    found = [await client.call_tool(tool, given) for tool, given in WORKFLOW.items()]
    assert [one.is_error for one in found] == [False] * 4
    texts = ["".join(getattr(part, "text", "") for part in one.content) for one in found]
    return [compact(one.structured_content) for one in found], texts


def check_lighter(raw: Sequence[str], ours: Sequence[str], count: Callable[[str], int], times: float) -> None:
    """The answers together are so many times lighter."""
    weights = sum(map(count, raw)), sum(map(count, ours))
    assert weights[0] >= times * weights[1], weights


def test_the_definitions_of_the_core_stay_small(tokens: Callable[[str], int]) -> None:
    """All that goes over the wire, what only clients read included."""
    assert sum(tokens(compact(specs.load()[name].definition)) for name in CORE) <= MOST_TOKENS


def test_the_definitions_stay_small_in_bytes() -> None:
    """The same without a tokenizer; every further tool has a budget of its own."""
    sizes = {name: size(compact(spec.definition)) for name, spec in specs.load().items()}
    assert sum(sizes[name] for name in CORE) <= MOST_BYTES
    assert {
        name: taken for name, taken in sizes.items() if name not in CORE and taken > MOST_BYTES_OF_A_FURTHER_TOOL
    } == {}


@pytest.mark.anyio
async def test_the_workflow_is_light_to_read(connect: Connect, tokens: Callable[[str], int]) -> None:
    """Discover, choose, create: in both eras, whichever part of an answer a host passes on."""
    raw = await raw_answers()
    async with connect() as client:
        structured, texts = await our_answers(client)
    check_lighter(raw, structured, tokens, LIGHTER)
    check_lighter(raw, texts, tokens, LIGHTER_TEXTS)


@pytest.mark.anyio
async def test_the_workflow_is_light_in_bytes(connect: Connect) -> None:
    """The same without a tokenizer."""
    raw = await raw_answers()
    async with connect() as client:
        structured, texts = await our_answers(client)
    check_lighter(raw, structured, size, LIGHTER_IN_BYTES)
    check_lighter(raw, texts, size, LIGHTER_IN_BYTES)


@pytest.mark.anyio
async def test_a_text_alone_tells_what_the_next_call_needs(connect: Connect) -> None:
    """For hosts that pass on no structured content: ids, values to choose from, verdicts and prices."""
    async with connect() as client:
        _, (configurations, products, plans, created) = await our_answers(client)
    assert BRINDLE in configurations
    assert "iap_brindle_postgres" in products
    assert "metadata.region iad1|fra1" in products
    assert "pro: may_charge, $20.00/month" in plans
    assert "created: The store was created on a free plan; nothing was charged.\nstore store_" in created
