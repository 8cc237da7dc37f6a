"""What may befall a request of the machine, by name, and for how long it waits. It decides nothing."""

from typing import Any

from vercel_marketplace_mcp.sandbox import Fault

from .machine_town import Trouble

LONG = 1000.0
"""Seconds: longer than any deadline."""


def _with_plan(answer: Any) -> Any:
    if "store" not in answer:  # it was refused
        return answer
    return {"store": {**answer["store"], "billingPlan": {"id": "huge", "cost": "$9999.00/month"}}}


def _without_plan(answer: Any) -> Any:
    return {name: {**member, "billingPlan": None} for name, member in answer.items()}


UNCLEAR = tuple(
    Trouble(fault=fault, is_unclear=True)
    for fault in (
        Fault(drop="before"),
        Fault(drop="after"),
        Fault(drop="midway"),
        Fault(status=500),
        Fault(status=502, acted=True),
        Fault(status=408, acted=True),
        Fault(status=307, headers={"location": "https://elsewhere.example/"}, acted=True),
        Fault(latency=LONG),
        Fault(latency=LONG, status=500),
        Fault(body=b'{"store": null}', acted=True),
        Fault(body=b'{"store": null}'),
        Fault(body=b"{", acted=True),
    )
)
"""The answer does not come, or tells nothing."""
CLEAR = (
    Trouble(),
    Trouble(is_deadly=True),
    Trouble(fault=Fault(status=402)),
    Trouble(fault=Fault(status=429, headers={"retry-after": "3600"})),
    Trouble(fault=Fault(edit=_with_plan)),
    Trouble(fault=Fault(edit=_without_plan)),
)
"""No connection, a death, a refusal, or a store on another plan."""
SLOW = Trouble(fault=Fault(latency=4))
"""The answer takes as long as not everybody waits for."""


def _none(answer: Any) -> Any:
    return {name: [] for name in answer}


def _all_free(answer: Any) -> Any:
    return {**answer, "plans": [{**plan, "cost": "Free"} for plan in answer.get("plans", ())]}


READS = (
    *(Fault(drop="after"), Fault(status=502), Fault(status=403), Fault(status=404), Fault(status=500)),
    *(Fault(latency=LONG), Fault(status=429, headers={"retry-after": "20"}), Fault(body=b"{")),
)
"""What may befall the next reads."""
LIES = (Fault(edit=_none), Fault(edit=_all_free))
"""What may befall reads of plans only: two lies about a store would speak for buying it again."""
