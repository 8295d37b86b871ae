"""One database, SQLite or PostgreSQL: opens it, hands out connections, names its failures.

SQL stands in the repositories of each room; this file knows only how to reach the database.
All of it is synchronous: request handlers call it through a thread, the ledger's writer is one.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import URL, Connection, Engine, make_url

from headgate.errors import ConfigError, DatabaseUnavailableError
from headgate.storage.outage import outage_of
from headgate.storage.sqlite_turn import begin_to_write, keep_a_log

_BUSY_TIMEOUT_S = 10
_CONNECT_TIMEOUT_S = 5
_POOL_SIZE = 5
_POOL_OVERFLOW = 5
_PAGE_CACHE_KIB = 512
_POOL_TIMEOUT_S = 5

_SQLITE_WRONG_STATEMENT = frozenset(
    {
        sqlite3.SQLITE_ERROR,
        sqlite3.SQLITE_TOOBIG,
        sqlite3.SQLITE_CONSTRAINT,
        sqlite3.SQLITE_MISMATCH,
        sqlite3.SQLITE_MISUSE,
        sqlite3.SQLITE_RANGE,
    }
)
"""Codes that SQLite gives to a statement's own faults; all others are the file's or the disk's."""
_POSTGRES_READ_ONLY = "25006"
"""What a server says that has been demoted to a replica: an outage until it is gone."""

_POSTGRES_TOO_MUCH = "54"
"""What a server says of a statement or a row that is more than it can hold: no outage."""


class Database:
    """A pool of connections to one database.

    `begin()` opens a transaction that writes, `connect()` one that reads. Failures to reach the
    database are raised as `DatabaseUnavailableError`; violated constraints stay
    `sqlalchemy.exc.IntegrityError`.
    """

    def __init__(self, url: str, *, durable: bool = False) -> None:
        self.url = _parsed(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self._engine = _sqlite(self.url, durable=durable) if self.is_sqlite else _postgres(self.url)
        # SQLite lets one connection write at a time and makes the others poll; waiting on a lock
        # inside the process is fairer and wakes at once.
        self._writing = threading.Lock()

    @property
    def engine(self) -> Engine:
        """SQLAlchemy's engine, for migrations and for the writer's own connection."""
        return self._engine

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """A transaction that writes: committed at the end, rolled back on an exception."""
        if self.is_sqlite:
            with self._writing, _named_failures(), self._engine.connect() as connection:
                _begin_to_write(connection)
                with _committed(connection):
                    yield connection
        else:
            with _named_failures(), self._engine.begin() as connection:
                yield connection

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """A connection for reading one consistent state."""
        with _named_failures(), self._engine.connect() as connection:
            if self.is_sqlite:
                connection.exec_driver_sql("BEGIN")
            yield connection

    def ping(self) -> None:
        """Return if the database answers; `DatabaseUnavailableError` if not."""
        with _named_failures(), self._engine.connect() as connection:
            connection.exec_driver_sql("SELECT 1")

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()


def _begin_to_write(connection: Connection) -> None:
    driver = connection.connection.driver_connection
    if not isinstance(driver, sqlite3.Connection):
        raise TypeError(driver)
    try:
        begin_to_write(driver, _BUSY_TIMEOUT_S)
    except sqlite3.Error as error:
        # As SQLAlchemy would have raised it, for `_named_failures`.
        raise sa.exc.OperationalError("BEGIN IMMEDIATE", None, error) from error


@contextmanager
def _committed(connection: Connection) -> Iterator[None]:
    try:
        yield
    except BaseException:
        connection.rollback()
        raise
    connection.commit()


@contextmanager
def _named_failures() -> Iterator[None]:
    try:
        yield
    except sa.exc.TimeoutError as error:
        raise DatabaseUnavailableError(
            "The database is too slow for the calls that come; every connection to it is in use."
        ) from error
    except sa.exc.DBAPIError as error:
        if not _is_outage(error):
            raise
        # The driver's own text may quote the URL with its password, so it is not passed on.
        raise DatabaseUnavailableError(
            "The database cannot be reached, is busy or is damaged; check HEADGATE_DATABASE_URL and"
            f" that the server is up ({outage_of(error)})."
        ) from error


def _is_outage(error: sa.exc.DBAPIError) -> bool:
    """Whether it is the database that fails, rather than a statement that is wrong."""
    code = getattr(error.orig, "sqlite_errorcode", None)
    if code is not None:
        return code & 0xFF not in _SQLITE_WRONG_STATEMENT
    state = getattr(error.orig, "sqlstate", None)
    if state == _POSTGRES_READ_ONLY:
        return True
    if state is not None and state.startswith(_POSTGRES_TOO_MUCH):
        return False
    return isinstance(error, (sa.exc.OperationalError, sa.exc.InterfaceError))


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
    except sa.exc.ArgumentError:
        raise ConfigError(
            "HEADGATE_DATABASE_URL is no URL; write sqlite:///PATH or postgresql://…"
        ) from None
    if parsed.drivername == "postgres":
        parsed = parsed.set(drivername="postgresql")
    if parsed.drivername == "postgresql":
        return parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername in ("sqlite", "postgresql+psycopg"):
        return parsed
    raise ConfigError(
        f"HEADGATE_DATABASE_URL names `{parsed.drivername}`; use sqlite:///PATH or postgresql://…"
    )


def _sqlite(url: URL, *, durable: bool) -> Engine:
    if not url.database or url.database == ":memory:":
        raise ConfigError("HEADGATE_DATABASE_URL must name a file: sqlite:///PATH")
    try:
        Path(url.database).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise ConfigError(
            f"the folder of {url.database} cannot be made: {error.strerror};"
            " set HEADGATE_DATABASE_URL"
        ) from None
    engine = sa.create_engine(
        url,
        hide_parameters=True,
        # Headgate says BEGIN itself: the driver's own habit of opening transactions late would
        # let two writers read before either locks, and fail the second with "database is locked".
        connect_args={
            "timeout": _BUSY_TIMEOUT_S,
            "check_same_thread": False,
            "isolation_level": None,
        },
        pool_size=_POOL_SIZE,
        max_overflow=_POOL_OVERFLOW,
        pool_timeout=_POOL_TIMEOUT_S,
        poolclass=sa.pool.QueuePool,
    )
    synchronous = "FULL" if durable else "NORMAL"

    @sa.event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: object) -> None:
        keep_a_log(connection, _BUSY_TIMEOUT_S)
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA synchronous={synchronous}")
        cursor.execute("PRAGMA foreign_keys=ON")
        # The operating system caches the file too; the default of 2 MB for each of several
        # connections is a twentieth of what a server weighs.
        cursor.execute(f"PRAGMA cache_size=-{_PAGE_CACHE_KIB}")
        cursor.close()

    return engine


def _postgres(url: URL) -> Engine:
    from psycopg import ProgrammingError  # noqa: PLC0415 - where SQLite serves, it is not loaded
    from psycopg.conninfo import make_conninfo  # noqa: PLC0415 - so

    for option in url.query:
        try:
            make_conninfo("", **{option: ""})
        except ProgrammingError:
            raise ConfigError(
                f"HEADGATE_DATABASE_URL: PostgreSQL has no connection option `{option}`; leave it"
                " out or check its spelling"
            ) from None
    return sa.create_engine(
        url,
        # What people wrote must not come into an exception's text.
        hide_parameters=True,
        connect_args={
            "connect_timeout": _CONNECT_TIMEOUT_S,
            "application_name": "headgate",
            # A server that vanishes without a word is noticed within about 20 s, not 15 minutes.
            "keepalives_idle": 10,
            "keepalives_interval": 3,
            "keepalives_count": 3,
            "tcp_user_timeout": 20_000,
        },
        pool_size=_POOL_SIZE,
        max_overflow=_POOL_OVERFLOW,
        pool_timeout=_POOL_TIMEOUT_S,
        pool_pre_ping=True,
    )
