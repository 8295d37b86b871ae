"""How the figures of the guards are told: by guard what it adds, then streams, memory and goals."""

from __future__ import annotations

from benchmarks.figures import Figures
from benchmarks.goals import outcomes
from benchmarks.guards.setups import NONE, RESTORING, SETUPS
from benchmarks.guards.texts import SIZES_BYTES

_POINTS = ("p50", "p99")


def markdown(figures: Figures) -> str:
    """Everything measured, in Markdown."""
    points = [f"{point} {size}" for size in SIZES_BYTES for point in _POINTS]
    lines = ["| | |", "|---|---|"]
    lines += [f"| {name} | {value} |" for name, value in figures.machine.items()]
    lines += ["", f"| adds, ms | {' | '.join(points)} |", "|---|" + "---:|" * len(points)]
    lines += [f"| {setup.title} | {' | '.join(_added(figures, setup.name))} |" for setup in SETUPS]
    lines += [
        "",
        "| streams | chunks/s | with values put back | times | µs of the core a chunk | with |",
        "|---|---:|---:|---:|---:|---:|",
        _streams(figures, "freely", "written freely"),
        _streams(figures, "in_step", "one in flight each"),
        "",
        "| resident MB | after the start | after the load |",
        "|---|---:|---:|",
        _memory(figures, NONE, "no guards"),
        _memory(figures, "all-local", "all of these guards"),
    ]
    if judged := outcomes(figures):
        lines += ["", "| goal | measured | |", "|---|---:|---|"]
        lines += [f"| {one.goal} | {one.measured} | {one.verdict} |" for one in judged]
    if figures.disturbed():
        lines += ["", "Other programs were in the way of some of this: ratios hold, times may not."]
    return "\n".join(lines) + "\n"


def _added(figures: Figures, name: str) -> list[str]:
    """What the route takes more than the one without guards; of that one, what it takes."""
    told = []
    for size in SIZES_BYTES:
        for point in _POINTS:
            value = _value(figures, name, f"{point}_us {size}")
            if name == NONE:
                told.append(f"({value / 1e3:,.2f})")
                continue
            added_us = value - _value(figures, NONE, f"{point}_us {size}")
            if point == "p50":
                added_us = _value(figures, name, f"added_p50_us {size}")
            told.append(f"{added_us / 1e3:,.2f}")
    return told


def _streams(figures: Figures, flow: str, title: str) -> str:
    without, restoring = (
        _value(figures, name, f"chunks_per_s_{flow}") for name in (NONE, RESTORING)
    )
    costs = [_value(figures, name, f"chunk_us_{flow}") for name in (NONE, RESTORING)]
    return (
        f"| {title} | {without:,.0f} | {restoring:,.0f} | {restoring / max(without, 1):.2f} |"
        f" {costs[0]:.1f} | {costs[1]:.1f} |"
    )


def _memory(figures: Figures, name: str, title: str) -> str:
    idle, loaded = (_value(figures, name, metric) for metric in ("idle_mb", "loaded_mb"))
    return f"| {title} | {idle:.0f} | {loaded:.0f} |"


def _value(figures: Figures, system: str, metric: str) -> float:
    summary = figures.summary(system, metric)
    return 0.0 if summary is None else summary.median
