"""This server, with each transaction that wrote counted: a byte for each is added to the file that is named first.

It counts on SQLite's own word, a trace of its statements, and changes nothing else.
"""

import functools
import os
import sqlite3
import sys
from pathlib import Path
from typing import Any

from vercel_marketplace_mcp import cli

COUNT = Path(sys.argv[1])


class Counted(sqlite3.Connection):
    """A connection that notes its commits."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._changes = 0
        self.set_trace_callback(self._see)

    def _see(self, statement: str) -> None:
        if statement.startswith("BEGIN"):
            self._changes = self.total_changes
        elif statement == "COMMIT" and self.total_changes > self._changes:
            with COUNT.open("ab") as file:
                os.write(file.fileno(), b".")


if __name__ == "__main__":
    sqlite3.connect = functools.partial(sqlite3.connect, factory=Counted)  # type: ignore[assignment]
    cli.main(sys.argv[2:])
