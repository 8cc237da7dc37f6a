"""What the agent reads back: one structured answer a tool, and the same in brief as text. It decides nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import accumulate
from typing import Any

from vercel_marketplace_mcp.purchase.money import dollars

MAX_ITEMS = 200
"""Entries that a list shows; a longer one is cut, and says so."""

MAX_CHARACTERS = 100_000
"""Characters that the lines of a list may have together; it is cut as well where they have more."""

NOTHING_HAPPENED = "This call created nothing and charged nothing."
NOTHING_CHANGED = "This call changed nothing."
FAILED = "The server failed in an unforeseen way; its log says how."


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """A tool's answer; `structured` fits the tool's outputSchema."""

    structured: Mapping[str, Any]
    text: str
    is_error: bool = False


class StopError(Exception):
    """The call ends here, before anything was sent that could create or charge.

    `status` is a status of create-store; the list tools use `code` alone. All texts are ours or cleaned.
    """

    def __init__(
        self,
        status: str,
        code: str,
        message: str,
        *,
        next_steps: Sequence[str] = (),
        argument: str | None = None,
        choices: Sequence[str] = (),
        quote: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.next_steps = list(next_steps)
        self.quote = quote
        self.error: dict[str, Any] = {"code": code, "message": message}
        if argument is not None:
            self.error["argument"] = argument
        if choices:
            self.error["choices"] = list(choices)


def invalid(argument: str, message: str, choices: Sequence[str] = (), next_steps: Sequence[str] = ()) -> StopError:
    """Return the end of a call whose argument can't be used; `choices` are valid values, nearest first."""
    return StopError(
        "invalid_arguments",
        "invalid_arguments",
        message,
        argument=argument,
        choices=choices,
        next_steps=next_steps or [f"Change {argument} and call again."],
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Listing:
    """What a list tool found: `count` in all, of which `items` are the first; `lines` tell these in brief, one each.

    `head` stands above the lines.
    """

    member: str
    count: int
    items: Sequence[Mapping[str, Any]]
    lines: Sequence[str]
    next_steps: Sequence[str]
    more: Mapping[str, Any] = field(default_factory=dict)
    head: Sequence[str] = ()


def listing(found: Listing) -> Answer:
    """Return the answer of a list tool, cut to `MAX_CHARACTERS`. It says so if only the first are listed."""
    items = found.items[: _fitting(found.lines)]
    truncated = len(items) < found.count
    steps = list(found.next_steps)
    if truncated:
        steps.append(f"Only the first {len(items)} of {found.count} are listed.")
    structured = {
        found.member: list(items),
        **found.more,
        "count": found.count,
        "truncated": truncated,
        "next_steps": steps,
    }
    text = "\n".join([f"{found.count} {found.member}", *found.head, *found.lines[: len(items)], *steps])
    return Answer(structured=structured, text=text)


def _fitting(lines: Sequence[str]) -> int:
    """Return how many lines fit into an answer; the first always does."""
    sizes = accumulate(map(len, lines))
    return max(1, sum(size <= MAX_CHARACTERS for size in sizes))


def failed_listing(member: str, stop: StopError) -> Answer:
    """Return the answer of a list tool that could not list: its members empty, and the error."""
    structured = {member: [], "count": 0, "truncated": False, "next_steps": stop.next_steps, "error": stop.error}
    return Answer(structured=structured, text="\n".join([_error_line(stop), *stop.next_steps]), is_error=True)


def stopped_create(stop: StopError) -> Answer:
    """Return the answer of create-store when it ended before anything was sent."""
    quote = {"quote": dict(stop.quote)} if stop.quote else {}
    return create_answer(stop.status, NOTHING_HAPPENED, stop.next_steps, error=stop.error, **quote)


def create_answer(status: str, money: str, next_steps: Sequence[str], **members: Any) -> Answer:
    """Return an answer of create-store; `members` are `store`, `quote`, `approval`, `error` as they apply."""
    structured = {"status": status, "money": money, "next_steps": list(next_steps), **members}
    lines = [f"{status}: {money}"]
    if error := members.get("error"):
        lines.append(_error_text(error))
    if "due_now_cents" in (quote := members.get("quote", {})):
        lines.append(_price(quote))
    if approval := members.get("approval"):
        lines.append(f"code {approval['code']}, to be used before {approval['expires_at']}")
    if store := members.get("store"):
        lines.append(f"store {store.get('id', '(no id)')} is {store.get('status', 'in an unknown state')}")
    lines += [f"- {reason}" for reason in members.get("quote", {}).get("reasons", ())]
    return Answer(structured=structured, text="\n".join([*lines, *next_steps]), is_error=status != "created")


def _price(quote: Mapping[str, Any]) -> str:
    """Return a quote's numbers in brief."""
    told = [f"{dollars(quote['due_now_cents'])} USD now"] if quote["due_now_cents"] else []
    if "period" in quote:
        told.append(f"{dollars(quote['recurring_cents'])} USD every {quote['period']}")
    if quote["unpriced"]:
        told.append("more that is only stated in words" if told else "only stated in words, or not at all")
    return f"price: {', '.join(told) or 'none that could be read'}"


def connect_answer(status: str, changes: str, next_steps: Sequence[str], **members: Any) -> Answer:
    """Return an answer of connect-store; `members` are `connection`, `approval`, `error` as they apply."""
    structured = {"status": status, "changes": changes, "next_steps": list(next_steps), **members}
    lines = [f"{status}: {changes}"]
    if error := members.get("error"):
        lines.append(_error_text(error))
    if approval := members.get("approval"):
        lines.append(f"code {approval['code']}, to be used before {approval['expires_at']}")
    if connection := members.get("connection"):
        lines.append(f"variables: {', '.join(connection['variables']) or 'not known'}")
    return Answer(structured=structured, text="\n".join([*lines, *next_steps]), is_error=status != "connected")


def stopped_connect(stop: StopError) -> Answer:
    """Return the answer of connect-store when it ended before anything was sent."""
    return connect_answer(stop.status, NOTHING_CHANGED, stop.next_steps, error=stop.error)


def store_answer(store: Mapping[str, Any], next_steps: Sequence[str], *, ready: bool) -> Answer:
    """Return the answer of get-store."""
    structured = {"store": dict(store), "ready": ready, "next_steps": list(next_steps)}
    lines = [f"store {store['id']} is {store.get('status', 'in an unknown state')}"]
    if plan := store.get("billingPlan"):
        lines.append("plan: " + ", ".join(plan.values()))
    lines += [f"connected to {one.get('id')}: {', '.join(one['environments'])}" for one in store.get("projects", ())]
    return Answer(structured=structured, text="\n".join([*lines, *next_steps]))


def failed_store(stop: StopError) -> Answer:
    """Return the answer of get-store when the store could not be read."""
    structured = {"ready": False, "next_steps": stop.next_steps, "error": stop.error}
    return Answer(structured=structured, text="\n".join([_error_line(stop), *stop.next_steps]), is_error=True)


def moment(seconds: float) -> str:
    """Return a time as text: ISO 8601, in UTC, to the second."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def _error_line(stop: StopError) -> str:
    return f"{stop.error['code']}: {_error_text(stop.error)}"


def _error_text(error: Mapping[str, Any]) -> str:
    where = f"{error['argument']}: " if "argument" in error else ""
    choices = f" Valid: {', '.join(error['choices'])}." if "choices" in error else ""
    return f"{where}{error['message']}{choices}"
