"""What create-store answers once a purchase is, was, or may have been made. It sends nothing."""

from collections.abc import Mapping, Sequence
from typing import Any

from vercel_marketplace_mcp.ledger.records import Purchase, Question
from vercel_marketplace_mcp.purchase.quote import Quote, price_lines
from vercel_marketplace_mcp.results import NOTHING_HAPPENED, Answer, create_answer, moment
from vercel_marketplace_mcp.tools.confirm import approval
from vercel_marketplace_mcp.tools.context import Context
from vercel_marketplace_mcp.tools.order import Deal
from vercel_marketplace_mcp.tools.stores import COMING, STORES_PAGE, brief, next_step, show
from vercel_marketplace_mcp.vercel.errors import NotSentError, RefusedError, VercelError
from vercel_marketplace_mcp.vercel.models import Store

ASK_THE_PERSON = "Ask the person what they want instead; do not repeat this call unless they ask for it."
"""What to do after a no."""


def confirmation_required(question: Question, deal: Deal, context: Context) -> Answer:
    """Nothing was sent: a person must approve in a terminal, and then the same call goes through."""
    shown, step = approval(question, context)
    steps = [step, "When they have approved, call create-store again with the same arguments."]
    return create_answer("confirmation_required", NOTHING_HAPPENED, steps, quote=deal.shown_quote(), approval=shown)


def not_confirmed() -> Answer:
    """Nothing was sent: the answer was not the exact text that means yes."""
    error = {"code": "not_confirmed", "message": "The client declined, or something else than the amount was typed."}
    return create_answer("not_confirmed", NOTHING_HAPPENED, [ASK_THE_PERSON], error=error)


def created(
    store: Store, price: Quote | None, doubts: Sequence[str], purchase_id: str, context: Context
) -> tuple[str, Answer]:
    """The store exists; return the ledger's state for it and the answer. `doubts` speak against its billing plan."""
    shown = brief(show(store))
    if doubts:
        money = "The store was created, but Vercel names a billing plan that is not the one meant: it may cost more."
        look = (
            f"Ask a person to look at the store's plan at {STORES_PAGE} now. No other is created until it is settled."
        )
        steps = [look, _settle_step(purchase_id, context)]
        error = {"code": "billing_mismatch", "message": f"The returned plan differs: {'; '.join(doubts)}."}
        return "mismatch", create_answer("billing_mismatch", money, steps, store=shown, error=error)
    money = "The store was created on a free plan; nothing was charged."
    if price is not None:
        money = f"The store was created and is billed as confirmed. {' '.join(price_lines(price))}"
    if store.billing_plan is None:
        money += " Vercel's answer names no plan, so a person should look at it once."
    return "created", create_answer("created", money, [next_step(shown)], store=shown)


def failed(error: VercelError, price: Quote | None, purchase_id: str, context: Context) -> tuple[str, Answer]:
    """The request did not succeed; return the ledger's state for it and the answer, by what can be known."""
    details = {"code": error.code, "message": error.message}
    match error:
        case NotSentError():
            steps = [error.next_step, *(["The person's yes still holds for a while."] if price else [])]
            return "never_sent", create_answer("unavailable", NOTHING_HAPPENED, steps, error=details)
        case RefusedError():
            money = "Vercel refused: this call created nothing and charged nothing."
            return "rejected", create_answer("rejected", money, [error.next_step], error=details)
        case _:
            charge = "it may be billed as confirmed" if price else "only a free plan was asked for"
            money = f"Vercel did not answer clearly: the store may exist, and {charge}."
            steps = [*_unknown_steps(purchase_id, context), *([_LOOK_AGAIN] if context.settings.reconcile else [])]
            return "unknown", create_answer("outcome_unknown", money, steps, error=details)


_LOOK_AGAIN = "Or call again once, with the same arguments: that buys nothing, and looks for the store at Vercel."


def _unknown_steps(purchase_id: str, context: Context) -> list[str]:
    """Return what to do about a purchase of which nobody knows whether it was made."""
    return [
        f"Ask a person to look whether the store exists: {STORES_PAGE}. Until it is settled this is not bought again.",
        _settle_step(purchase_id, context),
    ]


def _settle_step(purchase_id: str, context: Context) -> str:
    command = context.command("ledger", "resolve", purchase_id)
    return f"The person then settles it {context.place}: {command} --created (or --not-created)"


def earlier(purchase: Purchase, context: Context) -> Answer:
    """The same request was made before: answer what is known of it. Nothing is sent."""
    when = {"replayed": True, "created_at": moment(purchase.created_at)}
    receipt: Mapping[str, Any] = purchase.receipt or {}
    kept = {name: value for name, value in receipt.items() if name not in {"status", "money", "next_steps"}}
    match purchase.state:
        case "prepared" | "sending":
            steps = [
                "Call again with the same arguments in a minute: it tells what came of this, and buys nothing twice."
            ]
            return create_answer(
                "in_progress", "The same purchase is under way; this call sent nothing.", steps, **when
            )
        case "unknown":
            money = receipt.get("money", "It is not known whether an earlier call created the store.")
            return create_answer("outcome_unknown", money, _unknown_steps(purchase.id, context), **kept, **when)
        case "created" if receipt.get("status") != "created":
            money = "A person has recorded that the store exists; this call sent nothing."
            return create_answer("created", money, [f"See {STORES_PAGE}."], **when)
        case "never_sent" | "not_created":
            return create_answer("unavailable", NOTHING_HAPPENED, ["Call again."])
    store: Mapping[str, Any] = receipt.get("store") or {}
    money = f"{receipt['money']} That was at {when['created_at']}; this call sent nothing."
    steps = receipt["next_steps"]
    if receipt["status"] == "created" and store.get("status") in COMING:
        steps = ["It was not ready then: call get-store with its id to see whether it is now."]
    if purchase.settled_at is not None:
        steps = [f"A person has acknowledged this. See {STORES_PAGE}."]
    return create_answer(receipt["status"], money, steps, **kept, **when)
