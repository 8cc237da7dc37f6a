"""A server that is killed in the middle of a purchase never buys twice, never denies what it sent, and goes on.

The sandbox's journal is the oracle. The servers are processes that speak over their standard streams.
"""

import shutil
import signal
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import cycle
from pathlib import Path
from random import Random

import httpx
import pytest

from vercel_marketplace_mcp.ledger.files import FILE_NAME
from vercel_marketplace_mcp.sandbox.http import serving

from ..approval.world import FREE, PRO, Json, Person, World, a_world, buy, typed
from . import scale
from .killing import Kill, Nursery, live_and_die, nursery
from .killing_aftermath import End, look_after
from .killing_judge import BROKEN, DENIED, REUSABLE, SECOND, UNASKED, breaches
from .killing_server import STEPS

pytestmark = pytest.mark.anyio

Record = Callable[[str, object], None]

ERAS = ("legacy", "auto")
ROUNDS = scale.of(1, 6)
RANDOM = scale.of(2, 218)
OUTSIDE: dict[str, Json] = {
    "the form is open": {"outside": "form"},
    "Vercel holds the request and has not acted": {"outside": "before"},
    "Vercel has acted and holds its answer": {"outside": "after"},
    "the reply has arrived": {"outside": "reply"},
}
"""What is seen from outside: the first of these servers are programs of their own, started anew."""
NAMED: dict[str, Json] = {name: {"step": name} for name in STEPS} | OUTSIDE
ONLY_PAID = {"the form is open", *(name for name, step in STEPS.items() if not step.free)}
ROOMS: dict[str, tuple[tuple[str, ...], int]] = {
    "any line": (("",), 34_000),
    "any line close to the money": (("ledger", "vercel/client", "tools/create_store"), 1_200),
    "any time": ((), 0),
}
"""Folders and files of the package, with about as many lines as a paid purchase runs in them; a free one runs fewer."""
BREACHES = (SECOND, DENIED, UNASKED, REUSABLE, BROKEN)


@pytest.fixture(scope="module")
def servers() -> Iterator[Nursery]:
    """What forks servers for this file."""
    with nursery() as made:
        yield made


def at_each_step() -> Iterator[Kill]:
    """Kills at every named step: of a paid purchase in either era in turn, or of all kinds in both eras, repeatedly."""
    draw, turns = Random(31), cycle(ERAS)
    for number in range(ROUNDS):
        for name, how in NAMED.items():
            for arguments in (PRO, FREE) if scale.WHOLE and name not in ONLY_PAID else (PRO,):
                for era in ERAS if scale.WHOLE else (next(turns),):
                    fresh = number == 0 and name in OUTSIDE
                    yield Kill(name=name, era=era, arguments=arguments, fresh=fresh, **how, **_what_follows(draw))


def at_random_moments() -> Iterator[Kill]:
    """Kills at a random line of ours or at a random time, spread over the purchase: paid and free, in both eras."""
    draw, turns = Random(32), cycle(ERAS)
    for number in range(RANDOM):
        moment = (number + draw.random()) / RANDOM
        for name, (rooms, lines) in ROOMS.items():
            how: Json = {"line": 1 + int(moment * lines), "rooms": rooms} if rooms else {"seconds": moment * 0.2}
            kind: Json = {"era": next(turns), "arguments": draw.choice((PRO, PRO, FREE))}
            yield Kill(name=name, **kind, **how, **_what_follows(draw))


def _what_follows(draw: Random) -> Json:
    return {"readings": draw.randrange(10), "reconcile": draw.random() < 0.5}


async def died(servers: Nursery, kill: Kill, folder: Path) -> End:
    """Let a server be killed in a world of its own, and look after what it leaves."""
    async with a_world(folder / "state") as world, serving(world.sandbox) as url:
        death = await live_and_die(servers.server(kill.life(world, url)), kill, world)
        assert death.code == -signal.SIGKILL, kill
        assert death.has_replied == (kill.outside == "reply") or kill.name not in NAMED, kill
        end = await look_after(kill, world, url, death.person)
    shutil.rmtree(folder)
    return end


async def all_die(servers: Nursery, kills: Iterator[Kill], folder: Path, record: Record, where: str) -> Counter[str]:
    """Make all these kills and record the figures; how often each phase of a purchase was met."""
    ends = [(kill, await died(servers, kill, folder / f"{number}")) for number, kill in enumerate(kills)]
    wrong = [f"{kill}: {one}" for kill, end in ends for one in end.wrong]
    record(f"kills {where}", len(ends))
    for name, count in Counter(kill.name for kill, _ in ends).items():
        record(f"kills {where}: {name}", count)
    for breach in BREACHES:
        record(f"kills {where} that led to {breach}", sum(breach in one for one in wrong))
    assert wrong == []
    return Counter(end.phase for _, end in ends)


async def test_a_kill_at_any_step_leaves_a_purchase_that_can_be_finished(
    servers: Nursery, tmp_path: Path, record_property: Record
) -> None:
    """T42: at most one request was sent, none is denied, and the same call or a person's look brings the one store."""
    phases = await all_die(servers, at_each_step(), tmp_path, record_property, "at named steps")
    assert set(phases) == {"nothing", "pending", "approved", "prepared", "sending", "created"}


async def test_a_kill_at_any_moment_leaves_a_purchase_that_can_be_finished(
    servers: Nursery, tmp_path: Path, record_property: Record
) -> None:
    """T42: the same holds wherever else the process ends, within a transaction or in the middle of its reading."""
    phases = await all_die(servers, at_random_moments(), tmp_path, record_property, "at random moments")
    assert set(phases) > {"nothing"}


FORGED = {
    "UPDATE purchases SET state = 'never_sent'": [DENIED],
    "UPDATE purchases SET state = 'rejected'": [DENIED],
    "UPDATE purchases SET question = NULL": [UNASKED],
    "UPDATE questions SET state = 'approved'": [REUSABLE],
    "UPDATE meta SET value = '1:0' WHERE name = 'audit_head'": [BROKEN],
}


@pytest.mark.parametrize(("forgery", "found"), FORGED.items())
async def test_the_judge_sees_a_ledger_that_lies(forgery: str, found: list[str], tmp_path: Path) -> None:
    """The same checks that pass above fail for a ledger that denies what the sandbox saw, or whose yes is left over."""
    async with a_world(tmp_path / "state") as world:
        await _buy_once(world)
        with closing(sqlite3.connect(world.folder / FILE_NAME)) as db, db:
            db.execute(forgery)
        assert await breaches(world, paid=True) == found


async def test_the_judge_sees_a_second_request(tmp_path: Path) -> None:
    """A request beside the ledger, for what was bought already, does not escape it."""
    async with a_world(tmp_path / "state") as world:
        await _buy_once(world)
        way = httpx.ASGITransport(app=world.sandbox.app)
        async with httpx.AsyncClient(transport=way, base_url="http://sandbox") as beside:
            await beside.post(world.sandbox.posts[0].path, json=PRO)
        assert await breaches(world, paid=True) == [SECOND, DENIED]


async def _buy_once(world: World) -> None:
    async with world.client("auto", Person(typed("20.00"))) as client:
        assert (await buy(client))["status"] == "created"
    assert await breaches(world, paid=True) == []
