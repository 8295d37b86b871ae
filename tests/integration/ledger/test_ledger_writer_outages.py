"""The database goes away and comes back: nothing is lost, nothing is doubled, order is kept."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa

from call_records import a_call
from databases import administer, postgres_url
from headgate.config.settings import LedgerSettings
from headgate.errors import DatabaseUnavailableError
from headgate.ledger import writer as writer_module
from headgate.ledger.record import CallRecord
from headgate.ledger.writer import LedgerWriter
from headgate.storage import Database
from headgate.storage.schema import calls

FAST = LedgerSettings(flush_interval_ms=5, queue_records=100)


def ignore(batch: list[CallRecord]) -> None:
    """Nothing follows a batch here."""


def ids(database: Database) -> list[str]:
    with database.connect() as connection:
        return list(connection.execute(sa.select(calls.c.id).order_by(calls.c.id)).scalars())


def until(condition: Callable[[], bool], timeout_s: float = 20.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.005)


@contextmanager
def running(database: Database, settings: LedgerSettings = FAST) -> Iterator[LedgerWriter]:
    writer = LedgerWriter(database, settings, ignore)
    writer.start()
    try:
        yield writer
    finally:
        writer.close(20)


@contextmanager
def postgres_away(name: str) -> Iterator[None]:
    """Nobody may connect to the database `name`, and whoever had is thrown out."""
    administer("ALTER DATABASE {} WITH ALLOW_CONNECTIONS false", name)
    terminate_all(name)
    try:
        yield
    finally:
        administer("ALTER DATABASE {} WITH ALLOW_CONNECTIONS true", name)


def terminate_all(name: str) -> None:
    literal = name.replace("'", "")
    administer(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        f" WHERE datname = '{literal}' AND pid <> pg_backend_pid()"
    )


@pytest.fixture
def postgres(postgres_url_of_its_own: str) -> Iterator[Database]:
    database = Database(postgres_url_of_its_own)
    yield database
    database.close()


@pytest.fixture
def sqlite(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """A database that gives up soon on a lock that another process holds."""
    monkeypatch.setattr("headgate.storage.database._BUSY_TIMEOUT_S", 0.05)
    database = Database(sqlite_url)
    yield database
    database.close()


def test_postgresql_away_and_back_loses_nothing(
    postgres: Database, caplog: pytest.LogCaptureFixture
):
    name = postgres.url.database or ""
    records = [a_call() for _ in range(150)]
    with running(postgres) as writer:
        for record in records[:50]:
            writer.append(record)
        until(lambda: not writer.pending)
        with caplog.at_level(logging.WARNING), postgres_away(name):
            for record in records[50:]:
                writer.append(record)
            until(lambda: not writer.healthy)
            assert writer.full
            assert writer.pending == 100
        until(lambda: not writer.pending)
        assert writer.healthy
        assert not writer.full
    assert ids(postgres) == [record.id for record in records]
    assert caplog.text.count("the ledger cannot be written") == 1
    assert "the ledger is written again" in caplog.text


def test_connections_that_are_cut_in_the_middle_of_batches_double_nothing(postgres: Database):
    name = postgres.url.database or ""
    records = [a_call() for _ in range(3_000)]
    with running(postgres) as writer:
        for number, record in enumerate(records):
            writer.append(record)
            if number % 300 == 0:
                time.sleep(0.01)
                terminate_all(name)
        until(lambda: not writer.pending)
    assert ids(postgres) == [record.id for record in records]


def test_a_commit_whose_answer_is_lost_is_not_written_twice(
    database: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    commit = LedgerWriter._commit
    answers = iter(["lost", "lost"])

    def committed_but_cut(
        self: LedgerWriter, records: list[CallRecord], *, may_exist: bool
    ) -> None:
        commit(self, records, may_exist=may_exist)
        if next(answers, None):
            raise DatabaseUnavailableError

    monkeypatch.setattr(LedgerWriter, "_commit", committed_but_cut)
    records = [a_call() for _ in range(20)]
    with running(database) as writer:
        for record in records:
            writer.append(record)
        until(lambda: not writer.pending)
    assert ids(database) == [record.id for record in records]
    assert "already" not in caplog.text


def test_a_locked_sqlite_file_is_waited_for(sqlite: Database):
    records = [a_call() for _ in range(40)]
    other = sqlite3.connect(sqlite.url.database or "", isolation_level=None)
    with running(sqlite) as writer:
        other.execute("BEGIN EXCLUSIVE")
        for record in records:
            writer.append(record)
        until(lambda: not writer.healthy)
        assert ids(sqlite) == []
        other.execute("ROLLBACK")
        until(lambda: not writer.pending)
        assert writer.healthy
    other.close()
    assert ids(sqlite) == [record.id for record in records]


def test_a_table_that_is_missing_is_an_outage_and_no_reason_to_drop_records(database: Database):
    record = a_call()
    with database.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE calls RENAME TO calls_away")
    with running(database) as writer:
        writer.append(record)
        until(lambda: not writer.healthy)
        with database.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE calls_away RENAME TO calls")
        until(lambda: not writer.pending)
    assert ids(database) == [record.id]


async def test_a_durable_caller_is_told_in_time_and_its_record_is_kept(
    sqlite: Database, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(writer_module, "_DURABLE_PATIENCE_S", 0.1)
    record = a_call()
    other = sqlite3.connect(sqlite.url.database or "", isolation_level=None)
    with running(sqlite) as writer:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(DatabaseUnavailableError, match="durable in time"):
            await asyncio.wait_for(writer.append_durable(record), 10)
        other.execute("ROLLBACK")
        await asyncio.to_thread(until, lambda: not writer.pending)
    other.close()
    assert ids(sqlite) == [record.id]


async def test_a_close_that_cannot_write_tells_how_many_are_left(
    sqlite: Database, caplog: pytest.LogCaptureFixture
):
    other = sqlite3.connect(sqlite.url.database or "", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    writer = LedgerWriter(sqlite, FAST, ignore)
    writer.start()
    for _ in range(7):
        writer.append(a_call())
    waiting = writer.append_durable(a_call())
    began = time.monotonic()
    assert await asyncio.to_thread(writer.close, 0.3) == 8
    assert time.monotonic() - began < 3
    assert "8 records of calls could not be written" in caplog.text
    with pytest.raises(DatabaseUnavailableError):
        await asyncio.wait_for(waiting, 5)
    other.close()
    await asyncio.to_thread(until, lambda: not writer._thread.is_alive())


def test_an_unreachable_server_is_an_outage_too():
    database = Database(postgres_url("headgate_test_that_nobody_made"))
    writer = LedgerWriter(database, FAST, ignore)
    writer.start()
    writer.append(a_call())
    until(lambda: writer._failing)
    assert writer.close(0.2) == 1
    database.close()
