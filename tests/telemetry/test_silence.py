"""Where no collector is named, or none answers, nothing is sent, nothing is imported, and no answer changes."""

import json
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from vercel_marketplace_mcp.sandbox.http import serving

from ..approval.processes import process
from ..approval.terminal import variables
from ..approval.world import Person, World, buy, typed
from .receiver import Collector

pytestmark = pytest.mark.anyio

ONE_CALL = """
import json, sys
import anyio
from vercel_marketplace_mcp import collector, logs, telemetry
from vercel_marketplace_mcp.vercel.operations import GET_STORE

logs.configure(collector.secrets())

async def main():
    async def none():
        return 0
    async with collector.exported(none):
        telemetry.answered("list-plans", "ok")
        telemetry.purchase("created", paid=True)
        with telemetry.span("quote"), telemetry.exchange(GET_STORE, "api.vercel.com") as exchanged:
            exchanged.status = 200

anyio.run(main)
print(json.dumps(sorted(name for name in sys.modules if name.startswith(("opentelemetry", "requests")))))
"""
WITHOUT_THE_EXTRA = """
import sys
class Missing:
    def find_spec(self, name, *_):
        if name.startswith(("opentelemetry.sdk", "opentelemetry.exporter")):
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Missing())
"""


def run(program: str, **more: str) -> tuple[list[str], str]:
    """The modules that a program has imported at its end, of those that send, and what it said on standard error."""
    command = (sys.executable, "-c", program)
    done = subprocess.run(command, env=variables(**more), capture_output=True, text=True, check=True, timeout=60)
    modules = json.loads(done.stdout)
    return [name for name in modules if name.startswith(("opentelemetry.sdk", "opentelemetry.exp", "requests"))], (
        done.stderr
    )


@pytest.mark.parametrize(
    "named",
    [
        {},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": ""},
        {"OTEL_EXPORTER_OTLP_HEADERS": "authorization=key"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "URL", "OTEL_SDK_DISABLED": "true"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "URL", "OTEL_TRACES_EXPORTER": "none", "OTEL_METRICS_EXPORTER": "none"},
    ],
    ids=lambda named: ",".join(named) or "nothing is set",
)
def test_without_a_collector_nothing_is_imported_or_sent(collector: Collector, named: dict[str, str]) -> None:
    """Neither the SDK nor an exporter nor an HTTP library; what is counted goes nowhere."""
    told = {name: value.replace("URL", collector.url) for name, value in named.items()}
    assert run(ONE_CALL, **told) == ([], "")
    assert collector.paths == []


def test_without_the_extra_a_named_collector_is_a_warning(collector: Collector) -> None:
    """The server serves all the same, and says why nothing arrives."""
    modules, said = run(WITHOUT_THE_EXTRA + ONE_CALL, OTEL_EXPORTER_OTLP_ENDPOINT=collector.url)
    assert (modules, collector.paths) == ([], [])
    warning = "A collector is named, but the extra telemetry is not installed: it is sent nothing."
    assert said == f"WARNING vercel_marketplace_mcp.collector: {warning}\n" * 2


@pytest.mark.parametrize(
    ("named", "paths"),
    [
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "URL/v1/traces"}, {"/v1/traces"}),
        ({"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "URL/v1/metrics"}, {"/v1/metrics"}),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "URL", "OTEL_TRACES_EXPORTER": "none"}, {"/v1/metrics"}),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "URL"}, {"/v1/traces", "/v1/metrics"}),
    ],
    ids=lambda value: ",".join(value) if isinstance(value, dict) else "",
)
def test_each_signal_has_a_collector_of_its_own(collector: Collector, named: dict[str, str], paths: set[str]) -> None:
    """The standard variables name one for both, or one for each, and switch either off."""
    run(ONE_CALL, **{name: value.replace("URL", collector.url) for name, value in named.items()})
    assert set(collector.paths) == paths


def test_a_malformed_variable_is_told_and_no_reason_not_to_serve(collector: Collector) -> None:
    """What can't be sent is not sent; the rest is, and the work goes on."""
    named = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_METRIC_EXPORT_INTERVAL": "0"}
    _, said = run(ONE_CALL, **named)
    assert said.startswith(
        "ERROR vercel_marketplace_mcp.collector: The collector is sent no traces, or no metrics: check the OTEL_ "
    )
    assert set(collector.paths) == {"/v1/traces"}


@pytest.mark.parametrize(
    "headers", ["collector-key-0123456789", "a=1,=collector-key-0123456789", "collector%2Dkey-0123456789"]
)
def test_a_malformed_header_is_not_logged(collector: Collector, headers: str) -> None:
    """The exporter repeats what it can't read, which may be the key: it is taken out of what is written."""
    _, said = run(ONE_CALL, OTEL_EXPORTER_OTLP_ENDPOINT=collector.url, OTEL_EXPORTER_OTLP_HEADERS=headers)
    assert ("Header format invalid" in said, "key-0123456789" in said) == (True, False)


@pytest.fixture
def nobody() -> Iterator[str]:
    """An address at which nobody answers: connections are taken by the system and never looked at."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen(0)
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


@pytest.mark.parametrize("silent", [True, False], ids=["silent", "closed"])
async def test_a_collector_that_does_not_answer_changes_no_answer(
    era: str, world: World, nobody: str, silent: bool
) -> None:
    """A purchase is made as ever while its metrics are being sent, and the process ends by itself in its time."""
    endpoint = nobody if silent else "http://127.0.0.1:9"
    more = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
        "OTEL_METRIC_EXPORT_INTERVAL": "50",
        "OTEL_BSP_SCHEDULE_DELAY": "50",
    }
    person = Person(typed("20.00"))
    async with serving(world.sandbox) as base_url, process(world, base_url, era, person, **more) as client:
        found = [await buy(client), await buy(client)]
    assert [(one["status"], one.get("replayed", False)) for one in found] == [("created", False), ("created", True)]
