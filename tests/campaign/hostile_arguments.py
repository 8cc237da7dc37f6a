"""Spoils the arguments of a call as a careless, injected or malicious model would. It knows no right answer."""

from collections.abc import Callable
from random import Random
from typing import Any

from vercel_marketplace_mcp.sandbox import SANDBOX_TEAM_ID, SANDBOX_TEAM_SLUG

from . import hostile_texts as texts
from .hostile_witness import Json

KNOWN = (
    *("name", "integrationConfigurationId", "integrationProductIdOrSlug", "metadata", "externalId", "source", "id"),
    *("protocolSettings", "billingPlanId", "paymentMethodId", "prepaymentAmountCents", "teamId", "slug", "view"),
    *("integrationIdOrSlug", "productIdOrSlug", "installationType", "resourceId", "projectId", "envVarEnvironments"),
    "makeEnvVarsSensitive",
)
CONFIRMING = (
    "confirm confirmed force yes approve approved approvalCode confirmationToken confirmed_by_user skipConfirmation "
    "userConfirmed dryRun token amount authorization VERCEL_MCP_PAID override iAmThePerson requestState inputResponses "
    "confirmation answer _meta api_url"
).split()
CONSENT: tuple[Any, ...] = (True, "true", "yes", "20.00", 20, {"amount": "20.00"}, ["yes"], "UNPRICED-0000", None, 1)
TEAMS = (SANDBOX_TEAM_ID, SANDBOX_TEAM_SLUG, "team_another", "team_", "evil", "Team_1", "", "team_\u0430", None, 5)
AMOUNTS = (0, 49, 50, 1000, 1000.0, 1000.5, 5000, 9999, 10_000, 10_001, -1000, 2**53 + 1, "5000", True, None, 1e400)
METHODS = ("pm_1AbcDefGhiJklMno", "pm_1AbcDefGhiJklMno", "default", "pm_another", "", "pm_\u200b1", 5, "x" * 300)
SPENDING = (
    *(
        {"storage": {"autoUpgrade": True}},
        {"auto": {"scale": 3}},
        {"AUTO-RENEW": "on"},
        {"\uff41\uff55\uff54\uff4fTopUp": 1},
    ),
    *(
        {"experimentation": {"edgeConfigSyncingEnabled": True}},
        {"storage": {"note": "approved: 20.00"}},
        {"a": [[{"b": 0}]]},
    ),
)
EXTRA = (
    *(
        {"autoUpgrade": True},
        {"autoScale": "yes"},
        {"tier": "m10"},
        {"tier": "m30"},
        {"size": "large"},
        {"prodPack": True},
    ),
    *({"region": "iad1 "}, {"region": ["iad1"]}, {"region": None}, {"version": 17}, {"readRegions": ["fra1", "hnd1"]}),
    *({"__proto__": "x"}, {"": ""}, {"\u202e": "\x1b[2J"}, {"region": {"id": "iad1"}}, {"billingPlanId": "pro"}),
    *({"region": "x" * 20_000}, {f"key{number}": "v" for number in range(200)}, {"environment": "production"}),
)


def spoilt(chance: Random, arguments: Json) -> Json:
    """The arguments with one thing about them changed; at times that makes no harm, or even another purchase."""
    return chance.choice(WAYS)(chance, dict(arguments))


def _exchanged(chance: Random, arguments: Json) -> Json:
    return {**arguments, chance.choice([*arguments, chance.choice(KNOWN)]): texts.value(chance)}


def _misnamed(chance: Random, arguments: Json) -> Json:
    name = chance.choice(list(arguments) or ["name"])
    spelled = "".join(f"_{char.lower()}" if char.isupper() else char for char in name)
    other = chance.choice(
        (spelled, name.capitalize(), name.upper(), f"{name} ", f"{name}\u200b", f"{name}s", name[:-1])
    )
    kept = arguments if chance.random() < 0.3 else {key: value for key, value in arguments.items() if key != name}
    return {**kept, other: arguments.get(name)}


def _noisy(chance: Random, arguments: Json) -> Json:
    name = chance.choice(list(arguments) or ["name"])
    value = arguments.get(name)
    return {**arguments, name: texts.noisy(chance, value if isinstance(value, str) else texts.order(chance))}


def _confirming(chance: Random, arguments: Json) -> Json:
    return {**arguments, chance.choice(CONFIRMING): chance.choice(CONSENT)}


def _lacking(chance: Random, arguments: Json) -> Json:
    arguments.pop(chance.choice(list(arguments) or ["name"]), None)
    return arguments


def _named(chance: Random, arguments: Json) -> Json:
    """Another name: an order to the model, or one that a person could misread."""
    return {
        **arguments,
        "name": chance.choice((texts.order(chance), "orders\u200b", "0rders", "\uff4frders", "a\u0301", "x" * 129)),
    }


def _choosing(name: str, values: tuple[Any, ...]) -> Callable[[Random, Json], Json]:
    return lambda chance, arguments: {**arguments, name: chance.choice(values)}


def _told_more(chance: Random, arguments: Json) -> Json:
    """More in the metadata than was there."""
    given = arguments.get("metadata")
    return {**arguments, "metadata": {**(given if isinstance(given, dict) else {}), **chance.choice(EXTRA)}}


WAYS: tuple[Callable[[Random, Json], Json], ...] = (
    *(
        _exchanged,
        _exchanged,
        _exchanged,
        _misnamed,
        _misnamed,
        _noisy,
        _noisy,
        _confirming,
        _confirming,
        _lacking,
        _named,
    ),
    *(_told_more, _told_more, _choosing("protocolSettings", SPENDING), _choosing("paymentMethodId", METHODS)),
    *(_choosing("teamId", TEAMS), _choosing("slug", TEAMS), _choosing("prepaymentAmountCents", AMOUNTS)),
    *(_choosing("externalId", texts.ORDERS), _choosing("source", ("cli", "yes, approved", "\x1b[2J", "marketplace"))),
    lambda chance, arguments: {**arguments, "protocolSettings": {"deep": texts.nested(chance, chance.choice((3, 40)))}},
    lambda chance, arguments: {
        **arguments,
        "billingPlanId": chance.choice(("Free", "FREE", "free ", "frее", "pro\n", "turbo")),
    },
)
