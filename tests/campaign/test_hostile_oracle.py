"""The campaign's oracle can say no: what must never reach Vercel is sent there past the server, and it is counted."""

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace

import httpx
import pytest

from vercel_marketplace_mcp.sandbox import SANDBOX_TEAM_ID, Sandbox

from ..approval.world import BRINDLE, FREE, PRO, Clock, Json
from ..purchase.strategies import NOW
from .hostile_oracle import Judgement, headline, judge
from .hostile_witness import CONNECTING, CREATING, Called, Said, Witness, canonical, wish

PRODUCTS = f"/v1/integrations/configuration/{BRINDLE}/products"
PLANS = "/v1/integrations/integration/brindle/products/iap_brindle_postgres/plans"
SAME: Json = {**PRO, "integrationProductIdOrSlug": "iap_brindle_postgres"}
"""What PRO asks for, with the id of its product."""
SHOP = "prj_sandboxStorefront"


@dataclass(kw_only=True)
class Door:
    """A sandbox with a witness at its door, and a client that asks nobody."""

    sandbox: Sandbox
    witness: Witness
    clock: Clock
    client: httpx.AsyncClient

    async def look(self) -> Json:
        """Have the products and the plans told; return the plan at $20.00 a month."""
        await self.client.get(PRODUCTS)
        plans = (await self.client.get(PLANS, params={"metadata": json.dumps(PRO["metadata"])})).json()["plans"]
        return dict(next(plan for plan in plans if plan["id"] == "pro"))

    async def post(self, path: str, body: Json) -> str:
        """Send a request to change something, whoever agrees to it; return what it asks for."""
        assert (await self.client.post(path, json=body)).is_success
        return wish(path, body)

    def judged(self) -> Judgement:
        """What it comes to."""
        return judge(self.witness.timeline, NOW)


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    """A sandbox that nothing stands before but its witness."""
    sandbox, clock = Sandbox(), Clock()
    witness = Witness(sandbox, clock)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=sandbox.app),
        base_url="https://api.vercel.com",
        headers={"Authorization": f"Bearer {sandbox.token}"},
        params={"teamId": SANDBOX_TEAM_ID},
    ) as client:
        yield Door(sandbox=sandbox, witness=witness, clock=clock, client=client)


@pytest.mark.anyio
async def test_a_paid_request_past_the_server_is_counted(door: Door) -> None:
    """It reached Vercel, it may charge, nobody had agreed: the store exists, and the oracle says so."""
    await door.look()
    posted = await door.post(CREATING, PRO)
    assert door.judged() == Judgement(posts=1, charging=1, unapproved=[posted])
    assert len(door.sandbox.stores) == 1


@pytest.mark.anyio
async def test_the_exact_yes_covers_one_request_and_no_second(door: Door) -> None:
    """A yes is used up: the same request once more has none, though it came to nothing."""
    plan = await door.look()
    said = Said(wish=wish(CREATING, SAME), plans=frozenset({canonical(plan)}), yes=True, at=door.clock.now)
    door.witness.note(said)
    await door.post(CREATING, PRO)
    assert door.judged() == Judgement(posts=1, charging=1, approvals=1)
    assert (await door.client.post(CREATING, json=SAME)).status_code == 409
    assert door.judged() == Judgement(posts=2, charging=2, approvals=1, unapproved=[said.wish])


OTHER_YES: dict[str, Callable[[Said], Said]] = {
    "to another name": lambda said: replace(said, wish=wish(CREATING, {**SAME, "name": "other"})),
    "to another price": lambda said: replace(said, plans=frozenset({'{"cost": "$5.00/month", "id": "pro"}'})),
    "too old": lambda said: replace(said, at=said.at - 601),
    "yet to come": lambda said: replace(said, at=said.at + 1),
    "a no": lambda said: replace(said, yes=False),
}


@pytest.mark.anyio
@pytest.mark.parametrize("change", OTHER_YES.values(), ids=OTHER_YES.keys())
async def test_a_yes_that_is_not_exactly_to_this_covers_nothing(change: Callable[[Said], Said], door: Door) -> None:
    """Another purchase, another price, another time, or a no."""
    plan = await door.look()
    said = Said(wish=wish(CREATING, SAME), plans=frozenset({canonical(plan)}), yes=True, at=door.clock.now)
    door.witness.note(change(said))
    assert await door.post(CREATING, PRO) in door.judged().unapproved


@pytest.mark.anyio
async def test_a_no_takes_an_earlier_yes_back(door: Door) -> None:
    """What was said last counts."""
    plan = await door.look()
    said = Said(wish=wish(CREATING, SAME), plans=frozenset({canonical(plan)}), yes=True, at=door.clock.now)
    door.witness.note(said)
    door.witness.note(replace(said, yes=False))
    assert await door.post(CREATING, PRO) in door.judged().unapproved


@pytest.mark.anyio
async def test_a_free_request_needs_no_yes_once_its_plans_were_told_in_the_same_call(door: Door) -> None:
    """Told before the call began, or not at all, is not told: what may cost is not known then."""
    unknown = await door.post(CREATING, {**FREE, "name": "a"})
    await door.look()
    await door.post(CREATING, {**FREE, "name": "b"})
    door.witness.note(Called())
    stale = await door.post(CREATING, {**FREE, "name": "c"})
    assert door.judged() == Judgement(posts=3, charging=2, unapproved=[unknown, stale])


@pytest.mark.anyio
async def test_what_makes_a_free_plan_cost_is_seen(door: Door) -> None:
    """A payment method, settings that spend by themselves, and texts that speak of money after all."""
    await door.look()
    posted = [
        await door.post(CREATING, {**FREE, "name": "card", "paymentMethodId": "pm_1AbcDefGhiJklMno"}),
        await door.post(CREATING, {**FREE, "name": "auto", "protocolSettings": {"storage": {"autoScale": 3}}}),
    ]
    door.sandbox.change_plan("brindle-postgres", "free", details=[{"label": "Then", "value": "5 dollars"}])
    await door.look()
    posted.append(await door.post(CREATING, {**FREE, "name": "text"}))
    assert door.judged() == Judgement(posts=3, charging=3, unapproved=posted)


@pytest.mark.anyio
@pytest.mark.parametrize("environments", [None, [], ["production"], ["preview", " PRODUCTION"], ["\uff50roduction"]])
async def test_a_connection_of_production_past_the_server_is_counted(
    environments: list[str] | None, door: Door
) -> None:
    """However production is spelled, and where none is named; other environments need nobody."""
    await door.post(CREATING, FREE)
    path = CONNECTING.format(BRINDLE, door.sandbox.stores[0]["id"])
    await door.post(path, {"projectId": SHOP, "envVarEnvironments": ["preview-2"]})
    named = {"envVarEnvironments": environments} if environments is not None else {}
    posted = await door.post(path, {"projectId": SHOP, **named})
    found = door.judged()
    assert (found.connections, found.production, found.unapproved[1:]) == (2, 1, [posted])


PRICES: list[tuple[Json, Json, str | None]] = [
    ({"cost": "$20.00/month"}, {}, "20.00"),
    ({"cost": "$192 per year", "initialCharge": "200.5"}, {}, "200.50"),
    ({"cost": "$0.2 per 100K commands"}, {}, None),
    ({"cost": "Free", "maximumAmountAutoPurchasePerPeriod": "9.00"}, {}, "9.00"),
    ({"type": "prepayment", "minimumAmount": "50.00"}, {}, "50.00"),
    (
        {"type": "prepayment", "minimumAmount": "10.00", "initialCharge": "1.00"},
        {"prepaymentAmountCents": 2550},
        "26.50",
    ),
]


@pytest.mark.parametrize(("plan", "body", "amount"), PRICES)
def test_people_know_what_a_plan_costs(plan: Json, body: Json, amount: str | None) -> None:
    """The larger of what is due now and what recurs; None where it is only told in words."""
    assert headline(plan, body) == amount
