"""What becomes of a record that the database refuses for what it is, while it takes others.

It goes to the log, whole: a record holds no contents. So it can be added up by hand, and one record
does not keep all that follow it from being written.
"""

from __future__ import annotations

import logging
from typing import Any

import sqlalchemy as sa

from headgate.ledger.attempt import AttemptRecord
from headgate.ledger.record import CallRecord
from headgate.ledger.rows import insert_attempts, insert_calls
from headgate.storage import Database
from headgate.storage.identifiers import new_id

_log = logging.getLogger(__name__)


class _UndoneError(Exception):
    """Takes a probe back."""


def takes_others(database: Database) -> bool:
    """Whether the database takes a record that there is nothing wrong with; it is not kept.

    Raises `DatabaseUnavailableError` where the database can't be asked.
    """
    probe = _probe()
    try:
        with database.begin() as connection:
            insert_calls(connection, [probe])
            insert_attempts(connection, [probe])
            raise _UndoneError
    except _UndoneError:
        return True
    except sa.exc.SQLAlchemyError:
        return False


def bury(record: CallRecord, error: Exception) -> None:
    """Put `record` into the log, as nowhere else takes it."""
    _log.error(
        "a record of a call can't be written to the ledger and stands here instead",
        extra={"call_id": str(record.id), "error": type(error).__name__, "record": _shown(record)},
    )


def _shown(record: CallRecord) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    for name in record.__struct_fields__:
        value = getattr(record, name)
        if value is None or isinstance(value, bool | int | float):
            shown[name] = value
        elif isinstance(value, str):
            shown[name] = ascii(value)[1:-1][:1000]
        else:
            shown[name] = ascii(value)[:1000]
    return shown


def _probe() -> CallRecord:
    call_id = new_id("call")
    attempt = AttemptRecord(
        call_id=call_id,
        number=1,
        reason="first",
        provider="probe",
        model="probe",
        provider_key=None,
        status=None,
        error_class=None,
        latency_us=0,
    )
    return CallRecord(
        id=call_id,
        started_at_us=0,
        project="probe",
        key_id="probe",
        endpoint="probe",
        trace_id="0" * 32,
        trail=(attempt,),
    )
