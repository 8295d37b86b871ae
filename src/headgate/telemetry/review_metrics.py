"""The figures of `/metrics` about reviews: what waits for people, and what they decide."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from headgate.telemetry.bounded_labels import BoundedLabels

_HOUR_S = 3600.0
_BUCKETS_S = (60.0, 300.0, 900.0, _HOUR_S, 4 * _HOUR_S, 24 * _HOUR_S, 72 * _HOUR_S, 168 * _HOUR_S)
_SHARES = (0.0, 0.05, 0.1, 0.25, 0.5, 0.75, 1.0)


class ReviewMetrics:
    """What one process knows of reviews."""

    def __init__(self, registry: CollectorRegistry, *, max_label_values: int) -> None:
        self._workflows = BoundedLabels(max_label_values)
        self._open = Gauge(
            "headgate_reviews_open",
            "Reviews that nobody has decided yet, as the database last told.",
            ("kind", "workflow"),
            registry=registry,
            multiprocess_mode="livemostrecent",
        )
        self._decided = Counter(
            "headgate_reviews_decided",
            "Reviews that ended, by how and by whom.",
            ("kind", "workflow", "decision", "by"),
            registry=registry,
        )
        self._seconds = Histogram(
            "headgate_review_seconds",
            "From the opening of a review until its end.",
            ("kind", "workflow"),
            buckets=_BUCKETS_S,
            registry=registry,
        )
        self._edits = Histogram(
            "headgate_review_edit_share",
            "How much of a draft people changed before it went out, as a share of its words.",
            ("workflow",),
            buckets=_SHARES,
            registry=registry,
        )
        self._told: set[tuple[str, str]] = set()

    def note_open(self, counts: Mapping[tuple[str, str], int]) -> None:
        """Set how many wait, by kind and workflow; those that are left out are none."""
        found: dict[tuple[str, str], int] = {}
        for (kind, workflow), count in counts.items():
            key = kind, self._workflows.value(workflow)
            found[key] = found.get(key, 0) + count
        for key in self._told - found.keys():
            self._open.labels(*key).set(0)
        for key, count in found.items():
            self._open.labels(*key).set(count)
        self._told |= found.keys()

    def note_decided(
        self,
        *,
        kind: str,
        workflow: str,
        decision: str,
        by: Literal["person", "deadline"],
        seconds: float,
        edit_share: float | None,
    ) -> None:
        """Count a review that has ended here."""
        workflow = self._workflows.value(workflow)
        self._decided.labels(kind, workflow, decision, by).inc()
        self._seconds.labels(kind, workflow).observe(seconds)
        if edit_share is not None:
            self._edits.labels(workflow).observe(edit_share)
