"""How records become rows of `calls` and `attempts`: inserted fast, and made to fit their columns.

A batch goes to the database in few large statements, because each one lets go of the interpreter
and has to win it back from the event loop: 1,000 rows one by one hold a busy server up for 30 ms,
in statements of 256 for 8 ms. Of 64 it is hardly longer, and their values weigh 2 MB less.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import chain

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
        start = 0
        for size in _STATEMENT_ROWS:
            while len(records) - start >= size:
                values = chain.from_iterable(map(_values, records[start : start + size]))
                connection.exec_driver_sql(_sqlite_insert(size, may_exist), tuple(values))
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
def _sqlite_insert(rows: int, may_exist: bool) -> str:  # noqa: FBT001 - cache needs positions
    row = f"({','.join('?' * len(CALL_FIELDS))})"
    return (
        f"INSERT INTO calls ({','.join(CALL_FIELDS)}) VALUES "  # noqa: S608 - our own column names
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
