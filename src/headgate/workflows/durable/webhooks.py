"""What is told of ended runs, on its way: written with the run's end, tried until it has arrived.

All of it blocks.
"""

from __future__ import annotations

import time
from collections.abc import Collection
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from headgate.ledger.money import header_usd
from headgate.storage import Database
from headgate.storage.durable_tables import run_webhooks
from headgate.storage.identifiers import new_id
from headgate.storage.outbox import Outbox
from headgate.workflows.run import Run

_CLAIMED_AT_ONCE = 32
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

    @property
    def key(self) -> tuple[str]:
        """See `Claimed`."""
        return (self.id,)


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


class WebhookOutbox(Outbox[Telling]):
    """The messages of one database."""

    def __init__(self, database: Database) -> None:
        super().__init__(
            database, run_webhooks, _telling, at_once=_CLAIMED_AT_ONCE, kept_us=_KEPT_US
        )

    def claim_others(self, at_most: int, than: Collection[str]) -> list[Telling]:
        """As `claim`, of messages for other addresses."""
        return self.claim(at_most, among=run_webhooks.c.url.not_in(than))

    def claim_one_each(self, at_most: int, of: Collection[str]) -> list[Telling]:
        """As `claim`, of messages for these addresses, and of each the oldest only."""
        if not of:
            return []
        each = run_webhooks.alias()
        oldest = (
            sa.select(sa.func.min(each.c.id))
            .where(
                each.c.state == "waiting",
                each.c.due_at_us <= time.time_ns() // 1000,
                each.c.url.in_(of),
            )
            .group_by(each.c.url)
        )
        return self.claim(at_most, among=run_webhooks.c.id.in_(oldest))


def _telling(row: sa.Row[Any]) -> Telling:
    return Telling(row.id, row.run_id, row.url, row.body.encode(), row.attempts + 1)
