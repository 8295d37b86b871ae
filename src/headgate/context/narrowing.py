"""What may leave a connector: of each record the approved fields, each of its declared type. Pure.

What does not fit is an error that names the field and holds nothing of what stood there.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec

from headgate.config.connectors import FieldSettings, FieldType, OperationSettings, field_settings
from headgate.context.connector import ConnectorError, NoRecordError
from headgate.context.places import MISSING, value_at

Value = str | int | float | bool | None
Record = dict[str, Value]

_LARGEST_INTEGER = 2**63
_LARGEST_EXACT = 2**53
"""From here on, not every integer is a float of its own."""


class Narrowed(msgspec.Struct, frozen=True):
    """What is left of an answer."""

    value: Record | list[Record]
    records: int
    cut: bool = False
    """Whether there were more than were taken."""


class _MisfitError(Exception):
    """What must hold of a value."""


def narrowed(
    found: Sequence[Mapping[str, Any]],
    operation: OperationSettings,
    wanted: Sequence[str] | None = None,
) -> Narrowed:
    """The approved fields of the records, those `wanted` of them; one record unless it says `many`.

    Raises `ConnectorError`, and `NoRecordError` where there is none.
    """
    names = tuple(operation.fields) if wanted is None else wanted
    fields = {name: field_settings(operation.fields[name]) for name in names}
    if operation.many is None:
        if not found:
            raise NoRecordError("there is no such record")
        if len(found) > 1:
            raise ConnectorError("there is more than one record; write `many`, or ask for one")
        return Narrowed(_record(found[0], fields, ""), 1)
    cut = len(found) > operation.many
    if cut and operation.beyond == "fail":
        raise ConnectorError(
            f"there are more than {operation.many} records; raise `many`, or write `beyond: cut`"
        )
    kept = found[: operation.many]
    records = [_record(one, fields, f"[{number}]") for number, one in enumerate(kept)]
    return Narrowed(records, len(records), cut)


def _record(found: Mapping[str, Any], fields: Mapping[str, FieldSettings], at: str) -> Record:
    record: Record = {}
    for name, field in fields.items():
        value = value_at(field.at or name, found)
        if value is MISSING:
            if not field.optional:
                raise ConnectorError(f"the field `{name}` is missing{at and f' in record {at}'}")
            value = None
        try:
            record[name] = None if value is None else _fitted(value, field)
        except _MisfitError as misfit:
            raise ConnectorError(
                f"the field `{name}`{at and f' of record {at}'} {misfit}"
            ) from None
    return record


def _fitted(value: Any, field: FieldSettings) -> Value:
    fitted = _TYPES[field.type](value)
    if isinstance(fitted, str) and len(fitted) > field.max_characters:
        raise _MisfitError(
            f"is longer than {field.max_characters} characters; raise `max_characters`"
        )
    return fitted


def _text(value: Any) -> str:
    if isinstance(value, UUID):
        return str(value)
    if not isinstance(value, str):
        raise _MisfitError("is no text")
    return value


def _integer(value: Any) -> int:
    if isinstance(value, Decimal) and value.is_finite() and value == value.to_integral_value():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise _MisfitError("is no integer")
    if abs(value) >= _LARGEST_INTEGER:
        raise _MisfitError("is too large for an integer")
    return value


def _number(value: Any) -> int | float:
    if isinstance(value, Decimal) and value.is_finite():
        value = int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not _is_finite(value):
        raise _MisfitError("is no number")
    # 14700 and 14700.0 are one number; the shorter reads better in a prompt.
    is_whole = isinstance(value, float) and value.is_integer() and abs(value) < _LARGEST_EXACT
    return int(value) if is_whole else value


def _is_finite(value: float) -> bool:
    return abs(value) < _LARGEST_INTEGER if isinstance(value, int) else math.isfinite(value)


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise _MisfitError("is neither true nor false")
    return value


def _date(value: Any) -> str:
    if isinstance(value, datetime):
        raise _MisfitError("is a time, no date; declare it as datetime")
    if isinstance(value, date):
        return value.isoformat()
    try:
        return date.fromisoformat(value).isoformat()
    except (TypeError, ValueError):
        raise _MisfitError("is no date such as 2026-01-31") from None


def _datetime(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    try:
        if len(value) > len("2026-01-31"):
            return datetime.fromisoformat(value).isoformat()
    except (TypeError, ValueError):
        pass
    raise _MisfitError("is no time such as 2026-01-31T09:30:00Z")


_TYPES: dict[FieldType, Callable[[Any], Value]] = {
    "text": _text,
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "date": _date,
    "datetime": _datetime,
}
