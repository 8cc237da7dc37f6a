"""The statements about purchases. Each runs within the transaction that its caller has open."""

import json
import secrets
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from vercel_marketplace_mcp.ledger import audit, questions
from vercel_marketplace_mcp.ledger.database import Database
from vercel_marketplace_mcp.ledger.records import (
    PREPARED_LIFETIME,
    REPLAY_WINDOW,
    SENDING_LIFETIME,
    Begun,
    LedgerError,
    NewPurchase,
    NotApproved,
    Purchase,
)
from vercel_marketplace_mcp.purchase.policy import Ask, Refuse, Verdict

_HOUR, _DAY = 3600.0, 86_400.0


def _read(row: Any) -> Purchase:
    values = {member.name: row[member.name] for member in fields(Purchase)}
    return Purchase(**{**values, "receipt": json.loads(values["receipt"]) if values["receipt"] else None})


def settle_stale(db: Database, now: float) -> None:
    """Give up intents that were not sent in time, and call unknown what was being sent for too long.

    What seems to lie in the future was left by a clock that has been set back since: nobody waits for that time.
    """
    future = now + questions.CLOCK_SLACK
    stale = db.execute(
        "SELECT id, state FROM purchases WHERE state IN ('prepared', 'sending')"
        " AND ((state = 'prepared' AND (created_at <= ? OR created_at > ?))"
        " OR (state = 'sending' AND (sending_at <= ? OR sending_at > ?)))",
        (now - PREPARED_LIFETIME, future, now - SENDING_LIFETIME, future),
    ).fetchall()
    for purchase_id, state in stale:
        finish(db, purchase_id, "never_sent" if state == "prepared" else "unknown", {}, now)


def find_earlier(db: Database, key: str, now: float) -> Purchase | None:
    """Return the purchase that answers for a key: unsettled, or created within the replay window."""
    row = db.execute(
        "SELECT * FROM purchases WHERE key = ? AND (state IN ('prepared', 'sending', 'unknown')"
        " OR (state = 'mismatch' AND settled_at IS NULL)"
        " OR (state IN ('created', 'mismatch') AND finished_at > ?)) ORDER BY created_at DESC LIMIT 1",
        (key, now - REPLAY_WINDOW),
    ).fetchone()
    return _read(row) if row else None


def is_unsettled(db: Database, account: str, product: str) -> bool:
    """Say whether some purchase of this product is unknown."""
    row = db.execute(
        "SELECT 1 FROM purchases WHERE account = ? AND product = ? AND state = 'unknown' LIMIT 1", (account, product)
    ).fetchone()
    return row is not None


def count_unknown(db: Database) -> int:
    """Return the number of unknown purchases, whoever made them."""
    (count,) = db.execute("SELECT count(*) FROM purchases WHERE state = 'unknown' AND settled_at IS NULL").fetchone()
    return int(count)


def totals(db: Database, account: str, now: float) -> tuple[int, int, bool]:
    """Return the cents that count against the day, the creates of the hour, and whether a mismatch is unsettled."""
    (spent,) = db.execute(
        "SELECT CAST(coalesce(sum(counts), 0) AS BIGINT) FROM purchases WHERE account = ? AND created_at > ?"
        " AND state IN ('prepared', 'sending', 'created', 'unknown', 'mismatch', 'gone')",
        (account, now - _DAY),
    ).fetchone()
    (creates,) = db.execute(
        "SELECT count(*) FROM purchases WHERE account = ? AND created_at > ? AND state <> 'never_sent'",
        (account, now - _HOUR),
    ).fetchone()
    mismatch = db.execute(
        "SELECT 1 FROM purchases WHERE account = ? AND state = 'mismatch' AND settled_at IS NULL LIMIT 1", (account,)
    ).fetchone()
    return spent, creates, mismatch is not None


def begin(db: Database, new: NewPurchase, verdict: Verdict, now: float) -> Begun | Refuse | NotApproved:
    """Write the intent if the verdict allows it; what a person must approve uses up the approval."""
    if isinstance(verdict, Refuse):
        return verdict
    identity, purchase_id = new.identity, f"purchase_{secrets.token_hex(8)}"
    question = None
    if isinstance(verdict, Ask):
        question = questions.use_up(db, identity, purchase_id, now)
        if question is None:
            return NotApproved()
    db.execute(
        "INSERT INTO purchases (id, account, key, principal, request, fingerprint, product, name, plan, counts, state,"
        " question, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'prepared', ?, ?)",
        (
            purchase_id,
            identity.account,
            identity.key,
            identity.principal,
            identity.request,
            identity.fingerprint,
            new.product,
            new.name,
            new.plan,
            new.counts,
            question,
            now,
        ),
    )
    detail = {"product": new.product, "name": new.name, "plan": new.plan, "counts": new.counts, "question": question}
    audit.append(db, now, "prepared", purchase_id, {"principal": identity.principal, **detail})
    return Begun(purchase_id=purchase_id)


def start_sending(db: Database, purchase_id: str, now: float) -> bool:
    """Say whether the purchase may be sent now: it is prepared, fresh, and nobody has given it up."""
    changed = db.execute(
        "UPDATE purchases SET state = 'sending', sending_at = ? WHERE id = ? AND state = 'prepared' AND created_at > ?",
        (now, purchase_id, now - PREPARED_LIFETIME),
    )
    if changed.rowcount == 1:
        audit.append(db, now, "sending", purchase_id, {})
    return changed.rowcount == 1


def finish(db: Database, purchase_id: str, state: str, receipt: Mapping[str, Any], now: float) -> None:
    """Record the outcome of a purchase that is under way, or was given up as unknown meanwhile.

    What Vercel says outweighs what a person has found out: a purchase settled by hand takes a known outcome, too.
    """
    changed = db.execute(
        "UPDATE purchases SET state = ?, finished_at = ?, receipt = ?, settled_at = NULL WHERE id = ?"
        " AND (state IN ('prepared', 'sending', 'unknown')"
        " OR (state IN ('created', 'not_created') AND settled_at IS NOT NULL AND ? <> 'unknown'))",
        (state, now, json.dumps(receipt, ensure_ascii=False) if receipt else None, purchase_id, state),
    )
    if changed.rowcount != 1:
        if get(db, purchase_id) is None:
            raise LedgerError("The ledger that knew this purchase is gone. Look at Vercel for its store.")
        return
    audit.append(db, now, state, purchase_id, {"receipt": dict(receipt)})
    if state == "never_sent":
        questions.give_back(db, purchase_id, now)
    else:
        questions.void_others(db, purchase_id)


def get(db: Database, purchase_id: str) -> Purchase | None:
    """Return a purchase."""
    row = db.execute("SELECT * FROM purchases WHERE id = ?", (purchase_id,)).fetchone()
    return _read(row) if row else None


def newest(db: Database, limit: int, before: str | None, principal: str | None) -> list[Purchase]:
    """Return the purchases of one principal or of all, newest first, from the one that comes after `before`."""
    last = db.execute("SELECT created_at FROM purchases WHERE id = ?", (before,)).fetchone() if before else (1e18,)
    if last is None:
        return []
    limits = {"at": last[0], "id": before or "", "limit": limit, "principal": principal}
    if principal is not None:
        rows = db.execute(
            "SELECT * FROM purchases WHERE principal = :principal AND (created_at, id) < (:at, :id)"
            " ORDER BY created_at DESC, id DESC LIMIT :limit",
            limits,
        )
    else:
        rows = db.execute(
            "SELECT * FROM purchases WHERE (created_at, id) < (:at, :id) ORDER BY created_at DESC, id DESC"
            " LIMIT :limit",
            limits,
        )
    return [_read(row) for row in rows]


def settle(db: Database, purchase_id: str, *, created: bool, now: float) -> Purchase | None:
    """Settle an unknown outcome as created or not, or acknowledge a mismatch; None if there is nothing to settle."""
    changed = db.execute(
        "UPDATE purchases SET settled_at = ?, state = CASE WHEN state = 'mismatch' AND ? THEN 'mismatch'"
        " WHEN ? THEN 'created' ELSE 'not_created' END, finished_at = coalesce(finished_at, ?)"
        " WHERE id = ? AND settled_at IS NULL AND state IN ('unknown', 'mismatch')",
        (now, created, created, now, purchase_id),
    )
    if changed.rowcount != 1:
        return None
    audit.append(db, now, "settled", purchase_id, {"created": created})
    return get(db, purchase_id)


def forget(db: Database, purchase_id: str, now: float) -> None:
    """Record that a created store is gone: the purchase answers for its key no longer, and still counts."""
    changed = db.execute("UPDATE purchases SET state = 'gone' WHERE id = ? AND state = 'created'", (purchase_id,))
    if changed.rowcount == 1:
        audit.append(db, now, "gone", purchase_id, {})
