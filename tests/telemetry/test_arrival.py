"""What a collector receives from a server process: enough to run a spending desk by, and nothing that is secret."""

import re
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest

from vercel_marketplace_mcp.sandbox import SANDBOX_TEAM_ID, SANDBOX_TOKEN, Fault
from vercel_marketplace_mcp.sandbox.http import serving

from ..approval.processes import process
from ..approval.world import BRINDLE, CREATE, FREE, Person, World, a_world, buy, clicked, typed
from .receiver import Collector, Labels, collecting

KEY = "collector-key-0123456789"
TEMPLATES = {
    "GET /v1/integrations/configurations",
    "GET /v1/integrations/configuration/{id}/products",
    "GET /v1/integrations/integration/{integrationIdOrSlug}/products/{productIdOrSlug}/plans",
    "GET /v1/storage/stores/{id}",
    "POST /v1/storage/stores/integration/direct",
}


def to(collector: Collector) -> dict[str, str]:
    """What an operator sets to have a server report to a collector."""
    return {
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
        "OTEL_EXPORTER_OTLP_HEADERS": f"authorization=Bearer%20{KEY}",
        "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=test",
    }


def by(**told: str) -> Labels:
    """The labels of a number: `a__b` is written `vercel_mcp.a.b`, `tool` is the tool's name."""
    names = {name: f"vercel_mcp.{name.replace('__', '.')}" for name in told} | {"tool": "gen_ai.tool.name"}
    return tuple(sorted((names[name], value) for name, value in told.items()))


async def spend(era: str, folder: Path, collector: Collector) -> None:
    """Decline a purchase, make it, make a free one of which nobody knows the outcome, and list what there is."""
    person = Person(typed("no"), typed("20.00"))
    async with a_world(folder) as world, serving(world.sandbox) as base_url:
        world.use_the_time_of_day()
        async with process(world, base_url, era, person, **to(collector)) as client:
            found = [await buy(client), await buy(client)]
            world.sandbox.misbehave(CREATE, Fault(status=502))
            found.append(await buy(client, **{**FREE, "name": "invoices"}))
            await client.call_tool("list-configurations", {})
    assert [one["status"] for one in found] == ["not_confirmed", "created", "outcome_unknown"]


@pytest.fixture(scope="module", params=["legacy", "auto"], ids=["handshake", "modern"])
def spent(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Collector]]:
    """An era, and what a collector has received of a server that spent in it and has ended."""
    with collecting() as collector:
        anyio.run(spend, request.param, tmp_path_factory.mktemp("spent") / "state", collector)
        yield request.param, collector


def test_the_numbers_of_purchases_questions_and_answers_arrive(spent: tuple[str, Collector]) -> None:
    """Each by the few words that an alert would be written with; the unknown purchase stands in the gauge."""
    era, collector = spent
    assert collector.metrics["vercel_mcp.purchases"] == {
        by(purchase__outcome="created", purchase__billing="may_charge"): 1,
        by(purchase__outcome="outcome_unknown", purchase__billing="free"): 1,
    }
    assert collector.metrics["vercel_mcp.questions"] == {
        by(question__answer="no", question__channel="form"): 1,
        by(question__answer="yes", question__channel="form"): 1,
    }
    asked = {by(tool="create-store", tool__status="asked"): 2} if era == "auto" else {}
    assert collector.metrics["vercel_mcp.tool.answers"] == {
        **asked,
        by(tool="create-store", tool__status="not_confirmed"): 1,
        by(tool="create-store", tool__status="created"): 1,
        by(tool="create-store", tool__status="outcome_unknown"): 1,
        by(tool="list-configurations", tool__status="ok"): 1,
    }
    assert collector.metrics["vercel_mcp.purchases.unknown"] == {(): 1}
    assert collector.units == {
        "vercel_mcp.purchases": "{purchase}",
        "vercel_mcp.purchases.unknown": "{purchase}",
        "vercel_mcp.questions": "{question}",
        "vercel_mcp.tool.answers": "{answer}",
        "http.client.request.duration": "s",
    }


def test_requests_to_vercel_are_timed_by_operation_and_status(spent: tuple[str, Collector]) -> None:
    """The path's template stands for the path; a status from 400 on is an error."""
    _, collector = spent
    timed = {
        (told["http.request.method"], told["url.template"], told["http.response.status_code"], told.get("error.type"))
        for told in map(dict, collector.metrics["http.client.request.duration"])
    }
    assert {f"{method} {template}" for method, template, _, _ in timed} == TEMPLATES
    assert {(method, status, error) for method, _, status, error in timed} == {
        ("GET", 200, None),
        ("POST", 200, None),
        ("POST", 502, "502"),
    }


def test_a_purchase_is_one_trace_from_the_call_to_the_wire(spent: tuple[str, Collector]) -> None:
    """The call of the tool holds the offer, the ledger's transactions and the request, each within the next."""
    era, collector = spent
    (sent, _) = (span for span in collector.spans if span.name.startswith("POST "))
    within = {span.id: span for span in collector.spans if span.trace == sent.trace}
    names = [span.name for span in within.values()]
    assert within[sent.parent].name == "tools/call create-store"
    assert (names.count("quote"), names.count("tools/call create-store")) == (2 if era == "legacy" else 1, 1)
    assert names.count("ledger.transaction") >= 4
    offers = [span for span in within.values() if span.name.startswith("GET /v1/integrations/")]
    assert {within[span.parent].name for span in offers} == {"quote"}
    requests = [span for span in collector.spans if "url.template" in span.told]
    assert {span.told["http.response.status_code"]: span.status for span in requests} == {200: 0, 502: 2}


def test_nothing_that_names_a_store_a_team_or_a_secret_leaves(spent: tuple[str, Collector]) -> None:
    """Not in labels, attributes, names of spans or the resource; the collector's own key goes in the header alone."""
    _, collector = spent
    secrets = (SANDBOX_TOKEN, KEY, SANDBOX_TEAM_ID, BRINDLE, "orders", "invoices", "20.00", "brindle", "purchase_")
    assert {secret for secret in secrets if secret.encode() in collector.raw} == set()
    assert collector.authorizations == {f"Bearer {KEY}"}
    assert set(collector.paths) == {"/v1/traces", "/v1/metrics"}
    (service,) = collector.services
    assert service[0] == "vercel-marketplace-mcp"
    assert re.fullmatch(r"[0-9a-f-]{36}", service[1])
    assert b"deployment.environment.name" in collector.raw


@pytest.mark.anyio
async def test_an_instant_decline_is_told_as_unseen(era: str, world: World, collector: Collector) -> None:
    """A client that closes the form at once has shown it to nobody; the answer says what to do instead."""
    person = Person(clicked("cancel"))
    async with serving(world.sandbox) as base_url, process(world, base_url, era, person, **to(collector)) as client:
        assert (await buy(client))["status"] == "confirmation_required"
    assert collector.metrics["vercel_mcp.questions"] == {
        by(question__answer="unseen", question__channel="form"): 1,
    }
    assert "vercel_mcp.purchases" not in collector.metrics
    assert collector.metrics["vercel_mcp.purchases.unknown"] == {(): 0}
