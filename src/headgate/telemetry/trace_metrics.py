"""The figures of `/metrics` about traces: how many spans were sent, and how many never arrived."""

from __future__ import annotations

from typing import Literal

from prometheus_client import CollectorRegistry, Counter

Lost = Literal["queue_full", "not_accepted"]
"""`queue_full`: more came than could be sent. `not_accepted`: the collector was away or refused."""


class TraceMetrics:
    """What one process knows of its spans."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._sent = Counter(
            "headgate_trace_spans_sent", "Spans that the collector accepted.", registry=registry
        )
        self._lost = Counter(
            "headgate_trace_spans_lost",
            "Spans that never arrived: the queue was full, or the collector did not accept them.",
            ("reason",),
            registry=registry,
        )

    def sent(self, spans: int) -> None:
        """Count spans that were accepted."""
        self._sent.inc(spans)

    def lost(self, reason: Lost, spans: int) -> None:
        """Count spans that were not."""
        self._lost.labels(reason).inc(spans)
