"""Runs the conformance suite of the Model Context Protocol against our server, in both revisions that it serves.

Once with the suite's own tools, prompts and resources laid over it, and once as it is: expected-*.toml says what
each scenario ends with, and a scenario that is new, gone, or ends in another way fails the test.
"""

import tomllib
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path

import pytest

from vercel_marketplace_mcp import app
from vercel_marketplace_mcp.ledger.sqlite import SqliteLedger
from vercel_marketplace_mcp.sandbox import Sandbox
from vercel_marketplace_mcp.settings import Settings
from vercel_marketplace_mcp.tools.context import Context
from vercel_marketplace_mcp.vercel.client import VercelClient

from . import fixtures
from .serving import Events, serving
from .suite import NOTHING, Ended, Suite, installed, judged

HERE = Path(__file__).parent
REVISIONS = ("2025-11-25", "2026-07-28")
ONCE_MORE = 2
"""How often scenarios that differ are run again: the suite waits half a second for some answers, whatever else runs."""
FEW = 3
"""How many may differ for that reason; more of them have another one."""

Outcome = Mapping[str, tuple[str, ...]]


@pytest.fixture(scope="session")
def suite() -> Suite:
    """The conformance suite, installed from package-lock.json if it is not there yet."""
    return installed()


@pytest.fixture
async def context(settings: Callable[..., Settings], sandbox: Sandbox) -> AsyncIterator[Context]:
    """What our server is made of, over the sandbox."""
    chosen = settings()
    made = Context(
        settings=chosen, client=VercelClient(chosen, sandbox.app), ledger=SqliteLedger(chosen.state_dir), ready_wait=0
    )
    yield made
    await made.client.aclose()
    await made.ledger.aclose()


def expected(kind: str, revision: str) -> tuple[Outcome, Mapping[str, int]]:
    """The checks of each scenario that do not succeed, and in how many scenarios for which reason."""
    table = tomllib.loads((HERE / f"expected-{kind}.toml").read_text("utf-8"))[revision]
    groups = table.get("do_not", [])
    named = [(name, tuple(checks)) for group in groups for name, checks in group["scenarios"].items()]
    named += [(name, ()) for name in table["succeed"]]
    reasons = {group["because"]: len(group["scenarios"]) for group in groups}
    assert len(dict(named)) == len(named), "a scenario stands there twice"
    assert all(reasons), "a reason is missing"
    return dict(named), reasons


async def ended(suite: Suite, url: str, revision: str, awaited: Outcome, folder: Path) -> Mapping[str, Ended]:
    """Run the scenarios of a revision; those that end otherwise than awaited once more, each by itself."""
    found = dict(await suite.run(url, folder / "whole", "--requirements", revision))
    for again in range(ONCE_MORE):
        differing = [name for name, one in found.items() if one.not_succeeded != awaited.get(name)]
        for name in differing if len(differing) <= FEW else []:
            alone = folder / f"{name}-{again}"
            found |= await suite.run(url, alone, "--scenario", name, "--spec-version", revision)
    return found


def tell(record: Callable[[str, object], None], title: str, found: Mapping[str, Ended], why: Mapping[str, int]) -> None:
    """Record how many scenarios and checks succeeded, for the end of the output."""
    passed = [name for name, one in found.items() if not one.not_succeeded]
    checks = sum(one.succeeded for one in found.values())
    record(f"{title}: scenarios", len(found))
    record(f"{title}: scenarios that succeed", len(passed))
    record(f"{title}: checks that succeed", checks)
    others = "".join(f"\n  {number} do not: {because}" for because, number in why.items())
    record("summary", f"{title}: {len(passed)} of {len(found)} scenarios succeed ({checks} checks){others}")


# The suite asks for logs, which the protocol has deprecated since.
@pytest.mark.filterwarnings("ignore::mcp.shared.exceptions.MCPDeprecationWarning")
@pytest.mark.anyio
@pytest.mark.parametrize("revision", REVISIONS)
async def test_with_the_suites_own_tools_every_scenario_but_those_of_extensions_succeeds(
    revision: str, suite: Suite, context: Context, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """What does not succeed stands in expected-with-fixtures.toml, by name, with the reason."""
    server = app.build_server(lambda: context)
    fixtures.lay_over(server, context.ledger)
    outcome, reasons = expected("with-fixtures", revision)
    async with serving(server, Events()) as url:
        found = await ended(suite, url, revision, outcome, tmp_path)
    tell(record_property, f"conformance to {revision}, with the suite's fixtures", found, reasons)
    assert {name: one.not_succeeded for name, one in found.items()} == outcome


@pytest.mark.anyio
@pytest.mark.parametrize("revision", REVISIONS)
async def test_as_it_is_our_server_ends_every_scenario_as_it_did_before(
    revision: str, suite: Suite, context: Context, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """Most scenarios ask for tools that only a server made for them has: expected-as-it-is.toml says which."""
    outcome, reasons = expected("as-it-is", revision)
    async with serving(app.build_server(lambda: context)) as url:
        found = await ended(suite, url, revision, outcome, tmp_path)
    tell(record_property, f"conformance to {revision}, as it is", found, reasons)
    assert {name: one.not_succeeded for name, one in found.items()} == outcome


@pytest.mark.parametrize("revision", REVISIONS)
def test_both_lists_name_the_same_scenarios(revision: str) -> None:
    """Neither leaves one out."""
    with_fixtures, as_it_is = (expected(kind, revision)[0] for kind in ("with-fixtures", "as-it-is"))
    assert with_fixtures.keys() == as_it_is.keys()


@pytest.mark.parametrize("revision", REVISIONS)
def test_the_documentation_states_these_counts(revision: str) -> None:
    """In the table of docs/conformance.md."""
    outcomes = [expected(kind, revision)[0].values() for kind in ("with-fixtures", "as-it-is")]
    with_fixtures, as_it_is = (f"{list(checks).count(())} of {len(checks)}" for checks in outcomes)
    page = (HERE.parents[1] / "docs" / "conformance.md").read_text("utf-8")
    assert f"| {revision} | {with_fixtures} | {as_it_is} |" in page.splitlines()


@pytest.mark.parametrize(
    ("statuses", "outcome"),
    [
        (["SUCCESS", "SUCCESS", "INFO"], Ended(succeeded=2, not_succeeded=())),
        (["SUCCESS", "FAILURE"], Ended(succeeded=1, not_succeeded=("check-1",))),
        (["WARNING", "SUCCESS", "SKIPPED"], Ended(succeeded=1, not_succeeded=("check-0", "check-2"))),
        (["INFO"], Ended(succeeded=0, not_succeeded=(NOTHING,))),
        ([], Ended(succeeded=0, not_succeeded=(NOTHING,))),
    ],
)
def test_a_scenario_succeeds_only_if_something_was_checked_and_all_of_it_succeeded(
    statuses: list[str], outcome: Ended
) -> None:
    """A warning, a check that was skipped, and a scenario without checks are no success."""
    assert judged({"id": f"check-{place}", "status": one} for place, one in enumerate(statuses)) == outcome
