"""Puts together what one create request would buy: the offer, the decision, the price, and what identifies it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from vercel_marketplace_mcp.approval.question import MAX_CHOSEN, Subject, chosen_lines, expected_answer, form, write
from vercel_marketplace_mcp.callers import PURCHASE, Caller
from vercel_marketplace_mcp.inputs import CreateStore
from vercel_marketplace_mcp.ledger.records import Background, Identity, NewPurchase, Wording
from vercel_marketplace_mcp.purchase.choice import Free, NotForSale, Order, WrongArgument, decide
from vercel_marketplace_mcp.purchase.fingerprint import UnbindableError, fingerprint
from vercel_marketplace_mcp.purchase.plan import JudgedPlan
from vercel_marketplace_mcp.purchase.policy import ASKING_RULES, Facts, History, Limits, Rule, Verdict, judge
from vercel_marketplace_mcp.purchase.quote import Quote, quote
from vercel_marketplace_mcp.purchase.spending import with_defaults
from vercel_marketplace_mcp.results import StopError, invalid
from vercel_marketplace_mcp.settings import Approval, Settings, Team
from vercel_marketplace_mcp.text import clean
from vercel_marketplace_mcp.tools.confirm import Matter
from vercel_marketplace_mcp.tools.list_plans import show_plan
from vercel_marketplace_mcp.tools.offer import Offer, OfferedProduct
from vercel_marketplace_mcp.tools.reconcile import Wanted

_MAX_PLANS = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Deal:
    """One purchase, priced and identified; without a `quote` it is free."""

    arguments: CreateStore
    team: Team
    product: str
    product_id: str
    plans: tuple[JudgedPlan, ...]
    reasons: tuple[str, ...]
    quote: Quote | None
    identity: Identity
    limits: Limits
    may_purchase: bool
    approval: Approval
    approval_ttl: int

    def verdict(self, history: History, rules: tuple[Rule, ...]) -> Verdict:
        """Return what the operator's rules say to this purchase."""
        facts = Facts(
            limits=self.limits,
            history=history,
            product=self.product,
            quote=self.quote,
            caller_may_purchase=self.may_purchase,
        )
        return judge(facts, rules)

    def allow(self, rules: tuple[Rule, ...]) -> Callable[[History], Verdict]:
        """Return the rules as a function of the history alone, for the ledger to call within a transaction."""
        return lambda history: self.verdict(history, rules)

    def new_purchase(self) -> NewPurchase:
        """Return the purchase as the ledger is to record it."""
        return NewPurchase(
            identity=self.identity,
            product=self.product,
            name=self.arguments.name,
            plan=self.arguments.billing_plan_id,
            counts=self.quote.counts if self.quote else 0,
        )

    def wanted(self, since: float) -> Wanted:
        """Return what tells the store of this purchase from all others."""
        return Wanted(
            configuration_id=self.arguments.integration_configuration_id,
            product_id=self.product_id,
            name=self.arguments.name,
            since=since,
        )

    def wording(self, price: Quote, background: Background) -> Wording:
        """Return the question to a person.

        Raises:
            StopError: the assistant chose more than a question can show.
        """
        chosen = _chosen(self.arguments)
        if sum(1 for _ in chosen_lines(chosen)) > MAX_CHOSEN:
            message = f"A person could not read it all: metadata and protocolSettings hold over {MAX_CHOSEN} values."
            raise StopError("refused", "too_much_to_show", message, next_steps=["Leave out what is not needed."])
        subject = Subject(
            team=str(self.team),
            product=self.product,
            product_id=self.product_id,
            plan=self.plans[0].plan,
            name=self.arguments.name,
            payment_method=self.arguments.payment_method_id,
            chosen=chosen,
            quote=price,
            reasons=self.reasons,
            fingerprint=self.identity.fingerprint,
            changed=background.changed,
            unsettled=background.unsettled,
        )
        expected = expected_answer(price, self.identity.fingerprint)
        both = self.approval == "both"
        return Wording(text=write(subject), expected=expected, ttl=self.approval_ttl, both=both)

    def matter(self, price: Quote, background: Background) -> Matter:
        """Return the purchase as something to ask a person about.

        Raises:
            StopError: the assistant chose more than a question can show.
        """
        wording = self.wording(price, background)
        return Matter(
            identity=self.identity, wording=wording, form=form(wording.expected), allow=self.allow(ASKING_RULES)
        )

    def shown_quote(self) -> dict[str, Any]:
        """Return the quote as the agent reads it."""
        return show_quote(self.reasons, self.plans, self.quote)


def make_deal(arguments: CreateStore, team: Team, offer: Offer, settings: Settings, caller: Caller) -> Deal:
    """Return what the request would buy of an offer.

    Raises:
        StopError: it is not for sale, its arguments fit no plan, or nothing can be bound to it.
    """
    order = Order(
        billing_plan_id=arguments.billing_plan_id,
        payment_method_id=arguments.payment_method_id,
        prepayment_cents=arguments.prepayment_amount_cents,
        metadata=arguments.metadata or {},
        protocol_settings=arguments.protocol_settings or {},
        schema_is_readable=offer.fields is not None,
    )
    fields = offer.fields or ()
    decision = decide(order, offer.plans, fields)
    if isinstance(decision, WrongArgument):
        raise invalid(decision.argument, decision.explanation, [clean(choice) for choice in decision.choices])
    if isinstance(decision, NotForSale):
        shown = show_quote(decision.reasons, decision.plans, None)
        raise StopError("refused", decision.rule, decision.explanation, next_steps=[_CHOOSE], quote=shown)
    plans = decision.plans if isinstance(decision, Free) else (decision.plan,)
    price = None if isinstance(decision, Free) else quote(decision, order, fields)
    return Deal(
        arguments=arguments,
        team=team,
        product=offer.product.name,
        product_id=offer.product.id,
        plans=plans,
        reasons=() if isinstance(decision, Free) else decision.reasons,
        quote=price,
        identity=identify(arguments, team, offer.product, settings, caller, _terms(order, offer, plans, price)),
        limits=_limits(settings),
        may_purchase=caller.may(PURCHASE),
        approval=settings.approval,
        approval_ttl=settings.approval_ttl,
    )


_CHOOSE = "Choose a plan of list-plans and pass its id as billingPlanId."


def _terms(order: Order, offer: Offer, plans: tuple[JudgedPlan, ...], price: Quote | None) -> dict[str, Any]:
    """Return what the partner says of the purchase: the plans whole, and of the product's schema what bears on it."""
    terms: dict[str, Any] = {"plans": [plan.plan for plan in plans]}
    if price is not None:
        terms |= {"words": list(price.words), "effectiveMetadata": with_defaults(order.metadata, offer.fields or ())}
    return terms


def identify(
    arguments: CreateStore,
    team: Team,
    product: OfferedProduct,
    settings: Settings,
    caller: Caller,
    terms: Mapping[str, Any] | None = None,
) -> Identity:
    """Return what a request concerns; without the partner's terms no yes and no question belongs to it.

    Raises:
        StopError: nothing can be bound to it.
    """
    api_url = settings.api_url
    account = f"{api_url} {team}"
    key = {
        "api": api_url,
        "configuration": arguments.integration_configuration_id,
        "product": product.id,
        "name": arguments.name,
    }
    request = {
        **key,
        "team": str(team),
        "principal": caller.principal,
        "integration": product.integration,
        "metadata": arguments.metadata or {},
        "protocolSettings": arguments.protocol_settings or {},
        "externalId": arguments.external_id,
        "source": arguments.source,
        "billingPlanId": arguments.billing_plan_id,
        "paymentMethodId": arguments.payment_method_id,
        "prepaymentAmountCents": arguments.prepayment_amount_cents,
    }
    try:
        return Identity(
            account=account,
            principal=caller.principal,
            key=fingerprint(key),
            request=fingerprint(request),
            fingerprint=fingerprint({**request, **(terms or {})}),
        )
    except UnbindableError:
        message = "The plan holds a value that can't be carried exactly, so no confirmation could be bound to it."
        raise StopError("refused", "the_plan_can_not_be_bound", message, next_steps=[_CHOOSE]) from None


def _chosen(arguments: CreateStore) -> dict[str, Any]:
    """Return what a person should know the assistant chose, beyond the name and the plan."""
    values = {
        "metadata": arguments.metadata,
        "protocolSettings": arguments.protocol_settings,
        "externalId": arguments.external_id,
        "source": arguments.source,
    }
    return {name: value for name, value in values.items() if value is not None}


def _limits(settings: Settings) -> Limits:
    return Limits(
        paid=settings.paid,
        unpriced=settings.unpriced,
        max_per_purchase=settings.max_per_purchase,
        max_per_day=settings.max_per_day,
        max_creates_per_hour=settings.max_creates_per_hour,
        allowed_products=settings.allowed_products,
    )


def show_quote(reasons: tuple[str, ...], plans: tuple[JudgedPlan, ...], price: Quote | None) -> dict[str, Any]:
    """Return a quote as the agent reads it: the numbers where there are any, and the plans in the partner's words."""
    shown: dict[str, Any] = {"billing": "may_charge", "reasons": list(reasons)}
    if price is not None:
        shown |= {"due_now_cents": price.due_now, "recurring_cents": price.recurring, "unpriced": price.unpriced}
        if price.recurring and price.period:
            shown["period"] = price.period
    return {**shown, "plans": [show_plan(plan, brief=len(plans) > 1) for plan in plans[:_MAX_PLANS]]}
