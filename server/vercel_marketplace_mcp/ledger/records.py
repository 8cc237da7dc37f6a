"""What a ledger keeps and promises. It knows no database."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal, Protocol

from vercel_marketplace_mcp.purchase.policy import History, Refuse, Verdict

Now = Callable[[], float]
"""Seconds since 1970."""

QUESTION_LIFETIME = 3600.0
"""Seconds that an unanswered question waits for somebody in a terminal."""
REPLAY_WINDOW = 86_400.0
"""Seconds for which a purchase answers for its key."""
PREPARED_LIFETIME = 30.0
"""Seconds after which an intent that was not sent is given up, by everybody."""
SENDING_LIFETIME = 120.0
"""Seconds after which a request that was being sent counts as unknown; longer than the client's deadline."""


class LedgerError(Exception):
    """The ledger can't be used, so nothing may be created. The message says what to mend."""


class Meaning(StrEnum):
    """What a reply says: yes to exactly the question, no to it, or that nobody may have seen it."""

    YES = "approved"
    NO = "declined"
    UNSEEN = "unseen"


@dataclass(frozen=True, kw_only=True, slots=True)
class Identity:
    """Whom and what a purchase concerns. Digests are hexadecimal SHA-256.

    `request` covers what was asked for, `fingerprint` the plan's terms as well, `key` only the store itself.
    """

    account: str
    principal: str
    key: str
    request: str
    fingerprint: str


Channel = Literal["form", "terminal"]
"""How a question reaches somebody."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """A question as it stands in the ledger.

    `missing`: the channels through which a yes must still come, where one alone is not enough.
    """

    id: str
    code: str
    principal: str
    account: str
    fingerprint: str
    text: str
    expected: str
    state: str
    asked_at: float
    expires_at: float
    missing: tuple[Channel, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Wording:
    """A question's text, the answer that alone is a yes, and for how many seconds a yes may stand.

    `both`: a yes counts once it was said in the client's form and in a terminal.
    """

    text: str
    expected: str
    ttl: float = 600.0
    both: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class NewPurchase:
    """A purchase about to be made; `counts` is in cents."""

    identity: Identity
    product: str
    name: str
    plan: str | None
    counts: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Purchase:
    """A purchase as it stands in the ledger; `receipt` is the answer that was given."""

    id: str
    account: str
    key: str
    principal: str
    request: str
    fingerprint: str
    product: str
    name: str
    plan: str | None
    counts: int
    state: str
    created_at: float
    finished_at: float | None
    settled_at: float | None
    receipt: Mapping[str, Any] | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Background:
    """What the ledger knows before a purchase: its history, an earlier purchase of the same request, a live yes.

    `changed`: the same request was asked about at other terms. `unsettled`: some purchase of this product is unknown.
    """

    history: History
    earlier: Purchase | None
    approved: bool
    changed: bool
    unsettled: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Begun:
    """The intent is on disk and the approval is used: the purchase may be sent."""

    purchase_id: str


class NotApproved:
    """There is no live approval for exactly this purchase."""


Start = Begun | Refuse | Purchase | NotApproved


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditRow:
    """One line of the audit log."""

    seq: int
    at: float
    kind: str
    subject: str
    detail: Mapping[str, Any]


class Ledger(Protocol):
    """Keeps questions and purchases. Every method is one transaction (`verify` a few), and may raise `LedgerError`."""

    async def secret(self) -> bytes:
        """Return the random key of this ledger, made once; it seals what clients carry."""

    async def background(self, identity: Identity, product: str) -> Background:
        """Return what is known before a purchase; stale intents are settled first."""

    async def earlier(self, identity: Identity) -> Purchase | None:
        """Return the purchase that answers for this request, at whatever terms; stale intents are settled first."""

    async def ask(
        self, identity: Identity, wording: Wording, channel: Channel, allow: Callable[[History], Verdict]
    ) -> Question | Refuse:
        """Return the live question of a purchase, or a new one, unless `allow` refuses that somebody is asked now."""

    async def answer(
        self,
        question_id: str,
        principal: str,
        meaning: Meaning,
        note: Mapping[str, Any],
        ttl: float,
        channel: Channel,
    ) -> str:
        """Record a reply and return how the question stands then: a no takes a yes back, `UNSEEN` changes nothing.

        A yes to a question that takes two leaves it pending until the other channel has brought one, too.
        """

    async def pending(self, principal: str | None = None) -> list[Question]:
        """Return the questions that wait for an answer, of one principal or of all, oldest first."""

    async def begin(self, purchase: NewPurchase, allow: Callable[[History], Verdict]) -> Start:
        """Use up the approval, write the intent and reserve the budget, or say why not, in one transaction."""

    async def start_sending(self, purchase_id: str) -> bool:
        """Say whether the purchase may be sent now: it is prepared, fresh, and nobody has given it up."""

    async def finish(self, purchase_id: str, state: str, receipt: Mapping[str, Any]) -> None:
        """Record the outcome. `never_sent` gives the approval and the budget back."""

    async def purchase(self, purchase_id: str) -> Purchase | None:
        """Return a purchase."""

    async def purchases(self, limit: int, before: str | None = None, *, principal: str | None = None) -> list[Purchase]:
        """Return purchases of one principal or of all, newest first; `before` is the id of the last one seen."""

    async def open_unknowns(self) -> int:
        """Return of how many purchases nobody knows whether they were made."""

    async def forget(self, purchase_id: str) -> None:
        """Record that a created store is gone: the purchase answers for its key no longer, and still counts."""

    async def settle(self, purchase_id: str, *, created: bool) -> Purchase | None:
        """Record what a person found out about an unknown outcome or a mismatch; None if there is nothing to settle."""

    async def begin_change(self, identity: Identity, detail: Mapping[str, Any], *, needs_yes: bool) -> str | None:
        """Record that something free of charge is about to be changed, and use up the approval if one is needed.

        Return the change's id, or None if the approval is missing.
        """

    async def end_change(self, change_id: str, outcome: str, detail: Mapping[str, Any]) -> None:
        """Record what came of a change. `never_sent` gives the approval back."""

    async def audit(self, subject: str) -> list[AuditRow]:
        """Return the audit log of one question or purchase."""

    async def verify(self) -> str | None:
        """Return what is wrong with the audit log, or None if it is whole."""

    async def aclose(self) -> None:
        """Close the database."""
