"""Chooses where the ledger is kept, as the operator has set. It opens nothing yet, and imports no database in vain."""

from vercel_marketplace_mcp.ledger.records import Ledger
from vercel_marketplace_mcp.settings import Settings


def open_ledger(chosen: Settings) -> Ledger:
    """Return the ledger of these settings, which connects on first use."""
    if chosen.ledger_url is not None:
        from vercel_marketplace_mcp.ledger.postgres import PostgresLedger

        return PostgresLedger(chosen.ledger_url)
    from vercel_marketplace_mcp.ledger.sqlite import SqliteLedger

    return SqliteLedger(chosen.state_dir)
