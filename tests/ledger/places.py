"""Where the ledgers of a test are kept, and what stands there, read beside our own code."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import anyio.to_thread
from pydantic import SecretStr

from vercel_marketplace_mcp.ledger.files import FILE_NAME
from vercel_marketplace_mcp.ledger.postgres import PostgresLedger
from vercel_marketplace_mcp.ledger.records import Ledger, Now
from vercel_marketplace_mcp.ledger.sqlite import SqliteLedger

from .postgres import Server


class Place(Protocol):
    """A folder or a database that keeps a ledger."""

    @property
    def address(self) -> str:
        """How a program of its own is told where it is."""

    def ledger(self, now: Now | None = None) -> Ledger:
        """A ledger there, as a process that was just started would use it."""

    async def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What stands there."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Folder:
    """A state folder."""

    path: Path

    @property
    def address(self) -> str:
        """How a program of its own is told where it is."""
        return str(self.path)

    def ledger(self, now: Now | None = None) -> Ledger:
        """A ledger there, as a process that was just started would use it."""
        return SqliteLedger(self.path, now) if now else SqliteLedger(self.path)

    async def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What stands there."""
        with closing(sqlite3.connect(self.path / FILE_NAME)) as db:
            return db.execute(query).fetchall()


@dataclass(frozen=True, kw_only=True, slots=True)
class Database:
    """A database of a PostgreSQL server."""

    server: Server
    name: str

    @property
    def url(self) -> SecretStr:
        """Its address, as an operator writes it."""
        return self.server.url(self.name)

    @property
    def address(self) -> str:
        """How a program of its own is told where it is."""
        return self.url.get_secret_value()

    def ledger(self, now: Now | None = None) -> PostgresLedger:
        """A ledger there, as a process that was just started would use it."""
        return PostgresLedger(self.url, now)

    async def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What stands there."""
        return await anyio.to_thread.run_sync(self.server.run, self.name, query)
