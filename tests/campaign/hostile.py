"""The hostile calls, drawn from a seed: worlds, each with its rules, its plans, and calls that follow one another.

It makes nothing happen: hostile_world.py lets the calls loose.
"""

from collections.abc import Iterator, Mapping
from random import Random
from typing import TypeVar

from vercel_marketplace_mcp.sandbox import SANDBOX_TEAM_SLUG, Fault
from vercel_marketplace_mcp.settings import Team

from . import hostile_api as api
from .hostile_arguments import spoilt
from .hostile_call import HostileCall, Manner, Person, Script
from .hostile_wishes import USUAL, Item, purchase, sound
from .hostile_witness import Json

T = TypeVar("T")

CALLS = 40
"""Calls in one world."""
SLOW_EVERY = 9
"""One world in so many has a purchase under way while it is asked for again."""
TOOLS = {
    "create-store": 66,
    "connect-store": 14,
    "get-store": 4,
    "list-plans": 8,
    "list-products": 4,
    "list-configurations": 4,
}
USED = {"create-store": (*api.READS, api.PRODUCTS, api.PLANS, *(api.CREATE,) * 6), "connect-store": (api.CONNECT,)}
"""The operations that a fault may hit: for the most part those that the tool uses."""
PEOPLE: dict[Person, int] = {
    "types it": 40,
    "types it with spaces": 4,
    "types something else": 6,
    "declines": 1,
    "closes it": 1,
    "declines at once": 3,
    "sends {}": 4,
    "sends defaults": 4,
    "fails": 2,
    "answers late": 1,
    "types it in a terminal": 10,
    "declines in a terminal": 2,
    "nobody": 6,
}
MANNERS: dict[Manner, int] = {"once": 88, "at once": 4, "replayed": 5, "altered": 3}
PAUSES = {0.0: 30, 1.0: 10, 130.0: 40, 601.0: 15, 3700.0: 4, 90_000.0: 1}
WIDE: Json = {"max_creates_per_hour": 1000, "max_per_purchase": 500_00, "max_per_day": 100_000_00}
RULES: tuple[Json, ...] = (
    *({}, {"max_creates_per_hour": 3}, {"max_per_purchase": 10_00, "max_per_day": 15_00}, {"paid": False}),
    *({"unpriced": False}, {"approval": "terminal"}, {"approval": "terminal", "approval_ttl": 100}, {"max_per_day": 0}),
    {"allowed_products": frozenset({"brindle/brindle-postgres"})},
    *({"team": None}, {"team": Team(slug=SANDBOX_TEAM_SLUG)}),
    *(({**WIDE, "reconcile": False},) * 5),
    *((WIDE,) * 15),
)
SLOW = HostileCall(
    tool="create-store",
    arguments={
        "name": "slow",
        "integrationConfigurationId": "icfg_FernholdDocs00000000004",
        "integrationProductIdOrSlug": "fernhold-search",
        "billingPlanId": "included",
    },
    manner="under way",
)


def script(seed: int, number: int) -> Script:
    """The world of this number, the same at every run."""
    chance = Random(f"{seed} {number}")
    focus = chance.sample([item for item in USUAL if item.slug != SLOW.arguments["integrationProductIdOrSlug"]], 3)
    calls: list[HostileCall] = []
    while len(calls) < CALLS:
        calls.append(_call(chance, focus, calls))
    is_slow = number % SLOW_EVERY == 0
    return Script(
        rules=WIDE if is_slow else RULES[number % len(RULES)],
        changes=tuple(_changes(chance, focus)),
        calls=(SLOW, *calls[1:]) if is_slow else tuple(calls),
    )


def _changes(chance: Random, focus: list[Item]) -> Iterator[tuple[str, str, Json]]:
    """How some plans of the products in focus differ for good."""
    for item in focus:
        for plan in item.plans:
            if item.plans.count(plan) == 1 and chance.random() < 0.4:
                yield item.slug, plan, api.members(chance)


def _call(chance: Random, focus: list[Item], before: list[HostileCall]) -> HostileCall:
    tool = _one_of(chance, TOOLS)
    return HostileCall(
        tool=tool,
        arguments=_arguments(chance, tool, focus, before),
        person=_one_of(chance, PEOPLE),
        manner=_one_of(chance, MANNERS),
        faults=tuple(_faults(chance, tool)),
        down=frozenset({chance.choice(("GET", "POST", "POST"))}) if chance.random() < 0.03 else frozenset(),
        turns=api.members(chance) if chance.random() < 0.1 else None,
        after=chance.choice((0, 1, 1, 2)),
        pause=_one_of(chance, PAUSES),
        settles=chance.random() < 0.8,
    )


def _one_of(chance: Random, weights: Mapping[T, int]) -> T:
    return chance.choices(list(weights), list(weights.values()))[0]


def _arguments(chance: Random, tool: str, focus: list[Item], before: list[HostileCall]) -> Json:
    """Arguments as earlier, at times for another purchase of that name; or new ones, of which about half are spoilt."""
    earlier = [call.arguments for call in before if call.tool == tool]
    if earlier and chance.random() < 0.25:
        arguments = chance.choice(earlier)
        is_other = tool == "create-store" and chance.random() < 0.4
        return {**purchase(chance, focus), "name": arguments.get("name", "again")} if is_other else arguments
    arguments = sound(chance, tool, focus)
    for _ in range(chance.choices((0, 1, 2), (62, 30, 8))[0]):
        arguments = spoilt(chance, arguments)
    return arguments


def _faults(chance: Random, tool: str) -> Iterator[tuple[str, Fault]]:
    """What Vercel does wrong from this call on; most of the time nothing."""
    if chance.random() < 0.18:
        operation = chance.choice(USED.get(tool, api.READS))
        yield operation, api.fault(chance, operation)
    if chance.random() < 0.08:
        told = Fault(edit=api.listed(chance))
        yield from [(api.PLANS, told)] * chance.choice((1, 1, 2, 6))
