"""Fixtures that every room's tests share: a database of each kind, empty or migrated."""

from __future__ import annotations

import gc
from collections.abc import Generator, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from databases import PostgresDatabases, SqliteFiles, drop, postgres_url, require_postgres
from headgate.storage import Database


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What is collected stays; to look for garbage in it took three seconds of eight."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.fixture(scope="session")
def sqlite_files(tmp_path_factory: pytest.TempPathFactory) -> SqliteFiles:
    """Where migrated SQLite files come from."""
    return SqliteFiles(tmp_path_factory.mktemp("sqlite"))


@pytest.fixture(scope="session")
def postgres_databases() -> Iterator[PostgresDatabases]:
    """Where PostgreSQL databases come from; skips where there is no server."""
    require_postgres()
    databases = PostgresDatabases()
    yield databases
    databases.close()


@pytest.fixture
def outliving() -> Iterator[ExitStack]:
    """What is to outlive everything else of a test: databases, say, the servers on them."""
    with ExitStack() as stack:
        yield stack


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a migrated database of the test's own, once on each kind."""
    if request.param == "sqlite":
        files: SqliteFiles = request.getfixturevalue("sqlite_files")
        return files.copy_to(tmp_path)
    return str(request.getfixturevalue("postgres_url_of_its_own"))


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path, outliving: ExitStack) -> str:
    """The URL of a database without any table, once on each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'empty.db'}"
    databases: PostgresDatabases = request.getfixturevalue("postgres_databases")
    name = databases.make(migrated=False)
    outliving.callback(drop, name)
    return postgres_url(name)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A migrated database, once on each kind."""
    database = Database(database_url)
    yield database
    database.close()


@pytest.fixture
def sqlite_url(sqlite_files: SqliteFiles, tmp_path: Path) -> str:
    """The URL of a migrated SQLite database of the test's own."""
    return sqlite_files.copy_to(tmp_path)


@pytest.fixture
def postgres_url_of_its_own(postgres_databases: PostgresDatabases, outliving: ExitStack) -> str:
    """The URL of a migrated PostgreSQL database of the test's own."""
    name = postgres_databases.make(migrated=True)
    outliving.callback(postgres_databases.take_back, name)
    return postgres_url(name)
