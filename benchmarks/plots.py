"""Draws figures as SVG by hand: bars and lines, readable on a light page and on a dark one. It measures nothing."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from .figures import Figure

WIDTH, LEFT, RIGHT, ROW, TOP = 760, 150, 160, 26, 56
HEIGHT = 380
COLOURS = ("#2f81f7", "#d29922", "#3fb950", "#db61a2")
TIMES = "\u00d7"
_LEAST = 1e-6
"""What a line shows at least: there is no place for zero on its axis."""
_STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#57606a}.t{font-size:15px;font-weight:600}.g{stroke:#8b949e55}"
    "@media(prefers-color-scheme:dark){text{fill:#adbac7}}"
)
_SCALES = {"s": ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs")), "B": ((2**20, "MiB"), (2**10, "KiB"), (1, "B"))}


@dataclass(frozen=True, kw_only=True, slots=True)
class Bars:
    """A plot with a bar for each contestant: the median, and a whisker from the least to the most."""

    name: str
    title: str
    measure: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Lines:
    """A plot over sizes: a line for each contestant and series, a series being the first words of its measures."""

    name: str
    title: str
    series: Mapping[str, str]


BARS = (
    Bars(name="start", title="From the start of the process to the answer of tools/list", measure="tools wall"),
    Bars(name="start-cpu", title="CPU until tools/list was answered", measure="tools cpu"),
    Bars(name="memory", title="Resident memory after 1,000 calls", measure="1000 calls rss"),
    Bars(name="call", title="CPU of a list-plans that was not asked before", measure="first list-plans cpu"),
    Bars(name="tools", title="tools/list, in tokens", measure="tools tokens"),
    Bars(
        name="workflow",
        title="The answers of the whole workflow, text and structured, in tokens",
        measure="workflow both tokens",
    ),
)
LINES = (
    Lines(
        name="scale-entries",
        title="CPU of a call, by the entries in Vercel's answer",
        series={"scale plans": "list-plans", "scale configurations": "list-configurations"},
    ),
    Lines(
        name="scale-ledger",
        title="CPU over a ledger, by the purchases in it",
        series={"scale ledger create": "create-store, free", "scale ledger look": "the latest purchases"},
    ),
)


def draw(figures: Sequence[Figure], folder: Path) -> list[str]:
    """Write every plot that there are figures for; return their names."""
    drawn = []
    for bars in BARS:
        if found := [figure for figure in figures if figure.measure == bars.measure]:
            (folder / f"{bars.name}.svg").write_text("\n".join(_bars(bars, found)) + "\n", "utf-8")
            drawn.append(bars.name)
    for lines in LINES:
        if series := _series(lines, figures):
            (folder / f"{lines.name}.svg").write_text("\n".join(_lines(lines, series)) + "\n", "utf-8")
            drawn.append(lines.name)
    return drawn


def shown(value: float, unit: str) -> str:
    """Return a value with a unit that suits it."""
    for factor, name in _SCALES.get(unit, ()):
        if abs(value) >= factor:
            return f"{value / factor:.3g} {name}"
    return f"{value:,.0f} {unit}" if unit not in _SCALES else f"{value:.3g} {unit}"


def _bars(bars: Bars, figures: Sequence[Figure]) -> Iterator[str]:
    ordered = sorted(figures, key=lambda figure: figure.median)
    height = TOP + ROW * len(ordered) + 12
    most = max(figure.max for figure in ordered) or 1
    yield from _head(height, bars.title)
    for number, figure in enumerate(ordered):
        y, width = TOP + ROW * number, (WIDTH - LEFT - RIGHT) * figure.median / most
        low, high = (LEFT + (WIDTH - LEFT - RIGHT) * value / most for value in (figure.min, figure.max))
        colour = COLOURS[0] if figure.contestant.startswith("ours") else "#8b949e"
        yield f'<text x="{LEFT - 8}" y="{y + 14}" text-anchor="end">{escape(figure.contestant)}</text>'
        yield f'<rect x="{LEFT}" y="{y + 2}" width="{max(width, 1):.1f}" height="16" fill="{colour}"/>'
        yield f'<path d="M{low:.1f} {y + 10}H{high:.1f}" stroke="#57606a" stroke-width="2"/>'
        ratio = "" if figure.ratio is None or figure.contestant == figure.base else f" · {figure.ratio:.2f}{TIMES}"
        label = f"{shown(figure.median, figure.unit)}{ratio}"
        yield f'<text x="{max(high, LEFT + width) + 6:.1f}" y="{y + 14}">{escape(label)}</text>'
    yield "</svg>"


def _series(lines: Lines, figures: Sequence[Figure]) -> dict[str, list[tuple[int, float]]]:
    found: dict[str, list[tuple[int, float]]] = {}
    for figure in figures:
        start, _, size = figure.measure.rpartition(" ")
        if start in lines.series:
            found.setdefault(f"{figure.contestant}: {lines.series[start]}", []).append(
                (int(size), max(figure.median, _LEAST))
            )
    return {name: sorted(points) for name, points in found.items()}


def _lines(lines: Lines, series: Mapping[str, Sequence[tuple[int, float]]]) -> Iterator[str]:
    points = [point for line in series.values() for point in line]
    sizes = sorted({size for size, _ in points})
    ticks = _ticks(min(value for _, value in points), max(value for _, value in points))
    bottom, right = HEIGHT - 40 - 20 * len(series), WIDTH - 40

    def place(size: int, value: float) -> tuple[float, float]:
        steps = max(len(sizes) - 1, 1)
        share = (math.log10(value) - math.log10(ticks[0])) / (math.log10(ticks[-1]) - math.log10(ticks[0]))
        return 80 + (right - 80) * sizes.index(size) / steps, bottom - (bottom - TOP) * share

    yield from _head(HEIGHT, lines.title)
    for tick in ticks:
        y = place(sizes[0], tick)[1]
        yield f'<path class="g" d="M80 {y:.1f}H{right}"/>'
        yield f'<text x="72" y="{y + 4:.1f}" text-anchor="end">{shown(tick, "s")}</text>'
    for size in sizes:
        yield f'<text x="{place(size, ticks[0])[0]:.1f}" y="{bottom + 20}" text-anchor="middle">{size:,}</text>'
    for number, (name, line) in enumerate(series.items()):
        colour, y = COLOURS[number % len(COLOURS)], bottom + 44 + 20 * number
        path = " ".join(f"{x:.1f},{height:.1f}" for x, height in (place(*point) for point in line))
        yield f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2.5"/>'
        yield f'<path d="M80 {y - 4}H110" stroke="{colour}" stroke-width="2.5"/>'
        yield f'<text x="118" y="{y}">{escape(name)}</text>'
    yield "</svg>"


def _ticks(least: float, most: float) -> list[float]:
    first, last = math.floor(math.log10(least)), math.ceil(math.log10(most))
    return [10.0**power for power in range(first, max(last, first + 1) + 1)]


def _head(height: int, title: str) -> Iterator[str]:
    box, spoken = f"0 0 {WIDTH} {height}", escape(title)
    yield f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}" role="img" aria-label="{spoken}">'
    yield f"<style>{_STYLE}</style>"
    yield f'<text class="t" x="16" y="28">{spoken}</text>'
