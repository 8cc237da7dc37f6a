"""Purchases that a question can be about."""

from typing import Any

from vercel_marketplace_mcp.approval.question import Subject
from vercel_marketplace_mcp.purchase.choice import MayCharge, Order
from vercel_marketplace_mcp.purchase.plan import JudgedPlan
from vercel_marketplace_mcp.purchase.quote import Quote, quote

FINGERPRINT = "beef" + "0" * 60
PLAN: dict[str, Any] = {
    "id": "scale",
    "type": "subscription",
    "name": "Scale",
    "description": "For growing teams",
    "scope": "resource",
    "paymentMethodRequired": True,
    "cost": "$49.00/month",
    "initialCharge": "25.00",
    "preauthorizationAmount": 10.53,
    "details": [{"label": "Storage", "value": "100 GB"}, {"label": "Egress", "value": "$0.09 per GB"}],
    "highlightedDetails": [{"label": "Point-in-time recovery"}],
}
PREPAID = {
    **{name: PLAN[name] for name in ("scope", "paymentMethodRequired")},
    "id": "bp_fixed50",
    "type": "prepayment",
    "cost": "$50 for 50 credits",
    "minimumAmount": "50.00",
    "maximumAmount": "50.00",
}


def price(plan: dict[str, Any]) -> Quote:
    """What the plan costs."""
    return quote(MayCharge(plan=JudgedPlan(plan=plan, reasons=()), reasons=()), Order(), ())


def subject(plan: dict[str, Any] | None = None, **changes: Any) -> Subject:
    """What a question is about."""
    members: dict[str, Any] = {
        "team": "team_abc",
        "product": "brindle/brindle-postgres",
        "product_id": "iap_1",
        "plan": PLAN if plan is None else plan,
        "name": "my-store",
        "payment_method": None,
        "chosen": {},
        "quote": changes.get("quote") or price(PLAN if plan is None else plan),
        "reasons": ("needs a payment method", "it is not for this store alone"),
        "fingerprint": FINGERPRINT,
        "changed": False,
        "unsettled": False,
    }
    return Subject(**{**members, **changes})
