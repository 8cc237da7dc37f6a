"""Holds the ledger of many replicas against the journal of the Vercel they spoke to. It mends nothing."""

from ..campaign.killing_judge import BROKEN, Records, compare
from .town import Town


async def read(town: Town, name: str) -> Records:
    """What stands in the ledger about the store of this name, read beside our own code."""
    purchases = [row for row in await town.select(_PURCHASES) if row[2] == name]
    questions = [row for row in await town.select(_QUESTIONS) if f'"{name}"' in row[2]]
    audit = await town.select(_AUDIT)
    ours = {subject for subject, *_ in (*purchases, *questions)}
    return Records(
        states={each: state for each, state, *_ in purchases},
        sent={subject for kind, subject in audit if kind == "sending" and subject in ours},
        questions={each: state for each, state, _ in questions},
        asked_for={each: question for each, _, _, question in purchases},
        answers={(kind, subject) for kind, subject in audit if kind in {"approved", "used"} and subject in ours},
    )


_PURCHASES = "SELECT id, state, name, question FROM vercel_marketplace_mcp.purchases ORDER BY created_at"
_QUESTIONS = "SELECT id, state, text FROM vercel_marketplace_mcp.questions ORDER BY asked_at"
_AUDIT = "SELECT kind, subject FROM vercel_marketplace_mcp.audit WHERE kind IN ('sending', 'approved', 'used')"


async def breaches(town: Town, name: str, *, paid: bool) -> list[str]:
    """What is wrong with the ledger, of which one store of this name was to be bought."""
    if await town.problem():
        return [BROKEN]
    return compare(await read(town, name), town.posts_for(name), stores_named(town, name), paid=paid)


def stores_named(town: Town, name: str) -> int:
    """How many stores of this name there are."""
    return sum(store["name"] == name for store in town.sandbox.stores)
