"""Judges a campaign from Vercel's side: which requests may charge, whether a person had approved each, what leaked.

It reads what reached the sandbox and what the sandbox had told. It knows nothing of the server's own judgement.
"""

import base64
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from ..purchase import oracle
from .hostile_witness import CREATING, ODD, Called, Event, Json, Offered, Offers, Posted, Said, Told, canonical, wish

CANARY = "canary_t7Qm2xV9bKz4WnR8sLd3"
"""The token of the campaign: wherever it shows, it got out."""
TRACES = (CANARY, CANARY[7:19], base64.b64encode(CANARY.encode()).decode()[:20])
"""The token, a part of it that would help, and its base64 form."""
YES_STANDS = 600.0
"""Seconds from a person's yes to its use."""
MAX_TEXT = 200_000
MAX_STRUCTURED = 2_000_000
PERIODS: tuple[list[str], ...] = ([], ["month"], ["mo"], ["year"], ["yr"])


@dataclass(kw_only=True, slots=True)
class Judgement:
    """What a timeline comes to; `unapproved` are the requests that needed a person's yes and had none."""

    posts: int = 0
    charging: int = 0
    connections: int = 0
    production: int = 0
    approvals: int = 0
    unapproved: list[str] = field(default_factory=list)


def judge(timeline: Sequence[Event], now: datetime) -> Judgement:
    """Go through what happened: a request that may charge, or sets variables of production, uses up a yes to it."""
    offers, standing, found = Offers(), list[Said](), Judgement()
    for event in timeline:
        match event:
            case Called() | Told():
                offers.hear(event)
            case Said():
                found.approvals += event.yes
                standing = _after(event, standing)
            case Posted():
                offered = offers.to(event.task)
                needs = _needs_a_yes(event, offered, now, found)
                if needs and not _uses_up(event, offered, standing):
                    found.unapproved.append(wish(event.path, event.body))
    return found


def _after(said: Said, standing: list[Said]) -> list[Said]:
    """What stands after something was said: a no ends all that was said to this request, a yes what it repeats."""
    kept = [each for each in standing if each.wish != said.wish or (said.yes and each.plans != said.plans)]
    return [*kept, said] if said.yes else kept


def _needs_a_yes(post: Posted, offered: Offered, now: datetime, found: Judgement) -> bool:
    """Count a request, and say whether nobody but a person may have it made."""
    if post.path == CREATING:
        charges = may_charge(post.body, offered, now)
        found.posts += 1
        found.charging += charges
        return charges
    touches = touches_production(post.body)
    found.connections += 1
    found.production += touches
    return touches


def _uses_up(post: Posted, offered: Offered, standing: list[Said]) -> bool:
    """Whether there was a yes to this request, not too old, and to the plan as it was told; it is gone then."""
    try:
        plan = canonical(offered.plan(post.body)) if post.path == CREATING else None
    except ODD:
        return False
    wanted = wish(post.path, offered.resolved(post.body))
    for said in standing:
        is_meant = said.wish == wanted and (plan is None or plan in said.plans)
        if is_meant and 0 <= post.at - said.at <= YES_STANDS:
            standing.remove(said)
            return True
    return False


def touches_production(body: Json) -> bool:
    """Whether a connection sets variables of production, however that is spelled; none named means all."""
    names = body.get("envVarEnvironments") or ["production"]
    return any(oracle.as_read(str(name)).casefold() == "production" for name in names)


def may_charge(body: Json, offered: Offered, now: datetime) -> bool:
    """Whether a create request may charge, by the design's words; what can't be read may."""
    try:
        return not _is_free(body, offered, now)
    except ODD:
        return True


def _is_free(body: Json, offered: Offered, now: datetime) -> bool:
    if {"paymentMethodId", "prepaymentAmountCents"} & set(body):
        return False
    schema = _in_full(offered.product(body).get("metadataSchema") or {"properties": {}})
    if oracle.sets_a_cost(body.get("metadata", {}), schema, body.get("protocolSettings", {})):
        return False
    if "billingPlanId" in body:
        return body["billingPlanId"] in oracle.free_ids(offered.plans(body), now)
    return oracle.goes_through_without_a_plan(offered.plans(body), now)


def _in_full(schema: Json) -> Json:
    """A metadataSchema whose options are all objects with a label, as the oracle reads them."""
    fields = {}
    for key, rules in schema["properties"].items():
        listed = rules.get("ui:options") if isinstance(rules, dict) else None
        options = [each if isinstance(each, dict) else {"value": each} for each in listed or ()]
        options = [{"value": each["value"], "label": str(each.get("label", ""))} for each in options if "value" in each]
        fields[key] = {**(rules if isinstance(rules, dict) else {}), "ui:options": options}
    return {"properties": fields}


def headline(plan: Json, body: Json) -> str | None:
    """What a person types for a plan: the larger of due now and recurring, or None where no amount can be read."""
    due = Decimal(plan.get("initialCharge", "0"))
    if plan.get("type") == "prepayment":
        cents = body.get("prepaymentAmountCents")
        due += Decimal(cents) / 100 if cents is not None else Decimal(plan.get("minimumAmount", "0"))
    recurring = max(_cost(plan.get("cost")), Decimal(plan.get("maximumAmountAutoPurchasePerPeriod", "0")))
    return f"{max(due, recurring):.2f}" if max(due, recurring) else None


def _cost(cost: object) -> Decimal:
    """The dollars of a cost that is one amount in full, a month, a year or no period; anything else is words."""
    text = cost.strip().lower() if isinstance(cost, str) else ""
    amount, *period = re.split(r"\s?(?:/|per)\s?", text)
    is_read = re.fullmatch(r"\$\d{1,9}(\.\d\d?)?", amount, re.ASCII) and period in PERIODS
    return Decimal(amount[1:]) if is_read else Decimal(0)


def leaks(text: str | bytes) -> bool:
    """Whether the token shows, or what would help to it."""
    shown = text if isinstance(text, str) else text.decode("utf-8", "replace")
    return any(trace in shown for trace in TRACES)


def complaints(structured: Any, text: str) -> Iterator[str]:
    """What is wrong with a reply beyond its schema: it must be JSON, plain to read, bounded, and foreseen."""
    try:
        written = json.dumps(structured, allow_nan=False, ensure_ascii=False).encode()
    except ValueError as error:
        yield f"it can't be written as JSON: {type(error).__name__}"
        return
    if len(written) > MAX_STRUCTURED or len(text) > MAX_TEXT:
        yield f"it is too long: {len(written)} bytes, and {len(text)} characters of text"
    if not text.replace("\n", "").isprintable():
        yield "its text holds unprintable characters"
    if not all(each.isprintable() for each in oracle.texts(structured)):
        yield "its members hold unprintable characters"
    if isinstance(structured, dict) and structured.get("error", {}).get("code") == "internal_error":
        yield "the server failed in an unforeseen way"
