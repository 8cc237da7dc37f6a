"""Processes that may be killed at any step, and the ledger that they share. Nothing of the ledger is replaced."""

from pathlib import Path
from typing import cast

import anyio

from vercel_marketplace_mcp.ledger.sqlite import SqliteLedger

from .machine_time import FreeTime


class DiedError(BaseException):
    """The process is no more. Nothing of ours catches it, as nothing catches SIGKILL."""


class Life:
    """How many more steps a process takes: a transaction or a message, begun or done, is one."""

    def __init__(self) -> None:
        self.left: int | None = None

    @property
    def is_over(self) -> bool:
        """Whether the process has died."""
        return self.left is not None and self.left < 0

    def step(self) -> None:
        """Take a step, or die before it.

        Raises:
            DiedError: this was one too many; from here on every step is.
        """
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                raise DiedError


class Turn:
    """Lets one transaction of a ledger at a time into a thread; while it is there, time stands still.

    The process may die before a transaction, and after it was committed.
    """

    def __init__(self, time: FreeTime, life: Life) -> None:
        self._time = time
        self._life = life
        self._one = anyio.CapacityLimiter(1)

    async def __aenter__(self) -> None:
        self._life.step()
        self._time.hold()
        try:
            await self._one.acquire()
        except BaseException:
            self._time.let_go()
            raise

    async def __aexit__(self, *failure: object) -> None:
        self._one.release()
        self._time.let_go()
        self._life.step()


class FrailLedger(SqliteLedger):
    """The ledger of a process that may die."""

    def __init__(self, folder: Path, time: FreeTime, life: Life) -> None:
        super().__init__(folder, time)
        self._one = cast("anyio.CapacityLimiter", Turn(time, life))
