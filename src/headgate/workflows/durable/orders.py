"""What was ordered of runs that have not ended: stored with the run, gone with its end.

The functions work in the transaction of whoever begins or ends a run.
"""

from __future__ import annotations

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from headgate.storage import Database
from headgate.storage.durable_tables import run_orders
from headgate.storage.schema import runs
from headgate.workflows.durable.webhooks import note_webhook
from headgate.workflows.run import Run
from headgate.workflows.tools.action_store import close_actions

UNDER_WAY = ("queued", "running")
"""What a run is until it ends or waits for a person."""


class Queued(msgspec.Struct, frozen=True):
    """A run as the queue has it."""

    run_id: str
    leg: int
    workflow: str
    priority: int


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """On what terms a run was taken."""

    body: str
    """JSON of an `Ordered`: what the run's process needs, apart from the input."""
    priority: int
    """1 goes first."""
    deadline_at_us: int | None = None
    webhook: str | None = None
    """The address that is told of the end."""
    leg: int = 0
    """How often the run has gone on after it waited for a person."""


def next_leg(connection: Connection, run_id: str) -> None:
    """Count that a run goes on after a wait."""
    connection.execute(
        sa.update(run_orders).where(run_orders.c.run_id == run_id).values(leg=run_orders.c.leg + 1)
    )


def has_order(leg: int | None = None) -> sa.ColumnElement[bool]:
    """Of a row of `runs`: that somebody is to carry it, and on which leg, where that is said."""
    wanted = sa.exists().where(run_orders.c.run_id == runs.c.id)
    return wanted if leg is None else wanted.where(run_orders.c.leg == leg)


def is_overdue(connection: Connection, run_id: str, now_us: int) -> bool:
    """Whether a run's deadline has passed, so that it would end before it went on."""
    wanted = sa.select(run_orders.c.run_id).where(
        run_orders.c.run_id == run_id, run_orders.c.deadline_at_us < now_us
    )
    return connection.execute(wanted).first() is not None


def add_order(connection: Connection, run_id: str, terms: Terms) -> None:
    """Store what was ordered, with its run."""
    connection.execute(sa.insert(run_orders).values(run_id=run_id, **msgspec.structs.asdict(terms)))


def close_order(connection: Connection, ended: Run) -> bool:
    """Forget the order of a run that has ended, and note whom to tell; False where it had none.

    What it had wanted done and nobody has begun is not done any more.
    """
    order = connection.execute(
        sa.delete(run_orders).where(run_orders.c.run_id == ended.id).returning(run_orders.c.webhook)
    ).one_or_none()
    if order is None:
        return False
    close_actions(connection, ended.id, ended.finished_at_us)
    if order.webhook is not None:
        note_webhook(connection, ended, order.webhook)
    return True


class OrderStore:
    """Orders in one database; all of it blocks."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def any_under_way(self) -> bool:
        """Whether a run is waiting or under way, in whatever process."""
        wanted = _under_way().with_only_columns(run_orders.c.run_id).limit(1)
        with self._database.connect() as connection:
            return connection.execute(wanted).first() is not None

    def count(self) -> int:
        """How many runs have not ended, those that wait for a person included."""
        with self._database.connect() as connection:
            return connection.execute(
                sa.select(sa.func.count()).select_from(run_orders)
            ).scalar_one()

    def get(self, run_id: str) -> Terms | None:
        """The terms of a run that has not ended."""
        with self._database.connect() as connection:
            row = connection.execute(
                sa.select(run_orders).where(run_orders.c.run_id == run_id)
            ).one_or_none()
        if row is None:
            return None
        return Terms(
            body=row.body,
            priority=row.priority,
            deadline_at_us=row.deadline_at_us,
            webhook=row.webhook,
            leg=row.leg,
        )

    def page(self, after: str, limit: int, begun_before_us: int) -> list[Queued]:
        """The runs under way that began earlier, in order, beyond `after`."""
        wanted = (
            _under_way()
            .with_only_columns(
                run_orders.c.run_id, run_orders.c.leg, runs.c.workflow, run_orders.c.priority
            )
            .where(run_orders.c.run_id > after, runs.c.created_at_us < begun_before_us)
            .order_by(run_orders.c.run_id)
            .limit(limit)
        )
        with self._database.connect() as connection:
            return [Queued(*row) for row in connection.execute(wanted)]

    def overdue(self, now_us: int, limit: int) -> list[str]:
        """Runs still in the queue past their deadline."""
        wanted = (
            sa.select(run_orders.c.run_id)
            .join(runs, runs.c.id == run_orders.c.run_id)
            .where(run_orders.c.deadline_at_us < now_us, runs.c.status == "queued")
            .limit(limit)
        )
        with self._database.connect() as connection:
            return list(connection.execute(wanted).scalars())

    def gone(self, run_ids: list[str]) -> set[str]:
        """Those of `run_ids` that somebody has ended."""
        if not run_ids:
            return set()
        with self._database.connect() as connection:
            left = connection.execute(
                sa.select(runs.c.id).where(runs.c.id.in_(run_ids), runs.c.status.in_(UNDER_WAY))
            ).scalars()
            return set(run_ids) - set(left)


def _under_way() -> sa.Select[tuple[str]]:
    return (
        sa.select(run_orders.c.run_id)
        .join(runs, runs.c.id == run_orders.c.run_id)
        .where(runs.c.status.in_(UNDER_WAY))
    )
