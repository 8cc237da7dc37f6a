"""Purchases in any order, by processes that fail and die and people of any mind. The model judges every step."""

from collections.abc import Callable, Sequence
from typing import Any

import anyio
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule
from mcp.shared.exceptions import MCPError

from .machine_choices import (
    COST,
    DELAY,
    ERA,
    EVENT,
    INDEX,
    LIMITS,
    MIND,
    MOMENT,
    NAMES,
    PROCESS,
    REQUEST,
    SURPRISE,
    TROUBLE,
    TWIST,
    WRITTEN_MIND,
    picked,
)
from .machine_driving import Driving, Work
from .machine_people import Mind
from .machine_prices import Json, resolved
from .machine_town import Process, Trouble
from .machine_troubles import SLOW


class BrokenError(AssertionError):
    """Something happened that must not."""


class Purchases(Driving):
    """Everything that may happen to purchases on one state folder."""

    @initialize(limits=LIMITS)
    def begin(self, limits: Json) -> None:
        """Begin, under some operator's limits."""
        self.settle_in(limits)

    def call(self, number: int, given: Json, work: Work) -> None:
        """Let a process work on a call of create-store."""
        self.calls.append(given)
        self.do(self.attempt(number, given, work))

    @rule(number=PROCESS, era=ERA, given=REQUEST, mind=MIND)
    def buy(self, number: int, era: str, given: Json, mind: Mind) -> None:
        """Call create-store with a client that shows forms."""
        self.call(number, given, self.buying(given, era, mind))

    @rule(number=PROCESS, era=ERA, given=REQUEST, mind=MIND, cost=COST)
    def buy_while_the_price_changes(self, number: int, era: str, given: Json, mind: Mind, cost: str) -> None:
        """Call create-store; while the form is open the plan's price changes."""
        self.call(number, given, self.buying(given, era, mind, lambda: self.reprice(given, cost)))

    @rule(number=PROCESS, era=ERA, given=REQUEST, trouble=TROUBLE, cost=SURPRISE, delay=DELAY)
    def buy_in_trouble(
        self, number: int, era: str, given: Json, trouble: Trouble, cost: str | None, delay: float
    ) -> None:
        """Call create-store twice; something befalls the request, after the price has changed unseen or not."""
        self.town.troubles.insert(0, trouble)
        if cost:
            self.reprice(given, cost, after=2)
        self.call(number, given, self.buying(given, era, "right"))
        self.do(anyio.sleep(delay))
        self.call(number, given, self.buying(given, era, "right"))

    @rule(number=PROCESS, era=ERA, given=REQUEST, steps=st.integers(0, 40))
    def buy_and_die(self, number: int, era: str, given: Json, steps: int) -> None:
        """Call create-store; the process is killed at one of its steps."""
        self.processes[number].wire.life.left = steps
        self.call(number, given, self.buying(given, era, "right"))

    @rule(number=PROCESS, era=ERA, given=REQUEST, patience=st.sampled_from([0.5, 1.5, 3.0]))
    def buy_and_leave(self, number: int, era: str, given: Json, patience: float) -> None:
        """Call create-store, and hang up before Vercel has answered, or the person."""
        self.town.troubles.insert(0, SLOW)
        self.call(number, given, self.within(patience, self.buying(given, era, "right")))

    @rule(number=PROCESS, era=ERA, mind=MIND, index=INDEX)
    def buy_again(self, number: int, era: str, mind: Mind, index: int) -> None:
        """Repeat an earlier call."""
        for given in picked(self.calls, index):
            self.call(number, given, self.buying(given, era, mind))

    @rule(number=PROCESS, era=ERA, mind=MIND, index=INDEX)
    def buy_otherwise(self, number: int, era: str, mind: Mind, index: int) -> None:
        """Ask for a store that was asked for before, with other parameters."""
        for earlier in picked(self.calls, index):
            given = {**earlier, "externalId": "y"}
            self.call(number, given, self.buying(given, era, mind))

    @rule(number=PROCESS, era=ERA, given=REQUEST)
    def buy_without_a_form(self, number: int, era: str, given: Json) -> None:
        """Call create-store with a client that can show nothing."""
        self.call(number, given, self.buying(given, era, None))

    @rule(
        eras=st.tuples(ERA, ERA),
        given=REQUEST,
        name=st.sampled_from(NAMES),
        more=st.sampled_from([{}, {"externalId": "y"}]),
    )
    def buy_twice_at_once(self, eras: tuple[str, str], given: Json, name: str, more: Json) -> None:
        """Call both processes at the same time, for the same store or for two."""
        self.do(self.at_once(list(zip((given, {**given, "name": name, **more}), eras, strict=True))))

    async def at_once(self, calls: list[tuple[Json, str]]) -> None:
        """Make a call of each process at the same time; neither knows the other's answer."""
        judges: list[Callable[[], None]] = []

        async def one(number: int, given: Json, era: str) -> None:
            judges.append(await self.made(number, given, self.buying(given, era, "right")))

        async with anyio.create_task_group() as tasks:
            for number, (given, era) in enumerate(calls):
                tasks.start_soon(one, number, given, era)
        for judge in judges:
            judge()

    def within(self, patience: float, inner: Work) -> Work:
        """Do something for so many seconds at most."""

        async def work(process: Process) -> Json | None:
            scope = anyio.move_on_after(patience)
            try:
                with scope:
                    return await inner(process)
            except* MCPError:  # what its client makes of it
                if not scope.cancel_called:
                    raise
            self.figures["calls left"] += 1
            return None

        return work

    @rule(number=PROCESS, given=REQUEST)
    def open_a_round(self, number: int, given: Json) -> None:
        """Make the first round of a call in the newer era."""
        self.call(number, given, self.buying(given, "auto", "right", leaves_open=True))

    @rule(number=PROCESS, index=INDEX, mind=WRITTEN_MIND, twist=TWIST)
    def end_a_round(self, number: int, index: int, mind: Mind, twist: str | None) -> None:
        """Make a final round, maybe once more, maybe with the question of another call."""
        for opened in picked(self.rounds, index):
            given = {**opened.given, twist: f"{opened.given.get(twist)}-x"} if twist else opened.given
            right = self.buying(given, "auto", mind, opened=opened)
            self.call(number, given, self.twisting(opened, given) if twist else right)

    @rule(index=INDEX, mind=WRITTEN_MIND)
    def answer_at_the_desk(self, index: int, mind: Mind) -> None:
        """Answer a question in a terminal, and leave the call for later."""
        for question in picked(self.waiting, index):
            self.do(self.at_desk(question, mind))

    @rule(number=PROCESS, era=ERA, index=INDEX, delay=DELAY)
    def approve_and_buy(self, number: int, era: str, index: int, delay: float) -> None:
        """Approve a question in a terminal, then make the call again, at once or later."""
        for question in picked(self.waiting, index):
            given = self.model.asked[question.id].request
            self.do(self.at_desk(question, "right"))
            self.do(anyio.sleep(delay))
            self.call(number, given, self.buying(given, era, None))

    @rule(number=PROCESS, given=REQUEST)
    def approve_and_decline(self, number: int, given: Json) -> None:
        """Approve a question in a terminal, then decline it in the form that shows it as well."""
        self.call(number, given, self.buying(given, "auto", "right", leaves_open=True))
        for opened in self.rounds[-1:]:
            for question in self.waiting:
                if question.text == opened.asked.text:
                    self.do(self.at_desk(question, "right"))
            self.call(number, opened.given, self.buying(opened.given, "auto", "wrong", opened=opened))

    @rule(number=PROCESS, era=ERA, index=INDEX)
    def replace_a_store(self, number: int, era: str, index: int) -> None:
        """Somebody removes a store at Vercel; the call that made it is made again."""
        for post in picked([post for post in self.model.posts if post.seen.acted], index):
            self.remove(post.seen.request)
            self.call(number, post.seen.request, self.buying(post.seen.request, era, "right"))

    @rule(event=EVENT)
    def befall(self, event: Sequence[Any]) -> None:
        """Something happens to a process or at Vercel, or will when it is next asked."""
        match event:
            case "trouble", trouble:
                self.town.troubles.append(trouble)
            case "read", operation, fault, times:
                self.town.sandbox.misbehave(operation, fault, times)
            case "price", given, cost, after:
                self.reprice(given, cost, after)
            case "death", number, steps:
                self.processes[number].wire.life.left = steps
            case "wait", seconds:
                self.do(anyio.sleep(seconds))
            case "list", number, given:
                self.call(number, resolved(given), self.listing(resolved(given)))
            case "restart", number:
                self.processes[number] = self.town.start()
                self.figures["restarts"] += 1

    @rule(number=PROCESS, era=ERA, given=REQUEST, seconds=MOMENT)
    def buy_later(self, number: int, era: str, given: Json, seconds: float) -> None:
        """Let time pass, then call create-store."""
        self.do(anyio.sleep(seconds))
        self.call(number, given, self.buying(given, era, "right"))

    @rule(number=PROCESS, era=ERA, index=INDEX, is_honest=st.sampled_from([True, True, True, False]))
    def settle_and_buy(self, number: int, era: str, index: int, is_honest: bool) -> None:
        """Somebody settles a purchase of which nobody knows, or acknowledges another plan; the call is made again."""
        for purchase in picked(self.unsettled, index):
            self.do(self.settle(purchase, is_honest=is_honest))
            for given in [given for given in self.calls if given["name"] == purchase.name][-1:]:
                self.call(number, given, self.buying(given, era, "right"))

    @invariant()
    def nothing_is_broken(self) -> None:
        """What the model says must hold holds."""
        self.figures["steps"] += 1
        if self.model.broken:
            raise BrokenError("; ".join(self.model.broken))
