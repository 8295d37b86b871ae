"""The attempts of a call are written with it, once, on either database."""

from __future__ import annotations

import msgspec
import pytest

from call_records import a_call
from headgate.config.settings import LedgerSettings
from headgate.ledger.attempt import AttemptRecord
from headgate.ledger.record import CallRecord
from headgate.ledger.rows import insert_attempts, insert_calls
from headgate.ledger.usage import call_with_attempts
from headgate.ledger.writer import LedgerWriter
from headgate.storage import Database
from headgate.telemetry.traces.lineage import Parent


def with_trail(**changes: object) -> CallRecord:
    record = a_call(attempts=2, provider_key="team-b", **changes)
    model = "gpt-4o-mini"
    record.trail = (
        AttemptRecord(
            record.id,
            1,
            "first",
            "openai",
            model,
            "team-a",
            None,
            "upstream_cut",
            1200,
            9,
            3,
            10**13,
        ),
        AttemptRecord(record.id, 2, "next_key", "openai", model, "team-b", 200, None, 90_000),
    )
    return record


def found(database: Database, record: CallRecord) -> CallRecord | None:
    with database.connect() as connection:
        return call_with_attempts(connection, record.id)


@pytest.fixture
def writer(database: Database) -> LedgerWriter:
    writer = LedgerWriter(database, LedgerSettings(), lambda _batch: None)
    writer.start()
    return writer


def test_a_call_is_read_back_with_its_attempts(database: Database, writer: LedgerWriter):
    record, plain = with_trail(), a_call()
    writer.append(record)
    writer.append(plain)
    assert writer.close(10) == 0
    assert found(database, record) == record
    assert found(database, plain) == plain


def test_what_only_the_trace_tells_is_not_stored(database: Database, writer: LedgerWriter):
    record = with_trail(parent=Parent("b7ad6b7169203331", sampled=True))
    stored = msgspec.structs.replace(record, parent=None)
    record.trail = tuple(msgspec.structs.replace(one, began_us=7) for one in record.trail)
    plain = a_call(lone_attempt=record.trail[0])
    writer.append(record)
    writer.append(plain)
    assert writer.close(10) == 0
    assert found(database, record) == stored
    assert found(database, plain) == msgspec.structs.replace(plain, lone_attempt=None)


def test_attempts_that_do_not_fit_are_made_to(database: Database, writer: LedgerWriter):
    record = with_trail(model_requested="x" * 400)
    first = record.trail[0]
    record.trail = (
        AttemptRecord(
            record.id, 1, "first", "p" * 90, "m\0" + "m" * 400, None, None, "e" * 99, 2**70
        ),
        *record.trail[1:],
    )
    writer.append(record)
    assert writer.close(10) == 0
    kept = found(database, record)
    assert kept is not None
    assert len(kept.trail) == 2
    assert len(kept.trail[0].provider) == 64
    assert (kept.trail[0].number, kept.trail[0].reason) == (first.number, first.reason)


def test_what_may_be_there_already_is_written_once(database: Database):
    record = with_trail()
    for may_exist in (False, True):
        with database.begin() as connection:
            insert_calls(connection, [record], may_exist=may_exist)
            insert_attempts(connection, [record], may_exist=may_exist)
    assert found(database, record) == record


def test_a_call_that_is_not_there_is_none(database: Database):
    assert found(database, a_call()) is None
