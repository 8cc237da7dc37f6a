"""All scenarios of the campaign against faults: each fault at each place that it applies to. It runs none of them."""

from collections.abc import Iterator
from itertools import chain

from .answer_faults import statuses, unreadable, wrong_types
from .faults_table import Fault, Sort
from .odd_answers import odd, stores
from .outcome_judge import Scenario, is_repeated, story
from .outcome_rules import PLACES, Place
from .plan_changes import before_the_request, in_the_receipt
from .wire_faults import broken, lines, slow

FAULTS = tuple(chain(lines(), broken(), slow(), statuses(), unreadable(), wrong_types(), odd(), stores()))
"""The faults that are the same wherever they show."""
PASSING = ("list-configurations", "list-products", "list-plans", "paid store, plans after the yes")
"""Where a fault that is over by the second try is met as well."""


def applies(fault: Fault, place: Place) -> bool:
    """Say whether a place can meet a fault."""
    if place.operation not in fault.operations:
        return False
    return place.is_read or (fault.acted if place.acts else fault.not_acted)


def _scenarios() -> Iterator[Scenario]:
    for where, place in PLACES.items():
        yield from _at(where, (fault for fault in FAULTS if applies(fault, place)))
    yield from _at("paid store, plans after the yes", before_the_request())
    yield from _at("paid store, acted", in_the_receipt(paid=True))
    yield from _at("free store, acted", in_the_receipt(paid=False))
    for where in PASSING:
        yield from (Scenario(fault=fault, where=where, passing=True) for fault in FAULTS if is_repeated(fault))


def _at(where: str, faults: Iterator[Fault]) -> Iterator[Scenario]:
    yield from (Scenario(fault=fault, where=where, turn=turn) for turn, fault in enumerate(faults))


SCENARIOS = tuple(_scenarios())


def fair_selection() -> Iterator[Scenario]:
    """Yield each fault once, at one place after the other, and at every place each sort of fault with each story."""
    by_name: dict[str, list[Scenario]] = {}
    for scenario in SCENARIOS:
        by_name.setdefault(scenario.fault.name, []).append(scenario)
    chosen = [choices[number % len(choices)] for number, choices in enumerate(by_name.values())]
    yield from chosen
    met = {(scenario.where, scenario.fault.sort, story(scenario)) for scenario in chosen}
    for scenario in SCENARIOS:
        kind = (scenario.where, scenario.fault.sort, story(scenario))
        if kind not in met and scenario.fault.sort is not Sort.SILENT:  # each of these takes as long as a deadline
            met.add(kind)
            yield scenario
