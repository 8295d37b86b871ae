"""A connector to a database that is only read, as the database itself sees to.

SQLite: its file is opened read-only, and its compiler refuses all but reading. PostgreSQL: each
query has a read-only transaction and a cursor of its own, which is declared for a SELECT alone.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from headgate.config.connectors import SqlConnectorSettings, SqlOperationSettings, field_settings
from headgate.context.connector import Arguments, ConnectorError
from headgate.errors import UnavailableError
from headgate.storage.outage import reason_of
from headgate.storage.threads import StorageThreads

_CONNECT_TIMEOUT_S = 3
_POOL_SIZE = 4
_FIELDS_AT_MOST = 1000
_INSTRUCTIONS_BETWEEN_LOOKS = 5_000

_READS = frozenset(
    {
        sqlite3.SQLITE_SELECT,
        sqlite3.SQLITE_READ,
        sqlite3.SQLITE_FUNCTION,
        sqlite3.SQLITE_RECURSIVE,
    }
)
"""What a query may have SQLite do."""

_NOT_READING = (
    "not authorized",
    "readonly",
    "read-only",
    "syntax error",
    "one statement",
    "incomplete",
)
"""Words of SQLite that say that a query is none that reads."""

_NOT_READING_STATES = ("25006", "42601", "0A000", "42P13", "25001")
"""PostgreSQL's: read-only transaction, syntax error, not supported in a cursor."""

_LATER_STATES = ("57", "53", "08", "55P03", "40")
"""PostgreSQL's for what may go well later: time is up, shut down, full, not connected, locked."""


class SqlConnector:
    """See `Connector`."""

    def __init__(self, settings: SqlConnectorSettings, folder: Path) -> None:
        """`settings` have been checked; a SQLite file is named from `folder` on."""
        self._settings = settings
        self._queries = {name: sa.text(one.query) for name, one in settings.operations.items()}
        self._threads: StorageThreads | None = None
        url = sa.make_url(settings.url)
        self._file = (folder / (url.database or "")).resolve() if _is_sqlite(url) else None
        self._engine = _postgres(url) if self._file is None else _sqlite(self._file)

    async def records(self, operation: str, arguments: Arguments) -> list[dict[str, Any]]:
        """See `Connector`."""
        if self._threads is None:
            self._threads = StorageThreads("connector")
        try:
            return await self._threads.begin(self._asked, operation, arguments)
        except UnavailableError:
            raise ConnectorError("too many queries wait for the database", retryable=True) from None

    def check(self) -> list[tuple[str, str, bool]]:
        """See `Connector`: has the database compile each query, and read nothing."""
        if self._file is not None and not self._file.exists():
            return []
        found: list[tuple[str, str, bool]] = []
        for name, query in self._queries.items():
            try:
                with self._reading() as connection:
                    nothing = dict.fromkeys(query.compile().params)
                    how = "DECLARE asked CURSOR FOR" if self._file is None else "EXPLAIN"
                    connection.execute(sa.text(f"{how} {query.text}"), nothing).close()
            except sa.exc.DBAPIError as error:
                if error.connection_invalidated or _is_unreachable(error):
                    return found
                is_write = _does_not_read(error)
                told = (
                    "is no query that only reads: the database refuses it"
                    if is_write
                    else f"the database does not take it ({reason_of(error)})"
                )
                found.append((name, told, is_write))
            except sa.exc.SQLAlchemyError:
                return found
        return found

    async def close(self) -> None:
        """See `Connector`."""
        self.discard()

    def discard(self) -> None:
        """See `Connector`."""
        if self._threads is not None:
            self._threads.close()
        self._engine.dispose()

    def _asked(self, operation: str, arguments: Arguments) -> list[dict[str, Any]]:
        settings = self._settings.operations[operation]
        try:
            with self._reading() as connection:
                rows = _of_cursor(connection, self._queries[operation], dict(arguments))
                found = rows.fetchmany((settings.many or 1) + 1)
                names = list(rows.keys())
                rows.close()
        except sa.exc.DBAPIError as error:
            raise _told(error) from None
        except sa.exc.TimeoutError:
            raise ConnectorError("too many queries wait for the database", retryable=True) from None
        except (sa.exc.SQLAlchemyError, OverflowError, UnicodeError):
            raise ConnectorError("the database's client could not ask that") from None
        if len(names) > _FIELDS_AT_MOST:
            raise ConnectorError(f"the query has more than {_FIELDS_AT_MOST} columns")
        return [_record(dict(zip(names, row, strict=True)), settings) for row in found]

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        """A connection in a transaction that can't write and ends when its time is up."""
        timeout_s = self._settings.timeout_s
        with self._engine.connect() as connection:
            if self._file is None:
                connection.exec_driver_sql("SET TRANSACTION READ ONLY")
                connection.exec_driver_sql(
                    f"SET LOCAL statement_timeout = {max(1, int(timeout_s * 1000))}"
                )
                yield connection
                connection.rollback()
                return
            driver: Any = connection.connection.dbapi_connection
            driver.set_authorizer(_only_reading)
            driver.set_progress_handler(_past(timeout_s), _INSTRUCTIONS_BETWEEN_LOOKS)
            yield connection


def _of_cursor(
    connection: Connection, query: sa.TextClause, values: dict[str, Any]
) -> sa.CursorResult[Any]:
    """The query's rows, fetched as they are asked for: an unbounded answer is never read whole."""
    return connection.execution_options(stream_results=True, max_row_buffer=100).execute(
        query, values
    )


def _past(timeout_s: float) -> Callable[[], int]:
    end_s = time.monotonic() + timeout_s
    return lambda: time.monotonic() > end_s


def _record(row: dict[str, Any], settings: SqlOperationSettings) -> dict[str, Any]:
    """A row with what its database has no type of its own for."""
    for name, value in row.items():
        field = settings.fields.get(name)
        if field is None:
            continue
        kind = field_settings(field).type
        if kind == "boolean" and value in (0, 1):
            row[name] = bool(value)
    return row


def _is_sqlite(url: sa.URL) -> bool:
    return url.drivername == "sqlite"


def _sqlite(file: Path) -> Engine:
    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(
            f"file:{quote(str(file))}?mode=ro", uri=True, timeout=1.0, check_same_thread=False
        )
        connection.execute("PRAGMA query_only=ON")
        return connection

    # A file that is put in its place anew is another one: each query opens it.
    return sa.create_engine(
        "sqlite://",
        creator=connect,
        poolclass=sa.pool.NullPool,
        hide_parameters=True,
    )


def _only_reading(action: int, first: str | None, second: str | None, *_: object) -> int:
    if action == sqlite3.SQLITE_FUNCTION and second == "load_extension":
        return sqlite3.SQLITE_DENY
    del first
    return sqlite3.SQLITE_OK if action in _READS else sqlite3.SQLITE_DENY


def _postgres(url: sa.URL) -> Engine:
    return sa.create_engine(
        url.set(drivername="postgresql+psycopg"),
        hide_parameters=True,
        connect_args={
            "connect_timeout": _CONNECT_TIMEOUT_S,
            "application_name": "headgate-connector",
            "tcp_user_timeout": 10_000,
        },
        pool_size=_POOL_SIZE,
        max_overflow=0,
        pool_timeout=_CONNECT_TIMEOUT_S,
        pool_pre_ping=True,
        pool_recycle=300,
    )


def _told(error: sa.exc.DBAPIError) -> ConnectorError:
    """What a failure may be told as: drivers' own words quote addresses and values."""
    if _is_unreachable(error):
        return ConnectorError("the database can't be reached", retryable=True)
    if reason_of(error) in ("SQLITE_INTERRUPT", "57014"):
        return ConnectorError("the query took too long", retryable=True)
    later = reason_of(error).startswith((*_LATER_STATES, "SQLITE_BUSY", "SQLITE_LOCKED"))
    return ConnectorError(f"the database refused the query ({reason_of(error)})", retryable=later)


def _is_unreachable(error: sa.exc.DBAPIError) -> bool:
    if isinstance(error.orig, sqlite3.Error):
        # One without a name is its client's own, such as of a text that is not UTF-8.
        return reason_of(error).startswith("SQLITE_CANTOPEN")
    # A connection that was never made has no state to tell.
    return getattr(error.orig, "sqlstate", None) is None and isinstance(
        error, sa.exc.OperationalError
    )


def _does_not_read(error: sa.exc.DBAPIError) -> bool:
    if (state := getattr(error.orig, "sqlstate", None)) is not None:
        return state in _NOT_READING_STATES
    return any(word in str(error.orig).lower() for word in _NOT_READING)
