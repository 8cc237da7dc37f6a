"""What the operator has to mend when PostgreSQL can't be used.

The server's own words stay out of it: they may hold anything.
"""

from vercel_marketplace_mcp.ledger.records import LedgerError

UNREACHABLE = (
    "The ledger's database can't be reached, or does not answer. Check the PostgreSQL server, the network and "
    "VERCEL_MCP_LEDGER_URL."
)
LOCKED = "The ledger is locked by another process. Try again; if it stays so, look for one that hangs."
REFUSED = "The ledger's database refuses the login. Check user and password in VERCEL_MCP_LEDGER_URL."
MISSING = "The database that VERCEL_MCP_LEDGER_URL names does not exist. Create it."
FULL = "The disk with the ledger's database is full. Free some space."
CROWDED = "The ledger's database has no connection to spare. Raise max_connections, or run fewer replicas."
READ_ONLY = "The ledger's database can only be read. Name the primary server in VERCEL_MCP_LEDGER_URL."
FORBIDDEN = (
    "The login may not write to the ledger's database. Let it own the schema vercel_marketplace_mcp, or create it."
)
DAMAGED = "The ledger's database is damaged. Restore a backup, and look at Vercel for stores."
UNREADABLE = (
    "VERCEL_MCP_LEDGER_URL can't be read as an address of PostgreSQL. Write characters such as @, : and / in a "
    "password as %40, %3A and %2F."
)
OTHERWISE = "The ledger can't be used. Look at the log of its PostgreSQL server."
_BY_STATE = {
    "25006": READ_ONLY,
    "28": REFUSED,
    "3D000": MISSING,
    "42501": FORBIDDEN,
    "40": LOCKED,
    "55P03": LOCKED,
    "53100": FULL,
    "53300": CROWDED,
    "XX001": DAMAGED,
    "XX002": DAMAGED,
    "08": UNREACHABLE,
    "25P03": UNREACHABLE,
    "57": UNREACHABLE,
}
"""By SQLSTATE, or by its class."""


class PassingError(LedgerError):
    """The database could not be used just now; the same may work in a moment."""


def explained(error: Exception) -> LedgerError | None:
    """Return what to raise instead of an error of asyncpg's or of the network's; None for any other."""
    import asyncpg  # type: ignore[import-untyped]

    match error:
        case asyncpg.PostgresError():
            state = str(error.sqlstate)
            said = _BY_STATE.get(state) or _BY_STATE.get(state[:2], OTHERWISE)
        case asyncpg.TargetServerAttributeNotMatched():
            said = READ_ONLY
        case asyncpg.InterfaceError() | asyncpg.InternalClientError() | OSError():
            said = UNREACHABLE
        case _:
            return None
    return PassingError(said) if said in {UNREACHABLE, LOCKED, CROWDED} else LedgerError(said)
