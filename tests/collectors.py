"""A collector of traces under a test's control: takes OTLP over HTTP and decodes it."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from servers import until

KINDS = {1: "internal", 2: "server", 3: "client"}


class SeenSpan(NamedTuple):
    """A span as the collector was sent it."""

    trace_id: str
    span_id: str
    parent_id: str
    name: str
    kind: str
    begun_ns: int
    ended_ns: int
    facts: dict[str, Any]
    failed: bool
    moments: tuple[str, ...]
    service: dict[str, Any]
    parent_is_remote: bool


class Collector:
    """What came, and how the next batches are answered."""

    def __init__(self) -> None:
        self.status = 200
        self.headers: list[dict[str, str]] = []
        self.paths: list[str] = []
        self.port = 0
        self._raw: list[bytes] = []
        self._lock = threading.Lock()

    @property
    def endpoint(self) -> str:
        """What OTEL_EXPORTER_OTLP_ENDPOINT is to be."""
        return f"http://127.0.0.1:{self.port}"

    def take(self, path: str, headers: dict[str, str], body: bytes) -> int:
        """Keep a batch, if such are accepted now."""
        with self._lock:
            self.paths.append(path)
            self.headers.append(headers)
            if self.status == 200:
                self._raw.append(gzip.decompress(body) if "content-encoding" in headers else body)
            return self.status

    @property
    def bytes_seen(self) -> bytes:
        """All that was accepted, as it came."""
        with self._lock:
            return b"".join(self._raw)

    def spans(self, **facts: Any) -> list[SeenSpan]:
        """The spans that have these facts (`_` for `.`), in the order in which they began."""
        wanted = {name.replace("_", "."): value for name, value in facts.items()}
        with self._lock:
            found = [span for raw in self._raw for span in _decoded(raw)]
        chosen = [span for span in found if wanted.items() <= span.facts.items()]
        return sorted(chosen, key=lambda span: (span.begun_ns, span.facts.get(NUMBER, 0)))

    def trace(self, trace_id: str, count: int, timeout_s: float = 10.0) -> list[SeenSpan]:
        """The `count` spans of a trace, once they have come."""

        def came() -> list[SeenSpan]:
            return [span for span in self.spans() if span.trace_id == trace_id]

        until(lambda: len(came()) >= count, timeout_s)
        found = came()
        assert len(found) == count, [span.name for span in found]
        return found


NUMBER = "headgate.attempt.number"


@contextmanager
def collector_running() -> Iterator[Collector]:
    """A collector that listens until the block ends."""
    collector = Collector()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status = collector.take(self.path, headers, body)
            self.send_response(status)
            self.send_header("content-type", "application/x-protobuf")
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    collector.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, name="collector", daemon=True)
    thread.start()
    try:
        yield collector
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5.0)


def _decoded(raw: bytes) -> Iterator[SeenSpan]:
    for resource in ExportTraceServiceRequest.FromString(raw).resource_spans:
        service = _facts(resource.resource.attributes)
        for scope in resource.scope_spans:
            for span in scope.spans:
                yield SeenSpan(
                    span.trace_id.hex(),
                    span.span_id.hex(),
                    span.parent_span_id.hex(),
                    span.name,
                    KINDS[span.kind],
                    span.start_time_unix_nano,
                    span.end_time_unix_nano,
                    _facts(span.attributes),
                    span.status.code == 2,
                    tuple(event.name for event in span.events),
                    service,
                    bool(span.flags & 0x200),
                )


def _facts(attributes: Any) -> dict[str, Any]:
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in attributes}
