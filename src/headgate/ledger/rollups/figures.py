"""Figures of a period for people: rolled-up slots, and what came since straight from the ledger."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from headgate.ledger.rollups.roller import DAY_S, FIRST, HOUR_S, SLOT_S, mark
from headgate.ledger.rollups.sums import SUM_COLUMNS, SlotKey, Split, Sums, grouped
from headgate.storage.rollup_tables import usage_rollups

Dimension = Literal["project", "workflow", "model", "feature"]

DIMENSIONS: tuple[Dimension, ...] = ("project", "workflow", "model", "feature")
_LIVE_AT_MOST_S = 7200
"""How far back the ledger itself is read where nothing is rolled up yet; beyond it, the page waits
for the background."""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which figures."""

    since_s: int
    """Where the period begins; a multiple of `point_s`."""
    until_s: int
    point_s: int
    """How long each point of a chart is: a multiple of 300."""
    by: Dimension | None = None
    project: str | None = None
    workflow: str | None = None
    model: str | None = None
    feature: str | None = None


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """What a period adds up to: altogether, by value and by time."""

    total: Sums
    by_value: dict[str, Sums]
    """By the dimension that was asked for; one entry, with empty text, where none was."""
    by_point: dict[tuple[int, str], Sums]
    """By where a point begins (seconds since 1970) and value."""
    rolled_until_s: int
    """Until when usage is rolled up."""
    complete: bool
    """False while the past is still being rolled up."""


def figures(connection: Connection, wanted: Wanted) -> Figures:
    """The figures of calls that began from `since_s` on and before `until_s`. Blocks."""
    rolled_until_s = mark(connection, FIRST)
    live_from_s = max(
        wanted.since_s,
        rolled_until_s or 0,
        wanted.until_s - _LIVE_AT_MOST_S,
    )
    total, by_value, by_point = Sums(), dict[str, Sums](), dict[tuple[int, str], Sums]()
    for start_s, value, values in _rows(connection, wanted, rolled_until_s or 0, live_from_s):
        by_value.setdefault(value, Sums()).add(values)
        point = (max(wanted.since_s, start_s // wanted.point_s * wanted.point_s), value)
        if point in by_point:
            by_point[point].add(values)
        else:
            by_point[point] = Sums(values)
    for sums in by_value.values():
        total.add(sums.values)
    return Figures(
        total=total,
        by_value=by_value,
        by_point=by_point,
        rolled_until_s=rolled_until_s or 0,
        complete=live_from_s <= max(rolled_until_s or 0, wanted.since_s),
    )


def _rows(
    connection: Connection, wanted: Wanted, rolled_until_s: int, live_from_s: int
) -> Iterator[tuple[int, str, list[int]]]:
    """Start, value of the dimension and sums, from the coarsest slots that fit and the ledger."""
    at_s = wanted.since_s
    for span_s in (DAY_S, HOUR_S, SLOT_S):
        if wanted.point_s % span_s or at_s % span_s:
            continue
        end_s = min(wanted.until_s, rolled_until_s) // span_s * span_s
        if end_s > at_s:
            yield from _rolled(connection, wanted, span_s, at_s, end_s)
            at_s = end_s
    if live_from_s < wanted.until_s:
        for key, sums in grouped(
            connection, live_from_s, wanted.until_s, SLOT_S, project=wanted.project
        ).items():
            if _fits(wanted, key):
                yield key.start_s, "" if wanted.by is None else getattr(key, wanted.by), sums.values


def _rolled(
    connection: Connection, wanted: Wanted, span_s: int, since_s: int, until_s: int
) -> Iterator[tuple[int, str, list[int]]]:
    column = usage_rollups.c
    point = column.start_s // sa.literal_column(str(wanted.point_s), sa.BigInteger)
    value = sa.literal_column("''") if wanted.by is None else column[wanted.by]
    groups = [point.label("point"), value.label("value")]
    statement = sa.select(*groups, *(sa.func.sum(summed) for summed in SUM_COLUMNS)).where(
        column.span_s == span_s,
        column.split == _split(wanted),
        column.start_s >= since_s,
        column.start_s < until_s,
    )
    for name in DIMENSIONS:
        if (only := getattr(wanted, name)) is not None:
            statement = statement.where(column[name] == only)
    statement = statement.group_by(sa.literal_column("point"), sa.literal_column("value"))
    for row in connection.execute(statement):
        yield int(row[0]) * wanted.point_s, str(row[1]), [int(cell) for cell in row[2:]]


def _split(wanted: Wanted) -> Split:
    """The rows that tell apart what is asked for, and no more."""
    if wanted.workflow is not None or wanted.model is not None or wanted.feature is not None:
        return "all"
    return "none" if wanted.by is None or wanted.by == "project" else wanted.by


def _fits(wanted: Wanted, key: SlotKey) -> bool:
    return all(
        (only := getattr(wanted, name)) is None or getattr(key, name) == only for name in DIMENSIONS
    )
