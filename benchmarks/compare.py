"""Compares a run with the committed figures: which of ours came out worse. It says so and judges nothing else.

Times and sizes of a process are compared as ratios to the floor of the same run, since machines differ; counts that do
not depend on the machine are compared as they are.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from .figures import Figure

ALLOWED = 1.2
"""How many times as large as the committed one a figure may be: beyond it, it is 20 % worse."""
OURS = ("ours", "ours-sandbox")
_AS_THEY_ARE = ("tokens", "commits", "times")
_TOO_UNSTEADY = ("p99", "import")
"""Words in the names of measures that one run says too little about."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Worse:
    """A figure that came out worse than the committed one."""

    contestant: str
    measure: str
    committed: float
    found: float

    def __str__(self) -> str:
        more = f"{(self.found / self.committed - 1) * 100:.0f} %" if self.committed else "more than nothing"
        return f"{self.contestant}, {self.measure}: {self.found:.4g} instead of {self.committed:.4g}, worse by {more}"


def worse(found: Iterable[Figure], committed: Iterable[Figure]) -> Iterator[Worse]:
    """Yield each figure of ours that is more than 20 % worse than the committed one."""
    known = {(figure.contestant, figure.measure): figure for figure in committed if figure.contestant in OURS}
    for figure in found:
        before = known.get((figure.contestant, figure.measure))
        if before is None:
            continue
        now, then = comparable(figure), comparable(before)
        if now is not None and then is not None and now > then * ALLOWED:
            yield Worse(contestant=figure.contestant, measure=figure.measure, committed=then, found=now)


def comparable(figure: Figure) -> float | None:
    """Return what can be held against another run's: a count itself, else the ratio to the floor."""
    if set(_TOO_UNSTEADY) & set(figure.measure.split()):
        return None
    return figure.median if figure.unit in _AS_THEY_ARE else figure.ratio
