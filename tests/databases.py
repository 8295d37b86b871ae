"""Databases for tests: migrated once a session, then copied, so that each test has one of its own.

`tests/conftest.py` makes the fixtures; use those.
"""

from __future__ import annotations

import itertools
import os
import shutil
from pathlib import Path
from typing import NoReturn

import psycopg
import pytest
from psycopg import sql

from headgate.storage import Database, migrate

POSTGRES_SERVER = os.environ.get(
    "HEADGATE_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432"
).rstrip("/")
"""The server on which tests make their databases; its user must be allowed to."""

_CONNECT_TIMEOUT_S = 3
_prefix = f"headgate_test_{os.getpid()}_{os.urandom(3).hex()}"
_numbers = itertools.count()


class SqliteFiles:
    """Copies of one migrated file."""

    def __init__(self, folder: Path) -> None:
        self._template = folder / "template.db"
        _migrate(f"sqlite:///{self._template}")

    def copy_to(self, folder: Path) -> str:
        """A migrated database in `folder`; returns its URL."""
        path = folder / "headgate.db"
        shutil.copyfile(self._template, path)
        return f"sqlite:///{path}"


class PostgresDatabases:
    """Copies of one migrated database on `POSTGRES_SERVER`."""

    def __init__(self) -> None:
        self._template: str | None = None

    def make(self, *, migrated: bool) -> str:
        """A database of its own; returns its name."""
        name = f"{_prefix}_{next(_numbers)}"
        if not migrated:
            administer("CREATE DATABASE {}", name)
            return name
        if self._template is None:
            template = f"{_prefix}_template"
            administer("CREATE DATABASE {}", template)
            _migrate(postgres_url(template))
            self._template = template
        administer("CREATE DATABASE {} TEMPLATE {}", name, self._template)
        return name

    def close(self) -> None:
        """Drop the template."""
        if self._template is not None:
            drop(self._template)


def postgres_url(name: str) -> str:
    """The URL of the database `name`."""
    return f"{POSTGRES_SERVER}/{name}"


def drop(name: str) -> None:
    """Drop a database, whoever is still connected to it."""
    administer("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)


def administer(statement: str, *names: str) -> None:
    """Run one statement on the server itself, its `{}` filled with quoted names."""
    with psycopg.connect(f"{POSTGRES_SERVER}/postgres", autocommit=True) as connection:
        connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


def require_postgres() -> None:
    """Skip the test where no server answers; in continuous integration fail it."""
    try:
        psycopg.connect(f"{POSTGRES_SERVER}/postgres", connect_timeout=_CONNECT_TIMEOUT_S).close()
    except psycopg.OperationalError as error:
        reason = (
            f"PostgreSQL does not answer at {POSTGRES_SERVER} ({str(error).splitlines()[0]});"
            " set HEADGATE_TEST_POSTGRES to test on another"
        )
        skip_without(reason)


def skip_without(reason: str) -> NoReturn:
    """Skip the test for want of a server; in continuous integration fail it."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def _migrate(url: str) -> None:
    database = Database(url)
    migrate(database)
    database.close()
