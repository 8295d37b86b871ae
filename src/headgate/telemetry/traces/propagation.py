"""The `traceparent` line that a provider is sent, where the operator wants it to have one. No I/O.

It names the trace and the attempt's span, and says whether the trace is kept: nothing else.
"""

from __future__ import annotations

from collections.abc import Collection

from headgate.telemetry.traces.lineage import Parent, attempt_name, span_id_of
from headgate.telemetry.traces.sampler import Sampler


class Propagator:
    """Tells the `providers` that are named, and nobody else."""

    def __init__(self, sampler: Sampler, providers: Collection[str]) -> None:
        self._sampler = sampler
        self._providers = frozenset(providers)

    def header(
        self, provider: str, trace_id: str, parent: Parent | None, call_id: str, number: int
    ) -> bytes:
        """The header line of the attempt `number` of a call; empty for a provider not named."""
        if provider not in self._providers:
            return b""
        span_id = span_id_of(attempt_name(call_id, number))
        kept = self._sampler.keeps(trace_id, parent)
        return f"traceparent: 00-{trace_id}-{span_id}-{'01' if kept else '00'}\r\n".encode()
