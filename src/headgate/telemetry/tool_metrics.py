"""The figures of `/metrics` about tools: how long their calls take, and what becomes of actions."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram

from headgate.telemetry.bounded_labels import OTHER, BoundedLabels

_BUCKETS_S = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
_MAX_PAIRS = 500
"""Tools of workflows that get figures of their own; the rest are counted together."""


class ToolMetrics:
    """What one process knows of tools."""

    def __init__(self, registry: CollectorRegistry, *, max_label_values: int) -> None:
        self._workflows = BoundedLabels(max_label_values)
        self._pairs: set[tuple[str, str]] = set()
        self._actions = Counter(
            "headgate_actions",
            "Actions, counted once for each state that they come to.",
            ("workflow", "tool", "state"),
            registry=registry,
        )
        self._seconds = Histogram(
            "headgate_tool_call_seconds",
            "How long a tool's call took, by what came of it: done, failed or unknown.",
            ("workflow", "tool", "outcome"),
            buckets=_BUCKETS_S,
            registry=registry,
        )

    def note_action(self, workflow: str, tool: str, state: str) -> None:
        """Count an action that has come to a state here."""
        self._actions.labels(*self._bounded(workflow, tool), state).inc()

    def note_call(self, workflow: str, tool: str, outcome: str, seconds: float) -> None:
        """Count a call of a tool that has ended here."""
        self._seconds.labels(*self._bounded(workflow, tool), outcome).observe(seconds)

    def _bounded(self, workflow: str, tool: str) -> tuple[str, str]:
        pair = self._workflows.value(workflow), tool
        if pair not in self._pairs:
            if pair[0] == OTHER or len(self._pairs) >= _MAX_PAIRS:
                return pair[0], OTHER
            self._pairs.add(pair)
        return pair
