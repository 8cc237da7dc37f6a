"""Makes the tables of docs/benchmarks.md and the excerpt of the README from figures. It measures nothing."""

import re
from collections.abc import Iterator, Mapping, Sequence

from .commits import NEEDED
from .contestants import ALL
from .figures import FLOOR, RAW, READS, START_FLOOR, Figure
from .plots import TIMES, shown

Found = Mapping[tuple[str, str], Figure]
Columns = Mapping[str, str]

START = {
    "to the first answer": "initialize wall",
    "to tools/list": "tools wall",
    "CPU to tools/list": "tools cpu",
    "memory": "start rss",
    "after 1,000 calls": "1000 calls rss",
}
CALLS = {
    "first": "first {} cpu",
    "repeated": "again {} cpu",
    "p50": "first {} p50",
    "p99": "first {} p99",
}
AT_ONCE = {"until the last": "50 at once wall", "CPU of each": "50 at once cpu"}
TOOLS = {
    "tools/list": "tools tokens",
    "bytes": "tools bytes",
    "the four": "four tools tokens",
    "the four as models read them": "four tools read tokens",
}
WORKFLOW = {
    "text": "workflow text tokens",
    "structured": "workflow structured tokens",
    "both": "workflow both tokens",
    "text bytes": "workflow text bytes",
    "both bytes": "workflow both bytes",
}
EXCERPT = {
    "start, CPU": "tools cpu",
    "memory": "start rss",
    "list-plans, CPU": "first list-plans cpu",
    "tools/list": "tools tokens",
    "workflow": "workflow text tokens",
}


def page(figures: Sequence[Figure], lines: Sequence[str], plots: Sequence[str], images: str) -> list[str]:
    """Return the generated part of docs/benchmarks.md; `images` is where the plots lie, seen from there."""
    found = {(figure.contestant, figure.measure): figure for figure in figures}
    text = [*(f"- {line}" for line in lines), ""]
    for title, columns in _sections():
        if rows := list(_table(found, columns)):
            text += [f"### {title}", "", *rows, ""]
    for title, rows in (("Ledger", list(_ledger(found))), ("Where a start goes", list(_imports(found)))):
        if rows:
            text += [f"### {title}", "", *rows, ""]
    if scaled := list(_scale(found)):
        text += ["### Scale", "", *scaled]
    text += [line for name in plots for line in (f"![{name}]({images}/{name}.svg)", "")]
    return text[:-1]


def excerpt(figures: Sequence[Figure]) -> list[str]:
    """Return the table of the README."""
    found = {(figure.contestant, figure.measure): figure for figure in figures}
    return list(_table(found, EXCERPT))


def _sections() -> Iterator[tuple[str, Columns]]:
    yield "Start", START
    for tool in READS:
        yield f"A call of {tool}", {name: measure.format(tool) for name, measure in CALLS.items()}
    yield "50 calls of list-plans at once", AT_ONCE
    yield "Tool definitions", TOOLS
    yield "Answers of the whole workflow", WORKFLOW


def _table(found: Found, columns: Columns) -> Iterator[str]:
    described = {one.name: one.what for one in ALL} | {RAW: "Vercel's JSON, passed through"}
    rows = [name for name in described if any((name, measure) in found for measure in columns.values())]
    if not rows:
        return
    yield f"| | {' | '.join(columns)} |"
    yield "|---" * (len(columns) + 1) + "|"
    for name in rows:
        cells = [_cell(found.get((name, measure))) for measure in columns.values()]
        yield f"| {described[name]} | {' | '.join(cells)} |"


def _cell(figure: Figure | None) -> str:
    if figure is None:
        return ""
    value = shown(figure.median, figure.unit).removesuffix(" tokens")
    if figure.ratio is None or figure.ratio_min is None or figure.ratio_max is None or figure.contestant == figure.base:
        return value
    if figure.ratio_min == figure.ratio_max:
        return f"{value} ({figure.ratio:.2f}{TIMES})"
    return f"{value} ({figure.ratio:.2f}{TIMES}, {figure.ratio_min:.2f} to {figure.ratio_max:.2f})"


def _ledger(found: Found) -> Iterator[str]:
    counts = {
        "three reads": "commits of a read",
        "a free store": "commits of a free store",
        f"an approved store ({NEEDED} are needed)": "commits of an approved store",
    }
    rows = {name: found["ours", measure].median for name, measure in counts.items() if ("ours", measure) in found}
    if rows:
        yield "| | transactions that wrote |"
        yield "|---|---|"
        yield from (f"| {name} | {count:.0f} |" for name, count in rows.items())


def _imports(found: Found) -> Iterator[str]:
    ours = [figure for (name, measure), figure in found.items() if name == "ours" and measure.startswith("import ")]
    if not ours:
        return
    theirs = [
        figure for (name, measure), figure in found.items() if name == START_FLOOR and measure.startswith("import ")
    ]
    sums = [shown(sum(figure.median for figure in figures), "s") for figures in (ours, theirs)]
    yield "| package | ours | the floor |"
    yield "|---|---|---|"
    yield f"| all of them | {' | '.join(sums)} |"
    for figure in sorted(ours, key=lambda figure: -figure.median)[:16]:
        floor = found.get((START_FLOOR, figure.measure))
        other = shown(floor.median, "s") if floor else ""
        yield f"| `{figure.measure.removeprefix('import ')}` | {shown(figure.median, 's')} | {other} |"


def _scale(found: Found) -> Iterator[str]:
    kinds: dict[str, list[int]] = {}
    for _, measure in found:
        if match := re.fullmatch(r"scale (.+) ([0-9]+)", measure):
            kinds.setdefault(match[1], []).append(int(match[2]))
    for kind, sizes in kinds.items():
        ordered = sorted(set(sizes))
        yield f"| {kind} | {' | '.join(f'{size:,}' for size in ordered)} |"
        yield "|---" * (len(ordered) + 1) + "|"
        for name in ("ours", FLOOR):
            if (name, f"scale {kind} {ordered[0]}") in found:
                cells = [shown(found[name, f"scale {kind} {size}"].median, "s") for size in ordered]
                yield f"| {name} | {' | '.join(cells)} |"
        yield ""
