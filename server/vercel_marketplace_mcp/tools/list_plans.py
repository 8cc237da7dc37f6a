"""list-plans: the billing plans of a product, each judged free or may_charge."""

import json
from collections.abc import Mapping
from typing import Any

from vercel_marketplace_mcp.inputs import MAX_ID, ListPlans
from vercel_marketplace_mcp.purchase.metadata import Field, read_fields
from vercel_marketplace_mcp.purchase.plan import DECIMAL_MEMBERS, JudgedPlan, detail_lines, judge_plans
from vercel_marketplace_mcp.purchase.spending import why_metadata_may_charge
from vercel_marketplace_mcp.results import MAX_ITEMS, Answer, Listing, listing
from vercel_marketplace_mcp.settings import Team
from vercel_marketplace_mcp.text import clean, is_identifier, repeats
from vercel_marketplace_mcp.tools.context import NO_TEAM, Context, fetch_plans, fetch_products
from vercel_marketplace_mcp.vercel.errors import VercelError

_MAX_DETAILS = 30
_FEW_DETAILS = 5
_USUAL = {"type": "subscription", "scope": "resource"}
"""What a plan is where its answer leaves these out."""


async def handle(arguments: ListPlans, context: Context) -> Answer:
    """Answer every plan with the verdict of the rules that create-store applies, and the partner's own words."""
    team = context.team(arguments.team_id, arguments.slug)
    plans = await fetch_plans(
        context.client.read_recent,
        team,
        integration=arguments.integration_id_or_slug,
        product=arguments.product_id_or_slug,
        integrationConfigurationId=arguments.integration_configuration_id,
        metadata=arguments.metadata,
        source=arguments.source,
    )
    metadata = json.loads(arguments.metadata) if arguments.metadata else {}
    extras = tuple(why_metadata_may_charge(metadata, await _fields(arguments, context, team)))
    judged = judge_plans(plans, context.now(), MAX_ITEMS)
    items = [show_plan(plan, extras) for plan in judged]
    steps = [] if team else [NO_TEAM]
    steps.append(_next_step(items))
    lines = [_line(item) for item in items]
    return listing(Listing(member="plans", items=items, lines=lines, next_steps=steps, count=len(plans)))


async def _fields(arguments: ListPlans, context: Context, team: Team | None) -> tuple[Field, ...]:
    """Return what the product's schema says of its metadata, as far as the call names where to look and it is there."""
    if arguments.integration_configuration_id is None:
        return ()
    try:
        found = await fetch_products(context.client.read_recent, team, arguments.integration_configuration_id)
    except VercelError:
        return ()
    called = found.called(arguments.product_id_or_slug)
    return tuple(field for product in called for field in read_fields(product.metadata_schema) or ())


def show_plan(judged: JudgedPlan, extras: tuple[str, ...] = (), *, brief: bool = False) -> dict[str, Any]:
    """Return a plan as the agent reads it; `extras` are reasons that lie in the request rather than in the plan.

    A `brief` one is to be looked up in list-plans: few of its details are there.
    """
    plan, reasons = judged.plan, (*judged.reasons, *extras)
    shown: dict[str, Any] = {"id": clean(judged.id or "", MAX_ID)}
    shown |= _names(plan)
    shown |= {"billing": "may_charge" if reasons else "free", "reasons": list(reasons)}
    shown |= {name: text for name, text in _texts(plan, ("type", "scope")).items() if text != _USUAL[name]}
    if not judged.enabled:
        shown["disabled"] = True
    shown |= _texts(plan, ("effectiveDate",))
    price: dict[str, Any] = _texts(plan, ("cost", *DECIMAL_MEMBERS))
    if _is_number(plan.get("preauthorizationAmount")):
        price["preauthorizationAmount"] = str(plan["preauthorizationAmount"])
    if details := list(dict.fromkeys(line for line in map(clean, detail_lines(plan)) if line.strip(": "))):
        most_details = _FEW_DETAILS if brief else _MAX_DETAILS
        left_out = len(details) - most_details
        price["details"] = details[:most_details] + ([f"and {left_out} more lines"] if left_out > 0 else [])
    return {**shown, "price": price}


def _names(plan: Mapping[str, Any]) -> dict[str, str]:
    """Return the plan's name, and its description if that does not only repeat the name."""
    names = _texts(plan, ("name", "description"))
    if repeats(names.get("description", ""), names.get("name", "")):
        names.pop("description", None)
    return names


def _texts(plan: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, str]:
    return {name: clean(plan[name]) for name in names if isinstance(plan.get(name), str) and plan[name]}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _next_step(items: list[dict[str, Any]]) -> str:
    free = [item["id"] for item in items if item["billing"] == "free"]
    if free:
        chosen = free[0] if is_identifier(free[0]) else "as listed"
        return f"Free: create-store with billingPlanId {chosen} and the same metadata."
    if items:
        return "None of these plans is certainly free: buying one needs a person's confirmation. Ask before you go on."
    return "The product offers no plan for this configuration and metadata. Try other metadata or another product."


def _line(item: Mapping[str, Any]) -> str:
    price = dict(item["price"])
    details = price.pop("details", ())
    told = [item["billing"], *([] if "disabled" not in item else ["disabled"])]
    told += [item["name"]] if not repeats(item.get("name", item["id"]), item["id"]) else []
    told += [item[name] for name in ("type", "scope") if name in item]
    told += [price.pop("cost", "" if details else "no price given")]
    told += [f"{name} {amount}" for name, amount in price.items()]
    return f"{item['id']}: " + ", ".join([*filter(None, told), *details])
