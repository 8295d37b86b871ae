"""The figures of limits and budgets: what is used, what was refused, who waits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from prometheus_client import CollectorRegistry, Counter, Gauge

from headgate.telemetry.bounded_labels import BoundedLabels

_NANO = 1_000_000_000


class RuleFigures(Protocol):
    """What the figures read of a rule."""

    @property
    def name(self) -> str:
        """Tells it from the others."""

    @property
    def measure(self) -> str:
        """What it counts; `nanousd` is told in dollars."""

    @property
    def limit(self) -> int:
        """The most of it."""


class AllowanceFigures(Protocol):
    """What the figures read of an allowance."""

    @property
    def rule(self) -> RuleFigures:
        """Its rule."""

    @property
    def subject(self) -> str:
        """Whose it is."""

    @property
    def taken(self) -> int:
        """What was spent, reserved or leased of it, as the database last told."""

    @property
    def known_at_us(self) -> int:
        """When that was; 0 if never."""


class AllowanceMetrics:
    """Gauges and counters of one process."""

    def __init__(self, registry: CollectorRegistry, *, max_label_values: int) -> None:
        self._subjects = BoundedLabels(max_label_values)
        self._used = Gauge(
            "headgate_allowance_used",
            "Spent, reserved or leased of a limit or budget in its window; money in US dollars.",
            ("rule", "subject"),
            registry=registry,
            multiprocess_mode="livemax",
        )
        self._limit = Gauge(
            "headgate_allowance_limit",
            "What a limit or budget allows each subject in its window; money in US dollars.",
            ("rule",),
            registry=registry,
            multiprocess_mode="livemax",
        )
        self._refused = Counter(
            "headgate_allowance_refused",
            "Calls that a limit or budget refused.",
            ("rule",),
            registry=registry,
        )
        self._waiting = Gauge(
            "headgate_allowance_waiting",
            "Calls that wait in line for a limit.",
            registry=registry,
            multiprocess_mode="livesum",
        )
        self._told: dict[str, int] = {}
        self._shown: dict[tuple[str, str], int] = {}
        """What each gauge of `_used` stands at; as many as there are labels."""

    def note(
        self,
        allowances: Iterable[AllowanceFigures],
        refusals: Mapping[str, int],
        waiting: int,
    ) -> None:
        """Set the gauges and count what was refused since the last time."""
        rules: dict[str, RuleFigures] = {}
        used: dict[tuple[str, str], int] = {}
        for allowance in allowances:
            if not allowance.known_at_us:
                continue
            rule, taken = allowance.rule, allowance.taken
            rules[rule.name] = rule
            key = rule.name, self._subjects.value(allowance.subject)
            # Those that share the label `other` are told by the one that is used most.
            used[key] = max(used.get(key, 0), taken)
        units = {name: _NANO if rule.measure == "nanousd" else 1 for name, rule in rules.items()}
        for name, rule in rules.items():
            self._limit.labels(name).set(rule.limit / units[name])
        for key, taken in used.items():
            # To set a gauge takes a hundred times as long as to see that it need not be, and there
            # may be tens of thousands.
            if self._shown.get(key) != taken:
                self._shown[key] = taken
                self._used.labels(*key).set(taken / units[key[0]])
        for name, count in refusals.items():
            new = count - self._told.get(name, 0)
            if new:
                self._refused.labels(name).inc(new)
                self._told[name] = count
        self._waiting.set(waiting)
