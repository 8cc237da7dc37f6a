"""Every fault of the wire at every place where a tool can meet it: what was sent, what was told, and what comes next.

The table of outcome_rules.py says what must be; the journal of a Vercel on a real socket says what was.
"""

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from vercel_marketplace_mcp.sandbox import SANDBOX_TEAM_ID, SANDBOX_TOKEN

from ..approval.world import FREE
from ..sockets import MACHINE_VARIABLES
from . import scale
from .fault_matrix import FAULTS, SCENARIOS, applies, fair_selection
from .fault_stories import Call, play
from .faulty_vercel import FaultyVercel
from .outcome_judge import Run, Scenario, complaints, expected, story
from .outcome_rules import MONEY, PLACES, STORIES

ERAS = ("legacy", "auto")
ERA_NAMES = {"legacy": "handshake", "auto": "2026-07-28"}
SHORT = [(scenario, ERAS[number % 2]) for number, scenario in enumerate(fair_selection())]
WHOLE = [(scenario, era) for scenario in SCENARIOS for era in ERAS]
CHOSEN = WHOLE if scale.WHOLE else SHORT
NEEDS_LINUX = {"untrusted", "another host"}
linux_only = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the system's trust store is no file")


@pytest.fixture(autouse=True)
def _machine(monkeypatch: pytest.MonkeyPatch, no_waiting: None) -> None:  # noqa: ARG001 - for its effect
    """Nothing is waited for between tries, and what the machine says about proxies and trust does not count."""
    for name in MACHINE_VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module")
def tally(record_testsuite_property: Callable[[str, object], None]) -> Iterator[Counter[str]]:
    """What all scenarios of this run add up to; reported when the last has ended."""
    counted = Counter({"second POSTs": 0, "redirects followed": 0, "sightings of the token": 0, "wrong outcomes": 0})
    yield counted
    for name, number in sorted(counted.items()):
        record_testsuite_property(f"faults: {name}", number)


def count(tally: Counter[str], found: Run, wrong: list[str]) -> None:
    """Add one scenario."""
    tally["scenarios"] += 1
    tally["calls"] += len(found.steps)
    tally["POSTs"] += found.steps[-1].posts
    tally["second POSTs"] += found.second_posts
    tally["redirects followed"] += found.visits_elsewhere
    tally["sightings of the token"] += found.leaks
    tally["wrong outcomes"] += bool(wrong)


def parameters() -> Iterator[Any]:
    """Yield the scenarios of this run, each with a readable name."""
    for scenario, era in CHOSEN:
        marks = [linux_only] if scenario.fault.line in NEEDS_LINUX else []
        yield pytest.param(scenario, era, id=f"{scenario}, {ERA_NAMES[era]}", marks=marks)


@pytest.mark.anyio
@pytest.mark.parametrize(("scenario", "era"), list(parameters()))
async def test_a_fault_has_the_outcome_that_the_table_says(
    scenario: Scenario, era: str, tmp_path: Path, call: Call, tally: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """T40, T41, T45 to T47, T49: nothing is bought twice, nothing is denied, and everybody is told what to do next."""
    if scenario.fault.line in NEEDS_LINUX:
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "trusted.pem"))
    found = await play(scenario, era, tmp_path, call)
    wrong = complaints(expected(scenario), found)
    count(tally, found, wrong)
    assert wrong == []


# The threat model's list (7.3), and of each entry the faults that stand for it, by how their names begin.
WANTED = {
    "connect refuse": ("line closed",),
    "TLS bad cert": ("line untrusted",),
    "wrong host cert": ("line another host",),
    "RST": ("reset before the head", "reset within the head", "reset after the head", "reset within the body"),
    "FIN early": ("close before the head", "close within the head", "close after the head", "close within the body"),
    "drip": ("drops of a head", "drops of a body"),
    "stall": ("silence", "silence within the body"),
    "wrong Content-Length": ("length too long", "length too short", "two lengths", "negative length"),
    "chunked truncated": ("chunk cut", "no last chunk", "chunk of no size"),
    "garbage status line": ("no status", "ssh", "alert"),
    "1xx flood": ("drops of 1xx", "1xx before it"),
    "3xx": ("300", "301", "302", "303", "304", "307", "308"),
    "4xx": ("400", "401", "402", "403", "404", "408", "409", "410", "413", "422", "429"),
    "5xx": ("500", "501", "502", "503", "504"),
    "429 x Retry-After": ("429 retry after seconds", "429 retry after a date", "429 retry after an age"),
    "503 x Retry-After": ("503 retry after less than nothing", "503 retry after soon", "503 retry after a fraction"),
    "gzip bomb": ("gzip", "gzip in name only", "gzip bomb"),
    "2 MiB+1": ("a byte over the cap", "chunks over the cap", "a body at the cap"),
    "HTML": ("HTML", "plain text", "400 as HTML"),
    "empty": ("empty", "204", "null"),
    "null store": ("what matters is null", "what matters is absent"),
    "dup keys": ("a key twice",),
    "NaN": ("NaN", "infinity"),
    "deep": ("nesting of 40", "nesting of 100000"),
    "wrong types": ("what matters is a text", "what matters is a number", "the whole is a text"),
    "odd characters": ("half a character", "byte order mark", "no UTF-8", "UTF-16"),
}
TOOLS = ("list-configurations", "list-products", "list-plans", "free store", "paid store")


@pytest.mark.parametrize("entry", WANTED)
def test_each_fault_of_the_threat_model_meets_each_tool(entry: str) -> None:
    """Whatever a tool does on the wire, it meets each of them; create-store free and paid."""
    met = {(scenario.fault.name, scenario.where.partition(",")[0]) for scenario in SCENARIOS}
    assert [(name, tool) for name in WANTED[entry] for tool in TOOLS if (name, tool) not in met] == []


def test_there_are_hundreds_of_scenarios_and_a_short_run_is_a_fair_part_of_them() -> None:
    """Each fault at each place that it applies to; the short run leaves out no fault, no place and no story."""
    for scenarios in (SCENARIOS, [scenario for scenario, _ in SHORT]):
        assert len(scenarios) >= 200
        assert {scenario.fault.name for scenario in scenarios} >= {fault.name for fault in FAULTS}
        assert {scenario.where for scenario in scenarios} == set(PLACES)
        assert {story(scenario) for scenario in scenarios} == set(STORIES)
        assert {step.money for scenario in scenarios for step in expected(scenario).steps} == {"", *MONEY}
    plain = {(scenario.fault.name, scenario.where) for scenario in SCENARIOS if not scenario.passing}
    assert {(fault.name, where) for fault in FAULTS for where in PLACES if applies(fault, PLACES[where])} <= plain
    assert len({str(scenario) for scenario in SCENARIOS}) == len(SCENARIOS)
    assert {era for _, era in SHORT} == set(ERAS)


def the(where: str, fault: str) -> Scenario:
    """The scenario of this name."""
    return next(scenario for scenario in SCENARIOS if str(scenario) == f"{where}: {fault}")


SPOILT: dict[str, Callable[[Run], Run]] = {
    "two POSTs": lambda run: replace(run, steps=(run.steps[0], replace(run.steps[1], posts=2), *run.steps[2:])),
    "another status": lambda run: replace(run, steps=(replace(run.steps[0], status="rejected"), *run.steps[1:])),
    "another sentence": lambda run: replace(run, steps=(replace(run.steps[0], money="nothing"), *run.steps[1:])),
    "another code": lambda run: replace(run, steps=(replace(run.steps[0], code="redirected"), *run.steps[1:])),
    "no replay": lambda run: replace(run, steps=(*run.steps[:-1], replace(run.steps[-1], replayed=False))),
    "another store": lambda run: replace(run, steps=(*run.steps[:-1], replace(run.steps[-1], stores=2))),
    "another question": lambda run: replace(run, steps=(*run.steps[:-1], replace(run.steps[-1], questions=2))),
    "a call left out": lambda run: replace(run, steps=run.steps[:-1]),
    "another try": lambda run: replace(run, hits=2),
    "a warning": lambda run: replace(run, warnings=1),
    "a second POST": lambda run: replace(run, second_posts=1),
    "a redirect followed": lambda run: replace(run, visits_elsewhere=1),
    "the token told": lambda run: replace(run, leaks=1),
    "no next step": lambda run: replace(run, unaided=1),
    "a broken ledger": lambda run: replace(run, broken_ledger="a row is missing"),
}


@pytest.mark.parametrize("spoilt", SPOILT)
def test_the_judge_notices_a_wrong_outcome(spoilt: str) -> None:
    """Each thing that is looked at can fail: one of them wrong is one complaint, none wrong is none."""
    must = expected(the("paid store, acted", "500"))
    assert complaints(must, must) == []
    assert len(complaints(must, SPOILT[spoilt](must))) == 1


@pytest.mark.anyio
async def test_the_judge_notices_a_request_that_was_made_again(era: str, tmp_path: Path, call: Call) -> None:
    """The journal is the oracle: a second request on the wire is seen, although every answer is as it must be."""

    async def again(vercel: FaultyVercel) -> None:
        async with httpx.AsyncClient(base_url=vercel.url, headers={"authorization": f"Bearer {SANDBOX_TOKEN}"}) as http:
            path = f"/v1/storage/stores/integration/direct?teamId={SANDBOX_TEAM_ID}"
            assert (await http.post(path, json=FREE)).status_code == 409

    scenario = the("free store, acted", "500")
    wrong = complaints(expected(scenario), await play(scenario, era, tmp_path, call, again))
    assert [complaint.partition(":")[0] for complaint in wrong] == ["steps"]


@pytest.mark.anyio
async def test_the_judge_notices_the_outcome_of_another_fault(era: str, tmp_path: Path, call: Call) -> None:
    """What a 403 leads to is not what a 500 must lead to."""
    found = await play(the("paid store, not acted", "403"), era, tmp_path, call)
    assert complaints(expected(the("paid store, not acted", "500")), found) != []
    assert complaints(expected(the("paid store, not acted", "403")), found) == []
