"""Says how a scenario must go, by the table of outcome_rules.py, and whether it went like that. It runs none."""

from dataclasses import dataclass, fields

from .faults_table import PRODUCTS, Fault, Sort
from .outcome_rules import AGAIN, CODES, PLACES, PURCHASES, REFUSALS, STORIES, Place, Row


@dataclass(frozen=True, kw_only=True)
class Step:
    """What a call answered, and how many requests, stores and questions there were by then."""

    status: str
    money: str = ""
    code: str | None = None
    replayed: bool = False
    posts: int = 0
    stores: int = 0
    questions: int = 0


@dataclass(frozen=True, kw_only=True)
class Run:
    """A whole story as it went, or as it must go. The last five are 0 or empty, whatever happens.

    hits      requests that met the fault
    warnings  questions that say that the terms have changed
    """

    steps: tuple[Step, ...]
    hits: int
    warnings: int = 0
    second_posts: int = 0
    visits_elsewhere: int = 0
    leaks: int = 0
    unaided: int = 0
    broken_ledger: str | None = None


def complaints(expected: Run, found: Run) -> list[str]:
    """Return every difference between what must be and what was."""
    return [
        f"{member.name}: {getattr(found, member.name)} instead of {getattr(expected, member.name)}"
        for member in fields(Run)
        if getattr(found, member.name) != getattr(expected, member.name)
    ]


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """One fault at one place. `passing`: it shows once and is over. `turn` picks how an open end is settled."""

    fault: Fault
    where: str
    passing: bool = False
    turn: int = 0

    @property
    def place(self) -> Place:
        """The place."""
        return PLACES[self.where]

    def __str__(self) -> str:
        return f"{self.where}: {self.fault.name}{', once' if self.passing else ''}"


def story(scenario: Scenario) -> str:
    """Return the name of the story that a scenario must tell."""
    harmless = scenario.passing or scenario.fault.sort is Sort.HARMLESS
    if scenario.place.tool != "create-store":
        return "listed" if harmless else "not listed"
    if not scenario.place.is_read:
        return _after_the_request(scenario)
    return "created" if harmless else _before_the_request(scenario)


def _after_the_request(scenario: Scenario) -> str:
    outcome = PURCHASES[scenario.fault.sort]
    if outcome == "unknown":
        made = ("made", 3) if scenario.place.acts else ("not made", 2)
        return f"unknown, {made[0]} {scenario.turn % made[1]}"
    return f"mismatch {scenario.turn % 2}" if outcome == "mismatch" else outcome


def _before_the_request(scenario: Scenario) -> str:
    fault, place = scenario.fault, scenario.place
    match fault.sort:
        case Sort.ASKED_AGAIN:
            return "asked again"
        case Sort.STOPPED:
            return "stopped by a rule" if "_" in fault.code else "stopped by an argument"
    if place.operation == PRODUCTS and fault.status == 404:
        return "no such configuration"
    return "unread after the yes" if place.after == 3 else "unread"


def rows(scenario: Scenario) -> tuple[Row, ...]:
    """Return the story of a scenario, line by line."""
    return STORIES[story(scenario)]


def expected(scenario: Scenario) -> Run:
    """Return how a scenario must go."""
    steps: list[Step] = []
    for row in rows(scenario):
        before = steps[-1] if steps else Step(status="")
        step = Step(
            status=row.answer,
            money=_money(row.money, scenario.place),
            code=_code(scenario.fault) if row.code == "fault" else row.code,
            replayed=row.replayed,
            posts=before.posts + row.posts,
            stores=before.stores + row.stores,
            questions=before.questions + (row.asks if scenario.place.paid else 0),
        )
        steps.append(step)
    warnings = 2 if scenario.fault.sort is Sort.ASKED_AGAIN else 0  # the new terms, and the old ones again
    return Run(steps=tuple(steps), hits=_hits(scenario), warnings=warnings)


def _money(meaning: str, place: Place) -> str:
    return f"{meaning}, {'paid' if place.paid else 'free'}" if meaning in {"made", "unclear"} else meaning


def _code(fault: Fault) -> str:
    if fault.sort is Sort.STOPPED:
        return fault.code
    return REFUSALS[fault.status] if fault.sort is Sort.REFUSAL else CODES[fault.sort]


def is_repeated(fault: Fault) -> bool:
    """Say whether a read that meets the fault is made again, twice at most."""
    return fault.sort is Sort.BROKEN or fault.status in AGAIN


def _hits(scenario: Scenario) -> int:
    if scenario.fault.sort is Sort.NO_LINE:
        return 0
    if scenario.where == "paid store, plans" and story(scenario) == "created":
        return 2  # before the question and after it
    return 3 if scenario.place.is_read and is_repeated(scenario.fault) and not scenario.passing else 1
