"""What the ledger's statements need of a database, whichever keeps the ledger. It knows none."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

Parameters = Sequence[Any] | Mapping[str, Any]
"""Values for the `?` of a statement, in their order, or for its `:name`s."""


class Rows(Protocol):
    """What a statement found or changed. A row's values are read by position or by name."""

    @property
    def rowcount(self) -> int:
        """How many rows an UPDATE, INSERT or DELETE changed."""

    def fetchone(self) -> Any:
        """Return the next row, or None."""

    def fetchall(self) -> list[Any]:
        """Return the rows that are left."""

    def __iter__(self) -> Iterator[Any]:
        """Go through the rows that are left."""


class Database(Protocol):
    """A transaction that is open. Its statements are written for SQLite and PostgreSQL alike."""

    def execute(self, sql: str, parameters: Parameters = (), /) -> Rows:
        """Run one statement."""
