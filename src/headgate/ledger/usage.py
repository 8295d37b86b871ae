"""What was used and what it cost: sums over the ledger, and the calls of one run."""

from __future__ import annotations

from typing import Literal, get_args

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from headgate.errors import InvalidRequestError
from headgate.ledger.attempt import AttemptRecord
from headgate.ledger.period import day_of
from headgate.ledger.record import CacheState, CallRecord
from headgate.storage.identifiers import first_id
from headgate.storage.schema import attempts, calls

GroupBy = Literal[
    "model",
    "project",
    "feature",
    "user",
    "workflow",
    "day",
    "key",
    "endpoint",
    "provider",
    "route",
    "status",
]
"""What usage can be split by: the model that answered (else the one asked for), the hash of the
end user, the day in UTC, the HTTP status."""

_DAY_US = 86_400_000_000
_COLUMNS: dict[GroupBy, sa.ColumnElement[str | None] | sa.ColumnElement[int]] = {
    "model": sa.func.coalesce(calls.c.model_answered, calls.c.model_requested),
    "project": calls.c.project,
    "feature": calls.c.feature,
    "user": calls.c.user_hash,
    "workflow": calls.c.workflow,
    "day": calls.c.started_at_us // sa.literal_column(str(_DAY_US), sa.BigInteger),
    "key": calls.c.key_id,
    "endpoint": calls.c.endpoint,
    "provider": calls.c.provider,
    "route": calls.c.route,
    "status": calls.c.status,
}
_FROM_CACHE: tuple[CacheState, ...] = ("hit", "similar", "stale")
_MOST_ROWS = 10_000
_MOST_CALLS = 1_000
_MOST_ATTEMPTS = 1_000
_ID_SLACK_US = 60_000_000
"""How far the time in a call's identifier may be from the one it began at."""


class UsageRow(msgspec.Struct, frozen=True, kw_only=True):
    """Usage of the calls that share the values of `group`."""

    group: dict[GroupBy, str | int | None]
    """The value of each thing it was split by; None where calls name none."""
    calls: int
    errors: int
    """Calls that ended in an error, whosever fault it was."""
    unpriced_calls: int
    """Calls that used something whose price is not known, so that `cost_nanousd` lacks it."""
    simulated_calls: int
    """Calls that the simulator answered: their cost was never charged."""
    estimated_calls: int = 0
    """Calls some of whose tokens we counted, because no provider told them."""
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    reasoning_tokens: int
    cost_nanousd: int | None
    """The sum over the calls that have a price; None where none has."""
    latency_us_avg: int
    cache_write_tokens: int = 0
    """Of the input, what its provider charged for putting into its prompt cache."""
    cache_hits: int = 0
    """Calls that were answered from the cache."""
    cache_misses: int = 0
    """Calls for which it had no answer, or only a part of one."""
    saved_nanousd: int = 0
    """What answers from the cache cost when a model gave them."""


def parse_group_by(text: str) -> tuple[GroupBy, ...]:
    """The things named in `text`, with commas between; empty text means one total.

    Raises `InvalidRequestError` for one that is unknown or named twice.
    """
    known = {name: name for name in get_args(GroupBy)}
    names: list[GroupBy] = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        name: GroupBy | None = known.get(part)
        if name is None:
            raise InvalidRequestError(
                f"`group_by` names `{part[:64]}`; use {', '.join(known)}, or several with commas",
                param="group_by",
            )
        if name in names:
            raise InvalidRequestError(f"`group_by` names `{name}` twice", param="group_by")
        names.append(name)
    return tuple(names)


def usage(
    connection: Connection,
    *,
    group_by: tuple[GroupBy, ...] = (),
    since_us: int | None = None,
    until_us: int | None = None,
    project: str | None = None,
    from_cache: bool | None = None,
    limit: int = _MOST_ROWS,
) -> list[UsageRow]:
    """Sums over the calls that began from `since_us` on and before `until_us`.

    `from_cache` leaves only those that Headgate's own cache answered, or only the others.

    By day where that is among `group_by`, else the dearest first; at most `limit` rows, never more
    than 10,000. Without `group_by` one row, also where there was no call.
    """
    column = calls.c
    groups = [_COLUMNS[name].label(f"group_{name}") for name in group_by]
    cost = sa.func.sum(column.cost_nanousd)
    used = sa.or_(column.error_class.is_(None), column.input_tokens.is_not(None))
    query = sa.select(
        *groups,
        sa.func.count().label("calls"),
        sa.func.count(column.error_class).label("errors"),
        _count_if(column.cost_nanousd.is_(None) & used).label("unpriced_calls"),
        _count_if(column.simulated).label("simulated_calls"),
        _count_if(column.tokens_estimated).label("estimated_calls"),
        *(
            sa.func.coalesce(sa.func.sum(column[name]), 0).label(name)
            for name in (
                "input_tokens",
                "cached_tokens",
                "cache_write_tokens",
                "output_tokens",
                "reasoning_tokens",
            )
        ),
        cost.label("cost_nanousd"),
        _count_if(column.cache.in_(_FROM_CACHE)).label("cache_hits"),
        _count_if(column.cache == "miss").label("cache_misses"),
        sa.func.coalesce(sa.func.sum(column.saved_nanousd), 0).label("saved_nanousd"),
        sa.func.coalesce(sa.func.sum(column.latency_us), 0).label("latency_us"),
    ).where(*in_period(since_us, until_us))
    if project is not None:
        query = query.where(column.project == project)
    if from_cache is not None:
        hit = column.cache.in_(_FROM_CACHE)
        query = query.where(hit if from_cache else sa.not_(hit))
    if groups:
        days = [group for group in groups if group.name == "group_day"]
        query = query.group_by(*groups).order_by(
            *days, cost.desc().nulls_last(), sa.func.count().desc(), *groups
        )
    rows = connection.execute(query.limit(min(limit, _MOST_ROWS))).mappings()
    return [_row(row, group_by) for row in rows]


def calls_of_run(connection: Connection, run_id: str) -> list[CallRecord]:
    """The calls that a run made, the first one first; at most 1,000."""
    query = sa.select(calls).where(calls.c.run_id == run_id).order_by(calls.c.id)
    rows = connection.execute(query.limit(_MOST_CALLS)).mappings()
    return [CallRecord(**row) for row in rows]


def call_with_attempts(connection: Connection, call_id: str) -> CallRecord | None:
    """One call, its trail with it; None where the ledger has no such call."""
    row = connection.execute(sa.select(calls).where(calls.c.id == call_id)).mappings().one_or_none()
    if row is None:
        return None
    query = sa.select(attempts).where(attempts.c.call_id == call_id).order_by(attempts.c.number)
    trail = connection.execute(query.limit(_MOST_ATTEMPTS)).mappings()
    return CallRecord(**row, trail=tuple(AttemptRecord(**attempt) for attempt in trail))


def response_owner(connection: Connection, response_id: str) -> tuple[str, str, str | None] | None:
    """The project, the provider and the name of the provider's key that `response_id` came from.

    None if no call has it.
    """
    query = sa.select(calls.c.project, calls.c.provider, calls.c.provider_key).where(
        calls.c.response_id == response_id
    )
    row = connection.execute(query.limit(1)).one_or_none()
    return None if row is None else (row.project, row.provider, row.provider_key)


def _row(row: sa.RowMapping, group_by: tuple[GroupBy, ...]) -> UsageRow:
    group: dict[GroupBy, str | int | None] = {name: row[f"group_{name}"] for name in group_by}
    if "day" in group:
        group["day"] = day_of(row["group_day"])
    # PostgreSQL sums big integers as decimals.
    return UsageRow(
        group=group,
        calls=row["calls"],
        errors=row["errors"],
        unpriced_calls=row["unpriced_calls"],
        simulated_calls=row["simulated_calls"],
        estimated_calls=row["estimated_calls"],
        input_tokens=int(row["input_tokens"]),
        cached_tokens=int(row["cached_tokens"]),
        cache_write_tokens=int(row["cache_write_tokens"]),
        output_tokens=int(row["output_tokens"]),
        reasoning_tokens=int(row["reasoning_tokens"]),
        cost_nanousd=None if row["cost_nanousd"] is None else int(row["cost_nanousd"]),
        latency_us_avg=int(row["latency_us"]) // max(1, row["calls"]),
        cache_hits=row["cache_hits"],
        cache_misses=row["cache_misses"],
        saved_nanousd=int(row["saved_nanousd"]),
    )


def _count_if(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    return sa.func.count(sa.case((condition, 1)))


def in_period(since_us: int | None, until_us: int | None) -> list[sa.ColumnElement[bool]]:
    """Conditions on the time; those on the identifier, which begins with it, find the rows fast."""
    column = calls.c
    conditions: list[sa.ColumnElement[bool]] = []
    if since_us is not None:
        conditions += [
            column.started_at_us >= since_us,
            column.id >= first_id("call", max(0, since_us - _ID_SLACK_US)),
        ]
    if until_us is not None:
        conditions += [
            column.started_at_us < until_us,
            column.id < first_id("call", max(0, until_us + _ID_SLACK_US)),
        ]
    return conditions
