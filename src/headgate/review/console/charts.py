"""What a chart shows, as data: the script draws it, and a table beneath tells the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import msgspec

from headgate.ledger.rollups.figures import Figures
from headgate.ledger.rollups.sums import Sums
from headgate.review.console.period import Period
from headgate.review.console.visible import visible

Unit = Literal["count", "usd", "ms", "percent"]

MOST_SERIES = 6
"""Values with a line of their own; the rest are one line together."""

REST = "everything else"

_WIDTH, _HEIGHT = 600, 120
_DASH = 6
_LABEL_CHARACTERS = 64


class Series(msgspec.Struct, frozen=True):
    """One line."""

    label: str
    values: list[float | None]


class Chart(msgspec.Struct, frozen=True, kw_only=True):
    """Lines over time."""

    id: str
    title: str
    unit: Unit
    at_s: list[int]
    """Where each point begins, in seconds since 1970 UTC."""
    series: list[Series]

    @property
    def paths(self) -> list[str]:
        """Each line as an SVG path in a box of 600 by 120, for where no script draws it."""
        top = max((v for line in self.series for v in line.values if v), default=0) or 1
        step = _WIDTH / max(1, len(self.at_s) - 1)
        return [_path(line.values, step, top) for line in self.series]

    @property
    def summary(self) -> str:
        """What the lines add up to, for those who hear the page."""
        told = []
        for line in self.series:
            known = [value for value in line.values if value is not None]
            told.append(f"{line.label} at most {max(known):,.6g}" if known else line.label)
        return "; ".join(told)

    @property
    def empty(self) -> bool:
        """Whether there is nothing to draw."""
        return not any(value for line in self.series for value in line.values)


def chart_by_value(
    chart_id: str,
    title: str,
    unit: Unit,
    period: Period,
    figures: Figures,
    *,
    read: Callable[[Sums], float],
    nameless: str,
) -> Chart:
    """A line for each of the values with most, and one for all others.

    `nameless` is how the line of calls is called that name no value.
    """
    ranked = sorted(figures.by_value, key=lambda value: -read(figures.by_value[value]))
    own = ranked[:MOST_SERIES]
    lines = [_line(value or nameless, (value,), period, figures, read) for value in own]
    if rest := ranked[MOST_SERIES:]:
        lines.append(_line(REST, rest, period, figures, read))
    return Chart(id=chart_id, title=title, unit=unit, at_s=list(period.points), series=lines)


def chart_of_total(
    chart_id: str,
    title: str,
    unit: Unit,
    period: Period,
    figures: Figures,
    *,
    read: Sequence[tuple[str, Callable[[Sums], float | None]]],
) -> Chart:
    """Several figures of all calls together, each a line."""
    totals = {point_s: Sums() for point_s in period.points}
    for (point_s, _), sums in figures.by_point.items():
        if point_s in totals:
            totals[point_s].add(sums.values)
    lines = [
        Series(label, [reader(totals[point_s]) for point_s in period.points])
        for label, reader in read
    ]
    return Chart(id=chart_id, title=title, unit=unit, at_s=list(period.points), series=lines)


def _line(
    label: str,
    values: Sequence[str],
    period: Period,
    figures: Figures,
    read: Callable[[Sums], float],
) -> Series:
    points: list[float | None] = []
    for point_s in period.points:
        found = [figures.by_point.get((point_s, value)) for value in values]
        points.append(sum(read(sums) for sums in found if sums is not None))
    return Series(_short(visible(label)), points)


def _short(label: str) -> str:
    """A name as a legend has room for it: callers make up names of models as they like."""
    return label if len(label) <= _LABEL_CHARACTERS else f"{label[:_LABEL_CHARACTERS]}…"


def _path(values: Sequence[float | None], step: float, top: float) -> str:
    """A path that is broken where there is no value; a point between two breaks is a dash."""
    parts: list[str] = []
    pen_down = False
    for index, value in enumerate(values):
        if value is None:
            pen_down = False
            continue
        x, y = index * step, _HEIGHT - 2 - (_HEIGHT - 4) * value / top
        alone = not pen_down and (index + 1 == len(values) or values[index + 1] is None)
        if alone:
            parts.append(f"M{x - _DASH / 2:.1f} {y:.1f}h{_DASH}")
        else:
            parts.append(f"{'L' if pen_down else 'M'}{x:.1f} {y:.1f}")
        pen_down = True
    return "".join(parts)
