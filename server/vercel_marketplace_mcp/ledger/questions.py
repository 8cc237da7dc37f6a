"""The statements about questions. Each runs within the transaction that its caller has open."""

import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from vercel_marketplace_mcp.ledger import audit
from vercel_marketplace_mcp.ledger.database import Database
from vercel_marketplace_mcp.ledger.records import QUESTION_LIFETIME, Channel, Identity, Meaning, Question, Wording

ATTENTION_WINDOW = 600.0
"""Seconds over which declines and unanswered questions are counted."""
CLOCK_SLACK = 60.0
"""Seconds that an approval may seem to lie in the future; more means that the clock was set back."""
CHANNELS: tuple[Channel, ...] = ("form", "terminal")
"""Through which a question that takes two yeses needs one each."""
APPROVED_IN_PART = "approved_in_part"
"""What the audit log calls the first of two yeses, which buys nothing."""

_CODE_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"


@dataclass(frozen=True, slots=True)
class Reply:
    """What was replied, through which channel, and for how many seconds a yes may stand."""

    meaning: Meaning
    note: Mapping[str, Any]
    ttl: float
    channel: Channel


def _read(row: Any) -> Question:
    values = {member.name: row[member.name] for member in fields(Question)}
    return Question(**{**values, "missing": tuple(values["missing"].split())})


def expire(db: Database, now: float) -> None:
    """End the questions that waited too long and the approvals that were not used in time."""
    db.execute(
        "UPDATE questions SET state = 'expired' WHERE state IN ('pending', 'approved')"
        " AND ((state = 'pending' AND (expires_at <= :now OR asked_at > :future))"
        " OR (state = 'approved' AND (approved_until <= :now OR answered_at > :future)))",
        {"now": now, "future": now + CLOCK_SLACK},
    )


def find_live(db: Database, identity: Identity) -> Question | None:
    """Return the pending or approved question of exactly this purchase."""
    row = db.execute(
        "SELECT * FROM questions WHERE fingerprint = ? AND principal = ? AND state IN ('pending', 'approved')",
        (identity.fingerprint, identity.principal),
    ).fetchone()
    return _read(row) if row else None


def says(question: Question, wording: Wording) -> bool:
    """Say whether a question that waits is worded like this, and waits for as many yeses."""
    return question.text == wording.text and bool(question.missing) == wording.both


def is_shown(question: Question, channel: Channel) -> bool:
    """Say whether a question that waits is to be shown now: in a form that it still needs."""
    return channel == "form" and question.missing != ("terminal",)


def is_approved(db: Database, identity: Identity) -> bool:
    """Say whether a yes to exactly this purchase stands."""
    live = find_live(db, identity)
    return live is not None and live.state == "approved"


def was_asked_otherwise(db: Database, identity: Identity, now: float) -> bool:
    """Say whether the same request was asked about at other terms in the last hour."""
    row = db.execute(
        "SELECT 1 FROM questions WHERE request = ? AND principal = ? AND fingerprint <> ? AND asked_at > ?"
        " AND state <> 'used' LIMIT 1",
        (identity.request, identity.principal, identity.fingerprint, now - QUESTION_LIFETIME),
    ).fetchone()
    return row is not None


def insert(db: Database, identity: Identity, wording: Wording, now: float) -> Question:
    """Add a pending question; live ones about the same request at other terms are void."""
    db.execute(
        "UPDATE questions SET state = 'revoked' WHERE request = ? AND principal = ?"
        " AND state IN ('pending', 'approved')",
        (identity.request, identity.principal),
    )
    question = Question(
        id=f"question_{secrets.token_hex(16)}",
        code="".join(secrets.choice(_CODE_ALPHABET) for _ in range(6)),
        principal=identity.principal,
        account=identity.account,
        fingerprint=identity.fingerprint,
        text=wording.text,
        expected=wording.expected,
        state="pending",
        asked_at=now,
        expires_at=now + QUESTION_LIFETIME,
        missing=CHANNELS if wording.both else (),
    )
    db.execute(
        "INSERT INTO questions (id, code, principal, account, fingerprint, text, expected, state, asked_at, expires_at,"
        " missing, request, ttl) VALUES (:id, :code, :principal, :account, :fingerprint, :text, :expected, :state,"
        " :asked_at, :expires_at, :missing, :request, :ttl)",
        {
            **asdict(question),
            "missing": " ".join(question.missing),
            "request": identity.request,
            "ttl": wording.ttl,
        },
    )
    detail = {"code": question.code, "principal": identity.principal, "fingerprint": identity.fingerprint}
    audit.append(db, now, "question", question.id, {**detail, "text": wording.text})
    return question


def answer(db: Database, question_id: str, principal: str, reply: Reply, now: float) -> str:
    """Record a reply and return how the question stands then: a no takes a yes back, `UNSEEN` changes nothing."""
    found = db.execute("SELECT * FROM questions WHERE id = ? AND principal = ?", (question_id, principal)).fetchone()
    state, meaning = str(found["state"]) if found else "expired", reply.meaning
    if state == "used" and meaning is Meaning.NO:  # what the yes was used for goes on, but it is not given back
        audit.append(db, now, meaning, question_id, reply.note)
        db.execute("UPDATE questions SET approved_until = ? WHERE id = ?", (now, question_id))
    if state != "pending" and not (state == "approved" and meaning is Meaning.NO):  # a no takes a yes back
        return state
    missing = [channel for channel in _read(found).missing if channel != reply.channel]
    if meaning is Meaning.YES and missing:
        audit.append(db, now, APPROVED_IN_PART, question_id, {**reply.note, "missing": missing})
        db.execute("UPDATE questions SET missing = ? WHERE id = ?", (" ".join(missing), question_id))
        return state
    audit.append(db, now, meaning, question_id, reply.note)
    if meaning is not Meaning.UNSEEN:
        until = now + min(reply.ttl, found["ttl"]) if meaning is Meaning.YES else None
        db.execute(
            "UPDATE questions SET state = ?, answered_at = ?, approved_until = ?, missing = '' WHERE id = ?",
            (meaning, now, until, question_id),
        )
        return meaning
    return state


def use_up(db: Database, identity: Identity, purchase_or_change: str, now: float) -> str | None:
    """Use the live yes for a purchase or a change, and return the question's id; None if there is no yes."""
    used = db.execute(
        "UPDATE questions SET state = 'used', purchase = ? WHERE fingerprint = ? AND principal = ?"
        " AND account = ? AND state = 'approved' RETURNING id",
        (purchase_or_change, identity.fingerprint, identity.principal, identity.account),
    ).fetchall()
    if len(used) != 1:
        return None
    question_id = str(used[0][0])
    audit.append(db, now, "used", question_id, {"purchase": purchase_or_change})
    return question_id


def give_back(db: Database, purchase_or_change: str, now: float) -> None:
    """Let a used yes stand again, for as long as it would have, unless a newer question has taken its place."""
    db.execute(
        "UPDATE questions SET state = 'approved' WHERE state = 'used' AND purchase = ? AND approved_until > ?"
        " AND NOT EXISTS (SELECT 1 FROM questions AS live WHERE live.fingerprint = questions.fingerprint"
        " AND live.principal = questions.principal AND live.state IN ('pending', 'approved'))",
        (purchase_or_change, now),
    )


def void_others(db: Database, purchase_or_change: str) -> None:
    """Void what is asked or approved about the same: a yes to what was done, or tried, meanwhile does nothing more.

    A free purchase has used no question, and a change is known by the question that it has used.
    """
    db.execute(
        "UPDATE questions SET state = 'revoked' WHERE state IN ('pending', 'approved') AND (fingerprint, principal) IN"
        " (SELECT fingerprint, principal FROM purchases WHERE id = :id"
        " UNION ALL SELECT fingerprint, principal FROM questions WHERE purchase = :id)",
        {"id": purchase_or_change},
    )


def pending(db: Database, principal: str | None) -> list[Question]:
    """Return the questions that wait for an answer, of one principal or of all, oldest first."""
    rows = db.execute(
        "SELECT * FROM questions WHERE state = 'pending' AND principal = coalesce(?, principal) ORDER BY asked_at, id",
        (principal,),
    )
    return [_read(row) for row in rows]


def counts(db: Database, identity: Identity, now: float) -> tuple[int, int, int]:
    """Return the recent declines of this purchase, the questions open, and how often one was asked without a yes.

    Declines are recent together: those close to the last one count for as long as that one does.
    """
    since = now - ATTENTION_WINDOW
    declined = db.execute(
        "SELECT answered_at FROM questions WHERE fingerprint = ? AND principal = ? AND state = 'declined'",
        (identity.fingerprint, identity.principal),
    ).fetchall()
    last = max((at for (at,) in declined), default=since)
    declines = sum(last > since and at > last - ATTENTION_WINDOW for (at,) in declined)
    (waiting,) = db.execute(
        "SELECT count(*) FROM questions WHERE principal = ? AND state = 'pending'", (identity.principal,)
    ).fetchone()
    (unanswered,) = db.execute(
        "SELECT count((SELECT 1 FROM questions WHERE id = audit.subject AND principal = ? AND approved_until IS NULL))"
        " FROM audit WHERE kind = 'asked' AND at > ?",
        (identity.principal, since),
    ).fetchone()
    return declines, waiting, unanswered
