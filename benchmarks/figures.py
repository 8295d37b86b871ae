"""What was measured? The samples of every round, and their medians and ranges."""

from __future__ import annotations

import statistics
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal

Part = Literal["calls", "resilience", "soak", "workers", "guards", "runs"]
"""A part of the benchmarks: the rounds, and what is measured once after them or by its own flag."""

CONNECTIONS: Final = (1, 32, 128)
"""How many connections ask for plain replies at once."""

STREAMS: Final = 32
"""How many connections ask for streams at once."""


@dataclass(frozen=True)
class Metric:
    """A row of the table: its key, what it is, and how many decimals it is told with."""

    key: str
    label: str
    decimals: int = 0


METRICS: Final = (
    *(
        Metric(f"requests_per_s_{count}", f"requests/s, {count} connection{'s' * (count > 1)}")
        for count in CONNECTIONS
    ),
    *(
        Metric(f"{point}_us_{count}", f"latency {point}, µs, {count} connection{'s' * (count > 1)}")
        for count in CONNECTIONS[:2]
        for point in ("p50", "p99")
    ),
    *(
        Metric(
            f"added_{point}_us_{count}",
            f"added latency {point}, µs, {count} connection{'s' * (count > 1)}",
        )
        for count in CONNECTIONS[:2]
        for point in ("p50", "p99")
    ),
    Metric("chunks_per_s_freely", f"streamed chunks/s, {STREAMS} streams, written freely"),
    Metric("chunks_per_s_in_step", f"streamed chunks/s, {STREAMS} streams, one in flight each"),
    Metric("chunks_per_read_freely", "chunks a client finds in one read, written freely", 1),
    Metric("chunks_per_read_in_step", "chunks a client finds in one read, one in flight each", 1),
    Metric("server_cost_us_32", "server's core, µs a request, 32 connections", 1),
    Metric("server_cost_us_freely", "server's core, µs a chunk, written freely", 1),
    Metric("server_cost_us_in_step", "server's core, µs a chunk, one in flight each", 1),
    Metric("cache_hits_per_s_32", "answers from the cache/s, 32 connections"),
    Metric("cache_hit_p50_us_32", "latency p50 from the cache, µs, 32 connections"),
    Metric("idle_mb", "resident MB, idle after the first call"),
    Metric("loaded_mb", "resident MB, after the requests"),
    Metric("streamed_mb", "resident MB, after the streams"),
    Metric("start_s", "start, s, from spawn to first answer", 2),
    Metric("server_busy_32", "server's core busy, %, 32 connections"),
    Metric("load_busy_32", "load's core busy, %, 32 connections"),
    Metric("server_busy_freely", "server's core busy, %, streams freely"),
    Metric("load_busy_freely", "load's core busy, %, streams freely"),
    Metric("server_busy_in_step", "server's core busy, %, streams in step"),
    Metric("load_busy_in_step", "load's core busy, %, streams in step"),
    Metric("goodput_percent", "calls answered, %, a fifth of upstream calls failing", 2),
    Metric("goodput_per_s", "answers/s, a fifth of upstream calls failing"),
    Metric("failing_p50_ms", "latency p50, ms, a fifth of upstream calls failing"),
    Metric("failing_p99_ms", "latency p99, ms, a fifth of upstream calls failing"),
    Metric("upstream_per_call", "upstream calls for each call, a fifth failing", 2),
    Metric("outage_upstream_per_call", "upstream calls for each call, all failing", 2),
    Metric("recovery_s", "s from an outage's end to calls succeeding again", 2),
    Metric("soak_calls", "calls of the soak"),
    Metric("soak_before_mb", "resident MB, after a twentieth of them", 1),
    Metric("soak_after_mb", "resident MB, after all of them", 1),
    Metric("soak_growth_percent", "growth of resident memory, %", 1),
    Metric("workers_per_s", "requests/s, 64 connections, nothing pinned"),
    Metric("workers_p50_us", "latency p50, µs, 64 connections, nothing pinned"),
    Metric("workers_p99_us", "latency p99, µs, 64 connections, nothing pinned"),
    Metric("workers_mb", "resident MB, all workers"),
    Metric("run_call_p50_ms", "a call alone: latency p50, ms", 1),
    Metric("run_sync_p50_ms", "a run that is waited for: latency p50, ms", 1),
    Metric("run_read_p50_ms", "the same, with a tool that reads: latency p50, ms", 1),
    Metric("run_review_p50_ms", "a draft, until it is approved at once: latency p50, ms", 1),
    Metric("run_async_p50_ms", "a durable run, until its end: latency p50, ms", 1),
    Metric("run_action_p50_ms", "the same, with an action approved by rule: latency p50, ms", 1),
    Metric(
        "run_approval_p50_ms",
        "the same, with an action that a person approves at once: latency p50, ms",
        1,
    ),
    Metric("run_call_per_s", "calls/s, 16 connections"),
    Metric("run_sync_per_s", "runs that are waited for/s, 16 connections"),
    Metric("run_read_per_s", "runs that are waited for, with a tool that reads/s, 16 connections"),
    Metric("run_review_per_s", "drafts that are approved at once/s, 16 connections"),
    Metric("run_async_per_s", "durable runs/s, 16 connections"),
    Metric("run_action_per_s", "durable runs, with an action approved by rule/s, 16 connections"),
    Metric(
        "run_approval_per_s",
        "durable runs, with an action that a person approves at once/s, 16 connections",
    ),
    Metric("recorded", "answered requests that the ledger holds, %", 2),
    Metric("errors", "failed requests, all rounds' worst"),
)


@dataclass(frozen=True)
class Sample:
    """What one round gave for one metric, and whether other programs were in the way."""

    value: float
    disturbed: bool = False


@dataclass(frozen=True)
class Summary:
    """The median of a metric over the rounds, and its range.

    Only undisturbed samples count, whatever they say; `disturbed` tells that there was none, and
    that the figures are those of the disturbed ones.
    """

    median: float
    lowest: float
    highest: float
    disturbed: bool


@dataclass
class Figures:
    """Every sample of a run, by system and metric, with what is needed to judge them."""

    machine: dict[str, str]
    titles: dict[str, str] = field(default_factory=dict)
    samples: dict[str, dict[str, list[Sample]]] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    parts: frozenset[Part] = frozenset({"calls"})
    """What is to be judged by its goals."""

    def add(self, system: str, metric: str, sample: Sample) -> None:
        """Add one sample."""
        self.samples.setdefault(system, {}).setdefault(metric, []).append(sample)

    def compare(self, round_samples: dict[str, dict[str, Sample]]) -> None:
        """Add what each system adds to the direct call's latency in the same round."""
        direct = round_samples.get("direct", {})
        for system, metrics in round_samples.items():
            for count in CONNECTIONS[:2]:
                for point in ("p50", "p99"):
                    key = f"{point}_us_{count}"
                    if system != "direct" and key in metrics and key in direct:
                        ours, theirs = metrics[key], direct[key]
                        added = Sample(
                            ours.value - theirs.value, ours.disturbed or theirs.disturbed
                        )
                        self.add(system, f"added_{key}", added)

    def summary(self, system: str, metric: str) -> Summary | None:
        """Return the median and range of a metric, or None where it was not measured."""
        samples = self.samples.get(system, {}).get(metric)
        if not samples:
            return None
        good = [sample.value for sample in samples if not sample.disturbed]
        values = good or [sample.value for sample in samples]
        return Summary(statistics.median(values), min(values), max(values), disturbed=not good)

    def disturbed(self) -> list[str]:
        """Return what has no undisturbed sample at all, as `system: metric`."""
        return [
            f"{system}: {metric}"
            for system, metrics in self.samples.items()
            for metric in metrics
            if (summary := self.summary(system, metric)) is not None and summary.disturbed
        ]

    def as_json(self) -> dict[str, Any]:
        """Return everything, for a file that programs read."""
        return {
            "machine": self.machine,
            "systems": {
                system: {
                    "title": self.titles.get(system, system),
                    "metrics": {
                        metric: {
                            "summary": asdict(summary) if summary else None,
                            "samples": [asdict(sample) for sample in samples],
                        }
                        for metric, samples in metrics.items()
                        for summary in (self.summary(system, metric),)
                    },
                }
                for system, metrics in self.samples.items()
            },
            "skipped": self.skipped,
            "notes": self.notes,
        }
