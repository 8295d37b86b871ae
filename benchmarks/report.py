"""How are the figures told? As Markdown, on the terminal, in files, and in docs/benchmarks.md."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from benchmarks.figures import METRICS, Figures, Metric, Part
from benchmarks.goals import outcomes
from benchmarks.processes import BenchmarkError

Markers = tuple[str, str]
"""What stands around a table in docs/benchmarks.md."""


def _markers(name: str, options: str) -> Markers:
    command = f"python -m benchmarks {options}".strip()
    written = f"<!-- {name}: written by `{command} --write-docs`; do not edit -->"
    return written, f"<!-- end of {name} -->"


FIGURES: Final = _markers("figures", "")
GUARDS: Final = _markers("guards", "--guards")
DETECTION: Final = _markers("detection", "--detection")
INJECTION: Final = _markers("injection", "--injection")
PARTS: Final[dict[Part, Markers]] = {
    part: _markers(part, f"--{part}") for part in ("runs", "resilience", "workers", "soak")
}
"""Of what is measured once, apart from the rounds, in the order in which it is."""

NOTHING: Final = "-"
"""Stands in a cell where nothing was measured."""

DISTURBED: Final = r"\*"
"""Stands behind a figure that has no undisturbed sample."""


def markdown(figures: Figures) -> str:
    """Return the whole report: machine, systems, table, goals, and what was left out."""
    systems = list(figures.samples)
    lines = ["| | |", "|---|---|"]
    lines += [f"| {name} | {value} |" for name, value in figures.machine.items()]
    lines += ["", *(f"- **{system}**: {figures.titles[system]}" for system in systems)]
    lines += [f"- **{system}** is left out: {why}" for system, why in figures.skipped.items()]
    lines += ["", f"| median (lowest to highest) | {' | '.join(systems)} |"]
    lines += ["|---|" + "---:|" * len(systems)]
    for metric in METRICS:
        cells = [_cell(figures, system, metric) for system in systems]
        if any(cell != NOTHING for cell in cells):
            lines.append(f"| {metric.label} | {' | '.join(cells)} |")
    if judged := outcomes(figures):
        lines += ["", "| goal | measured | |", "|---|---:|---|"]
        lines += [f"| {one.goal} | {one.measured} | {one.verdict} |" for one in judged]
    if figures.disturbed():
        lines += ["", f"{DISTURBED} other programs were in the way of every measurement of this."]
    if figures.notes:
        lines += ["", *(f"- {note}" for note in figures.notes)]
    return "\n".join(lines) + "\n"


def write(figures: Figures, folder: Path, name: str = "figures") -> tuple[Path, Path]:
    """Write the report as JSON and as Markdown; return the paths of both."""
    as_json, as_markdown = folder / f"{name}.json", folder / f"{name}.md"
    as_json.write_text(json.dumps(figures.as_json(), indent=2) + "\n")
    as_markdown.write_text(markdown(figures))
    return as_json, as_markdown


def replace_block(page: str, block: str, markers: Markers) -> str:
    """Return ``page`` with what stands between the markers replaced by ``block``.

    Raises BenchmarkError where the page has no markers.
    """
    before, begin, rest = page.partition(markers[0])
    _, end, after = rest.partition(markers[1])
    if not begin or not end:
        raise BenchmarkError("docs/benchmarks.md has lost the markers of its figures")
    return f"{before}{begin}\n\n{block}\n{end}{after}"


def _cell(figures: Figures, system: str, metric: Metric) -> str:
    summary = figures.summary(system, metric.key)
    if summary is None:
        return NOTHING
    if metric.key == "errors":
        return f"{summary.highest:,.0f}"
    median, low, high = (
        f"{value:,.{metric.decimals}f}"
        for value in (summary.median, summary.lowest, summary.highest)
    )
    told = median if low == high else f"{median} ({low} to {high})"
    return f"{told} {DISTURBED}" if summary.disturbed else told
