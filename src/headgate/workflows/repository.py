"""Where runs are kept: `runs` for what happened, `run_contents` for what was said.

Synchronous, as all of storage; the runner and the API call it in a thread.
"""

from __future__ import annotations

import time
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, RowMapping

from headgate.checks.problem import Problem
from headgate.errors import ConflictError
from headgate.ledger.record import CallRecord
from headgate.ledger.usage import calls_of_run
from headgate.storage.database import Database
from headgate.storage.schema import idempotency_keys, run_contents, runs
from headgate.workflows.run import Run, RunError
from headgate.workflows.steps import Step

CLAIM_LIFETIME_S = 24 * 3600
"""How long an Idempotency-Key stands for its run; older ones are forgotten."""

_SWEEP_INTERVAL_S = 3600

_METADATA = [column for column in runs.columns if column.name not in ("steps", "error")]
_steps = msgspec.json.Decoder(tuple[Step, ...])
_error = msgspec.json.Decoder(RunError)
_problems = msgspec.json.Decoder(tuple[tuple[Problem, ...], ...])
_object = msgspec.json.Decoder(dict[str, Any])


class Claim(msgspec.Struct, frozen=True):
    """An Idempotency-Key that a caller sent with an input."""

    project: str
    workflow: str
    key: str
    """The API key's id and the text the caller chose: keys of two applications never meet."""
    body_hash: str


class RunRepository:
    """Runs in one database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._swept_at_s = 0.0

    def begin(self, run: Run, claim: Claim | None) -> str | None:
        """Store a run that begins; or the id of the run that `claim` already stands for.

        Raises `ConflictError` where the claim was made with another input.
        """
        with self._database.begin() as connection:
            if claim is not None:
                self._sweep(connection)
                if (earlier := _claimed(connection, claim, run)) is not None:
                    return earlier
            connection.execute(sa.insert(runs).values(_row(run)))
            connection.execute(
                sa.insert(run_contents).values(run_id=run.id, input=_json(run.input or {}))
            )
        return None

    def finish(self, run: Run, claim: Claim | None) -> bool:
        """Store how a run ended; False where it had been given up before, and stays so.

        A run that failed lets go of its claim, so that a retry is a new run.
        """
        with self._database.begin() as connection:
            changed = connection.execute(
                sa.update(runs)
                .where(runs.c.id == run.id, runs.c.status == "running")
                .values(
                    status=run.status,
                    fallback=run.fallback,
                    finished_at_us=run.finished_at_us,
                    steps=_json([step.without_texts() for step in run.steps]),
                    error=None if run.error is None else _json(run.error),
                )
            )
            if changed.rowcount == 0:
                return False
            connection.execute(
                sa.update(run_contents)
                .where(run_contents.c.run_id == run.id)
                .values(
                    output=None if run.output is None else _json(run.output),
                    problems=_json([step.problems for step in run.steps]),
                )
            )
            if run.status == "failed" and claim is not None:
                connection.execute(
                    sa.delete(idempotency_keys).where(
                        *_is(claim), idempotency_keys.c.run_id == run.id
                    )
                )
        return True

    def get(self, run_id: str, *, contents: bool = True) -> Run | None:
        """The run called `run_id`, or None; its input and output only where asked for."""
        wanted = sa.select(runs).where(runs.c.id == run_id)
        if contents:
            wanted = sa.select(
                runs, run_contents.c.input, run_contents.c.output, run_contents.c.problems
            ).where(runs.c.id == run_id)
            wanted = wanted.select_from(runs.outerjoin(run_contents))
        with self._database.connect() as connection:
            row = connection.execute(wanted).mappings().one_or_none()
        return None if row is None else _run(row)

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
        key_id: str | None = None,
        workflow: str | None = None,
    ) -> list[Run]:
        """At most `limit` runs without contents, newest first, those older than `after`."""
        wanted = sa.select(runs).order_by(runs.c.id.desc()).limit(limit)
        if after is not None:
            wanted = wanted.where(runs.c.id < after)
        for column, value in (
            (runs.c.project, project),
            (runs.c.key_id, key_id),
            (runs.c.workflow, workflow),
        ):
            if value is not None:
                wanted = wanted.where(column == value)
        with self._database.connect() as connection:
            return [_run(row) for row in connection.execute(wanted).mappings()]

    def give_up(self, error: RunError, *, begun_before_us: int, **only: str) -> int:
        """End as failed every run still `running` that began earlier; the number of them.

        `only` narrows by column, as `id=…` or `workflow=…`. For runs whose process died: a run
        that is alive ends within its workflow's time.
        """
        with self._database.begin() as connection:
            lost = sa.select(runs.c.id).where(
                runs.c.status == "running", runs.c.created_at_us < begun_before_us
            )
            for column, value in only.items():
                lost = lost.where(runs.c[column] == value)
            ids = list(connection.execute(lost).scalars())
            if ids:
                connection.execute(
                    sa.update(runs)
                    .where(runs.c.id.in_(ids), runs.c.status == "running")
                    .values(status="failed", finished_at_us=_now_us(), error=_json(error))
                )
                connection.execute(
                    sa.delete(idempotency_keys).where(idempotency_keys.c.run_id.in_(ids))
                )
        return len(ids)

    def release(self, claim: Claim) -> None:
        """Forget a claim whose run is gone."""
        with self._database.begin() as connection:
            connection.execute(sa.delete(idempotency_keys).where(*_is(claim)))

    def _sweep(self, connection: Connection) -> None:
        now_s = time.monotonic()
        if self._swept_at_s and now_s - self._swept_at_s < _SWEEP_INTERVAL_S:
            return
        self._swept_at_s = now_s
        oldest_us = _now_us() - CLAIM_LIFETIME_S * 1_000_000
        connection.execute(
            sa.delete(idempotency_keys).where(idempotency_keys.c.created_at_us < oldest_us)
        )


def _claimed(connection: Connection, claim: Claim, run: Run) -> str | None:
    """Make the claim for `run`; or the id of the run it was made for before."""
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    made = connection.execute(
        # Two requests at once: the second waits for the first one's commit, then makes no row.
        insert(idempotency_keys)
        .values(
            project=claim.project,
            scope=claim.workflow,
            key=claim.key,
            body_hash=claim.body_hash,
            run_id=run.id,
            created_at_us=run.created_at_us,
        )
        .on_conflict_do_nothing()
        .returning(idempotency_keys.c.run_id)
    )
    if made.one_or_none() is not None:
        return None
    found = connection.execute(
        sa.select(idempotency_keys.c.body_hash, idempotency_keys.c.run_id).where(*_is(claim))
    ).one_or_none()
    if found is None:  # let go of in this very moment; the caller may try again
        raise ConflictError(
            "Another request with this Idempotency-Key has just ended; send this one again."
        )
    if found.body_hash != claim.body_hash:
        raise ConflictError(
            "This Idempotency-Key was used with another input; use a new key for a new input.",
            param="Idempotency-Key",
            code="idempotency_key_reused",
        )
    return str(found.run_id)


def _is(claim: Claim) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        idempotency_keys.c.project == claim.project,
        idempotency_keys.c.scope == claim.workflow,
        idempotency_keys.c.key == claim.key,
    )


def _row(run: Run) -> dict[str, Any]:
    row: dict[str, Any] = {column.name: getattr(run, column.name) for column in _METADATA}
    row["steps"] = _json([step.without_texts() for step in run.steps])
    row["error"] = None if run.error is None else _json(run.error)
    return row


def _run(row: RowMapping) -> Run:
    columns: dict[str, Any] = {str(name): value for name, value in row.items()}
    steps = _steps.decode(columns.pop("steps"))
    error = columns.pop("error")
    given, output = columns.pop("input", None), columns.pop("output", None)
    if texts := columns.pop("problems", None):
        steps = tuple(
            msgspec.structs.replace(step, problems=problems)
            for step, problems in zip(steps, _problems.decode(texts), strict=True)
        )
    return Run(
        **columns,
        steps=steps,
        error=None if error is None else _error.decode(error),
        input=None if given is None else _object.decode(given),
        output=None if output is None else _object.decode(output),
    )


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _now_us() -> int:
    return time.time_ns() // 1000
