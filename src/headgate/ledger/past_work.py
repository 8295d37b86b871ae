"""What work does the ledger show? The calls of a period, as the workload of a month."""

from __future__ import annotations

from collections import Counter

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from headgate.ledger.estimate import Volume, scaled
from headgate.ledger.usage import GroupBy, UsageRow, in_period, usage
from headgate.storage.schema import calls

_DAY_US = 86_400_000_000

MOST_WORK = 500
"""Pieces of work that are told of; nobody compares models by a longer table."""

MOVABLE_ENDPOINTS = frozenset(
    {"chat/completions", "responses", "responses/compact", "responses/usage", "batches/usage"}
)
"""Endpoints whose work another model can take over by a change of name: it is text that they ask
for. A vector, a recording or a picture of another model's would not fit, if it could make one."""

BATCH_ENDPOINT = "batches/usage"
"""Under which the ledger holds what batches used."""


class PastWork(msgspec.Struct, frozen=True, kw_only=True):
    """Calls that were alike, as a month's worth of them."""

    group: str | None
    """The value of what the work was split by; None where the calls name none."""
    route: str | None
    provider: str | None
    model: str
    endpoint: str
    volume: Volume
    """Of the calls that reached a provider."""
    answered_calls: int
    """Calls that Headgate's cache answered."""
    cost_nanousd: int | None
    """What a month of it costs by the ledger's own records; None where no call has a price."""


class PastWorkload(msgspec.Struct, frozen=True, kw_only=True):
    """The work of a period, and how it was made a month's."""

    work: tuple[PastWork, ...]
    period_us: int
    """From the period's first call, or its beginning, to its end; at least a day."""
    calls: int
    simulated_calls: int
    failed_calls: int
    """Calls that ended in an error; what they used is counted, where it is known."""
    unpriced_calls: int
    """Calls that have no price on record."""
    cut_short: bool
    """There was more work than `MOST_WORK`; the dearest is here."""


def past_workload(
    connection: Connection,
    *,
    split_by: GroupBy,
    since_us: int,
    until_us: int,
    days: int,
    project: str | None = None,
) -> PastWorkload:
    """The calls that began from `since_us` on and before `until_us`, as a month of `days`.

    Where the first call came later than `since_us`, the time before it does not count: a ledger
    that was begun on Monday would otherwise tell of a month that is mostly idle.
    """
    conditions = in_period(since_us, until_us)
    if project is not None:
        conditions.append(calls.c.project == project)
    first_us = connection.execute(
        sa.select(sa.func.min(calls.c.started_at_us)).where(*conditions)
    ).scalar()
    period_us = max(_DAY_US, until_us - max(since_us, first_us or since_us))
    group_by: tuple[GroupBy, ...] = tuple(
        dict.fromkeys((split_by, "route", "provider", "model", "endpoint"))
    )
    asked, recalled = (
        usage(
            connection,
            group_by=group_by,
            since_us=since_us,
            until_us=until_us,
            project=project,
            from_cache=from_cache,
            limit=MOST_WORK + 1,
        )
        for from_cache in (False, True)
    )
    hits: Counter[tuple[str | int | None, ...]] = Counter()
    for row in recalled:
        hits[_key(row)] += row.calls
    return PastWorkload(
        work=tuple(
            _work(row, split_by, hits.pop(_key(row), 0), days, period_us)
            for row in asked[:MOST_WORK]
            if row.group["model"] and (row.input_tokens or row.calls > row.errors)
        ),
        period_us=period_us,
        calls=sum(row.calls for row in (*asked, *recalled)),
        simulated_calls=sum(row.simulated_calls for row in asked),
        failed_calls=sum(row.errors for row in asked),
        unpriced_calls=sum(row.unpriced_calls for row in asked),
        cut_short=len(asked) > MOST_WORK,
    )


def _key(row: UsageRow) -> tuple[str | int | None, ...]:
    # A cache may not know which provider answered once; the rest tells the work.
    return tuple(value for name, value in row.group.items() if name != "provider")


def _work(row: UsageRow, split_by: GroupBy, hits: int, days: int, period_us: int) -> PastWork:
    def month(count: int) -> int:
        return scaled(count, days=days, period_us=period_us)

    def text(name: GroupBy) -> str | None:
        value = row.group[name]
        return None if value is None else str(value)

    return PastWork(
        group=text(split_by),
        route=text("route"),
        provider=text("provider"),
        model=str(row.group["model"]),
        endpoint=str(row.group["endpoint"]),
        volume=Volume(
            # Rare work would otherwise round to no calls, and so to no cost.
            calls=max(1, month(row.calls - row.errors or row.calls)),
            input_tokens=month(row.input_tokens),
            cached_tokens=month(row.cached_tokens),
            cache_write_tokens=month(row.cache_write_tokens),
            output_tokens=month(row.output_tokens),
        ),
        answered_calls=month(hits),
        cost_nanousd=None if row.cost_nanousd is None else month(row.cost_nanousd),
    )
