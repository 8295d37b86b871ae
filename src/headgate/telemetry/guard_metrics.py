"""The figures of `/metrics` about guards: what they said, and how long they took."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram

_BUCKETS_S = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1.0, 2.5)


class GuardMetrics:
    """What one process knows of its guards; their names are the operator's, and few."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._verdicts = Counter(
            "headgate_guard_verdicts",
            "What guards said of requests and answers.",
            ("guard", "direction", "decision", "policy"),
            registry=registry,
        )
        self._values = Counter(
            "headgate_guard_values",
            "Values that guards found, by their kind.",
            ("guard", "kind"),
            registry=registry,
        )
        self._seconds = Histogram(
            "headgate_guard_seconds",
            "How long guards took for one direction of a call.",
            ("guard", "direction"),
            buckets=_BUCKETS_S,
            registry=registry,
        )

    def verdict(
        self, guard: str, direction: str, decision: str, policy: str, counts: dict[str, int]
    ) -> None:
        """Count what a guard said; `policy` names what made it stand there."""
        self._verdicts.labels(guard, direction, decision, policy).inc()
        for kind, count in counts.items():
            self._values.labels(guard, kind).inc(count)

    def took(self, guard: str, direction: str, seconds: float) -> None:
        """Note how long it took."""
        self._seconds.labels(guard, direction).observe(seconds)
