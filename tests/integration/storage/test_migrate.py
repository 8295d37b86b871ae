"""A database is brought to this version's schema once, whichever process comes first."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa

from headgate.errors import ConfigError
from headgate.storage import Database, migrate
from headgate.storage.migrate import HEAD
from headgate.storage.migrate import __file__ as migrate_file
from headgate.storage.schema import metadata


def tables(database: Database) -> set[str]:
    with database.connect() as connection:
        return set(sa.inspect(connection).get_table_names())


def test_the_head_is_the_newest_file():
    files = sorted((Path(migrate_file).parent / "migrations" / "versions").glob("[0-9]*.py"))
    before = None
    for path in files:
        text = path.read_text()
        revision = path.name.partition("_")[0]
        assert f'\nrevision = "{revision}"\n' in text, path
        follows = "None" if before is None else f'"{before}"'
        assert f"\ndown_revision = {follows}\n" in text, path
        before = revision
    assert before == HEAD


def test_an_empty_database_gets_every_table_and_a_second_time_changes_nothing(
    empty_database_url: str,
):
    database = Database(empty_database_url)
    migrate(database)
    migrate(database)
    assert tables(database) == set(metadata.tables) | {"alembic_version"}
    database.close()


def test_processes_that_start_together_migrate_once(empty_database_url: str):
    failures: list[BaseException] = []
    ready = threading.Barrier(4)

    def start() -> None:
        database = Database(empty_database_url)
        try:
            ready.wait(20)
            migrate(database)
        except BaseException as error:  # noqa: BLE001 - whatever it was fails the test below
            failures.append(error)
        finally:
            database.close()

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
    database = Database(empty_database_url)
    assert tables(database) == set(metadata.tables) | {"alembic_version"}
    database.close()


def test_real_processes_that_start_together_migrate_once(empty_database_url: str):
    code = (
        "import sys; from headgate.storage import Database, migrate;"
        "database = Database(sys.argv[1]); migrate(database); database.close()"
    )
    processes = [
        subprocess.Popen([sys.executable, "-c", code, empty_database_url]) for _ in range(3)
    ]
    assert [process.wait(60) for process in processes] == [0, 0, 0]


def test_a_database_of_a_newer_version_is_refused_and_left_alone(database: Database):
    with database.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(ConfigError, match="newer Headgate"):
        migrate(database)
    with database.connect() as connection:
        version = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    assert version == "9999"


@pytest.mark.parametrize("step_by_step", [False, True])
def test_a_migration_that_fails_leaves_nothing_behind(
    empty_database_url: str, *, step_by_step: bool
):
    database = Database(empty_database_url)
    with database.begin() as connection:
        # The last table of the migration is there already, so that its making fails.
        connection.exec_driver_sql("CREATE TABLE run_contents (other INTEGER)")
    with pytest.raises(sa.exc.DBAPIError):
        migrate(database, step_by_step=step_by_step)
    assert tables(database) <= {"run_contents"}
    database.close()
