"""The audit log: append-only rows whose hashes form a chain, with head and count kept beside it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vercel_marketplace_mcp.ledger.database import Database
from vercel_marketplace_mcp.ledger.records import AuditRow, LedgerError

_START = "0" * 64
_BEFORE_ALL = -(2**62)
PAGE = 1000
"""Rows that are checked in one transaction: nobody waits for more."""


def append(db: Database, at: float, kind: str, subject: str, detail: Mapping[str, Any]) -> None:
    """Add a row within the transaction that is open.

    Raises:
        LedgerError: nobody knows where the log ended.
    """
    head, count = _head(db)
    if count < 0:
        raise LedgerError("The audit log has lost its end. Restore a backup, or move the state folder away.")
    text = json.dumps(detail, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    digest = _digest(head, count + 1, at, kind, subject, text)
    db.execute("INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?)", (count + 1, at, kind, subject, text, digest))
    db.execute("UPDATE meta SET value = ? WHERE name = 'audit_head'", (f"{count + 1}:{digest}",))


def rows(db: Database, subject: str) -> list[AuditRow]:
    """Return the rows of one question or purchase, oldest first."""
    found = db.execute("SELECT seq, at, kind, subject, detail FROM audit WHERE subject = ? ORDER BY seq", (subject,))
    return [
        AuditRow(seq=seq, at=at, kind=kind, subject=subject, detail=json.loads(detail))
        for seq, at, kind, subject, detail in found
    ]


@dataclass(frozen=True, slots=True)
class Position:
    """How far the log was found to be whole: up to this row, with this hash."""

    head: str = _START
    count: int = 0


def check(db: Database, reached: Position) -> Position | str | None:
    """Follow the chain for another page: return how far it is whole then, what is wrong, or None at a whole end.

    Wrong is a row that was changed, removed, reordered, slipped in or cut off.
    """
    head, count = reached.head, reached.count
    page = db.execute(
        "SELECT seq, at, kind, subject, detail, hash FROM audit WHERE seq > ? ORDER BY seq LIMIT ?",
        (count or _BEFORE_ALL, PAGE),
    ).fetchall()
    for seq, at, kind, subject, detail, digest in page:
        count += 1
        if seq != count:
            return f"row {count} of the audit log is missing"
        if digest != _digest(head, seq, at, kind, subject, detail):
            return f"row {seq} of the audit log was changed or moved"
        head = digest
    if len(page) == PAGE:
        return Position(head, count)
    if (head, count) != _head(db):
        return f"the audit log ends at row {count}, which is not where it was left"
    return None


def _head(db: Database) -> tuple[str, int]:
    found = db.execute("SELECT value FROM meta WHERE name = 'audit_head'").fetchone()
    if found is None:
        return _START, -1
    count, _, digest = found[0].partition(":")
    return digest, int(count)


def _digest(head: str, seq: int, at: float, kind: str, subject: str, detail: str) -> str:
    row = json.dumps([head, seq, at, kind, subject, detail], ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(row.encode()).hexdigest()
