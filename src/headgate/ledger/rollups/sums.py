"""What calls of one slot add up to, and the statement that adds them up."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple, get_args

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from headgate.ledger.rollups.latency import BOUNDS_US, quantile_us
from headgate.ledger.usage import in_period
from headgate.storage.rollup_tables import LATENCY_BUCKETS, usage_rollups
from headgate.storage.schema import calls

SUM_NAMES = (
    "calls",
    "errors",
    "limited",
    "input_tokens",
    "cached_tokens",
    "output_tokens",
    "cost_nanousd",
    "unpriced",
    "simulated",
    "cache_hits",
    "cache_misses",
    "saved_nanousd",
)
LATENCY_NAMES = tuple(f"latency_{bucket}" for bucket in range(LATENCY_BUCKETS))
SUM_COLUMNS = [usage_rollups.c[name] for name in (*SUM_NAMES, *LATENCY_NAMES)]

_WIDTH = len(SUM_NAMES)


Split = Literal["none", "workflow", "model", "feature", "all"]
"""Which columns rows tell apart besides the project. Most pages ask for one at a time, and there
are few rows of these; `all` tells everything apart, for figures of one workflow by model."""

SPLITS: tuple[Split, ...] = get_args(Split)


class SlotKey(NamedTuple):
    """Whose sums; empty text where calls name none, or where a split does not tell them apart."""

    start_s: int
    project: str
    workflow: str
    model: str
    feature: str

    def told_apart_by(self, split: Split) -> SlotKey:
        """The key of the row of `split` that these sums are a part of."""
        if split == "all":
            return self
        return SlotKey(
            self.start_s,
            self.project,
            self.workflow if split == "workflow" else "",
            self.model if split == "model" else "",
            self.feature if split == "feature" else "",
        )


class Sums:
    """Sums that can be added to others."""

    __slots__ = ("values",)

    def __init__(self, values: Sequence[int] = ()) -> None:
        """`values` in the order of `SUM_COLUMNS`; none are zeros."""
        self.values = list(values) or [0] * len(SUM_COLUMNS)

    def add(self, values: Iterable[int]) -> None:
        """Add another's values."""
        self.values = [mine + theirs for mine, theirs in zip(self.values, values, strict=True)]

    def __getitem__(self, name: str) -> int:
        return self.values[SUM_NAMES.index(name)]

    def latency_us(self, share: float) -> int | None:
        """The latency that `share` of the calls do not exceed; None without calls."""
        return quantile_us(self.values[_WIDTH:], share)


def grouped(
    connection: Connection, since_s: int, until_s: int, span_s: int, *, project: str | None = None
) -> dict[SlotKey, Sums]:
    """The calls that began in the period, added up from the ledger by slots of `span_s`."""
    column = calls.c
    used = sa.or_(column.error_class.is_(None), column.input_tokens.is_not(None))
    slot = column.started_at_us // sa.literal_column(str(span_s * 1_000_000), sa.BigInteger)
    key = (
        slot,
        column.project,
        sa.func.coalesce(column.workflow, ""),
        sa.func.coalesce(column.model_answered, column.model_requested, ""),
        sa.func.coalesce(column.feature, ""),
    )
    bucket = sa.case(
        *(
            (column.latency_us < sa.literal_column(str(bound_us)), sa.literal_column(str(number)))
            for number, bound_us in enumerate(BOUNDS_US)
        ),
        else_=sa.literal_column(str(len(BOUNDS_US))),
    )
    named = [part.label(f"k{number}") for number, part in enumerate((*key, bucket))]
    statement = sa.select(
        *named,
        sa.func.count(),
        sa.func.count(column.error_class),
        _count_if(column.status == sa.literal_column("429")),
        *(
            sa.func.coalesce(sa.func.sum(column[name]), 0)
            for name in ("input_tokens", "cached_tokens", "output_tokens", "cost_nanousd")
        ),
        _count_if(column.cost_nanousd.is_(None) & used),
        _count_if(column.simulated),
        _count_if(column.cache.in_(("hit", "similar", "stale"))),
        _count_if(column.cache == "miss"),
        sa.func.coalesce(sa.func.sum(column.saved_nanousd), 0),
    ).where(*in_period(since_s * 1_000_000, until_s * 1_000_000))
    if project is not None:
        statement = statement.where(column.project == project)
    statement = statement.group_by(*(sa.literal_column(part.name) for part in named))
    found: dict[SlotKey, Sums] = {}
    for row in connection.execute(statement):
        slot_number, *names, bucket_number, count = row[:7]
        sums = found.setdefault(SlotKey(int(slot_number) * span_s, *names), Sums())
        latencies = [0] * LATENCY_BUCKETS
        latencies[int(bucket_number)] = count
        sums.add((*(int(value) for value in row[6:]), *latencies))
    return found


def _count_if(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    return sa.func.count(sa.case((condition, 1)))
