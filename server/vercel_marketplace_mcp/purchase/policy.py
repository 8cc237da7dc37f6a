"""The operator's rules about spending, each a named predicate whose docstring is its explanation.

A verdict depends on the facts alone: not on a clock, and not on the order of the rules.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from vercel_marketplace_mcp.purchase.quote import Quote


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """What the operator allows; what is left out is not allowed. Money in cents; None allows every product."""

    paid: bool = False
    unpriced: bool = False
    max_per_purchase: int = 0
    max_per_day: int = 0
    max_creates_per_hour: int = 0
    allowed_products: frozenset[str] | None = frozenset()


@dataclass(frozen=True, kw_only=True, slots=True)
class History:
    """What the ledger knows that bears on a purchase. `spent_today` is in cents, over 24 hours."""

    spent_today: int = 0
    creates_last_hour: int = 0
    mismatch_is_unsettled: bool = False
    conflicts_with_earlier: bool = False
    declines_of_this: int = 0
    open_questions: int = 0
    unanswered_questions: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Facts:
    """Everything that a rule may look at. Without a quote the purchase is free."""

    limits: Limits
    history: History = field(default_factory=History)
    caller_may_purchase: bool = True
    product: str = ""
    quote: Quote | None = None


@dataclass(frozen=True, slots=True)
class Proceed:
    """Nothing of the purchase can be billed, and no rule speaks against it."""


@dataclass(frozen=True, slots=True)
class Ask:
    """The purchase may be billed: a person must say yes to exactly this."""


@dataclass(frozen=True, slots=True)
class Refuse:
    """Rules that say no, whoever asks; never empty, in alphabetical order."""

    rules: tuple[str, ...]

    @property
    def explanation(self) -> str:
        """The explanations of all the broken rules."""
        return " ".join(explain(rule) for rule in self.rules)


Verdict = Proceed | Ask | Refuse
Rule = Callable[[Facts], bool]


def the_product_is_not_on_the_operators_list(facts: Facts) -> bool:
    """The operator allows certain products only (VERCEL_MCP_ALLOWED_PRODUCTS), and this is not one of them."""
    return facts.limits.allowed_products is not None and facts.product not in facts.limits.allowed_products


def paid_purchases_are_switched_off(facts: Facts) -> bool:
    """The operator has switched off everything that may be billed (VERCEL_MCP_PAID=deny)."""
    return facts.quote is not None and not facts.limits.paid


def the_caller_may_not_ask_for_paid_stores(facts: Facts) -> bool:
    """The token of this call lacks the scope stores:purchase, and this may be billed."""
    return facts.quote is not None and not facts.caller_may_purchase


def it_costs_more_than_one_purchase_may(facts: Facts) -> bool:
    """What is due now, or one period of what recurs, is more than the operator allows (VERCEL_MCP_MAX_PER_PURCHASE)."""
    if facts.quote is None:
        return False
    unpriced_at_zero = facts.quote.unpriced and facts.limits.max_per_purchase == 0
    return unpriced_at_zero or max(facts.quote.due_now, facts.quote.recurring) > facts.limits.max_per_purchase


def it_costs_more_than_is_left_today(facts: Facts) -> bool:
    """With what the team has bought in 24 hours it is more than the operator allows (VERCEL_MCP_MAX_PER_DAY)."""
    if facts.quote is None:
        return False
    return facts.quote.counts > 0 and facts.history.spent_today + facts.quote.counts > facts.limits.max_per_day


def the_price_is_only_stated_in_words(facts: Facts) -> bool:
    """Some of the price is only stated in words, and the operator does not allow that (VERCEL_MCP_UNPRICED=deny)."""
    return facts.quote is not None and facts.quote.unpriced and not facts.limits.unpriced


def too_many_stores_were_created(facts: Facts) -> bool:
    """The team has reached the number of creates in an hour (VERCEL_MCP_MAX_CREATES_PER_HOUR)."""
    return facts.history.creates_last_hour >= facts.limits.max_creates_per_hour


def a_billing_mismatch_is_unsettled(facts: Facts) -> bool:
    """A store of this team came with another billing plan than was meant, and no person has acknowledged it yet."""
    return facts.history.mismatch_is_unsettled


def it_conflicts_with_an_earlier_purchase(facts: Facts) -> bool:
    """Another request or caller's for this name and product was made within 24 hours, or is not settled yet."""
    return facts.history.conflicts_with_earlier


def it_was_declined_twice(facts: Facts) -> bool:
    """This was declined twice in the last 10 minutes, so nobody is asked about it for a while."""
    return facts.history.declines_of_this >= 2


def too_many_questions_are_open(facts: Facts) -> bool:
    """Three questions of this caller wait for a person already."""
    return facts.history.open_questions >= 3


def too_many_questions_went_unanswered(facts: Facts) -> bool:
    """Five questions of this caller were declined or left unanswered in the last 10 minutes."""
    return facts.history.unanswered_questions >= 5


RULES: tuple[Rule, ...] = (
    the_product_is_not_on_the_operators_list,
    paid_purchases_are_switched_off,
    the_caller_may_not_ask_for_paid_stores,
    it_costs_more_than_one_purchase_may,
    it_costs_more_than_is_left_today,
    the_price_is_only_stated_in_words,
    too_many_stores_were_created,
    a_billing_mismatch_is_unsettled,
    it_conflicts_with_an_earlier_purchase,
)
"""The rules that every purchase is held against, before a question and again in the transaction that buys."""

ASKING_RULES: tuple[Rule, ...] = (
    it_was_declined_twice,
    too_many_questions_are_open,
    too_many_questions_went_unanswered,
)
"""The rules that spare a person's attention: they hold only when a new question would be asked."""

_BY_NAME = {rule.__name__: rule for rule in (*RULES, *ASKING_RULES)}


def judge(facts: Facts, rules: tuple[Rule, ...] = RULES) -> Verdict:
    """Return what may happen with a purchase: a broken rule refuses, whatever may be billed needs a yes."""
    if not rules:
        raise ValueError("a policy without rules would allow everything")
    broken = sorted(rule.__name__ for rule in rules if rule(facts))
    if broken:
        return Refuse(tuple(broken))
    return Proceed() if facts.quote is None else Ask()


def explain(rule: str) -> str:
    """Return the explanation of a rule by its name."""
    return _BY_NAME[rule].__doc__ or ""
