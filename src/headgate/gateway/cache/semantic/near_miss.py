"""Questions that were nearly enough alike: the evidence by which a threshold is chosen."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import sqlalchemy as sa

from headgate.storage import Database
from headgate.storage.identifiers import new_id
from headgate.storage.schema import cache_near_misses

_KEPT_US = 30 * 86_400_000_000

_column = cache_near_misses.c


class NearMiss(msgspec.Struct, frozen=True, kw_only=True):
    """A question that a model was asked although an earlier one was much like it."""

    at_us: int
    project: str
    workflow: str
    similarity: float
    threshold: float
    """What the similarity would have had to be."""
    run_id: str | None
    like_run_id: str | None
    """The run whose answer would have been given."""
    same: bool
    """Whether the model gave the same answer."""


class Band(msgspec.Struct, frozen=True, kw_only=True):
    """The near misses of one percent of similarity."""

    workflow: str
    from_percent: int
    misses: int
    same: int


class NearMissLog:
    """The table `cache_near_misses`, which keeps 30 days. Its methods block."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def write(self, misses: Sequence[NearMiss]) -> None:
        """Write `misses` down."""
        rows = [{"id": new_id("near"), **msgspec.structs.asdict(miss)} for miss in misses]
        with self._database.begin() as connection:
            connection.execute(
                sa.delete(cache_near_misses).where(_column.at_us < misses[-1].at_us - _KEPT_US)
            )
            connection.execute(sa.insert(cache_near_misses), rows)

    def newest(
        self, *, since_us: int, project: str | None, workflow: str | None, limit: int
    ) -> list[NearMiss]:
        """The newest ones, newest first."""
        query = sa.select(cache_near_misses).where(*_where(since_us, project, workflow))
        with self._database.connect() as connection:
            rows = connection.execute(query.order_by(_column.id.desc()).limit(limit)).mappings()
            return [
                NearMiss(**{name: value for name, value in row.items() if name != "id"})
                for row in rows
            ]

    def bands(self, *, since_us: int, project: str | None, workflow: str | None) -> list[Band]:
        """How many there were of each similarity, the nearest first."""
        band = sa.cast(sa.func.floor(_column.similarity * 100 + 1e-6), sa.Integer)
        if self._database.is_sqlite:
            band = sa.cast(_column.similarity * 100 + 1e-6, sa.Integer)
        query = (
            sa.select(
                _column.workflow,
                band.label("band"),
                sa.func.count().label("misses"),
                sa.func.count(sa.case((_column.same, 1))).label("same"),
            )
            .where(*_where(since_us, project, workflow))
            .group_by(_column.workflow, sa.text("band"))
            .order_by(_column.workflow, sa.text("band DESC"))
        )
        with self._database.connect() as connection:
            return [
                Band(workflow=row.workflow, from_percent=row.band, misses=row.misses, same=row.same)
                for row in connection.execute(query)
            ]


def _where(
    since_us: int, project: str | None, workflow: str | None
) -> list[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool]] = [_column.at_us >= since_us]
    if project is not None:
        conditions.append(_column.project == project)
    if workflow is not None:
        conditions.append(_column.workflow == workflow)
    return conditions
