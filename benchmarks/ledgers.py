"""Fills a ledger with purchases of the past, quickly: copies of the one that a server has made in it.

Every row is what the server itself would have kept; only ids, names, digests and times differ, and the audit log is one
chain. It reads the columns from the file, and so goes with the schema.
"""

import hashlib
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from vercel_marketplace_mcp.ledger import audit
from vercel_marketplace_mcp.ledger.files import FILE_NAME
from vercel_marketplace_mcp.ledger.sqlite import SqliteLedger

DAY = 86_400.0
_DIGESTS = ("key", "request", "fingerprint")
_TIMES = ("created_at", "sending_at", "finished_at", "settled_at")


async def fill(folder: Path, size: int) -> None:
    """Add `size` purchases to the ledger in `folder`, none of them recent, and check that its log is whole."""
    with closing(sqlite3.connect(folder / FILE_NAME)) as db:
        db.row_factory = sqlite3.Row
        with db:
            _copy(db, size)
    ledger = SqliteLedger(folder)
    try:
        if wrong := await ledger.verify():
            raise ValueError(wrong)
    finally:
        await ledger.aclose()


def _copy(db: sqlite3.Connection, size: int) -> None:
    pattern = dict(db.execute("SELECT * FROM purchases LIMIT 1").fetchone())
    log = db.execute("SELECT at, kind, detail FROM audit WHERE subject = ? ORDER BY seq", (pattern["id"],)).fetchall()
    places = ", ".join(f":{name}" for name in pattern)
    statement = f"INSERT INTO purchases VALUES ({places})"  # noqa: S608 - the columns' own names
    for purchase in _copies(pattern, size):
        db.execute(statement, purchase)
        for row in log:
            at = row["at"] - pattern["created_at"] + purchase["created_at"]
            audit.append(db, at, row["kind"], purchase["id"], {"copied": row["detail"]})


def _copies(pattern: Mapping[str, Any], size: int) -> Iterator[dict[str, Any]]:
    for number in range(size):
        back = 2 * DAY + (size - number) * 60.0
        copy = {**pattern, "id": f"purchase_{number:032x}", "name": f"store-{number}"}
        copy |= {name: hashlib.sha256(f"{name}{number}".encode()).hexdigest() for name in _DIGESTS}
        copy |= {name: pattern[name] - back for name in _TIMES if pattern.get(name) is not None}
        yield copy
