"""Runs the benchmarks in their short form: that they work and notice what they should. It asserts no speed."""

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from xml.etree import ElementTree as ET

ROOT = Path(__file__).parents[2]
HEAD = "contestant,measure,unit,rounds,median,min,max,base,ratio,ratio_min,ratio_max"
STARTS = {"initialize wall", "initialize cpu", "tools wall", "tools cpu", "start rss", "start pss"}
CALLS = {
    f"{kind} list-{what} {figure}"
    for kind, figures in (("first", ("cpu", "p50", "p99")), ("again", ("cpu", "p50")))
    for what in ("configurations", "products", "plans")
    for figure in figures
} | {"50 at once wall", "50 at once cpu", "1000 calls rss", "1000 calls pss"}
SERIES = {f"scale {kind} {size}" for kind in ("plans", "configurations") for size in (10, 100)}
TOLD = {"tools", "four tools", "four tools read", "workflow text", "workflow both"}
OURS_ALONE = {
    "further tool bytes",
    "commits of a read",
    "commits of a free store",
    "commits of an approved store",
    *(f"scale ledger {kind} {size}" for kind in ("create", "look") for size in (0, 50)),
    *(f"ledger growth {kind}" for kind in ("create", "look")),
}
PLOTS = {"start", "start-cpu", "memory", "call", "tools", "workflow", "scale-entries", "scale-ledger"}

COMPARED = (
    "ours,tools cpu,s,7,1,1,1,floor,{},1,1",
    "ours,tools tokens,tokens,7,{},1,1,,,,",
    "ours,commits of a read,commits,1,{},1,1,,,,",
    "ours,first list-plans p99,s,7,1,1,1,floor+http,{},1,1",
    "fastmcp,tools cpu,s,7,1,1,1,floor,{},1,1",
)
"""Figures of which the last two are not compared: one is too unsteady, one is not ours."""

Rows = list[dict[str, str]]


def run(*arguments: str | Path, path: str | None = None) -> subprocess.CompletedProcess[str]:
    """The command, with an answer within the time of a test."""
    search = os.pathsep.join(filter(None, [str(ROOT / "server"), os.environ.get("PYTHONPATH")]))
    environment = {**os.environ, "PYTHONPATH": search, "PATH": path or os.environ["PATH"]}
    command = [sys.executable, "-m", "benchmarks", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=240)


def rows(folder: Path) -> Rows:
    """The figures that a run has kept."""
    head, *lines = (folder / "figures.csv").read_text("utf-8").splitlines()
    assert head == HEAD
    return [dict(zip(head.split(","), line.split(","), strict=True)) for line in lines]


def measured(found: Rows, contestant: str) -> set[str]:
    """What was measured of a contestant, the imports aside."""
    names = {row["measure"] for row in found if row["contestant"] == contestant}
    return {name for name in names if not name.startswith("import ")}


def root_of(path: Path) -> str:
    """The name of an XML file's root; a file that is not well-formed fails."""
    root = ET.parse(path).getroot()  # noqa: S314 - we have drawn it
    return root.tag.rpartition("}")[2]


def told(units: tuple[str, ...]) -> set[str]:
    """The names of what a model reads, in these units."""
    return {f"{name} {unit}" for name in TOLD for unit in units}


def test_the_short_form_measures_everything(tmp_path: Path) -> None:
    """Every measure comes out for whoever it is meant for, as figures, plots and tables."""
    out = tmp_path / "results"
    done = run("--short", "--out", out)
    assert done.returncode == 0, done.stderr
    found = rows(out)
    counted = find_spec("bpe_openai") is not None
    units = ("bytes", "tokens") if counted else ("bytes",)
    asked = {"workflow asked tokens"} if counted else set()
    structured = {f"workflow structured {unit}" for unit in units}
    assert measured(found, "floor") == measured(found, "ours-sandbox") == STARTS
    assert measured(found, "floor+http") == STARTS | CALLS | SERIES | told(units) | asked
    assert measured(found, "ours") == STARTS | CALLS | SERIES | told(units) | asked | structured | OURS_ALONE
    assert {row["measure"] for row in found if row["measure"].startswith("import mcp")} == {
        "import mcp",
        "import mcp_types",
    }
    expected = PLOTS - (set() if counted else {"tools", "workflow"})
    assert {path.stem: root_of(path) for path in out.glob("*.svg")} == dict.fromkeys(expected, "svg")
    tables = (out / "tables.md").read_text("utf-8")
    assert tables.count("| this server |") >= 6
    assert "| this server |" in (out / "excerpt.md").read_text("utf-8")
    assert (out / "skipped.txt").read_text("utf-8").count("tokens: the tokenizer") == (not counted)
    commits = [row["median"] for row in found if row["measure"] == "commits of an approved store"]
    assert len(commits) == 1
    assert 5 <= int(float(commits[0])) <= 6
    assert "no committed figures" in run("--compare", "--out", out, "--against", tmp_path / "none.csv").stdout


def test_a_figure_that_is_over_a_fifth_worse_is_told(tmp_path: Path) -> None:
    """Ours are held against the committed ones, ratios or counts as they are; only --strict makes it a failure."""
    committed, out = tmp_path / "committed.csv", tmp_path / "results"
    out.mkdir()
    committed.write_text("\n".join([HEAD, *(line.format(10) for line in COMPARED)]), "utf-8")
    for value, worse in ((11.9, []), (12.1, ["tools cpu", "tools tokens", "commits of a read"])):
        (out / "figures.csv").write_text("\n".join([HEAD, *(line.format(value) for line in COMPARED)]), "utf-8")
        done = run("--compare", "--strict", "--out", out, "--against", committed)
        assert re.findall(r"^WORSE: ours, (.+): 12.1 instead of 10, worse by 21 %$", done.stdout, re.MULTILINE) == worse
        assert done.stdout.endswith(f"{len(worse)} figures of ours are over 20 % worse than the committed ones\n")
        assert done.returncode == bool(worse)
    assert run("--compare", "--out", out, "--against", committed).returncode == 0


def test_a_contestant_that_cannot_be_installed_is_left_out_with_a_line(tmp_path: Path) -> None:
    """Without Node the servers that need it are left out, with the reason, and the run goes on."""
    out = tmp_path / "results"
    done = run("--short", "--only", "ts-floor", "--out", out, path=str(tmp_path))
    assert done.returncode == 0, done.stderr
    (line,) = [line for line in (out / "skipped.txt").read_text("utf-8").splitlines() if line.startswith("ts-floor: ")]
    assert f"left out: {line}" in done.stdout
    assert measured(rows(out), "ts-floor") == set()
    assert measured(rows(out), "raw") > {"workflow text bytes"}


def test_an_unknown_contestant_is_refused() -> None:
    """A name that nobody bears is a wrong use of the command."""
    done = run("--only", "nobody")
    assert (done.returncode, done.stdout) == (2, "")
    assert "there is no contestant nobody" in done.stderr
