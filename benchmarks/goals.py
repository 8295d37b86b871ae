"""How far is Headgate from what it set out to reach? Printed beside the figures, never asserted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from benchmarks.figures import Figures, Part, Summary

Verdict = Literal["met", "missed", "disturbed", "not measured"]
"""`disturbed`: other programs were in the way each time, so the figure says neither."""

Bound = Literal["at least", "at most"]


@dataclass(frozen=True)
class Goal:
    """A bound on a figure of Headgate's, or on its ratio to another system's."""

    text: str
    bound: Bound
    value: float
    metric: str
    other: str
    """The system whose figure Headgate's is divided by; empty for the figure itself."""

    unit: str = " times"
    part: Part = "calls"
    ours: str = "headgate"
    """The system whose figure is judged."""


GOALS: Final = (
    Goal(
        "at least 60 times LiteLLM's requests/s at 32 connections",
        *("at least", 60, "requests_per_s_32", "litellm"),
    ),
    Goal(
        "at least 1/8 of nginx's requests/s at 32 connections",
        *("at least", 1 / 8, "requests_per_s_32", "nginx"),
    ),
    Goal(
        "adds at most 2.5 times what nginx adds at 1 connection (p50)",
        *("at most", 2.5, "added_p50_us_1", "nginx"),
    ),
    Goal(
        "at least 0.7 times nginx's streamed chunks/s, written freely",
        *("at least", 0.7, "chunks_per_s_freely", "nginx"),
    ),
    Goal(
        "at least 0.7 times nginx's streamed chunks/s, one in flight each",
        *("at least", 0.7, "chunks_per_s_in_step", "nginx"),
    ),
    Goal("at most 90 MB resident, idle", "at most", 90, "idle_mb", "", " MB"),
    Goal("at most 90 MB resident, after the requests", "at most", 90, "loaded_mb", "", " MB"),
    Goal("at most 90 MB resident, after the streams", "at most", 90, "streamed_mb", "", " MB"),
    Goal(
        "at least as many requests/s as an embedded TensorZero at 32 connections",
        *("at least", 1, "requests_per_s_32", "tensorzero"),
    ),
    Goal(
        "at least 60 times LiteLLM's requests/s, with limits, budgets and cache on",
        *("at least", 60, "requests_per_s_32", "litellm"),
        ours="headgate-all",
    ),
    Goal(
        "at least as many requests/s as TensorZero, with limits, budgets and cache on",
        *("at least", 1, "requests_per_s_32", "tensorzero"),
        ours="headgate-all",
    ),
    Goal(
        "memory grows by at most 5 % over 300,000 calls",
        *("at most", 5, "soak_growth_percent", "", " %", "soak"),
    ),
    Goal(
        "answers at least as many of the calls as the SDK's own retries, a fifth failing",
        *("at least", 1, "goodput_percent", "direct", " times", "resilience"),
    ),
    Goal(
        "takes at most as long as the SDK's own retries (p99), a fifth failing",
        *("at most", 1, "failing_p99_ms", "direct", " times", "resilience"),
    ),
    Goal(
        "streams in which values are put back flow at least 0.4 times as fast, written freely",
        *("at least", 0.4, "chunks_per_s_freely", "none", " times", "guards"),
        ours="restoring",
    ),
    Goal(
        "streams in which values are put back flow at least 0.4 times as fast, one in flight each",
        *("at least", 0.4, "chunks_per_s_in_step", "none", " times", "guards"),
        ours="restoring",
    ),
)


@dataclass(frozen=True)
class Outcome:
    """A goal, what was measured for it, and whether that meets it."""

    goal: str
    measured: str
    verdict: Verdict


def outcomes(figures: Figures) -> list[Outcome]:
    """Judge the medians of a run by each goal of the parts that are to be judged."""
    return [_outcome(goal, figures) for goal in GOALS if goal.part in figures.parts]


def _outcome(goal: Goal, figures: Figures) -> Outcome:
    ours = figures.summary(goal.ours, goal.metric)
    theirs = figures.summary(goal.other, goal.metric) if goal.other else _ONE
    if ours is None or theirs is None or not theirs.median:
        return Outcome(goal.text, "-", "not measured")
    value = ours.median / theirs.median
    told = f"{value:,.0f}" if abs(value) >= 20 else f"{value:.2f}"
    if ours.disturbed or theirs.disturbed:
        return Outcome(goal.text, f"{told}{goal.unit}", "disturbed")
    met = value >= goal.value if goal.bound == "at least" else value <= goal.value
    return Outcome(goal.text, f"{told}{goal.unit}", "met" if met else "missed")


_ONE: Final = Summary(1.0, 1.0, 1.0, disturbed=False)
