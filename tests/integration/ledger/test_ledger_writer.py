"""Records reach the database: soon, once, in order, and all of them."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from call_records import a_call
from headgate.config.settings import LedgerSettings
from headgate.errors import DatabaseUnavailableError
from headgate.ledger.record import CallRecord
from headgate.ledger.writer import LedgerWriter
from headgate.storage import Database
from headgate.storage.schema import calls


class Batches:
    """What the writer reported, batch by batch."""

    def __init__(self) -> None:
        self.batches: list[list[CallRecord]] = []
        self.threads: set[str] = set()

    def __call__(self, batch: list[CallRecord]) -> None:
        self.batches.append(batch)
        self.threads.add(threading.current_thread().name)

    @property
    def ids(self) -> list[str]:
        return [record.id for batch in self.batches for record in batch]


@pytest.fixture
def batches() -> Batches:
    return Batches()


@pytest.fixture
def writer(database: Database, batches: Batches) -> Iterator[LedgerWriter]:
    writer = LedgerWriter(database, LedgerSettings(flush_interval_ms=20), batches)
    writer.start()
    yield writer
    assert writer.close(10) == 0


def rows(database: Database) -> list[CallRecord]:
    with database.connect() as connection:
        found = connection.execute(sa.select(calls).order_by(calls.c.id)).mappings()
        return [CallRecord(**row) for row in found]


def until(condition, timeout_s: float = 10.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.005)


def test_a_record_is_read_back_as_it_was_written(database: Database, writer: LedgerWriter):
    plain = a_call()
    full = a_call(
        workflow="ticket-triage",
        run_id="run_1",
        route="fast",
        streamed=True,
        status=504,
        error_class="upstream_timeout",
        cache="miss",
        cache_write_tokens=5,
        reasoning_tokens=7,
        input_audio_tokens=8,
        output_audio_tokens=9,
        tokens_estimated=True,
        cost_nanousd=2**60,
        first_token_us=3,
        upstream_request_id="req_1",
        feature="ünï — 日本 🙂 \"'\\\n",
        simulated=True,
    )
    writer.append(plain)
    writer.append(full)
    until(lambda: not writer.pending)
    assert rows(database) == [plain, full]


async def test_a_burst_is_written_whole_and_in_order(
    database: Database, writer: LedgerWriter, batches: Batches
):
    records = [a_call() for _ in range(6_001)]
    for number, record in enumerate(records):
        writer.append(record)
        if number % 997 == 0:
            await asyncio.sleep(0.002)
    await asyncio.to_thread(until, lambda: not writer.pending)
    assert [record.id for record in rows(database)] == [record.id for record in records]
    await asyncio.to_thread(until, lambda: len(batches.ids) == len(records))
    assert batches.ids == [record.id for record in records]
    assert batches.threads == {"ledger-writer"}


@pytest.mark.parametrize("size", [1, 3, 4, 5, 16, 63, 255, 257, 340])
def test_every_size_of_batch_is_written_whole(database: Database, writer: LedgerWriter, size: int):
    records = [a_call() for _ in range(size)]
    for record in records:
        writer.append(record)
    until(lambda: not writer.pending)
    assert rows(database) == records


def test_a_record_is_written_without_anything_else_happening(
    database: Database, writer: LedgerWriter
):
    for _ in range(3):
        writer.append(a_call())
        until(lambda: not writer.pending, timeout_s=5)
    assert len(rows(database)) == 3


async def test_a_durable_record_is_there_when_its_future_is_done(
    database: Database, batches: Batches
):
    # An interval so long that only being woken can explain it.
    writer = LedgerWriter(database, LedgerSettings(flush_interval_ms=200), batches)
    writer.start()
    record = a_call()
    await asyncio.wait_for(writer.append_durable(record), 10)
    assert rows(database) == [record]
    await asyncio.to_thread(writer.close, 10)


async def test_durable_records_of_many_callers_share_their_commits(
    database: Database, writer: LedgerWriter, batches: Batches
):
    async def caller() -> None:
        for _ in range(5):
            await writer.append_durable(a_call())

    await asyncio.wait_for(asyncio.gather(*(caller() for _ in range(40))), 30)
    assert len(rows(database)) == 200
    await asyncio.to_thread(until, lambda: len(batches.ids) == 200)
    assert len(batches.batches) < 100


async def test_a_caller_that_gives_up_waiting_leaves_its_record(
    database: Database, writer: LedgerWriter
):
    given_up, waited_for = a_call(), a_call()
    writer.append_durable(given_up).cancel()
    await asyncio.wait_for(writer.append_durable(waited_for), 10)
    assert rows(database) == [given_up, waited_for]


def test_close_writes_what_is_left(database: Database, batches: Batches):
    writer = LedgerWriter(database, LedgerSettings(flush_interval_ms=200), batches)
    writer.start()
    records = [a_call() for _ in range(10_500)]
    for record in records:
        writer.append(record)
    assert writer.close(30) == 0
    assert len(rows(database)) == len(records)
    assert all(len(batch) <= 5_000 for batch in batches.batches)
    assert not writer.healthy


def test_what_is_appended_before_the_start_is_written_too(database: Database, batches: Batches):
    writer = LedgerWriter(database, LedgerSettings(), batches)
    writer.append(a_call())
    assert not writer.healthy
    writer.start()
    assert writer.close(10) == 0
    assert len(rows(database)) == 1


def test_a_duplicate_is_named_in_the_log_and_costs_no_other_record(
    database: Database, batches: Batches, caplog: pytest.LogCaptureFixture
):
    twice, records = a_call(status=200), [a_call() for _ in range(300)]
    writer = LedgerWriter(database, LedgerSettings(), batches)
    for record in [*records[:150], twice, *records[150:], a_call(id=twice.id, status=500)]:
        writer.append(record)
    with caplog.at_level(logging.WARNING):
        writer.start()
        assert writer.close(10) == 0
    assert rows(database) == sorted([*records, twice], key=lambda record: record.id)
    assert f"call {twice.id} is in the ledger already" in caplog.text
    assert sorted(batches.ids) == sorted(record.id for record in [*records, twice])


def test_a_record_that_is_more_than_its_columns_hold_is_cut_and_kept(
    database: Database, batches: Batches
):
    writer = LedgerWriter(database, LedgerSettings(), batches)
    good = [a_call() for _ in range(20)]
    odd = [
        a_call(input_tokens=10**30),
        a_call(feature="\ud800"),
        a_call(status=None),
        a_call(cost_nanousd={"a": 1}),
    ]
    for record in [*good[:10], *odd, *good[10:]]:
        writer.append(record)
    writer.start()
    assert writer.close(10) == 0
    written = {record.id: record for record in rows(database)}
    assert len(written) == 24
    assert all(written[record.id] == record for record in good)
    assert written[odd[0].id].input_tokens == 2**63 - 1
    assert written[odd[1].id].feature == "?"
    assert written[odd[2].id].status == 0
    assert written[odd[3].id].cost_nanousd is None


def refuse_poison(database: Database) -> None:
    """Have the database refuse calls for what their feature is."""
    with database.begin() as connection:
        if database.is_sqlite:
            connection.exec_driver_sql(
                "CREATE TRIGGER no_poison BEFORE INSERT ON calls WHEN NEW.feature = 'poison'"
                " BEGIN SELECT RAISE(ABORT, 'no'); END"
            )
        else:
            connection.exec_driver_sql(
                "ALTER TABLE calls ADD CONSTRAINT no_poison CHECK (feature <> 'poison')"
            )


async def test_a_record_that_no_database_takes_stands_in_the_log_and_blocks_no_other(
    database: Database, batches: Batches, caplog: pytest.LogCaptureFixture
):
    refuse_poison(database)
    good = [a_call() for _ in range(120)]
    poisonous = a_call(feature="poison", cost_nanousd=42)
    unreadable = a_call(trail=("no attempt",))
    writer = LedgerWriter(database, LedgerSettings(), batches)
    for record in (*good[:50], poisonous, *good[50:100], unreadable, *good[100:]):
        writer.append(record)
    waits = writer.append_durable(a_call(feature="poison"))
    with caplog.at_level(logging.WARNING):
        writer.start()
        with pytest.raises(DatabaseUnavailableError):
            await waits
        later = a_call()
        await writer.append_durable(later)
        assert writer.close(10) == 0
    assert [record.id for record in rows(database)] == sorted(
        record.id for record in (*good, later)
    )
    buried = [line for line in caplog.records if "stands here instead" in line.message]
    assert [line.call_id for line in buried[:2]] == [poisonous.id, unreadable.id]
    assert buried[0].record["cost_nanousd"] == 42
    assert len(buried) == writer.dead_records == 3


def test_what_follows_a_batch_may_fail_without_harm(
    database: Database, caplog: pytest.LogCaptureFixture
):
    def broken(batch: list[CallRecord]) -> None:
        raise RuntimeError("metrics are broken")

    writer = LedgerWriter(database, LedgerSettings(flush_interval_ms=5), broken)
    writer.start()
    writer.append(a_call())
    until(lambda: not writer.pending)
    writer.append(a_call())
    assert writer.close(10) == 0
    assert len(rows(database)) == 2
    assert "metrics are broken" in caplog.text


def test_the_queue_tells_that_it_is_full_and_still_takes_calls_in_flight(
    database: Database, batches: Batches
):
    writer = LedgerWriter(database, LedgerSettings(queue_records=100), batches)
    for _ in range(99):
        writer.append(a_call())
    assert not writer.full
    for _ in range(6):
        writer.append(a_call())
    assert writer.full
    assert writer.lag_s > 0
    writer.start()
    until(lambda: not writer.pending)
    assert not writer.full
    assert writer.lag_s == 0
    assert writer.healthy
    assert writer.close(10) == 0
    assert len(rows(database)) == 105
