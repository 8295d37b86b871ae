"""The figures of `/metrics`: whole-server ones, whichever worker is asked.

They are made from the ledger's records after each batch, on the writer's thread, so a call itself
pays nothing for them and they can't disagree with the ledger. Where several workers run, each
keeps its figures in a file that the one asked adds up (prometheus_client's multi-process mode,
chosen by the environment variable PROMETHEUS_MULTIPROC_DIR before the library is imported).
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from headgate import __version__
from headgate.telemetry.allowance_metrics import AllowanceMetrics
from headgate.telemetry.bounded_labels import OTHER, BoundedLabels
from headgate.telemetry.grading_metrics import GradingMetrics
from headgate.telemetry.guard_metrics import GuardMetrics
from headgate.telemetry.review_metrics import ReviewMetrics
from headgate.telemetry.run_metrics import RunMetrics
from headgate.telemetry.target_metrics import TargetMetrics
from headgate.telemetry.tool_metrics import ToolMetrics
from headgate.telemetry.trace_metrics import TraceMetrics

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
"""Names the folder in which several workers keep their figures; read by prometheus_client too."""

_MAX_SERIES = 2_000
"""Combinations of labels that get figures of their own; the rest are counted together."""

_LABELS = ("endpoint", "model", "project", "feature")

_LATENCY_BUCKETS_S = (0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)
_FIRST_TOKEN_BUCKETS_S = (0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60)


class CallFigures(Protocol):
    """What the metrics read of a call's record."""

    endpoint: str
    model_requested: str | None
    project: str
    feature: str | None
    status: int
    error_class: str | None
    attempts: int
    saved_nanousd: int | None
    input_tokens: int | None
    cached_tokens: int | None
    output_tokens: int | None
    reasoning_tokens: int | None
    cost_nanousd: int | None
    latency_us: int
    first_token_us: int | None

    @property
    def cache(self) -> str:
        """What the cache had for it: `off` where it wasn't asked."""


class _Series:
    """A combination of labels, with what each of its calls needs at hand."""

    __slots__ = ("labels", "latency")

    def __init__(self, labels: tuple[str, ...], latency: Histogram) -> None:
        self.labels = labels
        self.latency = latency


class _Sums:
    """What the calls of one batch that share a series and an outcome add up to."""

    __slots__ = (
        "attempts",
        "cache",
        "cached_tokens",
        "calls",
        "cost_nanousd",
        "input_tokens",
        "output_tokens",
        "reasoning_tokens",
        "saved_nanousd",
        "unpriced",
    )

    def __init__(self) -> None:
        self.calls = self.attempts = self.unpriced = self.cost_nanousd = self.saved_nanousd = 0
        self.input_tokens = self.cached_tokens = self.output_tokens = self.reasoning_tokens = 0
        self.cache: dict[str, int] | None = None

    def note_cache(self, record: CallFigures) -> None:
        """Count a call that asked the cache."""
        if self.cache is None:
            self.cache = {}
        self.cache[record.cache] = self.cache.get(record.cache, 0) + 1
        self.saved_nanousd += record.saved_nanousd or 0


class Metrics:
    """Counters, histograms and gauges of one process, and the rendering of the whole server's."""

    def __init__(self, *, max_label_values: int) -> None:
        self._several = bool(os.environ.get(FOLDER_VARIABLE))
        self._registry = registry = CollectorRegistry()
        self._bounded = {label: BoundedLabels(max_label_values) for label in _LABELS}
        self._series: dict[tuple[str, ...], _Series] = {}
        self._requests = Counter(
            "headgate_requests", "Calls answered.", (*_LABELS, "status"), registry=registry
        )
        self._errors = Counter(
            "headgate_errors",
            "Calls that failed, by the class of their error.",
            (*_LABELS, "error"),
            registry=registry,
        )
        self._throttled = Counter(
            "headgate_throttled", "Calls answered with 429.", _LABELS, registry=registry
        )
        self._attempts = Counter(
            "headgate_attempts", "Requests sent to providers.", _LABELS, registry=registry
        )
        self._tokens = Counter(
            "headgate_tokens", "Tokens used, by kind.", (*_LABELS, "kind"), registry=registry
        )
        self._cost = Counter(
            "headgate_cost_usd", "Cost in US dollars of priced calls.", _LABELS, registry=registry
        )
        self._unpriced = Counter(
            "headgate_unpriced", "Calls whose price is not known.", _LABELS, registry=registry
        )
        self._cache = Counter(
            "headgate_cache",
            "Calls that asked the cache, by what it had: hit, stale or miss.",
            (*_LABELS, "result"),
            registry=registry,
        )
        self._saved = Counter(
            "headgate_cache_saved_usd",
            "What answers from the cache cost when a model gave them, in US dollars.",
            _LABELS,
            registry=registry,
        )
        self._latency = Histogram(
            "headgate_request_duration_seconds",
            "From a call's arrival to the end of its answer.",
            _LABELS,
            buckets=_LATENCY_BUCKETS_S,
            registry=registry,
        )
        self._first_token = Histogram(
            "headgate_first_token_seconds",
            "From a streamed call's arrival to its first token.",
            _LABELS,
            buckets=_FIRST_TOKEN_BUCKETS_S,
            registry=registry,
        )
        self._in_flight = Gauge(
            "headgate_in_flight",
            "Calls being carried.",
            registry=registry,
            multiprocess_mode="livesum",
        )
        self._websockets = Gauge(
            "headgate_websockets",
            "Websockets of applications that are open.",
            registry=registry,
            multiprocess_mode="livesum",
        )
        self._lag = Gauge(
            "headgate_ledger_lag_seconds",
            "Age of the oldest record that is not yet written.",
            registry=registry,
            multiprocess_mode="livemax",
        )
        self._waiting = Gauge(
            "headgate_ledger_waiting_records",
            "Records that are not yet written.",
            registry=registry,
            multiprocess_mode="livesum",
        )
        self._dead_records = Counter(
            "headgate_ledger_dead_records",
            "Records that the database refused for what they are; each stands in the log instead.",
            registry=registry,
        )
        self._told_dead_records = 0
        self._unrecorded_calls = Counter(
            "headgate_ledger_unrecorded_calls",
            "Calls that were refused, without a record, because the ledger's queue was full; no"
            " other figure counts them.",
            registry=registry,
        )
        self._told_unrecorded_calls = 0
        self.allowances = AllowanceMetrics(registry, max_label_values=max_label_values)
        """The figures of limits and budgets."""
        self.runs = RunMetrics(registry)
        """The figures of asynchronous runs."""
        self._cache_entries = Gauge(
            "headgate_cache_entries",
            "Answers in the memory of the processes.",
            registry=registry,
            multiprocess_mode="livesum",
        )
        self._cache_bytes = Gauge(
            "headgate_cache_bytes",
            "What they take.",
            registry=registry,
            multiprocess_mode="livesum",
        )
        Gauge(
            "headgate_build_info",
            "The version that runs.",
            ("version",),
            registry=registry,
            multiprocess_mode="livemax",
        ).labels(__version__).set(1)
        self.targets = TargetMetrics(registry, max_label_values=max_label_values)
        self.guards = GuardMetrics(registry)
        self.reviews = ReviewMetrics(registry, max_label_values=max_label_values)
        self.tools = ToolMetrics(registry, max_label_values=max_label_values)
        self.traces = TraceMetrics(registry)
        self.grading = GradingMetrics(registry)

    def observe(self, records: Iterable[CallFigures]) -> None:
        """Count `records`, calls that have ended."""
        groups: dict[tuple[_Series, int, str | None], _Sums] = {}
        # The calls of a batch are much alike: whose series is theirs is found once for each kind.
        known: dict[tuple[object, ...], tuple[_Series, _Sums]] = {}
        for record in records:
            kind = (
                record.endpoint,
                record.model_requested,
                record.project,
                record.feature,
                record.status,
                record.error_class,
            )
            found = known.get(kind)
            if found is None:
                series = self._series_of(record)
                group = (series, record.status, record.error_class)
                found = known[kind] = series, groups.setdefault(group, _Sums())
            series, sums = found
            sums.calls += 1
            sums.attempts += record.attempts
            sums.input_tokens += record.input_tokens or 0
            sums.cached_tokens += record.cached_tokens or 0
            sums.output_tokens += record.output_tokens or 0
            sums.reasoning_tokens += record.reasoning_tokens or 0
            if record.cache != "off":
                sums.note_cache(record)
            if record.cost_nanousd is None:
                sums.unpriced += 1
            else:
                sums.cost_nanousd += record.cost_nanousd
            series.latency.observe(record.latency_us / 1e6)
            if record.first_token_us is not None:
                self._first_token.labels(*series.labels).observe(record.first_token_us / 1e6)
        for (series, status, error), sums in groups.items():
            self._count(series.labels, status, error, sums)

    def _count(self, labels: tuple[str, ...], status: int, error: str | None, sums: _Sums) -> None:
        self._requests.labels(*labels, str(status)).inc(sums.calls)
        self._attempts.labels(*labels).inc(sums.attempts)
        if error is not None:
            self._errors.labels(*labels, error[:64]).inc(sums.calls)
            if status == 429:
                self._throttled.labels(*labels).inc(sums.calls)
        for kind, tokens in (
            ("input", sums.input_tokens),
            ("cached", sums.cached_tokens),
            ("output", sums.output_tokens),
            ("reasoning", sums.reasoning_tokens),
        ):
            if tokens:
                self._tokens.labels(*labels, kind).inc(tokens)
        for result, calls in (sums.cache or {}).items():
            self._cache.labels(*labels, result).inc(calls)
        if sums.saved_nanousd:
            self._saved.labels(*labels).inc(sums.saved_nanousd / 1e9)
        if sums.unpriced:
            self._unpriced.labels(*labels).inc(sums.unpriced)
        if sums.calls > sums.unpriced:
            self._cost.labels(*labels).inc(sums.cost_nanousd / 1e9)

    def _series_of(self, record: CallFigures) -> _Series:
        labels = (
            record.endpoint,
            self._bounded["model"].value(record.model_requested or ""),
            self._bounded["project"].value(record.project),
            self._bounded["feature"].value(record.feature or ""),
        )
        series = self._series.get(labels)
        if series is None:
            if len(self._series) >= _MAX_SERIES:
                labels = (record.endpoint, OTHER, OTHER, OTHER)
            series = _Series(labels, self._latency.labels(*labels))
            self._series.setdefault(labels, series)
        return series

    def note_state(
        self,
        *,
        in_flight: int,
        lag_s: float,
        waiting_records: int,
        dead_records: int = 0,
        unrecorded_calls: int = 0,
    ) -> None:
        """Set the gauges of this process."""
        self._unrecorded_calls.inc(unrecorded_calls - self._told_unrecorded_calls)
        self._told_unrecorded_calls = unrecorded_calls
        self._dead_records.inc(dead_records - self._told_dead_records)
        self._told_dead_records = dead_records
        self._in_flight.set(in_flight)
        self._lag.set(lag_s)
        self._waiting.set(waiting_records)

    def note_websockets(self, count: int) -> None:
        """Set how many websockets this process has open."""
        self._websockets.set(count)

    def note_cache(self, *, entries: int, size_bytes: int) -> None:
        """Set the gauges of this process's cache."""
        self._cache_entries.set(entries)
        self._cache_bytes.set(size_bytes)

    def render(self) -> bytes:
        """The whole server's figures in Prometheus' text form."""
        if not self._several:
            return generate_latest(self._registry)
        _forget_ended_workers(Path(os.environ[FOLDER_VARIABLE]))
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry)


def _forget_ended_workers(folder: Path) -> None:
    """Take the gauges of workers that were killed out of the sums; what they counted stays."""
    for pid in {int(path.stem.rpartition("_")[2]) for path in folder.glob("gauge_live*.db")}:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            mark_process_dead(pid, str(folder))  # type: ignore[no-untyped-call]
