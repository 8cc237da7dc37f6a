"""The audit log: append-only rows whose hashes form a chain, with head and count kept beside it."""

import hashlib
import json
import sqlite3
from collections.abc import Mapping
from typing import Any

from vercel_marketplace_mcp.ledger.records import AuditRow, LedgerError

_START = "0" * 64


def append(db: sqlite3.Connection, at: float, kind: str, subject: str, detail: Mapping[str, Any]) -> None:
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


def rows(db: sqlite3.Connection, subject: str) -> list[AuditRow]:
    """Return the rows of one question or purchase, oldest first."""
    found = db.execute("SELECT seq, at, kind, subject, detail FROM audit WHERE subject = ? ORDER BY seq", (subject,))
    return [
        AuditRow(seq=seq, at=at, kind=kind, subject=subject, detail=json.loads(detail))
        for seq, at, kind, subject, detail in found
    ]


def verify(db: sqlite3.Connection) -> str | None:
    """Return what is wrong with the log (a changed, removed, reordered or cut-off row), or None."""
    head, count = _START, 0
    for seq, at, kind, subject, detail, digest in db.execute("SELECT * FROM audit ORDER BY seq"):
        count += 1
        if seq != count:
            return f"row {count} of the audit log is missing"
        if digest != _digest(head, seq, at, kind, subject, detail):
            return f"row {seq} of the audit log was changed or moved"
        head = digest
    if (head, count) != _head(db):
        return f"the audit log ends at row {count}, which is not where it was left"
    return None


def _head(db: sqlite3.Connection) -> tuple[str, int]:
    found = db.execute("SELECT value FROM meta WHERE name = 'audit_head'").fetchone()
    if found is None:
        return _START, -1
    count, _, digest = found[0].partition(":")
    return digest, int(count)


def _digest(head: str, seq: int, at: float, kind: str, subject: str, detail: str) -> str:
    row = json.dumps([head, seq, at, kind, subject, detail], ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(row.encode()).hexdigest()
