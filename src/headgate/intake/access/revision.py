"""The counter that tells every process that projects or keys have changed."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from headgate.storage.schema import revisions

_NAME = "access"


def bump(connection: Connection) -> None:
    """Count a change to projects or keys, in the transaction that makes it.

    Called first in the transaction, it also makes writers wait for each other: on PostgreSQL by
    the row's lock, on SQLite the transaction has done so already.
    """
    connection.execute(
        sa.text(
            "INSERT INTO revisions (name, value) VALUES (:name, 1)"
            " ON CONFLICT (name) DO UPDATE SET value = revisions.value + 1"
        ),
        {"name": _NAME},
    )


def current(connection: Connection) -> int:
    """The number of changes so far."""
    return (
        connection.execute(
            sa.select(revisions.c.value).where(revisions.c.name == _NAME)
        ).scalar_one_or_none()
        or 0
    )
