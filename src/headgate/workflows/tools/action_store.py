"""Where actions are kept, and how they get from one state to the next; all of it blocks.

The functions work in the transaction of whoever decides about an action.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Literal

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping

from headgate.storage import Database
from headgate.storage.action_tables import action_contents, actions
from headgate.storage.durable_tables import run_executors
from headgate.storage.review_tables import reviews
from headgate.storage.schema import runs
from headgate.workflows.journal import RunLostError
from headgate.workflows.tools.action import Action, ActionState
from headgate.workflows.tools.terms import Terms
from headgate.workflows.tools.windows import taken

_CONTENTS = ("arguments", "asked", "result")
_COLUMNS = [column.name for column in actions.columns]
_NOT_ENDED = sa.text("actions.state NOT IN ('done', 'failed', 'refused')")
"""As the index has it, whose use this allows."""


class ActionStore:
    """Actions in one database, as one process sends them."""

    def __init__(
        self,
        database: Database,
        executor: str,
        note: Callable[[Action], None] = lambda _: None,
    ) -> None:
        """`executor` is the name under which this process says that it lives.

        `note` is told of each action that this process brings into a state.
        """
        self._database = database
        self._executor = executor
        self._note = note

    def request(self, action: Action, terms: Terms) -> Action | None:
        """Keep a new action; as it is, where the run had come by here before.

        None where a window of its limits is full: then nothing is kept. Raises `RunLostError`
        where the run has ended or waits.
        """
        with self._database.begin() as connection:
            _require_under_way(connection, action.run_id)
            if (earlier := _found(connection, action.run_id, action.number)) is not None:
                return earlier
            if not taken(connection, _name(action), terms, action.requested_at_us):
                return None
            connection.execute(
                sa.insert(actions).values({name: getattr(action, name) for name in _COLUMNS})
            )
            connection.execute(
                sa.insert(action_contents).values(
                    action_id=action.id, arguments=_json(action.arguments or {})
                )
            )
        self._note(action)
        return action

    def take(self, tool: str, terms: Terms, now_us: int) -> bool:
        """Count a call of a tool that is no action; False where a window of its limits is full."""
        if terms.per_hour is None and terms.per_day is None:
            return True
        with self._database.begin() as connection:
            return taken(connection, tool, terms, now_us)

    def start(self, action: Action) -> Action | None:
        """Say that this process sends an approved action now; None where it is not approved.

        Raises `RunLostError` where its run is not under way: it was cancelled, or is over.
        """
        with self._database.begin() as connection:
            _require_under_way(connection, action.run_id)
            started = moved(
                connection,
                action.id,
                "started",
                actions.c.state == "approved",
                executor=self._executor,
                attempts=actions.c.attempts + 1,
                started_at_us=_now_us(),
            )
        if started is not None:
            self._note(started)
        return started

    def may_repeat(self, action: Action) -> bool:
        """Whether what `start` or `adopt` gave is still this process's, and its run under way."""
        with self._database.begin() as connection:
            try:
                _require_under_way(connection, action.run_id)
            except RunLostError:
                return False
            return _is_as_given(connection, action)

    def put_back(
        self, action: Action, state: Literal["approved", "requested"] = "approved"
    ) -> Action | None:
        """Say that what `start` gave was not sent, so that it may be begun anew, or asked anew.

        None where others took it over since.
        """
        given = (actions.c.state == "started") & (actions.c.attempts == action.attempts)
        with self._database.begin() as connection:
            put = moved(connection, action.id, state, given)
        if put is not None and state == "requested":
            self._note(put)
        return put

    def adopt(self, action: Action) -> Action | None:
        """Take over an action whose process died while it sent it; None while that one lives.

        Raises as `start` does.
        """
        dead = actions.c.executor.not_in(sa.select(run_executors.c.id))
        with self._database.begin() as connection:
            _require_under_way(connection, action.run_id)
            return moved(
                connection,
                action.id,
                "started",
                (actions.c.state == "started") & (dead | (actions.c.executor == self._executor)),
                executor=self._executor,
                attempts=actions.c.attempts + 1,
            )

    def end(self, action: Action, state: ActionState, result: Any, code: str | None) -> bool:
        """Say what came of what `start` or `adopt` gave; False where others took it over since."""
        given = actions.c.attempts == action.attempts
        with self._database.begin() as connection:
            ended = moved(
                connection,
                action.id,
                state,
                (actions.c.state == "started") & given,
                result=result,
                ended_at_us=_now_us(),
                code=code,
            )
            # The word may have come through before, without an answer.
            said = sa.select(actions.c.id).where(
                actions.c.id == action.id, actions.c.state == state, given
            )
            is_said = ended is not None or connection.execute(said).first() is not None
        if ended is not None:
            self._note(ended)
        return is_said

    def get(self, action_id: str) -> Action | None:
        """The action called `action_id`, with its contents."""
        with self._database.connect() as connection:
            row = connection.execute(with_contents().where(actions.c.id == action_id))
            found = row.mappings().one_or_none()
        return None if found is None else action_of(found)

    def find(self, run_id: str, number: int) -> Action | None:
        """The action that was the run's tool call of that number; None: it was none, or not yet."""
        with self._database.connect() as connection:
            return _found(connection, run_id, number)

    def of_run(self, run_id: str) -> list[Action]:
        """The actions of a run, in order, with their contents."""
        with self._database.connect() as connection:
            rows = connection.execute(
                with_contents().where(actions.c.run_id == run_id).order_by(actions.c.number)
            )
            return [action_of(row) for row in rows.mappings()]


def moved(
    connection: Connection,
    action_id: str,
    state: ActionState,
    where: sa.ColumnElement[bool],
    **values: Any,
) -> Action | None:
    """The action in its new state, where `where` holds of it; else None, and nothing changes.

    `values` are columns, contents among them.
    """
    contents = {name: values.pop(name) for name in _CONTENTS if name in values}
    changed = connection.execute(
        sa.update(actions).where(actions.c.id == action_id, where).values(state=state, **values)
    )
    if changed.rowcount == 0:
        return None
    if contents:
        connection.execute(
            sa.update(action_contents)
            .where(action_contents.c.action_id == action_id)
            .values({name: _json(value) for name, value in contents.items()})
        )
    row = connection.execute(with_contents().where(actions.c.id == action_id)).mappings().one()
    return action_of(row)


def close_actions(connection: Connection, run_id: str, now_us: int | None) -> None:
    """In the transaction that ends a run: what it wanted done and nobody has begun is not done."""
    connection.execute(
        sa.update(actions)
        .where(actions.c.run_id == run_id, actions.c.state.in_(("requested", "approved")))
        .values(state="failed", code="run_ended", ended_at_us=now_us)
    )


def left_over(connection: Connection, limit: int, now_us: int | None = None) -> list[Action]:
    """Actions of ended runs that nobody knows the outcome of, and nobody is asked about.

    With `now_us` they are said to be `unknown`, and nobody else finds them until the transaction
    of `connection` ends.
    """
    dead = actions.c.executor.not_in(sa.select(run_executors.c.id))
    asked = sa.exists().where(reviews.c.id == actions.c.review_id, reviews.c.decision.is_(None))
    wanted = (
        sa.select(actions.c.id)
        .join(runs, runs.c.id == actions.c.run_id)
        .where(
            _NOT_ENDED,
            runs.c.status.in_(("completed", "rejected", "failed")),
            ((actions.c.state == "unknown") & ~asked) | ((actions.c.state == "started") & dead),
        )
        .limit(limit)
    )
    if now_us is not None:
        wanted = wanted.with_for_update(of=actions, skip_locked=True)
    ids = list(connection.execute(wanted).scalars())
    if not ids:
        # Looked for every second. To ask for none of them is more than a waste: SQLAlchemy fails
        # of it while another thread is importing its ORM, as the first asynchronous run does.
        return []
    if now_us is not None:
        connection.execute(
            sa.update(actions)
            .where(actions.c.id.in_(ids), actions.c.state == "started")
            .values(state="unknown", code="interrupted", ended_at_us=now_us)
        )
    rows = connection.execute(with_contents().where(actions.c.id.in_(ids)))
    return [action_of(row) for row in rows.mappings()]


def note_review(connection: Connection, action_id: str, review_id: str) -> None:
    """Say what a person is asked about an action."""
    connection.execute(
        sa.update(actions).where(actions.c.id == action_id).values(review_id=review_id)
    )


def locked(connection: Connection, action_id: str) -> Action | None:
    """The action, which nobody else changes until `connection`'s transaction ends."""
    row = connection.execute(
        sa.select(actions.c.id).where(actions.c.id == action_id).with_for_update()
    ).one_or_none()
    if row is None:
        return None
    found = connection.execute(with_contents().where(actions.c.id == action_id)).mappings().one()
    return action_of(found)


def _require_under_way(connection: Connection, run_id: str) -> None:
    """Raise `RunLostError` unless the run is under way, which it then stays for this transaction.

    So who is told that a run was cancelled knows that nothing goes out afterwards.
    """
    status = connection.execute(
        sa.select(runs.c.status).where(runs.c.id == run_id).with_for_update(read=True)
    ).scalar_one_or_none()
    if status not in ("queued", "running"):
        raise RunLostError


def _is_as_given(connection: Connection, action: Action) -> bool:
    wanted = sa.select(actions.c.id).where(
        actions.c.id == action.id,
        actions.c.state == "started",
        actions.c.attempts == action.attempts,
    )
    return connection.execute(wanted).first() is not None


def _found(connection: Connection, run_id: str, number: int) -> Action | None:
    row = (
        connection.execute(
            with_contents().where(actions.c.run_id == run_id, actions.c.number == number)
        )
        .mappings()
        .one_or_none()
    )
    return None if row is None else action_of(row)


def _name(action: Action) -> str:
    return f"{action.workflow}/{action.tool}"


def with_contents() -> sa.Select[Any]:
    """All columns of actions, and what they say."""
    return sa.select(
        actions, action_contents.c.arguments, action_contents.c.asked, action_contents.c.result
    ).select_from(actions.outerjoin(action_contents))


def action_of(row: RowMapping) -> Action:
    """A row of `actions`, with its contents where they were asked for."""
    columns: dict[str, Any] = {str(name): value for name, value in row.items()}
    for name in _CONTENTS:
        if columns.get(name) is not None:
            columns[name] = msgspec.json.decode(columns[name])
    return Action(**columns)


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _now_us() -> int:
    return time.time_ns() // 1000
