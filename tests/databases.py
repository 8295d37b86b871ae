"""Databases for tests: migrated once a session, so that each test has one of its own.

`tests/conftest.py` makes the fixtures; use those.
"""

from __future__ import annotations

import itertools
import os
import shutil
import time
from pathlib import Path
from typing import Any, NoReturn

import psycopg
import pytest
from psycopg import sql

from headgate.storage import Database, migrate

POSTGRES_SERVER = os.environ.get(
    "HEADGATE_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432"
).rstrip("/")
"""The server on which tests make their databases; its user must be allowed to."""

_CONNECT_TIMEOUT_S = 3
_LEFT_WITHIN_S = 0.3
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
    """Copies of one migrated database on `POSTGRES_SERVER`, each for one test at a time.

    To make and drop one takes a quarter of a second, to empty the few tables that a test has
    written to a few milliseconds. So what comes back is emptied and lent again, unless something
    else about it has changed.
    """

    def __init__(self) -> None:
        self._template: str | None = None
        self._shape = ""
        self._free: list[str] = []

    def make(self, *, migrated: bool) -> str:
        """A database that nobody else uses; returns its name."""
        name = f"{_prefix}_{next(_numbers)}"
        if not migrated:
            administer("CREATE DATABASE {}", name)
            return name
        if self._free:
            return self._free.pop()
        if self._template is None:
            template = f"{_prefix}_template"
            administer("CREATE DATABASE {}", template)
            _migrate(postgres_url(template))
            with psycopg.connect(postgres_url(template)) as connection:
                self._shape = _shape(connection)
            self._template = template
        administer("CREATE DATABASE {} TEMPLATE {}", name, self._template)
        return name

    def take_back(self, name: str) -> None:
        """Take back a migrated database that nobody uses any more."""
        if self._is_as_new(name):
            self._free.append(name)
        else:
            drop(name)

    def close(self) -> None:
        """Drop what is left."""
        for name in (*self._free, self._template):
            if name is not None:
                drop(name)

    def _is_as_new(self, name: str) -> bool:
        try:
            with psycopg.connect(postgres_url(name), autocommit=True) as connection:
                if not _is_left_alone(connection) or _shape(connection) != self._shape:
                    return False
                if written := connection.execute(_WRITTEN).fetchall():
                    names = sql.SQL(", ").join(sql.Identifier(*row) for row in written)
                    connection.execute(
                        sql.SQL("TRUNCATE {} RESTART IDENTITY CASCADE").format(names)
                    )
                return True
        except psycopg.OperationalError:
            return False  # the test has dropped it


_OURS = "nspname NOT IN ('pg_catalog', 'information_schema') AND nspname NOT LIKE 'pg_toast%'"
_WRITTEN = f"""
SELECT nspname::text, relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
WHERE {_OURS} AND relkind = 'r' AND relname <> 'alembic_version' AND pg_relation_size(c.oid) > 0
"""
"""A migrated database's tables are files of no bytes, until something is written to them."""


def _is_left_alone(connection: psycopg.Connection[Any]) -> bool:
    """Whether nobody else is connected; those who have just left may take a moment."""
    deadline_s = time.monotonic() + _LEFT_WITHIN_S
    while connection.execute(_OTHERS).fetchone() is not None:
        if time.monotonic() > deadline_s:
            return False
        time.sleep(0.01)
    return True


_OTHERS = """
SELECT FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() LIMIT 1
"""


def _shape(connection: psycopg.Connection[Any]) -> str:
    """What a test may change of a database beside its rows, as a text to be compared."""
    found = connection.execute(
        f"""
        SELECT
          (SELECT md5(string_agg(concat(nspname, relname, relkind, relpersistence, attname,
            atttypid, atttypmod, attnotnull), ' ' ORDER BY nspname, relname, attnum))
            FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace
            JOIN pg_attribute ON attrelid = pg_class.oid WHERE {_OURS}),
          (SELECT count(*) FROM pg_namespace WHERE {_OURS}),
          (SELECT count(*) FROM pg_constraint JOIN pg_namespace n ON n.oid = connamespace
            WHERE {_OURS}),
          (SELECT count(*) FROM pg_proc JOIN pg_namespace n ON n.oid = pronamespace WHERE {_OURS}),
          (SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal),
          (SELECT count(*) FROM pg_extension),
          (SELECT count(*) FROM pg_db_role_setting JOIN pg_database d ON d.oid = setdatabase
            WHERE datname = current_database()),
          (SELECT datconnlimit FROM pg_database WHERE datname = current_database()),
          (SELECT string_agg(version_num, ' ') FROM alembic_version)
        """
    ).fetchone()
    return repr(found)


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
