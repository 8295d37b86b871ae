"""The figures of `/metrics` about the grades of tiered routes: where each came from."""

from __future__ import annotations

from typing import Literal

from prometheus_client import CollectorRegistry, Counter

Graded = Literal["asked", "remembered", "no_text", "no_grade", "late", "failed"]
"""`asked`: the classifier gave it. `remembered`: it gave it before. Else the route's default was
taken: there was no text (`no_text`), its answer was no grade (`no_grade`), it was `late`, or its
call `failed`."""


class GradingMetrics:
    """What one process knows of the grades it took."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._grades = Counter(
            "headgate_route_grades",
            "Requests of tiered routes that needed a grade, by where it came from: asked or"
            " remembered; or the default, because of no_text, no_grade, late or failed.",
            ("route", "result"),
            registry=registry,
        )

    def graded(self, route: str, result: Graded) -> None:
        """Count a request that needed a grade."""
        self._grades.labels(route, result).inc()
