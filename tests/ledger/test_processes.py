"""A ledger under several processes at once, and under processes that are killed. Fakes nothing."""

import json
import signal
import subprocess
from collections import Counter
from random import Random
from typing import Any

import anyio.to_thread
import pytest

from vercel_marketplace_mcp.ledger.records import Ledger

from ..campaign.scale import of
from .places import Place
from .support import PRICE, approve, history, identity, purchase, start

pytestmark = pytest.mark.anyio

PROCESSES = 5


async def run_all(place: Place, *arguments: str) -> list[Any]:
    """What each of several processes said, which ran at once and none of which failed."""
    processes = [start(place.address, *arguments) for _ in range(PROCESSES)]
    ended = [await anyio.to_thread.run_sync(process.communicate) for process in processes]
    assert [(process.returncode, errors) for process, (_, errors) in zip(processes, ended, strict=True)] == [
        (0, "")
    ] * PROCESSES
    return [json.loads(said) for said, _ in ended]


def total(said: list[dict[str, int]]) -> Counter[str]:
    """How often each purchase was begun, by all the processes together."""
    return sum((Counter(begun) for begun in said), Counter())


async def approve_all(place: Place, count: int, key: str | None = None) -> Ledger:
    """A ledger in which this many purchases are approved."""
    ledger = place.ledger()
    for number in range(count):
        await approve(ledger, identity(f"{number}", **({"key": key} if key else {})))
    return ledger


async def test_of_ten_thousand_attempts_by_five_processes_each_yes_buys_once(place: Place, kind: str) -> None:
    """T11, T59: 200 approved purchases, each attempted by ten calls at once in every process (two: see `scale`)."""
    ledger = await approve_all(place, 200)
    times = 10 if kind == "sqlite" else of(2, 10)
    begun = total(await run_all(place, "race", "200", f"{times}", str(200 * PRICE)))
    assert begun == {purchase(f"{number}").identity.fingerprint: 1 for number in range(200)}
    assert len(await ledger.purchases(1000)) == 200
    assert await ledger.verify() is None
    await ledger.aclose()


async def test_five_processes_share_a_budget_for_five(place: Place) -> None:
    """T13, T59: of fifty approved purchases, attempted by every process, five go through."""
    ledger = await approve_all(place, 50)
    begun = total(await run_all(place, "race", "50", "1", str(5 * PRICE)))
    assert sorted(begun.elements()) == sorted(set(begun))
    assert begun.total() == 5
    assert (await history(ledger)).spent_today == 5 * PRICE
    await ledger.aclose()


async def test_fifty_yeses_for_one_store_create_it_once_in_five_processes(place: Place) -> None:
    """T12, T59: the name of a store is taken by one of them."""
    ledger = await approve_all(place, 50, key="the same")
    assert total(await run_all(place, "race", "50", "1", str(50 * PRICE), "the same")).total() == 1
    await ledger.aclose()


async def test_twenty_first_opens_at_once_make_one_ledger(place: Place) -> None:
    """T59: five processes open four times each what does not exist yet: one ledger, one secret, no error."""
    said = [secret for secrets in await run_all(place, "open", "4") for secret in secrets]
    assert len(said) == 20
    assert len(set(said)) == 1


async def test_nothing_is_lost_or_doubled_when_processes_are_killed(place: Place) -> None:
    """T42: a process is killed at a random moment, twenty times; what it had acknowledged is on disk, and no more."""
    draw, lived = Random(11), 0
    for _ in range(20):
        said = await killed(start(place.address, "live", str(lived)), 5 + draw.randrange(40), draw.random() / 50)
        lived += 1 + sum(kind == "approved" for kind, _ in said)
        ledger = place.ledger()
        assert await ledger.verify() is None
        await ledger.aclose()
        await assert_acknowledged(place, said)
        await assert_no_yes_is_used_and_usable(place)


async def killed(process: subprocess.Popen[str], lines: int, seconds: float) -> list[tuple[str, str]]:
    """What a process said until it was killed, some time after it had said so many lines."""
    assert process.stdout
    assert process.stderr
    with process:
        said = [process.stdout.readline() for _ in range(lines)]
        await anyio.sleep(seconds)
        process.kill()
        said.append(process.stdout.read())  # `communicate` would miss what was read ahead of the lines
        assert (process.stderr.read(), process.wait()) == ("", -signal.SIGKILL)
    return acknowledged("".join(said))


def acknowledged(said: str) -> list[tuple[str, str]]:
    """The steps that a process has told of, the last one only if it was told to its end."""
    whole = [line for line in said.splitlines(keepends=True) if line.endswith("\n")]
    return [(kind, subject) for kind, subject in map(json.loads, whole)]


async def assert_acknowledged(place: Place, said: list[tuple[str, str]]) -> None:
    """Every step that was acknowledged stands in the audit log."""
    logged = set(await place.rows("SELECT kind, subject FROM audit"))
    assert set(said) - logged == set()
    assert len(said) > 4


async def assert_no_yes_is_used_and_usable(place: Place) -> None:
    """A yes is used exactly if there is a purchase for it that was, or may have been, sent."""
    spent = "SELECT question FROM purchases WHERE state <> 'never_sent' AND question IS NOT NULL"
    assert await place.rows(f"SELECT id FROM questions WHERE state <> 'used' AND id IN ({spent})") == []  # noqa: S608
    assert await place.rows(f"SELECT id FROM questions WHERE state = 'used' AND id NOT IN ({spent})") == []  # noqa: S608
    assert await place.rows(f"{spent} GROUP BY question HAVING count(*) > 1") == []
