"""Finds actions for people: those of a run, one by its id, or filtered, newest first; all blocks.

`action_store` is for whoever carries actions on; here nothing is changed.
"""

from __future__ import annotations

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from headgate.storage.action_tables import actions
from headgate.storage.schema import runs
from headgate.workflows.tools.action import ENDED, Action, ActionState
from headgate.workflows.tools.action_store import action_of, with_contents


class ActionFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which actions; None lets all by."""

    project: str | None = None
    workflow: str | None = None
    run_id: str | None = None
    state: ActionState | None = None
    key_ids: tuple[str, ...] | None = None
    """The keys whose run it is."""


def search_actions(
    connection: Connection, wanted: ActionFilter, *, limit: int, after: str | None = None
) -> list[Action]:
    """At most `limit` actions without contents, newest first, those older than the id `after`."""
    statement = sa.select(actions).order_by(actions.c.id.desc()).limit(limit)
    if after is not None:
        statement = statement.where(actions.c.id < after)
    for name in ("project", "workflow", "run_id", "state"):
        if (value := getattr(wanted, name)) is not None:
            statement = statement.where(actions.c[name] == value)
    if wanted.state is not None and wanted.state not in ENDED:
        # As the index over these says it: so the database knows that it may use it.
        statement = statement.where(sa.text("state NOT IN ('done', 'failed', 'refused')"))
    if wanted.key_ids is not None:
        of_them = runs.c.key_id.in_(wanted.key_ids)
        statement = statement.where(sa.exists().where(runs.c.id == actions.c.run_id, of_them))
    return [action_of(row) for row in connection.execute(statement).mappings()]


def actions_of(connection: Connection, run_id: str, *, contents: bool) -> list[Action]:
    """The actions of a run, in order."""
    statement = with_contents() if contents else sa.select(actions)
    statement = statement.where(actions.c.run_id == run_id).order_by(actions.c.number)
    return [action_of(row) for row in connection.execute(statement).mappings()]


def action_in(connection: Connection, action_id: str) -> Action | None:
    """The action with its contents; None where there is none."""
    found = connection.execute(with_contents().where(actions.c.id == action_id)).mappings()
    row = found.one_or_none()
    return None if row is None else action_of(row)
