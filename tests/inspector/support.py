"""What the tests of the Inspector share: an account to buy with, a question, and how it is answered."""

from pathlib import Path

from vercel_marketplace_mcp.sandbox import SANDBOX_TEAM_ID, SANDBOX_TOKEN

from ..node_tools import ROOT

QUESTION = """\
Buy a store for 20.00 USD, charged to the team team_1a2b3c4d5e6f7g8h9i0j1k2l?
Every month: 20.00 USD, until the store is removed.
Product: brindle/brindle-postgres (iap_brindle_postgres)
Billing plan: pro
Store name: "orders"
Payment method: the default one of the team
Chosen by the assistant:
  metadata.region = "fra1"
The partner's own words, not checked:
  "cost: $20.00/month"
  "Storage: 50 GB"
  "Backups: Seven days"
  "Pro"
  "For production"
To buy, type 20.00 - anything else buys nothing."""
"""What is asked for the store "orders" on Brindle's plan "pro", in the region fra1."""
BOUGHT = (
    "created: The store was created and is billed as confirmed. Every month: 20.00 USD, until the store is removed."
)
"""The first line of the answer to a yes."""
KEYCHAIN = "MCP_INSPECTOR_SECRET_STORE"
"""The variable that has the Inspector leave the keychain of the machine alone, with the value "memory"."""


def account(api_url: str, folder: Path) -> dict[str, str]:
    """The variables of a server on a served sandbox, which is the account to it."""
    return {
        "PYTHONPATH": str(ROOT / "server"),
        "VERCEL_MCP_STATE_DIR": str(folder / "state"),
        "VERCEL_TOKEN": SANDBOX_TOKEN,
        "VERCEL_TEAM_ID": SANDBOX_TEAM_ID,
        "VERCEL_API_URL": api_url,
    }
