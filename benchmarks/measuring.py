"""A whole run: who takes part, everything that is measured of them, and what had to be left out."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from . import commits, context, environments, imports, rounds, scale, tokens, vercel
from .contestants import ALL, Contestant
from .figures import START_FLOOR, Figure, Samples
from .process import ServerError
from .rounds import Say, Size


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """How much is measured."""

    size: Size
    wanted: tuple[str, ...]
    install: bool
    compile: bool
    entries: tuple[int, ...]
    ledgers: tuple[int, ...]
    repeats: int
    """Calls for each size of a series, and starts for the table of imports."""


NAMES = tuple(one.name for one in ALL)
WITHOUT_INSTALLATION = tuple(one.name for one in ALL if one.needs is None)
_SERIES = ("ours", "floor+http")


@dataclass(slots=True)
class Run:
    """What a run has given until now."""

    plan: Plan
    say: Say
    samples: Samples = field(default_factory=Samples)
    skipped: list[str] = field(default_factory=list)
    environments: list[str] = field(default_factory=list)

    def figures(self) -> list[Figure]:
        """Return what was measured."""
        return self.samples.figures()

    def everything(self) -> None:
        """Measure all that the plan holds."""
        contestants = self._take_part()
        with vercel.swift() as url:
            contestants = [one for one in contestants if self._answers(one, url)]
            rounds.play(contestants, url, self.plan.size, self.samples, self.say)
            self.say("answers with more and more entries")
            series = [one for one in contestants if one.name in _SERIES]
            scale.entries(series, url, self.plan.entries, self.plan.repeats, self.samples)
        with vercel.sandbox() as url:
            self._weigh(contestants, url)
            if any(one.name == "ours" for one in contestants):
                self._ours(url)
        self._imports()

    def _take_part(self) -> list[Contestant]:
        if self.plan.compile:
            environments.compile_all(None)
        return [one for one in ALL if one.name in self.plan.wanted and self._is_installed(one)]

    def _is_installed(self, contestant: Contestant) -> bool:
        if contestant.needs is None or contestant.needs in self.environments:
            return True
        if not self.plan.install:
            return self._leave_out(contestant, "it needs an installation, which was not asked for")
        try:
            self.say(f"environment of {contestant.name}")
            environments.install(contestant.needs)
            environments.compile_all(contestant.needs)
        except environments.NotInstalledError as error:
            return self._leave_out(contestant, f"it can't be installed: {error}")
        self.environments.append(contestant.needs)
        return True

    def _answers(self, contestant: Contestant, url: str) -> bool:
        """Start one of the others once, before anything is measured: one that fails is left out."""
        if contestant.needs is None:
            return True
        try:
            rounds.rehearse(contestant, url)
        except (ServerError, OSError) as error:
            return self._leave_out(contestant, f"it does not run: {error}")
        return True

    def _leave_out(self, contestant: Contestant, why: str) -> bool:
        self.skipped.append(f"{contestant.name}: {why}")
        self.say(f"left out: {self.skipped[-1]}")
        return False

    def _weigh(self, contestants: Sequence[Contestant], url: str) -> None:
        self.say("what a model reads")
        if tokens.counter() is None:
            self.skipped.append("tokens: the tokenizer (bpe-openai) is not installed")
        for number, one in enumerate(one for one in contestants if not one.only_starts):
            try:
                context.weigh(one, url, f"orders-{number:02}", self.samples)
            except context.NotDoneError as error:
                self.skipped.append(f"{one.name}, workflow: {error}")
        context.weigh_raw(url, "orders-99", self.samples)

    def _ours(self, url: str) -> None:
        self.say("commits, and ledgers of the past")
        commits.count(url, self.samples)
        scale.ledger(ALL[0].command(url), url, self.plan.ledgers, self.plan.repeats, self.samples)

    def _imports(self) -> None:
        for name, arguments in (("ours", imports.OURS), (START_FLOOR, imports.FLOOR)):
            if name in self.plan.wanted:
                for package, seconds in imports.seconds(arguments, self.plan.repeats).items():
                    self.samples.add(name, f"import {package}", seconds)
