"""The ledger in one SQLite file: durable before it is acknowledged, one writer at a time, for any number of processes.

WAL with `synchronous=FULL`, `BEGIN IMMEDIATE`; every method is one transaction on one connection.
"""

import secrets
import sqlite3
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import anyio
import anyio.to_thread

from vercel_marketplace_mcp.ledger import audit, files, sqlite_changes, sqlite_file, sqlite_purchases, sqlite_questions
from vercel_marketplace_mcp.ledger.records import (
    AuditRow,
    Background,
    Channel,
    Identity,
    LedgerError,
    Meaning,
    NewPurchase,
    Now,
    Purchase,
    Question,
    Start,
    Wording,
)
from vercel_marketplace_mcp.purchase.policy import History, Refuse, Verdict

T = TypeVar("T")


class SqliteLedger:
    """A ledger in `folder`, opened on first use, and again after a failure or when its files were replaced."""

    def __init__(self, folder: Path, now: Now = time.time) -> None:
        self._folder = folder
        self._now = now
        self._db: sqlite3.Connection | None = None
        self._files: tuple[files.Identity | None, ...] = ()
        self._one: anyio.CapacityLimiter | None = None

    async def _run(self, work: Callable[[sqlite3.Connection, float], T], *, in_file: bool = False) -> T:
        """Run `work` as one transaction, in a thread: a disk may take its time.

        `in_file` also brings it from SQLite's log into the ledger's own file, which may be all that is kept.

        Raises:
            LedgerError: the database can't be used; nothing of the transaction is on disk.
        """
        self._one = self._one or anyio.CapacityLimiter(1)
        return await anyio.to_thread.run_sync(self._transact, work, in_file, limiter=self._one)

    def _transact(self, work: Callable[[sqlite3.Connection, float], T], in_file: bool) -> T:
        try:
            db = self._connected()
            with sqlite_file.transaction(db):
                result = work(db, self._now())
        except sqlite3.Error as error:
            self._close()
            raise LedgerError(sqlite_file.what_to_mend(error)) from None
        except OSError as error:
            self._close()
            raise LedgerError(f"The ledger can't be used ({error.strerror}). Check the state folder.") from None
        if in_file:
            with suppress(sqlite3.Error):
                db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        return result

    def _connected(self) -> sqlite3.Connection:
        """Return the connection to the file that is there now: one that was moved away would be written unseen."""
        if self._db is None or self._files != files.identity(self._folder):
            self._close()
            self._db = sqlite_file.connect(self._folder)
            self._files = files.identity(self._folder)
        return self._db

    def _close(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None

    async def aclose(self) -> None:
        """Close the database."""
        self._one = self._one or anyio.CapacityLimiter(1)
        await anyio.to_thread.run_sync(self._close, limiter=self._one)

    async def secret(self) -> bytes:
        """Return the random key of this ledger, made once; it seals what clients carry."""
        return await self._run(lambda db, _now: _secret(db))

    async def background(self, identity: Identity, product: str) -> Background:
        """Return what is known before a purchase; stale intents are settled first."""

        def work(db: sqlite3.Connection, now: float) -> Background:
            sqlite_purchases.settle_stale(db, now)
            sqlite_questions.expire(db, now)
            earlier = sqlite_purchases.find_earlier(db, identity.key, now)
            same = earlier is not None and earlier.request == identity.request
            return Background(
                history=_history(db, identity, now, conflict=earlier is not None and not same),
                earlier=earlier if same else None,
                approved=sqlite_questions.is_approved(db, identity),
                changed=sqlite_questions.was_asked_otherwise(db, identity, now),
                unsettled=sqlite_purchases.is_unsettled(db, identity.account, product),
            )

        return await self._run(work)

    async def ask(
        self, identity: Identity, wording: Wording, channel: Channel, allow: Callable[[History], Verdict]
    ) -> Question | Refuse:
        """Return the live question of a purchase, or a new one, unless `allow` refuses that somebody is asked now."""

        def work(db: sqlite3.Connection, now: float) -> Question | Refuse:
            sqlite_questions.expire(db, now)
            live = sqlite_questions.find_live(db, identity)
            says_the_same = live is not None and live.text == wording.text
            if live is not None and (live.state == "approved" or (channel == "terminal" and says_the_same)):
                return live
            history = _history(db, identity, now, conflict=False)
            verdict = allow(replace(history, open_questions=history.open_questions - (live is not None)))
            if isinstance(verdict, Refuse):
                return verdict
            question = live if live and says_the_same else sqlite_questions.insert(db, identity, wording, now)
            audit.append(db, now, "asked", question.id, {"channel": channel})
            return question

        return await self._run(work)

    async def answer(
        self, question_id: str, principal: str, meaning: Meaning, note: Mapping[str, Any], ttl: float
    ) -> str:
        """Record a reply and return how the question stands then: a no takes a yes back, `UNSEEN` changes nothing."""

        def work(db: sqlite3.Connection, now: float) -> str:
            sqlite_questions.expire(db, now)
            return sqlite_questions.answer(db, question_id, principal, meaning, note, now, ttl)

        return await self._run(work)

    async def pending(self) -> list[Question]:
        """Return the questions that wait for an answer, oldest first."""

        def work(db: sqlite3.Connection, now: float) -> list[Question]:
            sqlite_questions.expire(db, now)
            return sqlite_questions.pending(db)

        return await self._run(work)

    async def begin(self, purchase: NewPurchase, allow: Callable[[History], Verdict]) -> Start:
        """Use up the approval, write the intent and reserve the budget, or say why not, in one transaction."""

        def work(db: sqlite3.Connection, now: float) -> Start:
            sqlite_purchases.settle_stale(db, now)
            sqlite_questions.expire(db, now)
            earlier = sqlite_purchases.find_earlier(db, purchase.identity.key, now)
            if earlier is not None and earlier.request == purchase.identity.request:
                return earlier
            verdict = allow(_history(db, purchase.identity, now, conflict=earlier is not None))
            return sqlite_purchases.begin(db, purchase, verdict, now)

        return await self._run(work)

    async def start_sending(self, purchase_id: str) -> bool:
        """Say whether the purchase may be sent now: it is prepared, fresh, and nobody has given it up."""
        return await self._run(lambda db, now: sqlite_purchases.start_sending(db, purchase_id, now), in_file=True)

    async def finish(self, purchase_id: str, state: str, receipt: Mapping[str, Any]) -> None:
        """Record the outcome. `never_sent` gives the approval and the budget back."""
        await self._run(lambda db, now: sqlite_purchases.finish(db, purchase_id, state, receipt, now))

    async def purchase(self, purchase_id: str) -> Purchase | None:
        """Return a purchase."""

        def work(db: sqlite3.Connection, now: float) -> Purchase | None:
            sqlite_purchases.settle_stale(db, now)
            return sqlite_purchases.get(db, purchase_id)

        return await self._run(work)

    async def purchases(self, limit: int, before: float | None = None) -> list[Purchase]:
        """Return purchases, newest first."""
        return await self._run(lambda db, _now: sqlite_purchases.newest(db, limit, before))

    async def forget(self, purchase_id: str) -> None:
        """Record that a created store is gone: the purchase answers for its key no longer, and still counts."""
        await self._run(lambda db, now: sqlite_purchases.forget(db, purchase_id, now))

    async def settle(self, purchase_id: str, *, created: bool) -> Purchase | None:
        """Record what a person found out about an unknown outcome or a mismatch; None if there is nothing to settle."""
        return await self._run(lambda db, now: sqlite_purchases.settle(db, purchase_id, created=created, now=now))

    async def begin_change(self, identity: Identity, detail: Mapping[str, Any], *, needs_yes: bool) -> str | None:
        """Record that something free of charge is about to be changed, and use up the approval if one is needed."""

        def work(db: sqlite3.Connection, now: float) -> str | None:
            return sqlite_changes.begin(db, identity, detail, needs_yes=needs_yes, now=now)

        return await self._run(work)

    async def end_change(self, change_id: str, outcome: str, detail: Mapping[str, Any]) -> None:
        """Record what came of a change. `never_sent` gives the approval back."""
        await self._run(lambda db, now: sqlite_changes.end(db, change_id, outcome, detail, now))

    async def audit(self, subject: str) -> list[AuditRow]:
        """Return the audit log of one question or purchase."""
        return await self._run(lambda db, _now: audit.rows(db, subject))

    async def verify(self) -> str | None:
        """Return what is wrong with the audit log, or None if it is whole."""
        return await self._run(lambda db, _now: audit.verify(db))


def _history(db: sqlite3.Connection, identity: Identity, now: float, *, conflict: bool) -> History:
    spent, creates, mismatch = sqlite_purchases.totals(db, identity.account, now)
    declines, waiting, unanswered = sqlite_questions.counts(db, identity, now)
    return History(
        spent_today=spent,
        creates_last_hour=creates,
        mismatch_is_unsettled=mismatch,
        conflicts_with_earlier=conflict,
        declines_of_this=declines,
        open_questions=waiting,
        unanswered_questions=unanswered,
    )


def _secret(db: sqlite3.Connection) -> bytes:
    db.execute("INSERT OR IGNORE INTO meta VALUES ('secret', ?)", (secrets.token_hex(32),))
    (text,) = db.execute("SELECT value FROM meta WHERE name = 'secret'").fetchone()
    return bytes.fromhex(text)
