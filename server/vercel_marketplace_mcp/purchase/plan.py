"""Judges a billing plan free or not, from what Vercel answered. Names prove nothing; whatever is unclear may charge."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from vercel_marketplace_mcp.purchase.money import (
    UnreadableMoneyError,
    cents_from_dollars,
    costs_nothing,
    folded,
    holds_amount,
    holds_currency_and_number,
    holds_number,
    names_currency,
)

DECIMAL_MEMBERS = ("initialCharge", "minimumAmount", "maximumAmount", "maximumAmountAutoPurchasePerPeriod")
"""Members that hold dollars as decimal text; `preauthorizationAmount` holds them as a number."""

# Words end where letters end, also inside identifiers: `free_trial`, `trialDays`, `freeUntil`.
_CAMEL_CASE = re.compile(r"(?<=[a-z])(?=[A-Z])")
_TRIAL = re.compile(r"(?:(?<![^\W\d_])|(?<=free))trial", re.IGNORECASE)
_FREE = re.compile(r"(?<![^\W\d_])free(?![^\W\d_])", re.IGNORECASE)
_FOR_A_WHILE_WORDS = ("then", "until", "after", "afterward", "afterwards", "thereafter", "first", "during")
_FOR_A_WHILE = re.compile(rf"(?<![^\W\d_])(?:{'|'.join(_FOR_A_WHILE_WORDS)})(?![^\W\d_])", re.IGNORECASE)
_BEGINNING = 100
"""Characters of a value in which its number must begin."""
_FROM = re.compile(r"\A\W*(?:from|up to)\s", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class JudgedPlan:
    """A plan as received, and every reason why it may charge; none means that it is free."""

    plan: Mapping[str, Any]
    reasons: tuple[str, ...]

    @property
    def id(self) -> str | None:
        """The plan's id, if it has a usable one."""
        plan_id = self.plan.get("id")
        return plan_id if isinstance(plan_id, str) and plan_id else None

    @property
    def free(self) -> bool:
        """Whether a purchase of this plan alone costs nothing."""
        return not self.reasons

    @property
    def enabled(self) -> bool:
        """Whether Vercel might sell it: anything but a clear `disabled: true`."""
        return self.plan.get("disabled") is not True


def judge_plans(plans: Sequence[Any], now: datetime, most: int | None = None) -> tuple[JudgedPlan, ...]:
    """Judge the entries of a plans answer, or the first ones; one that is no object, or shares its id, may charge."""
    ids = Counter(plan["id"] for plan in plans if isinstance(plan, dict) and isinstance(plan.get("id"), str))
    judged = []
    for entry in plans[:most]:
        plan = entry if isinstance(entry, dict) else {}
        reasons = list(why_plan_may_charge(plan, now))
        if not isinstance(plan.get("id"), str) or not plan["id"]:
            reasons.append("it has no id")
        elif ids[plan["id"]] > 1:
            reasons.append("its id stands more than once in the list")
        judged.append(JudgedPlan(plan=plan, reasons=tuple(reasons)))
    return tuple(judged)


def why_plan_may_charge(plan: Mapping[str, Any], now: datetime) -> Iterator[str]:
    """Yield every reason why `plan`, taken by itself, may charge; a free plan yields none."""
    if plan.get("type") != "subscription":
        yield "it is not a subscription" if plan.get("type") != "prepayment" else "it is a prepayment"
    if plan.get("paymentMethodRequired") is not False:
        yield "needs a payment method"
    if plan.get("scope") != "resource":
        yield "it is not for this store alone: a change of the whole installation may add cost"
    if plan.get("disabled", False) is not False:
        yield "it is disabled"
    if "effectiveDate" in plan and not _is_past(plan["effectiveDate"], now):
        yield "it is not in effect yet, or its date can't be read"
    yield from _money_members(plan)
    yield from _texts(plan)


def unreadable_money(plan: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names of the money members that are there but not of their documented type."""
    unreadable = []
    for name in DECIMAL_MEMBERS:
        try:
            cents_from_dollars(plan.get(name, "0"))
        except UnreadableMoneyError:
            unreadable.append(name)
    if "preauthorizationAmount" in plan and not _is_dollars_number(plan["preauthorizationAmount"]):
        unreadable.append("preauthorizationAmount")
    return tuple(unreadable)


def _money_members(plan: Mapping[str, Any]) -> Iterator[str]:
    unreadable = unreadable_money(plan)
    for name in unreadable:
        yield f"its {name} can't be read"
    for name in DECIMAL_MEMBERS:
        if name in plan and name not in unreadable and cents_from_dollars(plan[name]):
            yield f"{name} is not zero"
    if "preauthorizationAmount" not in unreadable and plan.get("preauthorizationAmount"):
        yield "preauthorizationAmount is not zero"
    cost = plan.get("cost", "")
    if not isinstance(cost, str) or not costs_nothing(cost):
        yield "cost is not plainly zero"
    if quotes_money(plan.get("quote")):
        yield "its quote holds amounts"


def _texts(plan: Mapping[str, Any]) -> Iterator[str]:
    if any(amounts(plan)):
        yield "texts name an amount"
    texts = strings(plan)
    if not _may_be_free_at_first(" ".join(texts)):
        return
    texts += map(_line, _records(plan))
    lines = "\n".join(map(folded, dict.fromkeys(texts)))  # what is folded holds no line break
    lines = _CAMEL_CASE.sub(" ", lines)
    if _TRIAL.search(lines):
        yield "its texts speak of a trial"
    if _FREE.search(lines) and any(_FREE.search(line) and _FOR_A_WHILE.search(line) for line in lines.split("\n")):
        yield "its texts say that it is free only at first"


def _may_be_free_at_first(texts: str) -> bool:
    """Say whether it is worth a closer look; most texts read as they stand, and hold none of the words."""
    if not (texts.isascii() and texts.isprintable()) or "&" in texts:
        return True
    small = texts.lower()
    return "trial" in small or ("free" in small and any(word in small for word in _FOR_A_WHILE_WORDS))


def strings(value: Any) -> list[str]:
    """Return every string inside a JSON value: members unknown today and the names of members included."""
    found: list[str] = []
    for node in _nodes(value):
        if isinstance(node, str):
            found.append(node)
        elif isinstance(node, dict):
            found.extend(node)
    return found


def amounts(plan: Mapping[str, Any]) -> Iterator[str]:
    """Yield every text inside `plan` that holds an amount, and every record that holds one only as a whole."""
    yield from filter(holds_amount, strings(plan))
    yield from (_line(record) for record in _records(plan) if _is_priced(record))


def _is_priced(record: Sequence[str]) -> bool:
    """Say whether one value names a currency and another is the amount, as "Price (USD/month)" and "from 25".

    A record with a value that holds an amount by itself says nothing more.
    """
    return (
        holds_currency_and_number(_line(record))
        and any(map(names_currency, record))
        and any(holds_amount(f"$ {_FROM.sub('', value[:_BEGINNING])}") for value in record)
        and not any(map(holds_amount, record))
    )


def _records(plan: Mapping[str, Any]) -> Iterator[list[str]]:
    """Yield the texts and numbers of each object inside `plan`, as a label and its value."""
    for node in _nodes(list(plan.values())):
        if isinstance(node, dict):
            yield [str(value) for value in node.values() if isinstance(value, str | int | float)]


def _line(record: Sequence[str]) -> str:
    return ": ".join(record)


def _nodes(value: Any) -> list[Any]:
    """Return a JSON value and every value inside it."""
    nodes = [value]
    for node in nodes:  # which grows on the way
        if isinstance(node, dict):
            nodes.extend(node.values())
        elif isinstance(node, list):
            nodes.extend(node)
    return nodes


def detail_lines(plan: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines of the partner's details as received, where the real price often stands."""
    for name in ("details", "highlightedDetails", "quote"):
        lines = plan.get(name)
        if not isinstance(lines, list):
            continue
        for entry in lines:
            yield _line([str(value) for value in entry.values()]) if isinstance(entry, Mapping) else str(entry)


def quotes_money(quote: Any) -> bool:
    """Say whether the deprecated `quote` lines name an amount that is not zero; they leave the currency out."""
    parts = [part for line in quote for part in _beside_words(line)] if isinstance(quote, list) else [quote]
    return any(holds_number(str(part)) for part in parts)


def _beside_words(line: Any) -> list[Any]:
    """Return what stands in a line of a quote, but for what it is about, which may hold other numbers."""
    return [value for name, value in line.items() if name != "line"] if isinstance(line, Mapping) else [line]


def _is_dollars_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 10**12


def _is_past(date: Any, now: datetime) -> bool:
    if not isinstance(date, str):
        return False
    try:
        moment = datetime.fromisoformat(date)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) <= now
    except (ValueError, OverflowError):
        return False
