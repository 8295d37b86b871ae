"""Begins the runs of schedules: each tick once, on however many processes.

A tick's run has an Idempotency-Key of the tick's, which stays taken when the run fails, and how far
a schedule is stands in the database. So neither two processes nor one that dies in between begin it
twice.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime

import sqlalchemy as sa

from headgate.errors import DatabaseUnavailableError, HeadgateError
from headgate.gateway.caller import Caller
from headgate.storage import Database
from headgate.storage.durable_tables import run_schedules
from headgate.storage.insertion import insert_into
from headgate.telemetry.faults import log_fault
from headgate.telemetry.traces.lineage import trace_from
from headgate.workflows.durable.carrier import DurableRuns
from headgate.workflows.durable.schedule import Schedule, is_due
from headgate.workflows.folder import Workflow
from headgate.workflows.run import Order

_log = logging.getLogger(__name__)

KEY_ID = "schedule"
"""What stands for a key in the records of runs that nobody asked for."""

_LOOK_EVERY_S = 1.0


class Scheduler:
    """The schedules of one process; `start()` it where there are any."""

    def __init__(
        self, runs: DurableRuns, database: Database, check_project: Callable[[str], None]
    ) -> None:
        """`check_project` raises where there is no such project, or none any more; it blocks."""
        self._runs = runs
        self._database = database
        self._check_project = check_project
        self._schedules = {
            one.name: (one, Schedule(one.settings.schedule))
            for one in runs.runner.catalogue
            if one.settings.schedule is not None
        }
        self._reached: dict[str, datetime] = {}
        self._refused: dict[str, tuple[datetime | None, str | None]] = {}
        """By workflow the tick that could not begin, and why: it is logged once."""
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to look at the clock."""
        if self._schedules:
            self._task = asyncio.create_task(self._look(), name="headgate-schedules")

    async def stop(self) -> None:
        """Begin no more runs."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _look(self) -> None:
        while True:
            for workflow, schedule in self._schedules.values():
                now = datetime.now(UTC)
                try:
                    await self._tick(workflow, schedule, now)
                except DatabaseUnavailableError:
                    pass  # the tick is still due
                except HeadgateError as error:
                    # Too many runs wait, for one; it is tried again until the tick is too old.
                    refused = schedule.latest(now), error.code
                    if self._refused.get(workflow.name) != refused:
                        self._refused[workflow.name] = refused
                        _log.warning(
                            "a scheduled run could not begin",
                            extra={"workflow": workflow.name, "reason": error.code},
                        )
                except Exception as fault:  # noqa: BLE001 - the task must go on
                    log_fault("a schedule could not be kept", fault, workflow=workflow.name)
            await asyncio.sleep(_LOOK_EVERY_S)

    async def _tick(self, workflow: Workflow, schedule: Schedule, now: datetime) -> None:
        tick, name = schedule.latest(now), workflow.name
        if tick is None or self._reached.get(name) == tick:
            return
        last = await self._runs.runner.threads.run(self._seeded, name, tick)
        if is_due(tick, last, now):
            order = _order(workflow, tick)
            # No key stands for it, which would be refused where its project was archived.
            await self._runs.runner.threads.run(self._check_project, order.caller.project)
            await self._runs.take(order, keeps_claim=True)
        if tick > last:
            await self._runs.runner.threads.run(self._advance, name, tick)
        self._reached[name] = tick

    def _seeded(self, workflow: str, tick: datetime) -> datetime:
        """The newest tick that was begun; `tick` for a schedule that is new here."""
        table = run_schedules
        with self._database.begin() as connection:
            connection.execute(
                insert_into(connection, table)
                .values(workflow=workflow, last_tick_us=_us(tick))
                .on_conflict_do_nothing()
            )
            last_us = connection.execute(
                sa.select(table.c.last_tick_us).where(table.c.workflow == workflow)
            ).scalar_one()
        return datetime.fromtimestamp(last_us / 1e6, UTC)

    def _advance(self, workflow: str, tick: datetime) -> None:
        table = run_schedules
        with self._database.begin() as connection:
            connection.execute(
                sa.update(table)
                .where(table.c.workflow == workflow, table.c.last_tick_us < _us(tick))
                .values(last_tick_us=_us(tick))
            )


def _order(workflow: Workflow, tick: datetime) -> Order:
    schedule = workflow.settings.schedule
    if schedule is None:
        raise ValueError(workflow.name)
    return Order(
        workflow=workflow.name,
        input=schedule.input,
        caller=Caller(key_id=KEY_ID, project=schedule.project, role="app"),
        trace_id=trace_from(None)[0],
        feature="schedule",
        idempotency_key=f"tick {tick.isoformat()}",
    )


def _us(moment: datetime) -> int:
    return int(moment.timestamp()) * 1_000_000
