"""Sends traces and metrics to the operator's collector, if one is named by OpenTelemetry's own variables.

It may neither delay nor fail a call, and it imports OpenTelemetry's SDK only where there is a collector.
"""

import logging
import os
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from concurrent.futures import CancelledError
from contextlib import asynccontextmanager, suppress
from functools import partial
from threading import Thread
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import anyio
import anyio.from_thread
import anyio.lowlevel

from vercel_marketplace_mcp import telemetry

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource

logger = logging.getLogger(__name__)

FLUSH_WAIT = 1.5
"""Seconds that the last traces and metrics may take when the process ends; hosts give it two in all."""
LOOK_WAIT = 2.0
"""Seconds that counting the unknown purchases may take."""
_SHORTEST_SECRET = 8
_HEADERS = ("OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_METRICS_HEADERS")
_ENDPOINTS = tuple(name.replace("HEADERS", "ENDPOINT") for name in _HEADERS)


def secrets(environment: Mapping[str, str] = os.environ) -> list[str]:
    """Return what opens the collector, as it may be written: nobody logs it."""
    found = [part for name in _HEADERS for part in (environment.get(name, ""), *environment.get(name, "").split(","))]
    found += [part.partition("=")[2] for part in found]
    found += [word for part in found for word in unquote(part).split()]
    found += [_password(environment.get(name, "")) for name in _ENDPOINTS]
    return [part for part in dict.fromkeys(found) if len(part) >= _SHORTEST_SECRET]


def _password(url: str) -> str:
    try:
        return urlsplit(url).password or ""
    except ValueError:
        return ""


def _is_wanted(signal: str, environment: Mapping[str, str]) -> bool:
    """Whether the operator has named a collector for `TRACES` or `METRICS`, by OpenTelemetry's own variables."""
    off = environment.get("OTEL_SDK_DISABLED", "").lower() == "true"
    named = environment.get("OTEL_EXPORTER_OTLP_ENDPOINT") or environment.get(f"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT")
    return bool(named) and not off and environment.get(f"OTEL_{signal}_EXPORTER", "otlp") != "none"


@asynccontextmanager
async def exported(open_unknowns: Callable[[], Awaitable[int]]) -> AsyncIterator[None]:
    """Send traces and metrics to the operator's collector, if there is one, for as long as the block runs.

    `open_unknowns` says of how many purchases nobody knows the outcome.
    """
    starts = {"TRACES": _start_traces, "METRICS": _start_metrics}
    wanted = [start for signal, start in starts.items() if _is_wanted(signal, os.environ)]
    instance = str(uuid.uuid4())
    ends = [end for start in wanted if (end := _started(start, instance)) is not None]
    try:
        if ends:
            telemetry.watch(partial(_look, open_unknowns, anyio.lowlevel.current_token()))
        yield
    finally:
        if ends:
            await _end(ends)


def _started(start: Callable[[str], Callable[[], None]], instance: str) -> Callable[[], None] | None:
    """Start an exporter, and return what ends it; one that can't be had is no reason not to serve."""
    try:
        return start(instance)
    except ImportError:
        logger.warning("A collector is named, but the extra telemetry is not installed: it is sent nothing.")
    except Exception:
        logger.exception("The collector is sent no traces, or no metrics: check the OTEL_ variables.")
    return None


def _start_traces(instance: str) -> Callable[[], None]:
    from opentelemetry import trace
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace import SpanLimits, TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    limits = SpanLimits(max_attribute_length=200)  # a client may call a tool by any name
    provider = TracerProvider(resource=_resource(instance), span_limits=limits, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    return provider.shutdown


def _start_metrics(instance: str) -> Callable[[], None]:
    from opentelemetry import metrics
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader

    reader = PeriodicExportingMetricReader(OTLPMetricExporter())
    provider = MeterProvider([reader], resource=_resource(instance), shutdown_on_exit=False)
    metrics.set_meter_provider(provider)
    return provider.shutdown


def _resource(instance: str) -> "Resource":
    from opentelemetry.sdk.resources import OTELResourceDetector, Resource

    from vercel_marketplace_mcp import __version__

    ours = {"service.name": telemetry.NAME, "service.version": __version__, "service.instance.id": instance}
    return Resource(ours).merge(OTELResourceDetector().detect())


def _look(open_unknowns: Callable[[], Awaitable[int]], token: anyio.lowlevel.EventLoopToken) -> int | None:
    """Return the number of unknown purchases; None if the ledger does not tell, or not soon."""

    async def count() -> int | None:
        with anyio.move_on_after(LOOK_WAIT), suppress(Exception):
            return await open_unknowns()
        return None

    try:
        return anyio.from_thread.run(count, token=token)
    except (RuntimeError, CancelledError):  # the event loop has ended
        return None


async def _end(ends: list[Callable[[], None]]) -> None:
    """Send what is left, for a few seconds at most, even if the process is being cancelled."""
    done, token = anyio.Event(), anyio.lowlevel.current_token()

    def end() -> None:
        for each in ends:
            with suppress(Exception):
                each()
        with suppress(RuntimeError):
            anyio.from_thread.run_sync(done.set, token=token)

    Thread(target=end, name="telemetry", daemon=True).start()
    with anyio.move_on_after(FLUSH_WAIT, shield=True):
        await done.wait()
