"""What an operator reads when PostgreSQL can't be used, by the server's own numbers for its troubles."""

import asyncpg  # type: ignore[import-untyped]
import pytest

from vercel_marketplace_mcp.ledger import postgres_errors, postgres_server
from vercel_marketplace_mcp.ledger.postgres_errors import PassingError
from vercel_marketplace_mcp.ledger.records import LedgerError

REACH = (
    "The ledger's database can't be reached, or does not answer. Check the PostgreSQL server, the network and "
    "VERCEL_MCP_LEDGER_URL."
)
LOCKED = "The ledger is locked by another process. Try again; if it stays so, look for one that hangs."
REFUSED = "The ledger's database refuses the login. Check user and password in VERCEL_MCP_LEDGER_URL."
DAMAGED = "The ledger's database is damaged. Restore a backup, and look at Vercel for stores."
FORBIDDEN = (
    "The login may not write to the ledger's database. Let it own the schema vercel_marketplace_mcp, or create it."
)
SAID = {
    "08006": REACH,
    "25006": "The ledger's database can only be read. Name the primary server in VERCEL_MCP_LEDGER_URL.",
    "25P03": REACH,
    "28000": REFUSED,
    "28P01": REFUSED,
    "3D000": "The database that VERCEL_MCP_LEDGER_URL names does not exist. Create it.",
    "40001": LOCKED,
    "40P01": LOCKED,
    "42501": FORBIDDEN,
    "53100": "The disk with the ledger's database is full. Free some space.",
    "53300": "The ledger's database has no connection to spare. Raise max_connections, or run fewer replicas.",
    "55P03": LOCKED,
    "57014": REACH,
    "57P01": REACH,
    "57P03": REACH,
    "XX001": DAMAGED,
    "XX002": DAMAGED,
    "23505": "The ledger can't be used. Look at the log of its PostgreSQL server.",
    "25P02": "The ledger can't be used. Look at the log of its PostgreSQL server.",
}
PASSING = {"08006", "25P03", "40001", "40P01", "53300", "55P03", "57014", "57P01", "57P03"}


@pytest.mark.parametrize("number", SAID)
def test_every_number_has_a_sentence_and_some_pass(number: str) -> None:
    """T58: what the operator has to mend; what may work in a moment is told from what will not."""
    found = postgres_errors.explained(asyncpg.PostgresError.new({"C": number, "M": "in the server's own words"}))
    assert type(found) is (PassingError if number in PASSING else LedgerError)
    assert str(found) == SAID[number]


@pytest.mark.parametrize("kind", [asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, TimeoutError])
def test_a_connection_that_fails_may_work_in_a_moment(kind: type[Exception]) -> None:
    """T58: before there is a number, it is the way to the server."""
    found = postgres_errors.explained(kind("in words of its own"))
    assert (type(found), str(found)) == (PassingError, REACH)


def test_a_server_of_another_kind_is_no_primary() -> None:
    """T58: neither waiting nor another login helps."""
    found = postgres_errors.explained(asyncpg.TargetServerAttributeNotMatched("in words of its own"))
    said = "The ledger's database can only be read. Name the primary server in VERCEL_MCP_LEDGER_URL."
    assert (type(found), str(found)) == (LedgerError, said)


UNREADABLE = (
    "VERCEL_MCP_LEDGER_URL can't be read as an address of PostgreSQL. Write characters such as @, : and / in a "
    "password as %40, %3A and %2F."
)
NOT_EMPTY = "The ledger in PostgreSQL is not empty: nothing was copied. Name an empty database."
NEWER = "The ledger was written by a newer version of this program. Update the program."


def test_what_this_program_finds_wrong_says_what_to_mend() -> None:
    """T58: the other tests know these sentences by their names."""
    named = [postgres_errors.UNREADABLE, postgres_server.NOT_EMPTY, postgres_server.NEWER]
    assert named == [UNREADABLE, NOT_EMPTY, NEWER]
