"""What may go wrong once in the middle of a purchase: with the clock, with a file, with the disk. It judges nothing.

Each transaction of a ledger reads its clock once; what goes wrong there goes wrong within the transaction.
"""

import errno
import os
from collections.abc import Callable, Iterator
from itertools import cycle

from vercel_marketplace_mcp.ledger.files import FILE_NAME
from vercel_marketplace_mcp.sandbox import Fault

from ..approval.world import CREATE, FREE, PRO, Clock, Json, Person, World, buy, typed
from . import scale

Happens = Callable[[World], None]

ERAS = ("legacy", "auto")
READING, ANSWERING, SENT = "the plans are read", "a person reads the form", "Vercel has acted"
MOMENTS: tuple[tuple[Json, tuple[int | str, ...]], ...] = (
    (PRO, (*range(1, 9), READING, ANSWERING, SENT)),
    (FREE, (*range(1, 6), READING, SENT) if scale.WHOLE else (4, SENT)),
)
"""When something may happen in a purchase: within each of its transactions, and between them."""
_CALLS = 4


class Interrupted(Clock):
    """A clock that stands still; at one of its readings, and so within a transaction, something happens."""

    def __init__(self, reading: int, happens: Callable[[], None]) -> None:
        super().__init__()
        self._readings_left = reading
        self._happens = happens

    def __call__(self) -> float:
        """Seconds since 1970."""
        self._readings_left -= 1
        if self._readings_left == 0:
            self._happens()
        return self.now


def _set_by(seconds: float) -> Happens:
    def happens(world: World) -> None:
        world.clock.now += seconds

    return happens


def _removed(*endings: str) -> Happens:
    def happens(world: World) -> None:
        for ending in endings:
            (world.folder / f"{FILE_NAME}{ending}").unlink()

    return happens


def _emptied(world: World) -> None:
    os.truncate(world.folder / FILE_NAME, 0)


def _replaced(world: World) -> None:
    (world.folder / FILE_NAME).unlink()
    (world.folder / FILE_NAME).touch(mode=0o600)


def moved_away(world: World) -> None:
    """Move the state folder."""
    world.folder.rename(world.folder.with_name("aside"))


def _made_read_only(world: World) -> None:
    world.folder.chmod(0o500)


def the_disk_fails(world: World) -> None:
    """Let this transaction fail, and then so much time pass that nothing counts as under way."""
    world.clock.now += 121
    raise OSError(errno.EIO, os.strerror(errno.EIO))


CLOCK_FAULTS = {
    "the clock goes forward an hour": _set_by(3600),
    "the clock goes back an hour": _set_by(-3600),
    "the clock goes forward ten years": _set_by(315_360_000),
    "the clock goes back to 1970": _set_by(-1_800_000_000),
}
HARMLESS = {
    "SQLite's log is removed": _removed("-wal"),
    "SQLite's log and its index are removed": _removed("-wal", "-shm"),
    "the lock's file is removed": _removed(".lock"),
    "the folder is made read-only": _made_read_only,
}
FATAL = {
    "the ledger is removed": _removed(""),
    "the ledger is replaced by an empty file": _replaced,
    "the ledger is emptied": _emptied,
}


def cases() -> Iterator[tuple[int | str, str, Json]]:
    """Each moment of a paid and of a free purchase, in either era in turn, or in both."""
    turns = cycle(ERAS)
    for arguments, moments in MOMENTS:
        for moment in moments:
            for era in ERAS if scale.WHOLE else (next(turns),):
                yield moment, era, arguments


async def bought(
    world: World, happens: Happens, moment: int | str, era: str, arguments: Json
) -> tuple[list[Json], int]:
    """Make the same call until it is settled, and let something happen meanwhile.

    Return the answers, and how often somebody was asked. The server ends before that.
    """
    left = [happens]

    def once() -> None:
        if left:
            left.pop()(world)

    async def while_vercel_waits() -> None:
        once()

    if isinstance(moment, int):
        world.clock = Interrupted(moment, once)
    elif moment != ANSWERING:
        world.sandbox.misbehave(CREATE if moment == SENT else "getBillingPlans", Fault(until=while_vercel_waits))
    person = Person(typed("20.00"), meanwhile=once if moment == ANSWERING else None)
    found: list[Json] = []
    async with world.client(era, person) as client:
        while len(found) < _CALLS and (not found or found[-1]["status"] not in ("created", "rejected")):
            found.append(await buy(client, **arguments))
    assert left == [], moment
    await world.close_ledgers()
    return found, len(person.shown)
