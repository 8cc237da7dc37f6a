"""The statements about changes that cost nothing. Each runs within the transaction that its caller has open.

A change has no table: the audit log says what was changed, by whose yes, and what came of it.
"""

import secrets
from collections.abc import Mapping
from typing import Any

from vercel_marketplace_mcp.ledger import audit, questions
from vercel_marketplace_mcp.ledger.database import Database
from vercel_marketplace_mcp.ledger.records import Identity


def begin(db: Database, identity: Identity, detail: Mapping[str, Any], *, needs_yes: bool, now: float) -> str | None:
    """Write that a change is about to be made, and use up its approval if it needs one; None if that is missing."""
    questions.expire(db, now)
    change_id = f"change_{secrets.token_hex(8)}"
    question = questions.use_up(db, identity, change_id, now) if needs_yes else None
    if needs_yes and question is None:
        return None
    audit.append(db, now, "changing", change_id, {"principal": identity.principal, **detail, "question": question})
    return change_id


def end(db: Database, change_id: str, outcome: str, detail: Mapping[str, Any], now: float) -> None:
    """Write what came of a change; one that was never sent gives its approval back."""
    audit.append(db, now, outcome, change_id, detail)
    if outcome == "never_sent":
        questions.give_back(db, change_id, now)
    else:
        questions.void_others(db, change_id)
