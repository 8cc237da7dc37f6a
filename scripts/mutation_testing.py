"""Runs the tests of purchase/ and ledger/ against mutants of their modules, and lists those that no test notices.

Each mutant lives in a process of its own, and only in memory: no file of the checkout changes.
"""

import argparse
import importlib
import importlib.machinery
import importlib.util
import os
import signal
import sys
import tempfile
import time
import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import CodeType

import mutants

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "server" / "vercel_marketplace_mcp"
ROOMS = ("purchase", "ledger")
EQUIVALENT = ROOT / "scripts" / "equivalent_mutants.toml"
LEAST_SCORE = 95.0
SECONDS = 120
"""A mutant on which the tests take longer hangs, which nobody would overlook."""
PRELOADED = ("anyio.pytest_plugin", "hypothesis", "jsonschema", "mcp", "pydantic", "pytest", "rfc8785")
# Those draw thousands of examples, race, wait, fill disks, start processes: too slow to be run a thousand times.
SLOW = (
    "free_exactly or of_an_answer or means_to_pay or whatsoever or laws or in_time or ten_thousand or processes"
    " or lock_that_stays or read_only_disk or full_disk or large_ledger or page_at_a_time or cut_wire or frozen"
)
NEEDS_A_SERVER = ("postgres", "moving", "opening")
"""Beginnings of modules that only the tests with PostgreSQL run; for all others SQLite shows the same, sooner."""
WITH_A_SERVER = "test_postgres or test_moving or test_backup"
LIKELY = {
    "files": "sqlite_files",
    "ledger": "purchases questions attention",
    "metadata": "metadata options",
    "money": "money currencies",
    "records": "questions purchases",
    "opening": "moving",
    "postgres": "postgres_purchases postgres_faults",
    "postgres_server": "postgres_purchases postgres_faults",
    "purchases": "purchases outcomes one_row",
    "questions": "questions attention late_answers",
    "sqlite": "purchases sqlite_files sqlite_connection",
    "sqlite_file": "sqlite_files sqlite_connection",
}
"""The tests that notice most mutants of a module, where they are not named after it: they run first."""
SURVIVED, KILLED, STILLBORN, HANGING = "survived", "killed", "stillborn", "hanging"
OUTCOMES = (SURVIVED, KILLED, STILLBORN)


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """A module with the text to run instead of its own."""

    path: Path
    line: int
    name: str
    source: str

    @property
    def file(self) -> str:
        """The module's path inside the package."""
        return self.path.relative_to(PACKAGE).as_posix()


class Replaced(importlib.machinery.SourceFileLoader):
    """Finds and loads one module of the package, with another text than stands in its file."""

    def __init__(self, case: Case) -> None:
        super().__init__(".".join([PACKAGE.name, *Path(case.file).with_suffix("").parts]), str(case.path))
        self._text = case.source.encode()

    def find_spec(self, fullname: str, *_: object) -> importlib.machinery.ModuleSpec | None:
        """The module, if it is the one."""
        return importlib.util.spec_from_file_location(fullname, loader=self) if fullname == self.name else None

    def get_code(self, fullname: str) -> CodeType | None:  # noqa: ARG002 - it loads one module only
        """The other text, compiled; nothing that was compiled before."""
        return self.source_to_code(self._text, self.path)


def cases_of(path: Path) -> Iterator[Case]:
    """The mutants of a module."""
    for mutant in mutants.mutants(path.read_text("utf-8")):
        yield Case(path=path, line=mutant.line, name=mutant.name, source=mutant.source)


def outcome(case: Case, folder: str) -> str:
    """Import the module and run the tests, the likeliest first; the process is good for nothing else afterwards."""
    import pytest
    from anyio import pytest_plugin

    finder = Replaced(case)
    sys.meta_path.insert(0, finder)
    sys.path.insert(0, str(PACKAGE.parent))
    try:
        importlib.import_module(finder.name)
    except Exception:  # noqa: BLE001 - whatever it is, no test is needed to notice
        return STILLBORN
    tests = ROOT / "tests" / case.path.parent.name
    likely = {f"test_{name}.py" for name in LIKELY.get(case.path.stem, case.path.stem).split()}
    needs_it = case.path.stem.startswith(NEEDS_A_SERVER)
    which = f"({WITH_A_SERVER}) and not ({SLOW})" if needs_it else f"not ({SLOW} or postgres or {WITH_A_SERVER})"
    options = ["--quiet", "--exitfirst", "--tb=no", "-p", "no:cacheprovider", "-k", which]
    options += [f"--rootdir={ROOT}", f"--confcutdir={tests}", f"--basetemp={folder}/{os.getpid()}"]
    for first in (True, False):
        chosen = [str(path) for path in sorted(tests.glob("test_*.py")) if (path.name in likely) is first]
        if chosen and pytest.main([*options, *chosen], [pytest_plugin]) != pytest.ExitCode.OK:
            return KILLED
    return SURVIVED


def start(case: Case, folder: str) -> int:
    """The id of a process whose exit status is the index of the outcome; one that takes too long dies of a signal."""
    process = os.fork()
    if not process:
        signal.alarm(SECONDS)
        silence = os.open(os.devnull, os.O_RDWR)
        for stream in range(3):
            os.dup2(silence, stream)
        os._exit(OUTCOMES.index(outcome(case, folder)))
    return process


def run(cases: list[Case], workers: int) -> Iterator[tuple[Case, str]]:
    """Each case with its outcome, in the order in which they end."""
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    for name in PRELOADED:
        importlib.import_module(name)
    waiting, running = cases[::-1], dict[int, Case]()
    memory = Path("/dev/shm")  # noqa: S108 - on a disk it would sync # nosec B108
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        while waiting or running:
            while waiting and len(running) < workers:
                case = waiting.pop()
                running[start(case, folder)] = case
            process, status = os.wait()
            yield (
                running.pop(process),
                HANGING if os.WIFSIGNALED(status) else OUTCOMES[os.waitstatus_to_exitcode(status)],
            )


def chosen_paths(beginnings: Sequence[str]) -> list[Path]:
    """The modules whose path inside the package begins with one of these."""
    paths = [path for room in ROOMS for path in sorted((PACKAGE / room).glob("*.py"))]
    return [path for path in paths if path.relative_to(PACKAGE).as_posix().startswith(tuple(beginnings))]


def failing(paths: list[Path], workers: int) -> list[str]:
    """The modules whose tests fail without any mutant: of those nothing could be learned."""
    unchanged = [Case(path=path, line=0, name="", source=path.read_text("utf-8")) for path in paths]
    return [case.file for case, found in run(unchanged, workers) if found != SURVIVED]


def equivalent(paths: list[Path]) -> set[tuple[str, str]]:
    """The mutants, by file and name, that were found to change nothing; the list gives the reason for each."""
    listed = tomllib.loads(EQUIVALENT.read_text("utf-8"))
    return {(file, name) for file, names in listed.items() for name in names if PACKAGE / file in paths}


def count(cases: list[Case], workers: int) -> float:
    """Print the mutants that survived and how many met which end; return the share of the others, in percent."""
    counted = Counter[str]()
    for case, found in run(cases, workers):
        counted[found] += 1
        if found == SURVIVED:
            say(f"{case.file}:{case.line} {case.name}")
    of = counted.total() - counted[STILLBORN]
    score = 100 * (1 - counted[SURVIVED] / max(1, of))
    say(f"{of} mutants: {', '.join(f'{counted[each]} {each}' for each in (KILLED, HANGING, SURVIVED))}; {score:.1f} %")
    return score


def say(line: str) -> None:
    """Print a line at once: the whole takes a while."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> int:
    """Print what became of the mutants; 0 if enough of them were killed."""
    parser = argparse.ArgumentParser(description="Runs the tests of purchase/ and ledger/ against mutants of them.")
    parser.add_argument(
        "modules", nargs="*", default=ROOMS, help="purchase, ledger/audit.py and the like; default: all"
    )
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, metavar="N")
    arguments, began = parser.parse_args(), time.monotonic()
    paths = chosen_paths(arguments.modules)
    if broken := failing(paths, arguments.workers):
        say(f"The tests fail without any mutant of {', '.join(broken)}.")
        return 2
    cases = {(case.file, case.name): case for path in paths for case in cases_of(path)}
    without = equivalent(paths)
    score = count([case for key, case in cases.items() if key not in without], arguments.workers)
    say(f"{len(without)} more change nothing ({EQUIVALENT.name}). Minutes: {(time.monotonic() - began) / 60:.0f}")
    for file, name in sorted(without - set(cases)):
        say(f"{EQUIVALENT.name} lists what is no mutant any longer: {file} {name}")
    return 0 if score >= LEAST_SCORE and without <= set(cases) else 1


if __name__ == "__main__":
    sys.exit(main())
