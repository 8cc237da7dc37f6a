"""The command. Exit codes: 0 done; 1 with --strict, a figure of ours is over 20 % worse; 2 wrong usage, or no Linux."""

import argparse
import sys
from pathlib import Path

from . import compare, machine, publishing
from .figures import Figure, read
from .measuring import NAMES, WITHOUT_INSTALLATION, Plan, Run
from .places import BUILD, RESULTS
from .rounds import Size

LAST = BUILD / "results"


def main() -> int:
    """Measure, or compare, and say what came of it."""
    asked = _parser().parse_args()
    if not sys.platform.startswith("linux"):
        return _refuse("what a process uses is read from /proc, which only Linux has")
    unknown = set(asked.only or ()) - set(NAMES)
    if unknown:
        return _refuse(f"there is no contestant {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    committed = read(asked.against) if asked.against.is_file() else []
    if not asked.compare:
        _measure(asked)
    found = read(asked.out / publishing.FIGURES)
    worse = _tell_worse(found, committed)
    if asked.publish:
        publishing.publish(asked.out)
    return 1 if worse and asked.strict else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="benchmarks/run", description=__doc__, allow_abbrev=False)
    parser.add_argument("--rounds", type=int, default=7, help="rounds of starts and calls (default: 7)")
    parser.add_argument("--calls", type=int, default=100, help="calls of each kind in a round (default: 100)")
    parser.add_argument("--only", type=lambda text: text.split(","), metavar="A,B", help="only these contestants")
    parser.add_argument(
        "--short",
        action="store_true",
        help="see that it works: few calls; only who needs no installation, unless --only names others",
    )
    parser.add_argument("--compare", action="store_true", help="measure nothing: compare the last run")
    parser.add_argument(
        "--against", type=Path, default=RESULTS / publishing.FIGURES, metavar="CSV", help="with these figures"
    )
    parser.add_argument("--strict", action="store_true", help="exit with 1 if a figure of ours is over 20 %% worse")
    parser.add_argument(
        "--publish", action="store_true", help="make it the committed run, in benchmarks/results and docs"
    )
    parser.add_argument("--out", type=Path, default=LAST, metavar="FOLDER", help="where the run is kept")
    return parser


def _refuse(why: str) -> int:
    sys.stderr.write(f"benchmarks/run: {why}\n")
    return 2


def _measure(asked: argparse.Namespace) -> None:
    run = Run(plan=_plan(asked), say=_say)
    run.everything()
    publishing.keep(run.figures(), machine.lines(run.environments), run.skipped, asked.out)
    _say(f"kept in {asked.out}")


def _plan(asked: argparse.Namespace) -> Plan:
    wanted = tuple(asked.only or NAMES)
    if asked.short:
        return Plan(
            size=Size(rounds=1, starts=1, calls=4, calls_in_all=30),
            wanted=tuple(asked.only or WITHOUT_INSTALLATION),
            install=bool(asked.only),
            compile=False,
            entries=(10, 100),
            ledgers=(0, 50),
            repeats=1,
        )
    return Plan(
        size=Size(rounds=asked.rounds, starts=3, calls=asked.calls, calls_in_all=1000),
        wanted=wanted,
        install=True,
        compile=True,
        entries=(10, 100, 1_000, 10_000),
        ledgers=(0, 100, 1_000, 10_000, 100_000),
        repeats=max(3, asked.rounds),
    )


def _tell_worse(found: list[Figure], committed: list[Figure]) -> bool:
    if not committed:
        _say("there are no committed figures to compare with")
        return False
    worse = list(compare.worse(found, committed))
    for one in worse:
        _say(f"WORSE: {one}")
    _say(f"{len(worse)} figures of ours are over 20 % worse than the committed ones")
    return bool(worse)


def _say(line: str) -> None:
    """Write a line at once: a run takes a while."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
