"""What is done to one purchase or question is done to no other: each statement changes what it is about alone."""

from collections.abc import Awaitable, Callable

import pytest

from vercel_marketplace_mcp.ledger.records import Ledger, Meaning

from .places import Place
from .support import approve, ask, begin, buy, decline, identity, needs_a_yes, purchase, send

pytestmark = pytest.mark.anyio

THEIRS = {"principal": "somebody else"}


async def standing(place: Place) -> set[tuple[object, ...]]:
    """Every purchase and every question, with its state."""
    purchases = await place.rows("SELECT id, name, state FROM purchases")
    return {*purchases, *await place.rows("SELECT id, fingerprint, state FROM questions")}


async def changing(ledger: Ledger, label: str) -> str:
    """The id of a change that has used its yes."""
    await approve(ledger, identity(label))
    change = await ledger.begin_change(identity(label), {}, needs_yes=True)
    assert change is not None
    return change


async def crowd(ledger: Ledger) -> dict[str, str]:
    """The ids of purchases, questions and changes in every state, two of a kind where one could be taken for another.

    The first question and the first purchase of all have a yes that stands.
    """
    ids = {"approved": (await approve(ledger, identity("approved"))).id}
    ids["again"] = await buy(ledger, "again", state="never_sent")
    ids["waiting"] = (await ask(ledger, identity("waiting"))).id
    ids["also waiting"] = (await ask(ledger, identity("also waiting"))).id
    await decline(ledger, identity("declined"))
    for state in ("created", "unknown", "mismatch", "rejected"):
        for label in (state, f"also {state}"):
            ids[label] = await buy(ledger, label, state=state)
    for label in ("sent", "also sent"):
        ids[label] = await send(ledger, label)
        await ask(ledger, identity(label))
    for label in ("meant", "also meant"):
        await approve(ledger, identity(label))
        ids[label] = await begin(ledger, purchase(label))
    for label in ("changed", "also changed"):
        ids[label] = await changing(ledger, label)
        await approve(ledger, identity(label))
    ids["not changed"] = await changing(ledger, "not changed")
    for label in ("sent", "meant", "changed", "not changed"):
        await approve(ledger, identity(label, **THEIRS))
    return ids


def of(label: str) -> str:
    """What a question about this is told by."""
    return identity(label).fingerprint


CHANGES: dict[str, set[tuple[str, str]]] = {
    "look": set(),
    "answer yes": {(of("waiting"), "approved")},
    "answer no": {(of("waiting"), "declined")},
    "ask at other terms": {(of("also waiting"), "revoked"), (of("dearer"), "pending")},
    "begin": {("store-approved", "prepared"), (of("approved"), "used")},
    "start sending": {("store-also meant", "sending")},
    "give up": {("store-meant", "never_sent"), (of("meant"), "approved")},
    "finish": {("store-sent", "created"), (of("sent"), "revoked")},
    "settle": {("store-unknown", "created")},
    "acknowledge": {("store-mismatch", "not_created")},
    "forget": {("store-created", "gone")},
    "change": {(of("changed"), "revoked")},
    "change nothing": {(of("not changed"), "approved")},
}


async def test_each_step_changes_what_it_is_about_and_nothing_else(ledger: Ledger, place: Place) -> None:
    """T14: among purchases and questions in every state, of two principals."""
    ids = await crowd(ledger)
    dearer = identity("also waiting", fingerprint=of("dearer"))
    steps: dict[str, Callable[[], Awaitable[object]]] = {
        "look": lambda: ledger.background(identity("another"), "p/q"),
        "answer yes": lambda: ledger.answer(ids["waiting"], "local", Meaning.YES, {}, 600, "form"),
        "answer no": lambda: ledger.answer(ids["waiting"], "local", Meaning.NO, {}, 600, "form"),
        "ask at other terms": lambda: ask(ledger, dearer),
        "begin": lambda: ledger.begin(purchase("approved"), needs_a_yes),
        "start sending": lambda: ledger.start_sending(ids["also meant"]),
        "give up": lambda: ledger.finish(ids["meant"], "never_sent", {}),
        "finish": lambda: ledger.finish(ids["sent"], "created", {}),
        "settle": lambda: ledger.settle(ids["unknown"], created=True),
        "acknowledge": lambda: ledger.settle(ids["mismatch"], created=False),
        "forget": lambda: ledger.forget(ids["created"]),
        "change": lambda: ledger.end_change(ids["changed"], "connected", {}),
        "change nothing": lambda: ledger.end_change(ids["not changed"], "never_sent", {}),
    }
    changed = {}
    before = await standing(place)
    for name, step in steps.items():
        await step()
        after = await standing(place)
        changed[name] = {row[1:] for row in after - before}
        before = after
    assert changed == CHANGES
    assert await ledger.verify() is None
