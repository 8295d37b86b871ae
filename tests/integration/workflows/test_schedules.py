"""A schedule's tick is begun once, however many processes look at the clock."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from headgate.errors import InvalidRequestError
from headgate.intake.access.projects import ProjectStore
from headgate.storage import Database
from headgate.workflows.catalogue import Catalogue
from headgate.workflows.durable.carrier import CANCELLED, DurableRuns
from headgate.workflows.durable.leases import LeaseStore, Whereabouts
from headgate.workflows.durable.schedule import GRACE_S
from headgate.workflows.durable.scheduler import Scheduler
from headgate.workflows.durable.webhook_rule import WebhookRule
from headgate.workflows.repository import RunRepository
from headgate.workflows.runner import Runner
from scripted_workflows import FILES, GOOD, ScriptedModel, write_project

NOON = datetime(2026, 10, 1, 12, 0, 5, tzinfo=UTC)
HOUR = timedelta(hours=1)


class Process:
    """A scheduler as one process has it; its runs are taken and stay in the queue."""

    def __init__(self, database: Database, project: Path) -> None:
        self.repository = RunRepository(database)
        self.runner = Runner(
            Catalogue.load(project), ScriptedModel(GOOD), self.repository, lambda user: user
        )
        self.runs = DurableRuns(
            self.runner,
            database,
            LeaseStore(database, "executor_1", Whereabouts("", "")),
            per_worker=1,
            waiting_at_most=100,
            webhooks=WebhookRule(()),
        )
        self.runs.started = True
        self.runs.engine.enqueue = lambda *_: None
        self.projects = ProjectStore(database)
        self.projects.ensure({"default": ""})
        self.scheduler = Scheduler(self.runs, database, self.projects.check_live)

    async def look(self, now: datetime) -> None:
        for workflow, schedule in self.scheduler._schedules.values():
            await self.scheduler._tick(workflow, schedule, now)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    labels = write_project(tmp_path / "project")
    schedule = 'schedule: {cron: "0 * * * *", timezone: Europe/Berlin, input: {text: hourly}}\n'
    (labels / "workflow.yaml").write_text(FILES["workflow.yaml"] + schedule)
    return tmp_path / "project"


async def test_a_tick_is_one_run_on_many_processes_even_if_it_fails(database, project):
    processes = [Process(database, project) for _ in range(5)]
    await asyncio.gather(*(one.look(NOON) for one in processes))
    stored = processes[0].repository
    assert stored.newest(limit=10) == [], "what was before there was a schedule is not made up"
    for _ in range(3):
        await asyncio.gather(*(one.look(NOON + HOUR) for one in processes))
        for run in stored.newest(limit=10, status="queued"):
            stored.end_early(run.id, CANCELLED, only=("queued",))
    (run,) = stored.newest(limit=10)
    assert (run.key_id, run.feature) == ("schedule", "schedule")
    assert stored.get(run.id).input == {"text": "hourly"}
    # One that starts later finds it done, and all go on with the next.
    await Process(database, project).look(NOON + HOUR)
    await asyncio.gather(*(one.look(NOON + 2 * HOUR) for one in processes))
    assert len(stored.newest(limit=10)) == 2
    for one in processes:
        one.runner.threads.close()


async def test_a_tick_that_nobody_was_there_for_is_made_up_only_for_a_while(database, project):
    await Process(database, project).look(NOON)
    late = Process(database, project)
    await late.look(NOON + HOUR + timedelta(seconds=GRACE_S))
    assert late.repository.newest(limit=10) == []
    in_time = Process(database, project)
    await in_time.look(NOON + 2 * HOUR + timedelta(seconds=GRACE_S - 10))
    assert len(in_time.repository.newest(limit=10)) == 1


async def test_nothing_runs_for_a_project_that_is_not_there_or_archived(database, project):
    place = project / "workflows" / "labels" / "workflow.yaml"
    place.write_text(place.read_text().replace("timezone:", "project: reports, timezone:"))
    process = Process(database, project)
    await process.look(NOON)
    with pytest.raises(InvalidRequestError, match="no project `reports`"):
        await process.look(NOON + HOUR)
    process.projects.create("reports")
    await process.look(NOON + HOUR)
    (run,) = process.repository.newest(limit=10)
    assert run.project == "reports"
    process.projects.archive("reports")
    with pytest.raises(InvalidRequestError, match="archived"):
        await process.look(NOON + 2 * HOUR)
    assert len(process.repository.newest(limit=10)) == 1
    process.runner.threads.close()
