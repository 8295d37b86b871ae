"""Sends spans to a collector over OTLP/HTTP; the only file that knows the OpenTelemetry SDK.

The SDK reads what the operator set in its own environment variables (`OTEL_EXPORTER_OTLP_HEADERS`,
`…_CERTIFICATE`, `…_COMPRESSION`, `OTEL_RESOURCE_ATTRIBUTES` and the rest). It is imported when a
server that traces starts, never before: it takes 14 MB.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, TraceFlags
from opentelemetry.trace.status import Status, StatusCode

from headgate import __version__
from headgate.telemetry.traces.span import Span

_KINDS = {"server": SpanKind.SERVER, "client": SpanKind.CLIENT, "internal": SpanKind.INTERNAL}
_SAMPLED = TraceFlags(TraceFlags.SAMPLED)
_FAILED, _UNSET = Status(StatusCode.ERROR), Status()
_SCOPE = InstrumentationScope("headgate", __version__)


class OtlpSender:
    """One connection to a collector; not to be used by several threads at once.

    `endpoint` is the whole address, with its path; None leaves it to the environment.
    """

    def __init__(
        self, *, endpoint: str | None, headers: Mapping[str, str], timeout_s: float | None
    ) -> None:
        # It says itself, once for each batch, what the queue says once for all.
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
        self._exporter = OTLPSpanExporter(
            endpoint=endpoint, headers=dict(headers) or None, timeout=timeout_s
        )
        own = Resource({"service.name": "headgate", "service.version": __version__})
        self._resource = own.merge(OTELResourceDetector().detect())

    def send(self, spans: Sequence[Span]) -> bool:
        """Whether the collector accepted `spans`; blocks until it has, or the time is up."""
        result = self._exporter.export([self._readable(span) for span in spans])
        return result is SpanExportResult.SUCCESS

    def close(self) -> None:
        """Close the connection; a `send` that waits to try again gives up."""
        self._exporter.shutdown()  # type: ignore[no-untyped-call]

    def _readable(self, span: Span) -> ReadableSpan:
        trace_id = int(span.trace_id, 16)
        parent = None
        if span.parent_id is not None:
            parent_id = int(span.parent_id, 16)
            parent = SpanContext(trace_id, parent_id, is_remote=not span.parent_ours)
        facts: Any = span.facts
        return ReadableSpan(
            span.name,
            context=SpanContext(
                trace_id, int(span.span_id, 16), is_remote=False, trace_flags=_SAMPLED
            ),
            parent=parent,
            resource=self._resource,
            attributes=facts,
            events=[
                Event(moment.name, dict(moment.facts), timestamp=moment.at_us * 1000)
                for moment in span.moments
            ],
            kind=_KINDS[span.kind],
            status=_FAILED if span.failed else _UNSET,
            start_time=span.begun_us * 1000,
            end_time=span.ended_us * 1000,
            instrumentation_scope=_SCOPE,
        )
