"""Rounds of starts and calls, all contestants side by side. It judges no figure.

In a round the contestants start in turn, several times, and stay the last time; then they take turns with a few calls
at a time, so that what else the machine does meets all of them alike.
"""

import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from . import places
from .contestants import Contestant
from .figures import READS, Samples
from .process import Server, ServerError, running

CHUNK = 20
"""Calls that a contestant makes before it is the next one's turn."""
AT_ONCE = 50
Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Size:
    """How much is measured: rounds; starts, calls of each kind, and calls altogether in a round."""

    rounds: int
    starts: int
    calls: int
    calls_in_all: int


@dataclass(slots=True)
class Player:
    """A contestant that has been started, and what it has done in this round."""

    contestant: Contestant
    server: Server
    done: int = 0
    asked: int = 0

    def call(self, tool: str, number: int) -> None:
        """Make one read; another number is another question."""
        self.done += 1
        _refuse_errors([self.server.call(self.contestant.names[tool], self._arguments(tool, number))])

    def call_at_once(self, tool: str, numbers: Sequence[int]) -> None:
        """Make several reads without waiting in between."""
        self.done += len(numbers)
        arguments = [self._arguments(tool, number) for number in numbers]
        _refuse_errors(self.server.calls(self.contestant.names[tool], arguments))

    def fresh(self) -> int:
        """Return a number that was not asked about before."""
        self.asked += 1
        return self.asked

    def _arguments(self, tool: str, number: int) -> Mapping[str, Any]:
        return self.contestant.adapt(tool, question(tool, number))


def _refuse_errors(results: Sequence[Mapping[str, Any]]) -> None:
    """Measure no answer that is an error.

    Raises:
        ServerError: one is.
    """
    for result in results:
        if result.get("isError"):
            raise ServerError(f"it answers an error: {str(result['content'])[:300]}")


def question(tool: str, number: int) -> dict[str, Any]:
    """Return the arguments of a read."""
    match tool:
        case "list-configurations":
            return {"view": "account", "integrationIdOrSlug": f"oac_{number:024}"}
        case "list-products":
            return {"id": f"icfg_{number:024}"}
        case _:
            return {"integrationIdOrSlug": "brindle", "productIdOrSlug": f"product-{number:08}"}


def rehearse(contestant: Contestant, url: str) -> None:
    """Start a contestant once and let it make one read.

    Raises:
        ServerError: it does not do that.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="benchmarks-")))
        player = _start(contestant, url, folder, stack, Samples())
        if not contestant.only_starts:
            player.call("list-plans", 0)


def play(contestants: Sequence[Contestant], url: str, size: Size, samples: Samples, say: Say) -> None:
    """Play all rounds, each with another contestant first."""
    for number in range(size.rounds if contestants else 0):
        began, first = time.monotonic(), number % len(contestants)
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="benchmarks-")))
            order = [*contestants[first:], *contestants[:first]]
            for one in order * (size.starts - 1):
                with ExitStack() as once:
                    _start(one, url, folder, once, samples)
            players = [_start(one, url, folder, stack, samples) for one in order]
            _call_all([one for one in players if not one.contestant.only_starts], size, samples)
        say(f"round {number + 1} of {size.rounds}: {time.monotonic() - began:.0f} s")


def _start(contestant: Contestant, url: str, folder: Path, stack: ExitStack, samples: Samples) -> Player:
    environment = places.account(url, folder / contestant.name)
    server = stack.enter_context(running(contestant.command(url), environment))
    opened = server.open()
    server.request("tools/list", {})
    listed, memory = server.moment(), server.memory()
    for name, value in (
        ("initialize wall", opened.wall),
        ("initialize cpu", opened.cpu),
        ("tools wall", listed.wall),
        ("tools cpu", listed.cpu),
        ("start rss", memory.rss),
        ("start pss", memory.pss),
    ):
        samples.add(contestant.name, name, value)
    return Player(contestant=contestant, server=server)


def _call_all(players: Sequence[Player], size: Size, samples: Samples) -> None:
    for player in players:
        for tool in READS:  # what a first call makes once is no part of a call
            player.call(tool, player.fresh())
    for tool in READS:
        _take_turns(players, tool, size.calls, samples, again=False)
        _take_turns(players, tool, size.calls, samples, again=True)
    for player in players:
        _call_at_once(player, samples)
    for player in players:
        while player.done < size.calls_in_all:
            player.call(READS[player.done % 3], player.fresh())
        memory = player.server.memory()
        samples.add(player.contestant.name, "1000 calls rss", memory.rss)
        samples.add(player.contestant.name, "1000 calls pss", memory.pss)


def _take_turns(players: Sequence[Player], tool: str, calls: int, samples: Samples, *, again: bool) -> None:
    took: dict[str, list[float]] = {player.contestant.name: [] for player in players}
    cpu = dict.fromkeys(took, 0.0)
    for count in _chunks(calls):
        for player in players:
            before = player.server.cpu()
            for _ in range(count):
                sent = time.perf_counter()
                player.call(tool, 0 if again else player.fresh())
                took[player.contestant.name].append(player.server.latest - sent)
            cpu[player.contestant.name] += player.server.cpu() - before
    kind = "again" if again else "first"
    for name, seconds in took.items():
        samples.add(name, f"{kind} {tool} cpu", cpu[name] / calls)
        samples.add(name, f"{kind} {tool} p50", median(seconds))
        if not again:
            samples.add(name, f"{kind} {tool} p99", quantiles(seconds, n=100, method="inclusive")[98])


def _call_at_once(player: Player, samples: Samples) -> None:
    numbers, before, sent = [player.fresh() for _ in range(AT_ONCE)], player.server.cpu(), time.perf_counter()
    player.call_at_once("list-plans", numbers)
    samples.add(player.contestant.name, "50 at once wall", player.server.latest - sent)
    samples.add(player.contestant.name, "50 at once cpu", (player.server.cpu() - before) / AT_ONCE)


def _chunks(calls: int) -> Iterator[int]:
    while calls > 0:
        yield min(CHUNK, calls)
        calls -= CHUNK
