"""What was measured: samples by round, their medians, and their ratios to the floor in the same round. No I/O but CSV.

Less is better for every measure.
"""

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from statistics import median

START_FLOOR, FLOOR, RAW = "floor", "floor+http", "raw"
READS = ("list-configurations", "list-products", "list-plans")


@dataclass(frozen=True, kw_only=True, slots=True)
class Measure:
    """Something that is measured: its unit, what it is, and which contestant its ratios are taken to."""

    unit: str
    what: str
    base: str | None = None


def _calls() -> Iterator[tuple[str, Measure]]:
    for tool in READS:
        yield f"first {tool} cpu", Measure(unit="s", what=f"CPU of a {tool} that was not asked before", base=FLOOR)
        yield f"first {tool} p50", Measure(unit="s", what=f"{tool} not asked before, half are faster", base=FLOOR)
        yield f"first {tool} p99", Measure(unit="s", what=f"{tool} not asked before, 99 % are faster", base=FLOOR)
        yield f"again {tool} cpu", Measure(unit="s", what=f"CPU of a {tool} repeated within a minute", base=FLOOR)
        yield f"again {tool} p50", Measure(unit="s", what=f"{tool} repeated, half are faster", base=FLOOR)


MEASURES: Mapping[str, Measure] = {
    "initialize wall": Measure(unit="s", what="from the start of the process to its first answer", base=START_FLOOR),
    "initialize cpu": Measure(unit="s", what="CPU until the first answer", base=START_FLOOR),
    "tools wall": Measure(unit="s", what="from the start of the process to the answer of tools/list", base=START_FLOOR),
    "tools cpu": Measure(unit="s", what="CPU until tools/list was answered", base=START_FLOOR),
    "start rss": Measure(unit="B", what="resident memory once tools/list was answered", base=START_FLOOR),
    "start pss": Measure(unit="B", what="the same, shared pages shared out", base=START_FLOOR),
    **dict(_calls()),
    "50 at once wall": Measure(unit="s", what="50 list-plans sent at once, until the last is answered", base=FLOOR),
    "50 at once cpu": Measure(unit="s", what="CPU of 50 list-plans sent at once, each", base=FLOOR),
    "1000 calls rss": Measure(unit="B", what="resident memory after the last call", base=FLOOR),
    "1000 calls pss": Measure(unit="B", what="the same, shared pages shared out", base=FLOOR),
    "tools bytes": Measure(unit="B", what="tools/list, whole, as compact JSON", base=FLOOR),
    "tools tokens": Measure(unit="tokens", what="tools/list, whole, as compact JSON", base=FLOOR),
    "four tools bytes": Measure(unit="B", what="the four tools of the workflow, whole", base=FLOOR),
    "four tools tokens": Measure(unit="tokens", what="the four tools of the workflow, whole", base=FLOOR),
    "four tools read bytes": Measure(unit="B", what="their names, descriptions and input schemas", base=FLOOR),
    "four tools read tokens": Measure(unit="tokens", what="their names, descriptions and input schemas", base=FLOOR),
    "further tool bytes": Measure(unit="B", what="description and schemas of the largest tool beside the four"),
    "workflow asked tokens": Measure(unit="tokens", what="the arguments of the four calls, which a model writes"),
    **{
        f"workflow {part} {unit}": Measure(
            unit="B" if unit == "bytes" else unit, what=f"the four answers: {what}", base=RAW
        )
        for part, what in (
            ("text", "their text content alone"),
            ("structured", "their structured content alone, as compact JSON"),
            ("both", "text and structured content"),
        )
        for unit in ("bytes", "tokens")
    },
    "commits of a read": Measure(unit="commits", what="transactions of the ledger that wrote, in three reads"),
    "commits of a free store": Measure(unit="commits", what="transactions of the ledger that wrote"),
    "commits of an approved store": Measure(unit="commits", what="the same; the promise needs five"),
    "ledger growth create": Measure(
        unit="times", what="CPU of a free store over the largest ledger, to the smallest that is not empty"
    ),
    "ledger growth look": Measure(unit="times", what="CPU of reading the latest purchases, likewise"),
}


def measure(name: str) -> Measure:
    """Return what a measure is; series are named `scale KIND SIZE`, imports `import PACKAGE`."""
    if name.startswith("import "):
        return Measure(unit="s", what="importing the modules of this package", base=START_FLOOR)
    if name.startswith("scale ledger"):
        return Measure(unit="s", what="CPU over a ledger of that many purchases")
    if name.startswith("scale "):
        return Measure(unit="s", what="CPU of a call whose answer has that many entries", base=FLOOR)
    return MEASURES[name]


@dataclass(frozen=True, kw_only=True, slots=True)
class Figure:
    """What came out for one contestant and measure. Ratios are of the same round; without a base there are none."""

    contestant: str
    measure: str
    unit: str
    rounds: int
    median: float
    min: float
    max: float
    base: str = ""
    ratio: float | None = None
    ratio_min: float | None = None
    ratio_max: float | None = None


@dataclass(slots=True)
class Samples:
    """What was measured, by contestant and measure: a value for each round or, of starts, several."""

    values: dict[tuple[str, str], list[float]] = field(default_factory=dict)

    def add(self, contestant: str, name: str, value: float) -> None:
        """Keep what a round gave."""
        self.values.setdefault((contestant, name), []).append(value)

    def figures(self) -> list[Figure]:
        """Return a figure for each contestant and measure."""
        return [self._figure(contestant, name, found) for (contestant, name), found in self.values.items()]

    def _figure(self, contestant: str, name: str, found: list[float]) -> Figure:
        known = measure(name)
        floors = self.values.get((known.base, name), []) if known.base else []
        ratios = [value / floor for value, floor in zip(found, floors, strict=False) if floor]
        return Figure(
            contestant=contestant,
            measure=name,
            unit=known.unit,
            rounds=len(found),
            median=median(found),
            min=min(found),
            max=max(found),
            base=(known.base or "") if ratios else "",
            ratio=median(ratios) if ratios else None,
            ratio_min=min(ratios, default=None),
            ratio_max=max(ratios, default=None),
        )


def write(figures: Iterable[Figure], path: Path) -> None:
    """Write the figures, a row each."""
    names = [member.name for member in fields(Figure)]
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(names)
        rows.writerows([_shown(getattr(figure, name)) for name in names] for figure in figures)


def _shown(value: object) -> str:
    return "" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)


def read(path: Path) -> list[Figure]:
    """Read what `write` has written."""
    with path.open(newline="", encoding="utf-8") as file:
        return [_figure(row) for row in csv.DictReader(file)]


def _figure(row: Mapping[str, str]) -> Figure:
    def ratio(name: str) -> float | None:
        return float(row[name]) if row[name] else None

    return Figure(
        contestant=row["contestant"],
        measure=row["measure"],
        unit=row["unit"],
        rounds=int(row["rounds"]),
        median=float(row["median"]),
        min=float(row["min"]),
        max=float(row["max"]),
        base=row["base"],
        ratio=ratio("ratio"),
        ratio_min=ratio("ratio_min"),
        ratio_max=ratio("ratio_max"),
    )
