"""What a ledger promises, in terms of one transaction after another. It opens no database and reads no clock."""

import secrets
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from vercel_marketplace_mcp.ledger import audit, changes, purchases, questions
from vercel_marketplace_mcp.ledger.audit import Position
from vercel_marketplace_mcp.ledger.database import Database
from vercel_marketplace_mcp.ledger.records import (
    AuditRow,
    Background,
    Channel,
    Identity,
    Meaning,
    NewPurchase,
    Purchase,
    Question,
    Start,
    Wording,
)
from vercel_marketplace_mcp.purchase.policy import History, Refuse, Verdict

T = TypeVar("T")


class SqlLedger(ABC):
    """The rules of money, the same in every database: whoever opens one runs each method as a transaction."""

    @abstractmethod
    async def _run(self, work: Callable[[Database, float], T], *, in_file: bool = False) -> T:
        """Run `work` as one transaction, at the moment that it is given; no other one runs meanwhile.

        `in_file`: it must stand where it outlives this process even if nothing else of the ledger does.

        Raises:
            LedgerError: the database can't be used.
        """

    @abstractmethod
    async def aclose(self) -> None:
        """Close the database."""

    async def secret(self) -> bytes:
        """Return the random key of this ledger, made once; it seals what clients carry."""
        return await self._run(lambda db, _now: secret_of(db))

    async def background(self, identity: Identity, product: str) -> Background:
        """Return what is known before a purchase; stale intents are settled first."""

        def work(db: Database, now: float) -> Background:
            purchases.settle_stale(db, now)
            questions.expire(db, now)
            earlier = purchases.find_earlier(db, identity.key, now)
            same = earlier is not None and earlier.request == identity.request
            return Background(
                history=_history(db, identity, now, conflict=earlier is not None and not same),
                earlier=earlier if same else None,
                approved=questions.is_approved(db, identity),
                changed=questions.was_asked_otherwise(db, identity, now),
                unsettled=purchases.is_unsettled(db, identity.account, product),
            )

        return await self._run(work)

    async def earlier(self, identity: Identity) -> Purchase | None:
        """Return the purchase that answers for this request, at whatever terms; stale intents are settled first."""

        def work(db: Database, now: float) -> Purchase | None:
            purchases.settle_stale(db, now)
            found = purchases.find_earlier(db, identity.key, now)
            return found if found is not None and found.request == identity.request else None

        return await self._run(work)

    async def ask(
        self, identity: Identity, wording: Wording, channel: Channel, allow: Callable[[History], Verdict]
    ) -> Question | Refuse:
        """Return the live question of a purchase, or a new one, unless `allow` refuses that somebody is asked now."""

        def work(db: Database, now: float) -> Question | Refuse:
            questions.expire(db, now)
            live = questions.find_live(db, identity)
            same = live if live is not None and questions.says(live, wording) else None
            if live is not None and (live.state == "approved" or (same and not questions.is_shown(same, channel))):
                return live
            history = _history(db, identity, now, conflict=False)
            verdict = allow(replace(history, open_questions=history.open_questions - (live is not None)))
            if isinstance(verdict, Refuse):
                return verdict
            question = same or questions.insert(db, identity, wording, now)
            audit.append(db, now, "asked", question.id, {"channel": channel})
            return question

        return await self._run(work)

    async def answer(
        self,
        question_id: str,
        principal: str,
        meaning: Meaning,
        note: Mapping[str, Any],
        ttl: float,
        channel: Channel,
    ) -> str:
        """Record a reply and return how the question stands then: a no takes a yes back, `UNSEEN` changes nothing."""

        def work(db: Database, now: float) -> str:
            questions.expire(db, now)
            return questions.answer(db, question_id, principal, questions.Reply(meaning, note, ttl, channel), now)

        return await self._run(work)

    async def pending(self, principal: str | None = None) -> list[Question]:
        """Return the questions that wait for an answer, of one principal or of all, oldest first."""

        def work(db: Database, now: float) -> list[Question]:
            questions.expire(db, now)
            return questions.pending(db, principal)

        return await self._run(work)

    async def begin(self, purchase: NewPurchase, allow: Callable[[History], Verdict]) -> Start:
        """Use up the approval, write the intent and reserve the budget, or say why not, in one transaction."""

        def work(db: Database, now: float) -> Start:
            purchases.settle_stale(db, now)
            questions.expire(db, now)
            earlier = purchases.find_earlier(db, purchase.identity.key, now)
            if earlier is not None and earlier.request == purchase.identity.request:
                return earlier
            verdict = allow(_history(db, purchase.identity, now, conflict=earlier is not None))
            return purchases.begin(db, purchase, verdict, now)

        return await self._run(work)

    async def start_sending(self, purchase_id: str) -> bool:
        """Say whether the purchase may be sent now: it is prepared, fresh, and nobody has given it up."""
        return await self._run(lambda db, now: purchases.start_sending(db, purchase_id, now), in_file=True)

    async def finish(self, purchase_id: str, state: str, receipt: Mapping[str, Any]) -> None:
        """Record the outcome. `never_sent` gives the approval and the budget back."""
        await self._run(lambda db, now: purchases.finish(db, purchase_id, state, receipt, now))

    async def purchase(self, purchase_id: str) -> Purchase | None:
        """Return a purchase."""

        def work(db: Database, now: float) -> Purchase | None:
            purchases.settle_stale(db, now)
            return purchases.get(db, purchase_id)

        return await self._run(work)

    async def purchases(self, limit: int, before: str | None = None, *, principal: str | None = None) -> list[Purchase]:
        """Return purchases of one principal or of all, newest first; `before` is the id of the last one seen."""
        return await self._run(lambda db, _now: purchases.newest(db, limit, before, principal))

    async def open_unknowns(self) -> int:
        """Return of how many purchases nobody knows whether they were made."""

        def work(db: Database, now: float) -> int:
            purchases.settle_stale(db, now)
            return purchases.count_unknown(db)

        return await self._run(work)

    async def forget(self, purchase_id: str) -> None:
        """Record that a created store is gone: the purchase answers for its key no longer, and still counts."""
        await self._run(lambda db, now: purchases.forget(db, purchase_id, now))

    async def settle(self, purchase_id: str, *, created: bool) -> Purchase | None:
        """Record what a person found out about an unknown outcome or a mismatch; None if there is nothing to settle."""
        return await self._run(lambda db, now: purchases.settle(db, purchase_id, created=created, now=now))

    async def begin_change(self, identity: Identity, detail: Mapping[str, Any], *, needs_yes: bool) -> str | None:
        """Record that something free of charge is about to be changed, and use up the approval if one is needed."""
        return await self._run(lambda db, now: changes.begin(db, identity, detail, needs_yes=needs_yes, now=now))

    async def end_change(self, change_id: str, outcome: str, detail: Mapping[str, Any]) -> None:
        """Record what came of a change. `never_sent` gives the approval back."""
        await self._run(lambda db, now: changes.end(db, change_id, outcome, detail, now))

    async def audit(self, subject: str) -> list[AuditRow]:
        """Return the audit log of one question or purchase."""
        return await self._run(lambda db, _now: audit.rows(db, subject))

    async def verify(self) -> str | None:
        """Return what is wrong with the audit log, or None if it is whole; others write between its pages."""
        found: Position | str | None = Position()
        while isinstance(found, Position):
            found = await self._check(found)
        return found

    async def _check(self, reached: Position) -> Position | str | None:
        return await self._run(lambda db, _now: audit.check(db, reached))


def _history(db: Database, identity: Identity, now: float, *, conflict: bool) -> History:
    spent, creates, mismatch = purchases.totals(db, identity.account, now)
    declines, waiting, unanswered = questions.counts(db, identity, now)
    return History(
        spent_today=spent,
        creates_last_hour=creates,
        mismatch_is_unsettled=mismatch,
        conflicts_with_earlier=conflict,
        declines_of_this=declines,
        open_questions=waiting,
        unanswered_questions=unanswered,
    )


def secret_of(db: Database) -> bytes:
    """Return the random key of the ledger, made once."""
    db.execute("INSERT INTO meta VALUES ('secret', ?) ON CONFLICT DO NOTHING", (secrets.token_hex(32),))
    (text,) = db.execute("SELECT value FROM meta WHERE name = 'secret'").fetchone()
    return bytes.fromhex(text)
