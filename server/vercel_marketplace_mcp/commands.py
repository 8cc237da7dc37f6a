"""The commands for people: approve and ledger. They read the ledger of a state folder and need no token."""

import os
import sys
from argparse import Namespace
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import anyio

from vercel_marketplace_mcp import settings
from vercel_marketplace_mcp.approval import desk
from vercel_marketplace_mcp.ledger.opening import open_ledger
from vercel_marketplace_mcp.ledger.records import Ledger, LedgerError, Meaning, Purchase
from vercel_marketplace_mcp.purchase.money import dollars
from vercel_marketplace_mcp.results import moment
from vercel_marketplace_mcp.text import clean

DONE, NO, WRONG_USAGE = 0, 1, 2
_PAGE = 50


def run(parsed: Namespace) -> int:
    """Run one of the commands and return its exit code."""
    desk.take_any_character()
    try:
        rules = settings.load_policy({**os.environ, **_chosen_folder(parsed)})
        return anyio.run(_run, parsed, rules, open_ledger(rules))
    except (settings.SettingsError, desk.NotAtDeskError, LedgerError) as error:
        _say(f"vercel-marketplace-mcp: {error}", sys.stderr)
        return WRONG_USAGE


def _chosen_folder(parsed: Namespace) -> dict[str, str]:
    """Return the settings that a named folder replaces: the ledger in it is meant, not one in a database."""
    if not parsed.state_dir:
        return {}
    folder = {"VERCEL_MCP_STATE_DIR": str(Path(parsed.state_dir).absolute())}
    return folder if parsed.command == "import" else {**folder, "VERCEL_MCP_LEDGER_URL": ""}


async def _run(parsed: Namespace, rules: settings.Settings, ledger: Ledger) -> int:
    try:
        match parsed.command:
            case "approve":
                return await _approve(parsed, rules, ledger)
            case "list":
                return await _list(parsed, ledger)
            case "show":
                return await _show(parsed, ledger)
            case "verify":
                return await _verify(ledger)
            case "import":
                return await _import(rules)
            case _:
                return await _resolve(parsed, ledger)
    finally:
        await ledger.aclose()


async def _approve(parsed: Namespace, rules: settings.Settings, ledger: Ledger) -> int:
    desk.require_person(os.environ, sys.stdin, sys.stdout)
    question = desk.choose(await ledger.pending(), parsed.code)
    typed = desk.prompt(f"{question.text}\n\n> ")
    meaning = await desk.answer(question, typed, ledger, rules.approval_ttl, user=os.getuid())
    _say(desk.outcome(meaning))
    return NO if meaning is Meaning.NO else DONE


async def _list(parsed: Namespace, ledger: Ledger) -> int:
    if parsed.before is not None and await ledger.purchase(parsed.before) is None:
        _say(f"There is no purchase {clean(parsed.before)} in this ledger.", sys.stderr)
        return NO
    purchases = await ledger.purchases(_PAGE, parsed.before)
    for purchase in purchases:
        _say(_line(purchase))
    for question in await ledger.pending():
        asked = f"asked by {clean(question.principal)}: {clean(question.text.splitlines()[0])}"
        _say(f"waiting for approval: code {question.code}, until {moment(question.expires_at)}, {asked}")
    if len(purchases) == _PAGE:
        _say(f"more: ledger list --before {purchases[-1].id}")
    return DONE


async def _show(parsed: Namespace, ledger: Ledger) -> int:
    codes = {question.code: question.id for question in await ledger.pending()}
    purchase = await ledger.purchase(parsed.id)
    rows = await ledger.audit(codes.get(parsed.id.upper(), parsed.id))
    if purchase is None and not rows:
        _say(f"There is no purchase or question {clean(parsed.id)} in this ledger.", sys.stderr)
        return NO
    if purchase is not None:
        _say(_line(purchase))
        question = next((row.detail["question"] for row in rows if row.detail.get("question")), None)
        rows = [*(await ledger.audit(question) if question else []), *rows]
    for row in sorted(rows, key=lambda row: row.seq):
        _say(f"{moment(row.at)}  {row.kind}  {row.subject}")
        for line in _tell(row.detail):
            _say(f"    {line}")
    return DONE


async def _verify(ledger: Ledger) -> int:
    problem = await ledger.verify()
    _say(f"The ledger does not verify: {problem}." if problem else "The audit log is whole.")
    return NO if problem else DONE


async def _import(rules: settings.Settings) -> int:
    from vercel_marketplace_mcp.ledger.moving import move
    from vercel_marketplace_mcp.ledger.postgres import PostgresLedger

    if rules.ledger_url is None:
        raise LedgerError("Set VERCEL_MCP_LEDGER_URL to the database that is to keep the ledger from now on.")
    target = PostgresLedger(rules.ledger_url)
    try:
        count = await move(rules.state_dir, target)
    finally:
        await target.aclose()
    _say(f"Moved, {count} purchases. No server uses the ledger in {rules.state_dir} any more.")
    return DONE


async def _resolve(parsed: Namespace, ledger: Ledger) -> int:
    desk.require_person(os.environ, sys.stdin, sys.stdout)
    purchase = await ledger.purchase(parsed.id)
    if purchase is not None and purchase.state in {"prepared", "sending"}:
        _say("It is still under way. Try again in two minutes: by then its outcome is known, or can be settled.")
        return NO
    if purchase is None or purchase.state not in {"unknown", "mismatch"} or purchase.settled_at is not None:
        _say("There is nothing to settle: no such purchase, or its outcome is known.", sys.stderr)
        return NO
    verdict = "exists" if parsed.created else "does not exist"
    lines = [_line(purchase), *_tell(purchase.receipt or {})]
    lines += [f"You have looked at Vercel, and the store {verdict}.", "Type its name to record that.", "", "> "]
    if clean(desk.prompt("\n".join(lines))) != clean(purchase.name):
        _say("That is not its name. Nothing was recorded.")
        return NO
    settled = await ledger.settle(purchase.id, created=parsed.created)
    _say(_line(settled) if settled else "It was settled meanwhile.")
    return DONE if settled else NO


def _tell(detail: Mapping[str, Any], of: str = "") -> Iterator[str]:
    """Yield what the ledger keeps of something, a line for each text; a member of a member is named by its path."""
    for name, value in detail.items():
        path = f"{of}{clean(name)}"
        if isinstance(value, Mapping):
            yield from _tell(value, f"{path}.")
        else:
            texts = value if isinstance(value, list) else str(value).splitlines()
            yield from (f"{path}: {clean(str(text))}" for text in texts)


def _line(purchase: Purchase) -> str:
    counts = f"counts {dollars(purchase.counts)} USD"
    plan = clean(purchase.plan) if purchase.plan else "any free plan"
    settled = ", settled by a person" if purchase.settled_at else ""
    return (
        f"{purchase.id}  {moment(purchase.created_at)}  {purchase.state}{settled}  "
        f"{clean(purchase.product)} / {clean(purchase.name)}  plan {plan}  {counts}  for {clean(purchase.principal)}"
    )


def _say(text: str, stream: object = None) -> None:
    print(text, file=stream or sys.stdout)  # type: ignore[arg-type]
