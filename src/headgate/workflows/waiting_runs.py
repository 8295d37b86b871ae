"""How a run that waits for a person ends, or goes on, once somebody has decided.

The functions work in the transaction that stores the decision; they block.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from headgate.storage.schema import run_contents, runs
from headgate.workflows.durable.orders import close_order, has_order, next_leg
from headgate.workflows.durable.webhooks import note_webhook
from headgate.workflows.holding import Ending
from headgate.workflows.run_rows import json_of, run_of
from headgate.workflows.tools.talk import kept, talk_of


def end_waiting(
    connection: Connection, run_id: str, ending: Ending, webhook: str | None = None
) -> bool:
    """Store how a run that waited for a person ended; False where it does not wait.

    `webhook` is the address that is told; the terms of a durable run name its own.
    """
    changed = connection.execute(
        sa.update(runs)
        .where(runs.c.id == run_id, runs.c.status == "awaiting_review")
        .values(
            status=ending.status,
            fallback=ending.fallback,
            finished_at_us=ending.finished_at_us,
            error=None if ending.error is None else json_of(ending.error),
        )
        .returning(*runs.c)
    )
    row = changed.mappings().one_or_none()
    if row is None:
        return False
    if ending.output is not None:
        connection.execute(
            sa.update(run_contents)
            .where(run_contents.c.run_id == run_id)
            .values(output=json_of(ending.output))
        )
    ended = run_of(row)
    if not close_order(connection, ended) and webhook is not None:
        note_webhook(connection, ended, webhook)
    return True


def go_on(connection: Connection, run_id: str) -> bool:
    """Have a durable run go on that waited for a person; False where it does not wait.

    It is queued anew, as another leg.
    """
    waited = connection.execute(
        sa.update(runs)
        .where(runs.c.id == run_id, runs.c.status == "awaiting_review", has_order())
        .values(status="queued")
    )
    if waited.rowcount == 0:
        return False
    next_leg(connection, run_id)
    return True


def deliver_on(
    connection: Connection,
    run_id: str,
    output: dict[str, Any],
    *,
    fallback: bool,
    by_person: bool,
) -> bool:
    """As `go_on`, with the output that was let out; only what is done with it is left."""
    if not go_on(connection, run_id):
        return False
    where = run_contents.c.run_id == run_id
    talk = talk_of(connection.execute(sa.select(run_contents.c.talk).where(where)).scalar_one())
    talk.output, talk.fallback = output, fallback
    talk.approved, talk.by_person = True, by_person
    connection.execute(sa.update(run_contents).where(where).values(talk=kept(talk)))
    return True
