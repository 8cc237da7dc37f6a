"""What must come of a fault: a table of stories, written from the design (5, 8) and the outcome table (threats, 5.10).

It shares nothing with the server but its published words about money.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from vercel_marketplace_mcp.sandbox import SANDBOX_TEAM_ID

from .faults_table import CONFIGURATIONS, CREATE, PLANS, PRODUCTS, Sort

Move: TypeAlias = Literal[
    "call",
    "call for another store",
    "the list shows the store",
    "a person says that it exists",
    "a person says that it does not exist",
]

MONEY = {
    "nothing": "This call created nothing and charged nothing.",
    "rejected": "Vercel refused: this call created nothing and charged nothing.",
    "unclear, paid": "Vercel did not answer clearly: the store may exist, and it may be billed as confirmed.",
    "unclear, free": "Vercel did not answer clearly: the store may exist, and only a free plan was asked for.",
    "made, paid": "The store was created and is billed as confirmed. ",
    "made, free": "The store was created on a free plan; nothing was charged.",
    "mismatch": "The store was created, but Vercel names a billing plan that is not the one meant: it may cost more.",
    "recorded": "A person has recorded that the store exists; this call sent nothing.",
}
"""The sentences about money, by what they mean; an answer's begins with one of them."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a fault shows: a tool, and the operation that goes wrong once `after` requests were answered."""

    tool: str
    operation: str
    paid: bool = False
    after: int = 0
    acts: bool = True

    @property
    def is_read(self) -> bool:
        """Whether it is not the create request that goes wrong."""
        return self.operation != CREATE


PLACES: Mapping[str, Place] = {
    "list-configurations": Place(tool="list-configurations", operation=CONFIGURATIONS),
    "list-products": Place(tool="list-products", operation=PRODUCTS),
    "list-plans": Place(tool="list-plans", operation=PLANS),
    "free store, products": Place(tool="create-store", operation=PRODUCTS),
    "free store, plans": Place(tool="create-store", operation=PLANS, after=1),
    "free store, not acted": Place(tool="create-store", operation=CREATE, after=2, acts=False),
    "free store, acted": Place(tool="create-store", operation=CREATE, after=2),
    "paid store, plans": Place(tool="create-store", operation=PLANS, paid=True, after=1),
    "paid store, plans after the yes": Place(tool="create-store", operation=PLANS, paid=True, after=3),
    "paid store, not acted": Place(tool="create-store", operation=CREATE, paid=True, after=4, acts=False),
    "paid store, acted": Place(tool="create-store", operation=CREATE, paid=True, after=4),
}


# How often a read is made, and the code that a failed one is told by (threats, 5.5: repeated after a failed connection,
# 429, 502, 503 and 504; a connection that breaks off is the same to a read).
AGAIN = frozenset({429, 502, 503, 504})
CODES: Mapping[Sort, str] = {
    Sort.NO_LINE: "not_reachable",
    Sort.BROKEN: "connection_lost",
    Sort.SILENT: "timed_out",
    Sort.REDIRECT: "redirected",
    Sort.FAILURE: "server_error",
    Sort.UNREADABLE: "unreadable_answer",
    Sort.ANOTHER_PLAN: "billing_mismatch",
}
REFUSALS: Mapping[int, str] = {
    400: "bad_request",
    401: "unauthorized",
    402: "payment_required",
    403: "forbidden",
    404: "not_found",
    409: "conflict",
    410: "gone",
    413: "refused",
    422: "refused",
    429: "rate_limited",
}

HELP: Mapping[str, tuple[str, ...]] = {
    "unauthorized": ("VERCEL_TOKEN",),
    "payment_required": ("Settings, Billing",),
    "forbidden": (SANDBOX_TEAM_ID, "manage integrations"),
    "not_found": (SANDBOX_TEAM_ID, "not installed", "list-configurations"),
    "conflict": ("another name",),
    "gone": ("List again",),
    "rate_limited": ("Wait ",),
    "redirected": ("VERCEL_API_URL",),
}
"""What whoever reads of a refusal must find there: the setting, the page, the permission, the team."""

# What the create request's fault makes of a purchase (threats, 5.10).
PURCHASES: Mapping[Sort, str] = {
    Sort.NO_LINE: "not sent",
    Sort.REFUSAL: "rejected",
    Sort.BROKEN: "unknown",
    Sort.SILENT: "unknown",
    Sort.REDIRECT: "unknown",
    Sort.FAILURE: "unknown",
    Sort.UNREADABLE: "unknown",
    Sort.ANOTHER_PLAN: "mismatch",
    Sort.HARMLESS: "created",
}


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of a story: who does what, what is answered, and what that adds. `asks`: where it is paid.

    money   of "made" and "unclear" there are two sentences
    code    "fault": the one that the fault has
    """

    do: Move = "call"
    answer: str
    money: str = ""
    code: str | None = None
    replayed: bool = False
    posts: int = 0
    stores: int = 0
    asks: int = 0


UNSENT = Row(answer="unavailable", money="nothing", code="fault")
WRONG = replace(UNSENT, answer="invalid_arguments", code="invalid_arguments")
BOUGHT = Row(answer="created", money="made", posts=1, stores=1, asks=1)
REPLAYED = Row(answer="created", money="made", replayed=True)
UNKNOWN = Row(answer="outcome_unknown", money="unclear", code="fault", posts=1, asks=1)
STILL_UNKNOWN = Row(answer="outcome_unknown", money="unclear", code="fault", replayed=True)
REJECTED = Row(answer="rejected", money="rejected", code="fault", posts=1, asks=1)
MISMATCH = Row(answer="billing_mismatch", money="mismatch", code="fault", posts=1, stores=1, asks=1)
STOPPED = Row(do="call for another store", answer="refused", money="nothing", code="a_billing_mismatch_is_unsettled")
GOES_ON = Row(do="call for another store", answer="created", money="made, free", posts=1, stores=1)
ACKNOWLEDGED = replace(MISMATCH, do="a person says that it exists", replayed=True, posts=0, stores=0, asks=0)
NAME_IS_TAKEN = replace(REJECTED, do="a person says that it does not exist", code="conflict")
LISTED = replace(REPLAYED, do="the list shows the store")
RECORDED = replace(REPLAYED, do="a person says that it exists", money="recorded")
MADE_ANEW = replace(BOUGHT, do="a person says that it does not exist")

STORIES: Mapping[str, tuple[Row, ...]] = {
    # A list tool.
    "listed": (Row(answer="listed"), Row(answer="listed")),
    "not listed": (Row(answer="not listed", code="fault"), Row(answer="listed")),
    # create-store could not read what it needed: nothing was sent, and the same call goes through afterwards.
    "unread": (UNSENT, BOUGHT),
    "unread after the yes": (replace(UNSENT, asks=1), replace(BOUGHT, asks=0)),
    "no such configuration": (WRONG, BOUGHT),
    # The plan that came back after the yes is not the one that was asked about: the yes does not hold for it.
    "asked again": (Row(answer="not_confirmed", money="nothing", code="not_confirmed", asks=2), BOUGHT),
    "stopped by a rule": (Row(answer="refused", money="nothing", code="fault", asks=1), replace(BOUGHT, asks=0)),
    "stopped by an argument": (replace(WRONG, asks=1), replace(BOUGHT, asks=0)),
    # The create request went wrong.
    "created": (BOUGHT, REPLAYED),
    "not sent": (replace(UNSENT, asks=1), replace(BOUGHT, asks=0)),
    "rejected": (REJECTED, BOUGHT, REPLAYED),
    "unknown, not made 0": (UNKNOWN, STILL_UNKNOWN, MADE_ANEW, REPLAYED),
    "unknown, not made 1": (UNKNOWN, STILL_UNKNOWN, RECORDED, replace(RECORDED, do="call")),
    "unknown, made 0": (replace(UNKNOWN, stores=1), STILL_UNKNOWN, LISTED, REPLAYED),
    "unknown, made 1": (replace(UNKNOWN, stores=1), STILL_UNKNOWN, RECORDED, replace(RECORDED, do="call")),
    "unknown, made 2": (replace(UNKNOWN, stores=1), STILL_UNKNOWN, NAME_IS_TAKEN),
    "mismatch 0": (MISMATCH, replace(ACKNOWLEDGED, do="call"), STOPPED, ACKNOWLEDGED, GOES_ON),
    "mismatch 1": (MISMATCH, replace(ACKNOWLEDGED, do="call"), STOPPED, NAME_IS_TAKEN, GOES_ON),
}
