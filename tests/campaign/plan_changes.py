"""Every member of a bought plan changed between the question and the request, or in the receipt, as data.

What must come of each stands beside it, from the design (6, 7, 8) and T09.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from .faults_table import CREATE, PLANS, Fault, Sort, edited

Json = dict[str, Any]

ASKED_AGAIN = "asked again"
"""The person is asked anew, with the word that something has changed, and says no."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """One change of the plan `pro`, at $20.00 a month, or of the free plan in a receipt.

    members     what the plan holds instead; `...` takes a member out
    before      what a look at the plans right before the request comes to: a rule or an argument that stops it
    paid, free  whether a receipt with it is an alarm
    """

    name: str
    members: Mapping[str, Any] = field(default_factory=dict)
    before: str = ASKED_AGAIN
    paid: bool = False
    free: bool = False

    def of(self, plan: Json) -> Json:
        """Return the plan as it is afterwards."""
        return {name: value for name, value in {**plan, **self.members}.items() if value is not ...}


PRICE = [{"label": "Storage", "value": "$99.00 per GB"}]

CHANGES = (
    Change(name="id", members={"id": "pro2"}, before="billingPlanId", paid=True, free=True),
    Change(name="name", members={"name": "Pro!"}),
    Change(name="description", members={"description": "For anybody"}),
    Change(name="description with an amount", members={"description": "plus 5 EUR a day"}, paid=True, free=True),
    Change(name="type", members={"type": "prepayment"}, before="prepaymentAmountCents", paid=True, free=True),
    Change(name="type unknown today", members={"type": "metered"}, paid=True, free=True),
    Change(name="scope", members={"scope": "installation"}, paid=True, free=True),
    Change(name="paymentMethodRequired", members={"paymentMethodRequired": "no"}, paid=True, free=True),
    Change(name="paymentMethodRequired, not at all", members={"paymentMethodRequired": False}, paid=True),
    Change(name="cost", members={"cost": "$30.00/month"}, paid=True, free=True),
    Change(name="cost a cent more", members={"cost": "$20.01/month"}, paid=True, free=True),
    Change(name="cost of another period", members={"cost": "$20.00/year"}, paid=True, free=True),
    Change(name="cost in words", members={"cost": "from $20.00/month"}, paid=True, free=True),
    Change(
        name="cost over the ceiling",
        members={"cost": "$120.00/month"},
        before="it_costs_more_than_one_purchase_may",
        paid=True,
        free=True,
    ),
    Change(name="initialCharge", members={"initialCharge": "5.00"}, paid=True, free=True),
    Change(
        name="initialCharge as a number",
        members={"initialCharge": 5},
        before="the_price_can_not_be_read",
        paid=True,
        free=True,
    ),
    Change(name="minimumAmount", members={"minimumAmount": "10.00"}, paid=True, free=True),
    Change(name="maximumAmount", members={"maximumAmount": "50.00"}, paid=True, free=True),
    Change(
        name="maximumAmountAutoPurchasePerPeriod",
        members={"maximumAmountAutoPurchasePerPeriod": "90.00"},
        paid=True,
        free=True,
    ),
    Change(name="preauthorizationAmount", members={"preauthorizationAmount": 10.53}, paid=True, free=True),
    Change(name="quote", members={"quote": [{"line": "Seats", "amount": "99.00"}]}, paid=True, free=True),
    Change(name="effectiveDate", members={"effectiveDate": "2031-01-01T00:00:00Z"}, free=True),
    Change(name="disabled", members={"disabled": True}, before="the_plan_is_disabled", free=True),
    Change(name="details", members={"details": [{"label": "Seats", "value": "three"}]}),
    Change(name="details with an amount", members={"details": PRICE}, paid=True, free=True),
    Change(name="highlightedDetails", members={"highlightedDetails": [{"label": "Storage", "value": "1 TB"}]}),
    Change(name="highlightedDetails with an amount", members={"highlightedDetails": PRICE}, paid=True, free=True),
    Change(name="a member unknown today", members={"seats": {"included": 3}}),
    Change(name="a member unknown today with an amount", members={"seats": "$3 each"}, paid=True, free=True),
    Change(name="half a character", members={"name": "Pro\ud800"}, before="the_plan_can_not_be_bound"),
    Change(name="a number too large", members={"seats": 2**60}, before="the_plan_can_not_be_bound"),
)


def _replaced(change: Change) -> Callable[[Any, str | None], Any]:
    def edit(answer: Any, _: str | None) -> Any:
        return {"plans": [change.of(plan) if plan["id"] == "pro" else plan for plan in answer["plans"]]}

    return edit


def before_the_request() -> Iterator[Fault]:
    """Each change, as the plans show it after the person's yes."""
    for change in CHANGES:
        yield _change(f"another {change.name}", change.before, _replaced(change))
    yield _change("the plan twice", "the_plan_id_stands_more_than_once", lambda answer, _: _doubled(answer))
    yield _change("no plan", "billingPlanId", lambda *_: {"plans": []})


def _change(name: str, before: str, edit: Callable[[Any, str | None], Any]) -> Fault:
    sort = Sort.ASKED_AGAIN if before == ASKED_AGAIN else Sort.STOPPED
    return Fault(name=name, sort=sort, spoil=edited(edit), code=before, operations=frozenset({PLANS}))


def _doubled(answer: Any) -> Any:
    return {"plans": answer["plans"] * 2}


def in_the_receipt(*, paid: bool) -> Iterator[Fault]:
    """Each change, as the store's plan in Vercel's answer shows it."""
    for change in CHANGES:
        alarms = change.paid if paid else change.free
        yield Fault(
            name=f"a receipt with another {change.name}",
            sort=Sort.ANOTHER_PLAN if alarms else Sort.HARMLESS,
            spoil=edited(lambda answer, _, change=change: _with_plan(answer, change)),  # type: ignore[misc]
            operations=frozenset({CREATE}),
        )


def _with_plan(answer: Any, change: Change) -> Any:
    store = answer["store"]
    return {"store": {**store, "billingPlan": change.of(store["billingPlan"])}}
