"""The command doctor: looks at settings, ledger, reachability, token and team, and says what to mend. It only reads."""

import sys
from collections.abc import AsyncIterator

import anyio

from vercel_marketplace_mcp import logs, settings
from vercel_marketplace_mcp.ledger.opening import open_ledger
from vercel_marketplace_mcp.ledger.records import LedgerError
from vercel_marketplace_mcp.vercel.client import VercelClient
from vercel_marketplace_mcp.vercel.errors import VercelError
from vercel_marketplace_mcp.vercel.operations import GET_CONFIGURATIONS, Call


def run() -> int:
    """Print a line for each thing looked at; 0 if nothing needs mending, 1 if something does, 2 for wrong settings."""
    try:
        chosen = settings.load()
    except settings.SettingsError as error:
        sys.stdout.write(f"mend  settings: {error}\n")
        return 2
    logs.configure(chosen.secrets)
    return anyio.run(_report, chosen)


async def _report(chosen: settings.Settings) -> int:
    healthy = True
    sys.stdout.write("ok    settings\n")
    async for name, problem in _examine(chosen):
        healthy = healthy and problem is None
        sys.stdout.write(f"mend  {name}: {problem}\n" if problem else f"ok    {name}\n")
    return 0 if healthy else 1


async def _examine(chosen: settings.Settings) -> AsyncIterator[tuple[str, str | None]]:
    """Yield what was looked at, and what is wrong with it."""
    missing = "set VERCEL_TEAM_ID or VERCEL_TEAM_SLUG: without a team nothing is created"
    yield "team", None if chosen.team else missing
    yield "ledger", await _ledger_problem(chosen)
    yield f"token and reachability of {chosen.api_url}", await _api_problem(chosen)


async def _ledger_problem(chosen: settings.Settings) -> str | None:
    ledger = open_ledger(chosen)
    try:
        return await ledger.verify()
    except LedgerError as error:
        return str(error)
    finally:
        await ledger.aclose()


async def _api_problem(chosen: settings.Settings) -> str | None:
    client = VercelClient(chosen)
    try:
        await client.read(Call(operation=GET_CONFIGURATIONS, team=chosen.team, query={"view": "account"}))
    except VercelError as error:
        return f"{error.message} {error.next_step}"
    finally:
        await client.aclose()
    return None
