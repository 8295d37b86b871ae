"""Clearings in the database, by which every process of an installation learns of each."""

from __future__ import annotations

import sqlalchemy as sa

from headgate.gateway.cache.clearing import Clearing
from headgate.storage import Database
from headgate.storage.identifiers import new_id
from headgate.storage.schema import cache_clearings

_KEPT_US = 3_600_000_000
_LOOKED_BACK_US = 60_000_000
"""Longer than a transaction takes, or two machines' clocks differ: one that was committed late is
still found."""

_column = cache_clearings.c


class ClearingLog:
    """The table `cache_clearings`. Its methods block."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._seen: dict[str, int] = {}

    def note(self, clearing: Clearing) -> None:
        """Write `clearing` down."""
        with self._database.begin() as connection:
            connection.execute(
                sa.delete(cache_clearings).where(_column.at_us < clearing.at_us - _KEPT_US)
            )
            connection.execute(
                sa.insert(cache_clearings).values(
                    id=new_id("clr"),
                    at_us=clearing.at_us,
                    project=clearing.project,
                    workflow=clearing.workflow,
                    prefix=clearing.prefix,
                    tag=clearing.tag,
                )
            )

    def unseen(self, now_us: int) -> list[Clearing]:
        """Those of the last minute that this was not asked for before."""
        since_us = now_us - _LOOKED_BACK_US
        query = sa.select(cache_clearings).where(_column.at_us >= since_us)
        with self._database.connect() as connection:
            rows = connection.execute(query).all()
        self._seen = {known: at_us for known, at_us in self._seen.items() if at_us >= since_us}
        found = [row for row in rows if row.id not in self._seen]
        self._seen |= {row.id: row.at_us for row in found}
        return [
            Clearing(
                at_us=row.at_us,
                project=row.project,
                workflow=row.workflow,
                prefix=row.prefix,
                tag=row.tag,
            )
            for row in found
        ]
