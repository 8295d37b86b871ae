"""How records become rows of `calls` and `attempts`: inserted fast, and made to fit their columns.

A batch goes to the database in few large statements, because each one lets go of the interpreter
and has to win it back from the event loop: 1,000 rows one by one hold a busy server up for 30 ms,
in statements of 256 for 8 ms. Of 64 it is hardly longer, and their values weigh 2 MB less. A value
that is NULL costs SQLite as much to bind as any other, so columns that no record of a batch fills
are left out: 3 µs a record in place of 6.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import chain
from operator import itemgetter

import msgspec
import sqlalchemy as sa
from msgspec.structs import astuple, replace
from sqlalchemy.engine import Connection

from headgate.ledger.attempt import AttemptRecord
from headgate.ledger.record import CallRecord
from headgate.storage.schema import attempts, calls

CALL_FIELDS = tuple(name for name in CallRecord.__struct_fields__ if name in calls.columns)
"""Those with a column in `calls`; the fields after them are kept elsewhere, or not at all."""
_ATTEMPT_FIELDS = tuple(n for n in AttemptRecord.__struct_fields__ if n in attempts.columns)
_CALL_VALUES, _ATTEMPT_VALUES = len(CALL_FIELDS), len(_ATTEMPT_FIELDS)
SELDOM_FILLED = (
    ("feature", "user_hash", "workflow", "run_id"),
    ("error_class", "first_token_us", "response_id"),
    (
        "cache_write_tokens",
        "input_audio_tokens",
        "output_audio_tokens",
        "service_tier",
        "provider_key",
        "saved_nanousd",
        "guards",
    ),
)
"""Columns that are often NULL in a whole batch, in few groups, so that there are few statements: a
connection keeps each that it has parsed."""
_STATEMENT_ROWS = (64, 16, 4, 1)
"""Few sizes, so that each statement is parsed once; 64 rows are far below 32,766 values."""


def insert_calls(
    connection: Connection, records: Sequence[CallRecord], *, may_exist: bool = False
) -> None:
    """Insert `records` in the transaction of `connection`.

    One that is there already raises `sqlalchemy.exc.IntegrityError`, or is left as it is where it
    `may_exist`.
    """
    if connection.dialect.name == "sqlite":
        rows = list(map(_values, records))
        fields = _filled(rows)
        if len(fields) < _CALL_VALUES:
            rows = list(map(itemgetter(*map(CALL_FIELDS.index, fields)), rows))
        start = 0
        for size in _STATEMENT_ROWS:
            while len(rows) - start >= size:
                values = chain.from_iterable(rows[start : start + size])
                statement = _sqlite_insert(fields, size, may_exist)
                connection.exec_driver_sql(statement, tuple(values))
                start += size
    else:
        connection.exec_driver_sql(
            _postgres_insert(may_exist), (msgspec.json.encode(records).decode(),)
        )


def insert_attempts(
    connection: Connection, records: Sequence[CallRecord], *, may_exist: bool = False
) -> None:
    """Insert what the trails of `records` hold, as `insert_calls` does the records."""
    trails = [attempt for record in records for attempt in record.trail]
    if not trails:
        return
    mark = "?" if connection.dialect.name == "sqlite" else "%s"
    statement = (
        f"INSERT INTO attempts ({','.join(_ATTEMPT_FIELDS)}) VALUES "  # noqa: S608 - our own names
        f"({','.join([mark] * len(_ATTEMPT_FIELDS))})"
        f"{' ON CONFLICT (call_id, number) DO NOTHING' if may_exist else ''}"
    )
    connection.exec_driver_sql(
        statement, [astuple(attempt)[:_ATTEMPT_VALUES] for attempt in trails]
    )


def fitted(record: CallRecord) -> CallRecord:
    """A copy of `record` that both databases take: what does not fit its column is cut or left out.

    A ledger with a shortened model name is worth more than one that lacks the call.
    """
    values = {name: _fitted(getattr(record, name), calls.columns[name]) for name in CALL_FIELDS}
    return replace(record, **values, trail=tuple(map(_fitted_attempt, record.trail)))


def _fitted_attempt(attempt: AttemptRecord) -> AttemptRecord:
    columns = attempts.columns
    values = {name: _fitted(getattr(attempt, name), columns[name]) for name in _ATTEMPT_FIELDS}
    return replace(attempt, **values)


def _values(record: CallRecord) -> tuple[object, ...]:
    return astuple(record)[:_CALL_VALUES]


def _filled(rows: Sequence[tuple[object, ...]]) -> tuple[str, ...]:
    """The columns that `rows` need: all but the groups of which none of them fills any."""
    empty: set[str] = set()
    for group in SELDOM_FILLED:
        of_group = itemgetter(*map(CALL_FIELDS.index, group))
        nothing = (None,) * len(group)
        if all(of_group(row) == nothing for row in rows):
            empty.update(group)
    return tuple(name for name in CALL_FIELDS if name not in empty) if empty else CALL_FIELDS


def _fitted(value: object, column: sa.Column[object]) -> object:
    kind = column.type
    if isinstance(kind, sa.String):
        if isinstance(value, str):
            # PostgreSQL takes no NUL, and neither database half of a surrogate pair.
            text = value.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
            return text[: kind.length]
        return None if column.nullable else ""
    if isinstance(kind, sa.Boolean):
        return bool(value)
    if isinstance(value, int):
        largest = 2**63 - 1 if isinstance(kind, sa.BigInteger) else 2**31 - 1
        return max(-largest, min(largest, int(value)))
    return None if column.nullable else 0


@cache
def _sqlite_insert(fields: tuple[str, ...], rows: int, may_exist: bool) -> str:  # noqa: FBT001
    row = f"({','.join('?' * len(fields))})"
    return (
        f"INSERT INTO calls ({','.join(fields)}) VALUES "  # noqa: S608 - our own column names
        f"{','.join([row] * rows)}{_conflict(may_exist)}"
    )


@cache
def _postgres_insert(may_exist: bool) -> str:  # noqa: FBT001
    # One parameter holds the batch: encoding it is C and takes 2 µs a record, a sixth of binding
    # each value.
    fields = ",".join(CALL_FIELDS)
    return (
        f"INSERT INTO calls ({fields}) SELECT {fields}"  # noqa: S608 - our own column names
        f" FROM json_populate_recordset(NULL::calls, %s::json){_conflict(may_exist)}"
    )


def _conflict(may_exist: bool) -> str:  # noqa: FBT001
    return " ON CONFLICT (id) DO NOTHING" if may_exist else ""
