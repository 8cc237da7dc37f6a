"""What create-store answers when the operator's rules say no, and what can be done about each of them."""

from vercel_marketplace_mcp.purchase import policy
from vercel_marketplace_mcp.purchase.policy import Refuse
from vercel_marketplace_mcp.results import StopError
from vercel_marketplace_mcp.tools.context import Context
from vercel_marketplace_mcp.tools.order import Deal

_OPERATORS = "Choose something else, or ask the operator about these rules."
_STEPS = {
    policy.it_costs_more_than_is_left_today: (
        "Choose something cheaper, wait until earlier purchases are 24 hours old, or ask the operator."
    ),
    policy.too_many_stores_were_created: "Wait until earlier creates are an hour old, or ask the operator.",
    policy.a_billing_mismatch_is_unsettled: (
        "Ask a person to look at that store's plan, and to acknowledge it {place}: {listing} names the purchase with "
        "the state mismatch, {settling} settles it."
    ),
    policy.it_conflicts_with_an_earlier_purchase: (
        "Make the earlier call again with the arguments that it had: it answers what came of it. Whose it was, a "
        "person sees {place}: {listing} - another store needs another name."
    ),
    policy.it_was_declined_twice: (
        "Ask the person what they want instead; the same can be put to them again after 10 minutes."
    ),
    policy.too_many_questions_are_open: (
        "Ask the person to answer a question that waits, then call again. These are listed {place} by: {listing}"
    ),
    policy.too_many_questions_went_unanswered: (
        "Leave the person in peace for 10 minutes, or ask them yourself what they want."
    ),
}
"""What can be done about a rule; about all others the operator must be asked."""


def refusal(verdict: Refuse, deal: Deal, context: Context) -> StopError:
    """Return the end of a call that rules refuse: each is explained, and each has its next step."""
    listing, settling = context.command("ledger", "list"), context.command("ledger", "resolve", "ID", "--created")
    known = {rule.__name__: step for rule, step in _STEPS.items()}
    steps = dict.fromkeys(known.get(rule, _OPERATORS) for rule in verdict.rules)
    return StopError(
        "refused",
        ", ".join(verdict.rules),
        verdict.explanation,
        next_steps=[step.format(place=context.place, listing=listing, settling=settling) for step in steps],
        quote=deal.shown_quote() if deal.quote else None,
    )
