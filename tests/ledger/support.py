"""Purchases for the tests of ledgers. As a program it is one of several processes on one ledger; it fakes nothing."""

import json
import os
import resource
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
from pydantic import SecretStr

from vercel_marketplace_mcp.ledger.files import FILE_NAME
from vercel_marketplace_mcp.ledger.postgres import PostgresLedger
from vercel_marketplace_mcp.ledger.records import (
    Begun,
    Identity,
    Ledger,
    LedgerError,
    Meaning,
    NewPurchase,
    Question,
    Wording,
)
from vercel_marketplace_mcp.ledger.sqlite import SqliteLedger
from vercel_marketplace_mcp.purchase.policy import Ask, Facts, History, Limits, Proceed, Verdict, judge
from vercel_marketplace_mcp.purchase.quote import Quote

ROOT = Path(__file__).parents[2]
ACCOUNT = "https://api.vercel.com team_abc"
PRODUCT = "brindle/brindle-postgres"
WORDING = Wording(text="Buy a store for 20.00 USD?\nTo buy, type 20.00 - anything else buys nothing.", expected="20.00")
PRICE = 20_00
LIMITS = Limits(
    paid=True,
    unpriced=True,
    max_per_purchase=100_00,
    max_per_day=250_00,
    max_creates_per_hour=20,
    allowed_products=None,
)
GENEROUS = {"max_creates_per_hour": 10_000}


class Clock:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.at = 1_800_000_000.0

    def __call__(self) -> float:
        """The moment, in seconds since 1970."""
        return self.at


def identity(label: str = "one", **changes: str) -> Identity:
    """Whom and what the purchase with this label concerns; `changes` replace members."""
    members = {name: f"{name} of {label}" for name in ("key", "request", "fingerprint")}
    return Identity(**{"account": ACCOUNT, "principal": "local", **members, **changes})


def purchase(label: str = "one", *, counts: int = PRICE, product: str = PRODUCT, **changes: str) -> NewPurchase:
    """The purchase with this label, about to be made."""
    return NewPurchase(
        identity=identity(label, **changes), product=product, name=f"store-{label}", plan="pro", counts=counts
    )


def needs_a_yes(_history: History) -> Verdict:
    """A verdict on a purchase that may be billed, whatever happened before."""
    return Ask()


def is_free(_history: History) -> Verdict:
    """A verdict on a free purchase."""
    return Proceed()


def rules(*asking: Callable[[Facts], bool], counts: int = PRICE, **limits: Any) -> Callable[[History], Verdict]:
    """The operator's rules about a purchase of this price, as the ledger calls them; `asking` replaces the rules."""
    price = Quote(due_now=counts, recurring=0, period=None, words=(), counts=counts)

    def allow(history: History) -> Verdict:
        facts = Facts(limits=replace(LIMITS, **limits), history=history, quote=price)
        return judge(facts, asking) if asking else judge(facts)

    return allow


async def ask(ledger: Ledger, who: Identity, wording: Wording = WORDING) -> Question:
    """The pending question about a purchase."""
    question = await ledger.ask(who, wording, "terminal", needs_a_yes)
    assert isinstance(question, Question)
    return question


async def approve(ledger: Ledger, who: Identity, ttl: float = 600) -> Question:
    """A question about a purchase, answered with yes."""
    question = await ask(ledger, who, replace(WORDING, ttl=ttl))
    assert await ledger.answer(question.id, who.principal, Meaning.YES, {"by": "a test"}, ttl, "form") == "approved"
    return question


async def decline(ledger: Ledger, who: Identity) -> None:
    """A question about a purchase, answered with no."""
    question = await ask(ledger, who)
    assert await ledger.answer(question.id, "local", Meaning.NO, {}, 600, "form") == "declined"


async def begin(ledger: Ledger, new: NewPurchase, allow: Callable[[History], Verdict] = needs_a_yes) -> str:
    """The id of a purchase whose intent is on disk."""
    start = await ledger.begin(new, allow)
    assert isinstance(start, Begun), start
    return start.purchase_id


async def send(ledger: Ledger, label: str = "one", **changes: Any) -> str:
    """The id of an approved purchase that is being sent."""
    new = purchase(label, **changes)
    await approve(ledger, new.identity)
    purchase_id = await begin(ledger, new)
    assert await ledger.start_sending(purchase_id)
    return purchase_id


async def buy(ledger: Ledger, label: str = "one", state: str = "created", **changes: Any) -> str:
    """The id of an approved purchase with this outcome."""
    purchase_id = await send(ledger, label, **changes)
    await ledger.finish(purchase_id, state, {"status": state})
    return purchase_id


async def lived_in(folder: Path, purchases: int) -> Path:
    """The file of a closed ledger in which this many purchases were made."""
    ledger = SqliteLedger(folder)
    for number in range(purchases):
        await buy(ledger, f"{number}")
    await ledger.aclose()
    return folder / FILE_NAME


async def history(ledger: Ledger, who: Identity | None = None) -> History:
    """What the ledger knows that bears on a purchase."""
    return (await ledger.background(who or identity(), PRODUCT)).history


def ledger_at(address: str) -> Ledger:
    """The ledger in a folder, or in a database that is named as an operator names it."""
    if address.startswith("postgresql://"):
        return PostgresLedger(SecretStr(address))
    return SqliteLedger(Path(address))


def start(place: Path | str, *arguments: str, before: Sequence[str] = ()) -> subprocess.Popen[str]:
    """This program as a process on a ledger, run by another program if `before` names one."""
    command = [*before, sys.executable, __file__, arguments[0], str(place), *arguments[1:]]
    environment = {"PYTHONPATH": str(ROOT / "server"), "PYTHONDONTWRITEBYTECODE": "1", "PATH": os.environ["PATH"]}
    pipe = subprocess.PIPE
    return subprocess.Popen(command, env=environment, stdin=pipe, stdout=pipe, stderr=pipe, text=True)


async def contend(
    ledger: Ledger, purchases: list[NewPurchase], times: int, allow: Callable[[History], Verdict] = needs_a_yes
) -> dict[str, int]:
    """Begin every purchase `times` times at once; return how often each fingerprint was begun and could be sent."""
    begun: Counter[str] = Counter()

    async def attempt(new: NewPurchase) -> None:
        start = await ledger.begin(new, allow)  # an intent that is not sent would be given up by a slow machine
        may_be_sent = isinstance(start, Begun) and await ledger.start_sending(start.purchase_id)
        begun[new.identity.fingerprint] += may_be_sent

    async with anyio.create_task_group() as tasks:
        for _ in range(times):
            for new in purchases:
                tasks.start_soon(attempt, new)
    return dict(begun)


async def _race(place: str, count: str, times: str, limit: str, key: str = "") -> None:
    """Attempt this many approved purchases this often, within a limit for the day, of one store if it has a key."""
    same: dict[str, Any] = {"key": key} if key else {}
    purchases = [purchase(f"{number}", **same) for number in range(int(count))]
    _say(await contend(ledger_at(place), purchases, int(times), rules(max_per_day=int(limit), **GENEROUS)))


async def _open(place: str, count: str) -> None:
    """Open the ledger anew `count` times at once."""
    secrets = []

    async def first() -> None:
        ledger = ledger_at(place)
        secrets.append((await ledger.secret()).hex())
        await ledger.aclose()

    async with anyio.create_task_group() as tasks:
        for _ in range(int(count)):
            tasks.start_soon(first)
    _say(secrets)


async def _attempt(place: str) -> None:
    """Ask one question and say how that went."""
    try:
        await ask(ledger_at(place), identity())
    except LedgerError as error:
        _say(str(error))
    else:
        _say("asked")


async def _fill(place: str, largest_file: str) -> None:
    """Ask until the ledger says no, make room, go on, and say what stands in the ledger then."""
    if int(largest_file):
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(largest_file), resource.RLIM_INFINITY))
    ledger, said = ledger_at(place), ""
    asked: list[Question] = []
    while not said:
        try:
            asked.append(await ask(ledger, identity(f"{len(asked)}"), Wording(text="x" * 5000, expected="20.00")))
        except LedgerError as error:
            said = str(error)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    (Path(place).parent / "ballast").unlink(missing_ok=True)
    asked.append(await ask(ledger, identity("one more")))
    is_whole = await ledger.verify() is None and await ledger.pending() == asked
    _say({"said": said, "is_whole": is_whole})


async def _hold(place: str) -> None:
    """Hold the ledger's lock until standard input ends."""
    db = sqlite3.connect(Path(place) / "ledger.sqlite3", isolation_level=None)
    db.execute("BEGIN EXCLUSIVE")
    _say("held")
    sys.stdin.read()


async def _freeze(place: str) -> None:
    """Stand still in the middle of a transaction, with something written in it, until standard input ends."""

    def ponder(_history: History) -> Verdict:
        _say("held")
        sys.stdin.read()
        return Ask()

    await ledger_at(place).ask(identity(), WORDING, "form", ponder)


async def _live(place: str, start: str) -> None:
    """Buy without end; acknowledge each step once it is done."""
    ledger = ledger_at(place)
    for number in range(int(start), int(start) + 100_000):
        new = purchase(f"{number}", counts=0)
        question = await approve(ledger, new.identity)
        _say(["approved", question.id])
        purchase_id = await begin(ledger, new)
        _say(["prepared", purchase_id])
        assert await ledger.start_sending(purchase_id)
        _say(["sending", purchase_id])
        state = ("created", "rejected", "never_sent", "unknown")[number % 4]
        await ledger.finish(purchase_id, state, {"status": state})
        _say([state, purchase_id])


def _say(value: Any) -> None:
    print(json.dumps(value), flush=True)  # noqa: T201 - this program speaks on standard output


COMMANDS: dict[str, Callable[..., Awaitable[None]]] = {
    "race": _race,
    "open": _open,
    "attempt": _attempt,
    "fill": _fill,
    "hold": _hold,
    "freeze": _freeze,
    "live": _live,
}

if __name__ == "__main__":
    anyio.run(COMMANDS[sys.argv[1]], *sys.argv[2:])
