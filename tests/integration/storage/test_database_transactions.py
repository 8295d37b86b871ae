"""Both databases commit, roll back, and name their failures in the same way."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa

from headgate.errors import DatabaseUnavailableError
from headgate.storage import Database
from headgate.storage.schema import installation, revisions


def value(database: Database, name: str) -> str | None:
    with database.connect() as connection:
        query = sa.select(installation.c.value).where(installation.c.name == name)
        return connection.execute(query).scalar()


def test_what_was_begun_is_committed_at_the_end(database: Database):
    with database.begin() as connection:
        connection.execute(installation.insert().values(name="a", value="1"))
    assert value(database, "a") == "1"


def test_an_exception_takes_everything_back(database: Database):
    def fail() -> None:
        with database.begin() as connection:
            connection.execute(installation.insert().values(name="a", value="1"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert value(database, "a") is None


def test_a_violated_constraint_is_told_as_such_and_takes_everything_back(database: Database):
    def insert(*names: str) -> None:
        with database.begin() as connection:
            for name in names:
                connection.execute(installation.insert().values(name=name, value="1"))

    insert("a")
    with pytest.raises(sa.exc.IntegrityError):
        insert("b", "a")
    assert value(database, "b") is None


def test_a_foreign_key_is_kept(database: Database):
    with pytest.raises(sa.exc.IntegrityError), database.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO run_contents (run_id, input) VALUES ('run_nobody_made', '{}')"
        )


def test_threads_that_count_together_lose_no_count(database: Database):
    with database.begin() as connection:
        connection.execute(revisions.insert().values(name="keys", value=0))
    failures: list[Exception] = []

    def count() -> None:
        try:
            for _ in range(25):
                with database.begin() as connection:
                    connection.execute(
                        revisions.update()
                        .where(revisions.c.name == "keys")
                        .values(value=revisions.c.value + 1)
                    )
        except Exception as error:  # noqa: BLE001 - whatever it was fails the test below
            failures.append(error)

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
    with database.connect() as connection:
        assert connection.execute(sa.select(revisions.c.value)).scalar() == 100


def test_a_reader_sees_one_state_while_another_writes(sqlite_url: str):
    database = Database(sqlite_url)
    with database.connect() as reader:
        count = sa.select(sa.func.count()).select_from(installation)
        assert reader.execute(count).scalar() == 0
        with database.begin() as writer:
            writer.execute(installation.insert().values(name="a", value="1"))
        assert reader.execute(count).scalar() == 0
    assert value(database, "a") == "1"
    database.close()


def test_a_database_that_answers_can_be_pinged(database: Database):
    database.ping()


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://postgres:secret-password@127.0.0.1:1/nowhere",
        "postgresql://postgres:secret-password@127.0.0.1:5432/headgate_test_that_nobody_made",
    ],
)
def test_a_server_that_cannot_be_reached_is_named_without_its_password(url: str):
    database = Database(url)
    with pytest.raises(DatabaseUnavailableError, match="HEADGATE_DATABASE_URL") as failure:
        database.ping()
    assert "secret-password" not in str(failure.value)
    assert failure.value.status == 503
    database.close()


def test_a_lock_that_is_never_given_back_is_an_outage(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("headgate.storage.database._BUSY_TIMEOUT_S", 0.05)
    database = Database(sqlite_url)
    other = sqlite3.connect(database.url.database or "", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(DatabaseUnavailableError), database.begin():
        pass
    other.close()
    database.close()


def test_a_statement_that_is_wrong_is_not_taken_for_an_outage(database: Database):
    with pytest.raises(sa.exc.DBAPIError), database.connect() as connection:
        connection.exec_driver_sql("SELECT nothing FROM nowhere")


def test_a_server_that_became_a_replica_is_an_outage(postgres_url_of_its_own: str):
    database = Database(postgres_url_of_its_own)

    def write() -> None:
        with database.begin() as connection:
            connection.exec_driver_sql("SET TRANSACTION READ ONLY")
            connection.execute(installation.insert().values(name="a", value="1"))

    with pytest.raises(DatabaseUnavailableError, match="25006"):
        write()
    database.close()


def test_a_file_that_is_no_database_is_an_error_and_not_a_new_database(tmp_path: Path):
    path = tmp_path / "headgate.db"
    path.write_bytes(b"not a database, but somebody's file " * 100)
    database = Database(f"sqlite:///{path}")
    with pytest.raises(DatabaseUnavailableError, match=r"damaged.*SQLITE_NOTADB"):
        database.ping()
    assert path.read_bytes().startswith(b"not a database")
    database.close()


@pytest.mark.parametrize(("durable", "synchronous"), [(False, 1), (True, 2)])
def test_sqlite_syncs_each_commit_where_it_must_be_durable(
    sqlite_url: str, durable: bool, synchronous: int
):
    database = Database(sqlite_url, durable=durable)
    with database.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == synchronous
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
    database.close()
