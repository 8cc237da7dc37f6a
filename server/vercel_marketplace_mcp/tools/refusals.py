"""What create-store answers when the operator's rules say no, and what can be done about each of them."""

from collections.abc import Callable, Mapping

from vercel_marketplace_mcp.purchase import policy
from vercel_marketplace_mcp.purchase.policy import Refuse
from vercel_marketplace_mcp.results import StopError
from vercel_marketplace_mcp.tools.context import Context
from vercel_marketplace_mcp.tools.order import Deal

Step = Callable[[Context], str]

_OPERATORS = "Choose something else, or ask the operator about these rules."


def refusal(verdict: Refuse, deal: Deal, context: Context) -> StopError:
    """Return the end of a call that rules refuse: each is explained, and each has its next step."""
    quote = deal.shown_quote() if deal.quote else None
    steps = dict.fromkeys(_STEPS[rule](context) if rule in _STEPS else _OPERATORS for rule in verdict.rules)
    return StopError("refused", ", ".join(verdict.rules), verdict.explanation, next_steps=list(steps), quote=quote)


def _wait_for_the_day(_context: Context) -> str:
    return "Choose something cheaper, wait until earlier purchases are 24 hours old, or ask the operator."


def _wait_for_the_hour(_context: Context) -> str:
    return "Wait until earlier creates are an hour old, or ask the operator."


def _settle_the_mismatch(context: Context) -> str:
    find, settle = context.command("ledger", "list"), context.command("ledger", "resolve", "ID", "--created")
    return (
        f"Ask a person to look at the plan of the store in question, and to acknowledge it {context.place}: {find} "
        f"names it with the state mismatch, {settle} settles it. Other stores wait for that."
    )


def _repeat_the_earlier_one(context: Context) -> str:
    return (
        "Make the earlier call again with the arguments that it had: it answers what came of it. Whose it was, "
        f"a person sees {context.place}: {context.command('ledger', 'list')}"
    )


def _ask_the_person(_context: Context) -> str:
    return "Ask the person what they want instead; the same can be put to them again after 10 minutes."


def _answer_one_that_waits(context: Context) -> str:
    return (
        f"Ask the person to answer a question that waits, then call again. They are named {context.place} by: "
        f"{context.command('ledger', 'list')}"
    )


def _leave_in_peace(_context: Context) -> str:
    return "Leave the person in peace for 10 minutes, or ask them yourself what they want."


_STEPS: Mapping[str, Step] = {
    policy.it_costs_more_than_is_left_today.__name__: _wait_for_the_day,
    policy.too_many_stores_were_created.__name__: _wait_for_the_hour,
    policy.a_billing_mismatch_is_unsettled.__name__: _settle_the_mismatch,
    policy.it_conflicts_with_an_earlier_purchase.__name__: _repeat_the_earlier_one,
    policy.it_was_declined_twice.__name__: _ask_the_person,
    policy.too_many_questions_are_open.__name__: _answer_one_that_waits,
    policy.too_many_questions_went_unanswered.__name__: _leave_in_peace,
}
