"""Time that passes at once when everybody waits: deadlines and days cost nothing. It decides nothing else."""

import asyncio
import selectors

from ..approval.world import Clock


class FreeTime(Clock):
    """The one clock of a world: of its ledgers, its servers and its event loop. While anybody works it stands still."""

    def __init__(self) -> None:
        super().__init__()
        self.passed = 0.0
        self._start = self.now
        self._at_work = 0

    @property
    def may_pass(self) -> bool:
        """Whether nobody works in a thread, where the event loop can't see it."""
        return self._at_work == 0

    def hold(self) -> None:
        """Let no time pass until as often `let_go` was called: somebody works."""
        self._at_work += 1

    def let_go(self) -> None:
        """Somebody has done their work."""
        self._at_work -= 1

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.passed += seconds
        self.now = self._start + self.passed


class _Waiting(selectors.DefaultSelector):
    def __init__(self, time: FreeTime) -> None:
        super().__init__()
        self._time = time

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Wait for what happens outside, or let the time pass for which the loop would wait."""
        if timeout is None or timeout <= 0:
            return super().select(timeout)
        if not self._time.may_pass:
            return super().select(None)
        happened = super().select(0)
        if not happened:
            self._time.advance(timeout + 1e-6)  # a little more, so that rounding leaves nobody waiting
        return happened


class FreeLoop(asyncio.SelectorEventLoop):
    """An event loop that lives in this time."""

    def __init__(self, time: FreeTime) -> None:
        self._time = time
        super().__init__(_Waiting(time))

    def time(self) -> float:
        """Seconds since the world began."""
        return self._time.passed
