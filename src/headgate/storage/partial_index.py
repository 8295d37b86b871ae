"""Indexes that hold only some of a table's rows, declared without either database's dialect.

SQLAlchemy takes the condition as an option of each dialect and imports every dialect that is
named, of which PostgreSQL's takes two megabytes. So the condition waits in the index, and goes to
the dialect at hand when the tables are made.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

_WHERE = "where"


def partial_index(name: str, *columns: str, where: str) -> sa.Index:
    """An index of the rows for which `where`, SQL, holds."""
    return sa.Index(name, *columns, info={_WHERE: where})


def complete_partial_indexes(metadata: sa.MetaData) -> None:
    """Have the partial indexes of `metadata` made with their conditions."""
    sa.event.listen(metadata, "before_create", _complete)


def _complete(metadata: sa.MetaData, connection: Connection, **_: Any) -> None:
    for table in metadata.tables.values():
        for index in table.indexes:
            if _WHERE in index.info:
                options = index.dialect_options[connection.dialect.name]
                options["where"] = sa.text(index.info[_WHERE])
