"""Writes what a run gave: figures, plots, tables; and, if they are to be published, into the repository's documents.

Only what stands between the markers of a document is replaced.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path

from . import plots, tables
from .figures import Figure, read, write
from .places import RESULTS, ROOT

FIGURES, MACHINE, SKIPPED = "figures.csv", "machine.txt", "skipped.txt"
BEGIN, END = "<!-- made by benchmarks/run: begin -->", "<!-- made by benchmarks/run: end -->"
PAGE, README = ROOT / "docs" / "benchmarks.md", ROOT / "README.md"
IMAGES = ROOT / "docs" / "images" / "benchmarks"


def keep(figures: Sequence[Figure], machine: Sequence[str], skipped: Sequence[str], folder: Path) -> None:
    """Write a run into `folder`, which holds nothing else afterwards."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    write(figures, folder / FIGURES)
    (folder / MACHINE).write_text("".join(f"{line}\n" for line in machine), "utf-8")
    (folder / SKIPPED).write_text("".join(f"{line}\n" for line in skipped), "utf-8")
    drawn = plots.draw(figures, folder)
    lines = [*machine, *(f"left out: {line}" for line in skipped)]
    (folder / "tables.md").write_text("\n".join(tables.page(figures, lines, drawn, ".")) + "\n", "utf-8")
    (folder / "excerpt.md").write_text("\n".join(tables.excerpt(figures)) + "\n", "utf-8")


def publish(folder: Path) -> None:
    """Make a kept run the committed one, in the results and in the documents."""
    figures = read(folder / FIGURES)
    machine, skipped = ((folder / name).read_text("utf-8").splitlines() for name in (MACHINE, SKIPPED))
    for target, names in (
        (RESULTS, [FIGURES, MACHINE, SKIPPED]),
        (IMAGES, [path.name for path in folder.glob("*.svg")]),
    ):
        target.mkdir(parents=True, exist_ok=True)
        for name in names:
            shutil.copy(folder / name, target / name)
    lines = [*machine, *(f"left out: {line}" for line in skipped)]
    drawn = sorted(path.stem for path in folder.glob("*.svg"))
    _between_markers(PAGE, tables.page(figures, lines, drawn, "images/benchmarks"))
    _between_markers(README, tables.excerpt(figures))


def _between_markers(path: Path, lines: Sequence[str]) -> None:
    """Put the lines between the markers of a document; one without markers stays as it is."""
    text = path.read_text("utf-8") if path.is_file() else ""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if begin and end:
        path.write_text(f"{before}{BEGIN}\n" + "\n".join(lines) + f"\n{END}{after}", "utf-8")
