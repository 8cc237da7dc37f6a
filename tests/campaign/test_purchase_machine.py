"""Purchases in thousands of orders that nobody thought of: at no step has anything been bought that must not be."""

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

import httpx
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from vercel_marketplace_mcp.sandbox import SANDBOX_TOKEN

from ..approval.world import FREE, Json
from . import scale
from .machine import BrokenError, Purchases

OFTEN = (
    *("created", "confirmation_required", "refused", "outcome_unknown", "create requests"),
    *("approvals", "processes killed", "stores removed"),
)
RARELY = (
    *("not_confirmed", "rejected", "billing_mismatch", "in_progress", "unavailable", "invalid_arguments"),
    *("asked", "frozen", "listed", "purchases settled", "calls left", "restarts", "price changes"),
)
"""What must have happened in a short campaign, and in a whole one, or the machine has shown nothing."""

MEMORY = Path("/dev/shm")  # noqa: S108 - the folder made there is private
"""Where there is such a place, the ledgers lie in memory: what a disk does is not of interest here, and it is slow."""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder for many ledgers."""
    with TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else tmp_path) as name:
        yield Path(name)


def play(machine: Callable[[], RuleBasedStateMachine], runs: int, steps: int) -> None:
    """Let the machine run, each time through other steps, and the same ones in every session."""
    run_state_machine_as_test(
        cast("type[RuleBasedStateMachine]", machine),  # whatever makes a machine will do
        settings=settings(
            max_examples=runs,
            stateful_step_count=steps,
            derandomize=True,
            database=None,
            deadline=None,
            phases=[Phase.generate],  # to shrink a failure takes longer than the guard against hanging allows
            report_multiple_bugs=False,
            suppress_health_check=[HealthCheck.too_slow],  # a step is a whole call, on a disk
        ),
    )


def test_no_order_of_events_buys_what_must_not_be_bought(
    folder: Path, record_property: Callable[[str, object], None]
) -> None:
    """T11 to T17, T40 to T44, T59: calls, answers, repeats, faults, deaths, prices, time; the model finds no fault."""
    figures: Counter[str] = Counter()
    play(lambda: Purchases(folder, figures), scale.of(50, 1200), scale.of(25, 40))
    for name in ("runs", "steps", *OFTEN, *RARELY, "violations"):
        record_property(f"purchase machine: {name}", figures[name])
    assert [name for name in (*OFTEN, *(RARELY if scale.WHOLE else ())) if not figures[name]] == []


class UnheardSettlement(Purchases):
    """Somebody settles whatever is open as not created, and the model does not hear of it."""

    async def look(self) -> None:
        """Look, and settle."""
        await super().look()
        for purchase in self.unsettled:
            await self.town.ledger().settle(purchase.id, created=False)


class PastTheServer(Purchases):
    """Somebody creates stores without the server."""

    @rule()
    def create_past_the_server(self) -> None:
        """Send a create request straight to Vercel."""

        async def send() -> None:
            way = httpx.ASGITransport(self.town.sandbox.app)
            async with httpx.AsyncClient(transport=way, base_url="https://api.vercel.com") as client:
                headers = {"Authorization": f"Bearer {SANDBOX_TOKEN}"}
                await client.post("/v1/storage/stores/integration/direct", json=FREE, headers=headers)

        self.do(send())


class RestoredBackup(Purchases):
    """The ledger as it was in the beginning takes the place of the one that has seen what was bought since."""

    def settle_in(self, limits: Json) -> None:
        """Start, and make a backup."""
        super().settle_in(limits)
        with closing(sqlite3.connect(self.folder / "ledger.sqlite3")) as ledger:
            self.backup = "\n".join(ledger.iterdump())

    @rule()
    def restore_the_backup(self) -> None:
        """Forget what was bought."""
        with closing(sqlite3.connect(self.folder / "ledger.sqlite3")) as ledger, sqlite3.connect(":memory:") as copy:
            copy.executescript(self.backup)
            copy.backup(ledger)


class RewrittenLog(Purchases):
    """Somebody changes what stands in the audit log."""

    @rule()
    def rewrite_the_log(self) -> None:
        """Take a question for an answer."""
        with closing(sqlite3.connect(self.folder / "ledger.sqlite3", isolation_level=None)) as ledger:
            ledger.execute("DROP TRIGGER IF EXISTS audit_is_never_changed")
            ledger.execute("UPDATE audit SET kind = 'approved' WHERE kind = 'asked'")


BROKEN: list[tuple[type[Purchases], Json, str]] = [
    (Purchases, {"max_per_day": 10_00}, "more was spent in a day than the operator allows"),
    (Purchases, {"max_creates_per_hour": 1}, "more requests were sent in an hour than the operator allows"),
    (Purchases, {"approval_ttl": 0}, "a request that may be billed was sent, and nobody had said yes to it"),
    (UnheardSettlement, {}, "a second request was sent for a store that may exist"),
    (PastTheServer, {}, "a request reached Vercel that no process sent"),
    (RestoredBackup, {}, "a request that was sent is not on record as sent"),
    (RewrittenLog, {}, "the audit log does not verify"),
]


@pytest.mark.parametrize(("machine", "believed", "broken"), BROKEN, ids=[broken for _, _, broken in BROKEN])
def test_what_is_broken_from_outside_is_noticed(
    machine: type[Purchases], believed: Json, broken: str, folder: Path
) -> None:
    """The machine can fail: with other limits, unheard people, other senders or a changed ledger it soon does."""
    figures: Counter[str] = Counter()
    with pytest.raises(BrokenError, match=broken):
        play(lambda: machine(folder, figures, believed), 200, 25)
    assert 0 < figures["runs"] < 200
