"""What is told of the work in traces and metrics, by way of OpenTelemetry's API. Without its SDK this costs nothing.

No secret, no name of a store, no id and no person stands in it: labels are words of our own, a handful each.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from opentelemetry.metrics import CallbackOptions, Counter, Histogram, Meter, Observation
    from opentelemetry.trace import Tracer

NAME = "vercel-marketplace-mcp"
_ANSWERS = {"approved": "yes", "declined": "no", "unseen": "unseen", "expired": "expired"}
_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 30, 60)


def purchase(outcome: str, *, paid: bool) -> None:
    """Count a create request that was about to be sent, by the status it was answered with."""
    _counter("purchases", "{purchase}", "Create requests, by outcome.").add(
        1, {"vercel_mcp.purchase.outcome": outcome, "vercel_mcp.purchase.billing": "may_charge" if paid else "free"}
    )


def question(answer: str, channel: str) -> None:
    """Count what came of a question, by the way it took."""
    told = _ANSWERS.get(answer, "other")
    _counter("questions", "{question}", "Questions to a person, by answer.").add(
        1, {"vercel_mcp.question.answer": told, "vercel_mcp.question.channel": channel}
    )


def answered(tool: str, status: str) -> None:
    """Count an answer of a tool; a list tool's status is `ok` or `failed`."""
    _counter("tool.answers", "{answer}", "Answers of tools, by status.").add(
        1, {"gen_ai.tool.name": tool, "vercel_mcp.tool.status": status}
    )


@contextmanager
def span(name: str) -> Iterator[None]:
    """Trace the block; of an exception that leaves it, only its kind is told."""
    with _traced(name, {}):
        yield


@dataclass(slots=True)
class Exchanged:
    """What is known of a request once it was answered."""

    status: int | None = None


class Operation(Protocol):
    """What an HTTP request is one of."""

    @property
    def method(self) -> str:
        """GET or POST."""

    @property
    def template(self) -> str:
        """The path, with names instead of values."""


@contextmanager
def exchange(operation: Operation, host: str) -> Iterator[Exchanged]:
    """Trace and time one HTTP request; of its address only the host and the path's template are told."""
    method, template = operation.method, operation.template
    told: dict[str, str | int] = {"http.request.method": method, "url.template": template, "server.address": host}
    exchanged, started = Exchanged(), time.monotonic()
    try:
        with _traced(f"{method} {template}", told, is_client=True):
            yield exchanged
            told |= _outcome(exchanged.status)
    finally:
        _durations().record(time.monotonic() - started, told)


@contextmanager
def _traced(name: str, told: dict[str, Any], *, is_client: bool = False) -> Iterator[None]:
    """Trace the block with what is told at its end."""
    from opentelemetry.trace import SpanKind, StatusCode

    kind = SpanKind.CLIENT if is_client else SpanKind.INTERNAL
    begun = _tracer().start_as_current_span(name, kind=kind, record_exception=False, set_status_on_exception=False)
    with begun as current:
        try:
            yield
        except Exception as error:
            told["error.type"] = type(error).__name__
            raise
        finally:
            if "error.type" in told:
                current.set_status(StatusCode.ERROR)
            current.set_attributes(told)


def _outcome(status: int | None) -> dict[str, str | int]:
    if status is None:
        return {}
    failed = {"error.type": str(status)} if status >= 400 else {}
    return {"http.response.status_code": status, **failed}


@cache
def _tracer() -> "Tracer":
    from opentelemetry.trace import get_tracer

    return get_tracer(NAME)


@cache
def _meter() -> "Meter":
    from opentelemetry.metrics import get_meter  # on first use: no start waits for it

    return get_meter(NAME)


@cache
def _counter(name: str, unit: str, description: str) -> "Counter":
    return _meter().create_counter(f"vercel_mcp.{name}", unit, description)


@cache
def _durations() -> "Histogram":
    return _meter().create_histogram(
        "http.client.request.duration",
        "s",
        "Duration of requests to Vercel.",
        explicit_bucket_boundaries_advisory=_SECONDS,
    )


def watch(observe: Callable[[], int | None]) -> None:
    """Have the purchases of unknown outcome counted whenever metrics are sent; None tells nothing."""
    from opentelemetry.metrics import Observation

    def look(_options: "CallbackOptions") -> "list[Observation]":
        count = observe()
        return [] if count is None else [Observation(count)]

    text = "Purchases of which nobody knows whether they were made."
    _meter().create_observable_gauge("vercel_mcp.purchases.unknown", [look], "{purchase}", text)
