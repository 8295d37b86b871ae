"""The figures of asynchronous runs: how many have not ended, and how many are carried here."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Gauge


class RunMetrics:
    """Gauges of one process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._unfinished = Gauge(
            "headgate_runs_unfinished",
            "Asynchronous runs that have not ended, in the whole database, as last counted.",
            registry=registry,
            multiprocess_mode="livemax",
        )
        self._carried = Gauge(
            "headgate_runs_carried",
            "Asynchronous runs that are under way.",
            registry=registry,
            multiprocess_mode="livesum",
        )

    def note(self, *, unfinished: int, carried: int) -> None:
        """Set the gauges."""
        self._unfinished.set(unfinished)
        self._carried.set(carried)
