"""What is told of ended runs, on its way: written with the run's end, tried until it has arrived.

All of it blocks.
"""

from __future__ import annotations

import time

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from headgate.ledger.money import header_usd
from headgate.storage import Database
from headgate.storage.durable_tables import run_webhooks
from headgate.storage.identifiers import new_id
from headgate.workflows.run import Run

_CLAIMED_US = 60_000_000
"""How long a process has to deliver what it claimed, before another tries."""

_CLAIMED_AT_ONCE = 8
_KEPT_US = 7 * 86_400_000_000


class Telling(msgspec.Struct, frozen=True):
    """One message for one address, claimed by this process."""

    id: str
    """The same whenever it is sent, so that the receiver can tell a repetition."""
    run_id: str
    url: str
    body: bytes
    attempts: int
    """This one included."""


def note_webhook(connection: Connection, ended: Run, url: str) -> None:
    """Note, in the transaction that ends `ended`, that `url` is to be told of it."""
    event_id = new_id("evt")
    body = {
        "id": event_id,
        "object": "event",
        "type": f"run.{ended.status}",
        "created_at": (ended.finished_at_us or 0) / 1e6,
        "run": {
            "id": ended.id,
            "project": ended.project,
            "workflow": ended.workflow,
            "version": ended.version,
            "status": ended.status,
            "fallback": ended.fallback,
            "error_code": None if ended.error is None else ended.error.code,
            "cost_usd": None if (cost := ended.cost_nanousd) is None else header_usd(cost),
            "path": f"/api/runs/{ended.id}",
        },
    }
    connection.execute(
        sa.insert(run_webhooks).values(
            id=event_id,
            run_id=ended.id,
            url=url,
            body=msgspec.json.encode(body).decode(),
            state="waiting",
            attempts=0,
            due_at_us=time.time_ns() // 1000,
        )
    )


class WebhookOutbox:
    """The messages of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def claim(self) -> list[Telling]:
        """A few messages that are due, which no other process tries for the next minute."""
        now_us = time.time_ns() // 1000
        table = run_webhooks
        due = (
            sa.select(table)
            .where(table.c.state == "waiting", table.c.due_at_us <= now_us)
            .order_by(table.c.due_at_us)
            .limit(_CLAIMED_AT_ONCE)
        )
        with self._database.connect() as connection:
            if connection.execute(due.with_only_columns(table.c.id)).first() is None:
                return []
        with self._database.begin() as connection:
            rows = connection.execute(due.with_for_update(skip_locked=True)).all()
            connection.execute(
                sa.update(table)
                .where(table.c.id.in_([row.id for row in rows]))
                .values(attempts=table.c.attempts + 1, due_at_us=now_us + _CLAIMED_US)
            )
        return [
            Telling(row.id, row.run_id, row.url, row.body.encode(), row.attempts + 1)
            for row in rows
        ]

    def sent(self, telling: Telling) -> None:
        """It has arrived."""
        self._set(telling, state="sent")

    def failed(self, telling: Telling, *, again_in_s: float | None) -> None:
        """It has not arrived, and is tried again or, where `again_in_s` is None, given up."""
        if again_in_s is None:
            self._set(telling, state="dead")
        else:
            self._set(telling, due_at_us=time.time_ns() // 1000 + int(again_in_s * 1_000_000))

    def forget_old(self) -> None:
        """Delete what was told, or given up, a week ago."""
        oldest_us = time.time_ns() // 1000 - _KEPT_US
        with self._database.begin() as connection:
            connection.execute(
                sa.delete(run_webhooks).where(
                    run_webhooks.c.state != "waiting", run_webhooks.c.due_at_us < oldest_us
                )
            )

    def _set(self, telling: Telling, **values: str | int) -> None:
        with self._database.begin() as connection:
            connection.execute(
                sa.update(run_webhooks).where(run_webhooks.c.id == telling.id).values(**values)
            )
