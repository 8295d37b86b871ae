"""Where runs are kept: `runs` for what happened, `run_contents` for what was said.

Synchronous, as all of storage; the runner and the API call it in a thread.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from headgate.ledger.record import CallRecord
from headgate.ledger.usage import calls_of_run
from headgate.storage.database import Database
from headgate.storage.schema import run_contents, runs
from headgate.workflows.claims import Claim, claimed, forget_old, let_go, let_go_of_runs
from headgate.workflows.durable.orders import (
    UNDER_WAY,
    Terms,
    add_order,
    close_order,
    has_order,
)
from headgate.workflows.durable.webhooks import note_webhook
from headgate.workflows.run import Run, RunError, RunStatus
from headgate.workflows.run_rows import json_of, row_of, run_of
from headgate.workflows.steps import Step
from headgate.workflows.tools.action import Action
from headgate.workflows.tools.action_search import action_in, actions_of

_SWEEP_INTERVAL_S = 3600
_LOST_AT_ONCE = 500

ENDED: tuple[RunStatus, ...] = ("completed", "rejected", "failed")
"""What a run's status is once nothing more will come of it."""


class RunRepository:
    """Runs in one database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._swept_at_s = 0.0

    def begin(self, run: Run, claim: Claim | None, terms: Terms | None = None) -> str | None:
        """Store a run that begins; or the id of the run that `claim` already stands for.

        `terms` are those of a run that is to outlive this process. Raises `ConflictError` where
        the claim was made with another input.
        """
        with self._database.begin() as connection:
            if claim is not None:
                self._sweep(connection)
                if (earlier := claimed(connection, claim, run)) is not None:
                    return earlier
            connection.execute(sa.insert(runs).values(row_of(run)))
            connection.execute(
                sa.insert(run_contents).values(run_id=run.id, input=json_of(run.input or {}))
            )
            if terms is not None:
                add_order(connection, run.id, terms)
        return None

    def progress(self, run: Run, steps: Iterable[Step], leg: int = 0) -> bool:
        """Store that a run is under way and came so far.

        False where it has ended meanwhile, or goes on in another leg.
        """
        with self._database.begin() as connection:
            changed = connection.execute(
                sa.update(runs)
                .where(runs.c.id == run.id, runs.c.status.in_(UNDER_WAY), has_order(leg))
                .values(
                    status="running",
                    version=run.version,
                    digest=run.digest,
                    steps=json_of([step.without_texts() for step in steps]),
                )
            )
        return changed.rowcount == 1

    def finish(
        self,
        run: Run,
        claim: Claim | None,
        *,
        webhook: str | None = None,
        leg: int | None = None,
        beside: Callable[[Connection], None] | None = None,
        talk: str | None = None,
    ) -> bool:
        """Store how a run ended, or that it waits; False where it had been given up before.

        What was given up stays so. A run that failed lets go of its claim, so that a retry is a
        new run. `webhook` is the address that is told of its end; the terms of a durable run name
        its own, and its `leg` is the one that ends here: one that a process slept through while
        others went on changes nothing. `beside` stores what belongs to it, in the same transaction;
        `talk` is what was said between prompt and answer.
        """
        alive = runs.c.status == "running"
        anew: dict[str, str] = {}
        if leg is not None:
            # It may end before its first step, and under another version than it was taken.
            alive = runs.c.status.in_(UNDER_WAY) & has_order(leg)
            anew = {"version": run.version, "digest": run.digest}
        with self._database.begin() as connection:
            changed = connection.execute(
                sa.update(runs)
                .where(runs.c.id == run.id, alive)
                .values(
                    **anew,
                    status=run.status,
                    fallback=run.fallback,
                    finished_at_us=run.finished_at_us,
                    steps=json_of([step.without_texts() for step in run.steps]),
                    error=None if run.error is None else json_of(run.error),
                    review_id=run.review_id,
                )
            )
            if changed.rowcount == 0:
                return False
            if beside is not None:
                beside(connection)
            connection.execute(
                sa.update(run_contents)
                .where(run_contents.c.run_id == run.id)
                .values(
                    output=None if run.output is None else json_of(run.output),
                    talk=talk,
                    context=None if run.context is None else json_of(run.context),
                    problems=json_of([step.problems for step in run.steps]),
                )
            )
            if run.status == "failed" and claim is not None:
                let_go(connection, claim, run.id)
            if run.status in ENDED:
                if leg is not None:
                    close_order(connection, run)
                elif webhook is not None:
                    note_webhook(connection, run, webhook)
        return True

    def end_early(self, run_id: str, error: RunError, *, only: Iterable[str] = UNDER_WAY) -> bool:
        """End a run from outside, as failed; False where its status is none of `only`.

        Its claim is let go, and who is to be told of its end is told.
        """
        with self._database.begin() as connection:
            changed = connection.execute(
                sa.update(runs)
                .where(runs.c.id == run_id, runs.c.status.in_(tuple(only)))
                .values(status="failed", finished_at_us=_now_us(), error=json_of(error))
                .returning(*runs.c)
            )
            row = changed.mappings().one_or_none()
            if row is None:
                return False
            let_go_of_runs(connection, [run_id], project=row["project"])
            close_order(connection, run_of(row))
        return True

    def get(self, run_id: str, *, contents: bool = True) -> Run | None:
        """The run called `run_id`, or None; its input and output only where asked for."""
        wanted = sa.select(runs).where(runs.c.id == run_id)
        if contents:
            wanted = sa.select(
                runs,
                run_contents.c.input,
                run_contents.c.output,
                run_contents.c.context,
                run_contents.c.problems,
            ).where(runs.c.id == run_id)
            wanted = wanted.select_from(runs.outerjoin(run_contents))
        with self._database.connect() as connection:
            row = connection.execute(wanted).mappings().one_or_none()
        return None if row is None else run_of(row)

    def talk(self, run_id: str) -> str | None:
        """What was said in the run between prompt and answer, as `finish` was given it."""
        with self._database.connect() as connection:
            return connection.execute(
                sa.select(run_contents.c.talk).where(run_contents.c.run_id == run_id)
            ).scalar_one_or_none()

    def actions(self, run_id: str, *, contents: bool = True) -> list[Action]:
        """What the run wants done out there, or has done, in order."""
        with self._database.connect() as connection:
            return actions_of(connection, run_id, contents=contents)

    def action(self, action_id: str) -> Action | None:
        """The action called `action_id` with its contents, or None."""
        with self._database.connect() as connection:
            return action_in(connection, action_id)

    def ledger_calls(self, run_id: str) -> list[CallRecord]:
        """What the ledger holds of the run's calls; a call reaches it shortly after its end."""
        with self._database.connect() as connection:
            return calls_of_run(connection, run_id)

    def newest(
        self,
        *,
        limit: int,
        after: str | None = None,
        project: str | None = None,
        key_ids: Sequence[str] | None = None,
        workflow: str | None = None,
        status: RunStatus | None = None,
    ) -> list[Run]:
        """At most `limit` runs without contents, newest first, those older than `after`."""
        wanted = sa.select(runs).order_by(runs.c.id.desc()).limit(limit)
        if after is not None:
            wanted = wanted.where(runs.c.id < after)
        for column, value in (
            (runs.c.project, project),
            (runs.c.workflow, workflow),
            (runs.c.status, status),
        ):
            if value is not None:
                wanted = wanted.where(column == value)
        if key_ids is not None:
            wanted = wanted.where(runs.c.key_id.in_(key_ids))
        with self._database.connect() as connection:
            return [run_of(row) for row in connection.execute(wanted).mappings()]

    def give_up(
        self, error: RunError, *, begun_before_us: int, webhook: str | None = None, **only: str
    ) -> int:
        """End as failed runs still `running` that began earlier; how many, of 500 at once.

        `only` narrows by column, as `id=…` or `workflow=…`. For runs whose process died: a run
        that is alive ends within its workflow's time. Runs that outlive their process are left
        alone. `webhook` is the address that is told.
        """
        lost = (
            sa.select(runs.c.id)
            .where(
                runs.c.status == "running",
                sa.text("runs.status <> 'completed'"),  # as its index has it
                runs.c.created_at_us < begun_before_us,
                ~has_order(),
            )
            .limit(_LOST_AT_ONCE)
        )
        for column, value in only.items():
            lost = lost.where(runs.c[column] == value)
        with self._database.connect() as connection:
            found = list(connection.execute(lost).scalars())
        if not found:
            return 0
        with self._database.begin() as connection:
            ended = (
                connection.execute(
                    sa.update(runs)
                    .where(runs.c.id.in_(found), runs.c.status == "running")
                    .values(status="failed", finished_at_us=_now_us(), error=json_of(error))
                    .returning(*runs.c)
                )
                .mappings()
                .all()
            )
            let_go_of_runs(connection, [row["id"] for row in ended])
            if webhook is not None:
                for row in ended:
                    note_webhook(connection, run_of(row), webhook)
        return len(ended)

    def release(self, claim: Claim) -> None:
        """Forget a claim whose run is gone."""
        with self._database.begin() as connection:
            let_go(connection, claim)

    def _sweep(self, connection: Connection) -> None:
        now_s = time.monotonic()
        if self._swept_at_s and now_s - self._swept_at_s < _SWEEP_INTERVAL_S:
            return
        self._swept_at_s = now_s
        forget_old(connection, _now_us())


def _now_us() -> int:
    return time.time_ns() // 1000
