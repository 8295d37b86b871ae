"""Messages on their way, each a row: claimed by one process, tried until sent, then forgotten.

Whoever has something to tell writes the row itself, with what it tells of. What a message says and
how it is sent is not for here. All of it blocks.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Generic, Protocol, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from headgate.storage.database import Database

_CLAIMED_US = 60_000_000
"""How long a process has to deliver what it claimed, before another tries."""


class Claimed(Protocol):
    """A message that this process is to deliver."""

    @property
    def key(self) -> tuple[str | int, ...]:
        """The values of its row's primary key."""
        ...


M = TypeVar("M", bound=Claimed)


class Outbox(Generic[M]):
    """The messages of one table, which has the columns `state`, `attempts` and `due_at_us`."""

    def __init__(
        self,
        database: Database,
        table: sa.Table,
        read: Callable[[sa.Row[Any]], M],
        *,
        at_once: int,
        kept_us: int,
        ours: sa.ColumnElement[bool] | None = None,
        passing: sa.ColumnElement[bool] | None = None,
    ) -> None:
        """`read` makes a message of its row, whose `attempts` count the one that begins.

        `ours` are those that this process can deliver, `passing` those that may be forgotten
        `kept_us` after they were told or given up; None is all.
        """
        self._database = database
        self._table = table
        self._read = read
        self._at_once = at_once
        self._kept_us = kept_us
        self._ours = sa.true() if ours is None else ours
        self._passing = sa.true() if passing is None else passing

    def claim(
        self, at_most: int | None = None, *, among: sa.ColumnElement[bool] | None = None
    ) -> list[M]:
        """A few messages that are due, which no other process tries for the next minute.

        `among` says which; None is all.
        """
        at_once = self._at_once if at_most is None else min(at_most, self._at_once)
        if at_once <= 0:
            return []
        now_us = time.time_ns() // 1000
        table = self._table
        among = sa.true() if among is None else among
        due = (
            sa.select(table)
            .where(table.c.state == "waiting", table.c.due_at_us <= now_us, self._ours, among)
            .order_by(table.c.due_at_us)
            .limit(at_once)
        )
        with self._database.connect() as connection:
            if connection.execute(due.with_only_columns(table.c.attempts)).first() is None:
                return []
        with self._database.begin() as connection:
            rows = connection.execute(due.with_for_update(skip_locked=True)).all()
            found = [self._read(row) for row in rows]
            for message in found:
                self._set(
                    connection,
                    message,
                    attempts=table.c.attempts + 1,
                    due_at_us=now_us + _CLAIMED_US,
                )
        return found

    def sent(self, message: M) -> None:
        """It has arrived."""
        with self._database.begin() as connection:
            self._set(connection, message, state="sent")

    def failed(self, message: M, *, again_in_s: float | None) -> None:
        """It has not arrived, and is tried again or, where `again_in_s` is None, given up."""
        with self._database.begin() as connection:
            if again_in_s is None:
                self._set(connection, message, state="dead")
            else:
                due_us = time.time_ns() // 1000 + int(again_in_s * 1_000_000)
                self._set(connection, message, due_at_us=due_us)

    def forget_old(self) -> None:
        """Delete what was told, or given up, long ago."""
        table, oldest_us = self._table, time.time_ns() // 1000 - self._kept_us
        with self._database.begin() as connection:
            connection.execute(
                sa.delete(table).where(
                    table.c.state != "waiting", table.c.due_at_us < oldest_us, self._passing
                )
            )

    def _set(
        self, connection: Connection, message: M, **values: str | int | sa.ColumnElement[int]
    ) -> None:
        statement = sa.update(self._table).values(**values)
        for column, value in zip(self._table.primary_key, message.key, strict=True):
            statement = statement.where(column == value)
        connection.execute(statement)
