"""A collector on loopback that keeps what OpenTelemetry's exporters send it in protobuf. It holds no test."""

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeAlias

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

Labels: TypeAlias = tuple[tuple[str, str | int], ...]


@dataclass(frozen=True, kw_only=True)
class Span:
    """A span as it arrived: its ids in hexadecimal, and its attributes."""

    name: str
    trace: str
    id: str
    parent: str
    kind: int
    status: int
    told: dict[str, Any]


@dataclass
class Collector:
    """What arrived, as it was sent and as it is meant."""

    url: str
    raw: bytearray = field(default_factory=bytearray)
    paths: list[str] = field(default_factory=list)
    authorizations: set[str | None] = field(default_factory=set)
    spans: list[Span] = field(default_factory=list)
    metrics: dict[str, dict[Labels, int]] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)
    services: set[tuple[str, str]] = field(default_factory=set)

    def receive(self, path: str, authorization: str | None, body: bytes) -> None:
        """Keep one export."""
        self.raw += body
        self.paths.append(path)
        self.authorizations.add(authorization)
        if path == "/v1/traces":
            self._keep_spans(ExportTraceServiceRequest.FromString(body))
        elif path == "/v1/metrics":
            self._keep_metrics(ExportMetricsServiceRequest.FromString(body))

    def _keep_spans(self, sent: Any) -> None:
        for resource in sent.resource_spans:
            self._keep_service(resource.resource)
            for scope in resource.scope_spans:
                self.spans += [
                    Span(
                        name=span.name,
                        trace=span.trace_id.hex(),
                        id=span.span_id.hex(),
                        parent=span.parent_span_id.hex(),
                        kind=span.kind,
                        status=span.status.code,
                        told=dict(labels(span.attributes)),
                    )
                    for span in scope.spans
                ]

    def _keep_metrics(self, sent: Any) -> None:
        """Keep the newest number of each series: counters are sent as totals."""
        for resource in sent.resource_metrics:
            self._keep_service(resource.resource)
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    self.units[metric.name] = metric.unit
                    kind = metric.WhichOneof("data")
                    number = "count" if kind == "histogram" else "as_int"
                    found = {
                        labels(each.attributes): getattr(each, number) for each in getattr(metric, kind).data_points
                    }
                    self.metrics.setdefault(metric.name, {}).update(found)

    def _keep_service(self, resource: Any) -> None:
        told = dict(labels(resource.attributes))
        self.services.add((str(told["service.name"]), str(told["service.instance.id"])))


def labels(attributes: Any) -> Labels:
    """The attributes of a span, a resource or a number of a metric, sorted by name."""
    found = ((each.key, getattr(each.value, each.value.WhichOneof("value"))) for each in attributes)
    return tuple(sorted(found))


@contextmanager
def collecting() -> Iterator[Collector]:
    """Collect on a free port of loopback for as long as the block runs."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            plain = gzip.decompress(body) if self.headers["content-encoding"] == "gzip" else body
            collector.receive(self.path, self.headers["authorization"], plain)
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """A test needs no access log."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        collector = Collector(f"http://127.0.0.1:{server.server_address[1]}")
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield collector
        finally:
            server.shutdown()
            thread.join()
