"""What must wait for a person never goes out where nobody can be asked."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from headgate.checks.guards.report import GuardReport
from headgate.checks.guards.verdict import Verdict
from headgate.checks.ruling import Hold
from headgate.storage import Database
from headgate.workflows.catalogue import Catalogue
from headgate.workflows.holding import must_wait
from headgate.workflows.outcome import Outcome
from headgate.workflows.repository import RunRepository
from headgate.workflows.run import Run
from headgate.workflows.runner import Runner
from scripted_workflows import GOOD, ScriptedModel, completion, failure, order, write_project


@pytest.fixture
def run_with(tmp_path: Path, sqlite_url: str):
    """Runs a workflow with these lines and a model with this answer, where nobody can be asked."""
    database = Database(sqlite_url)

    async def run(lines: str, answer: object) -> Run:
        folder = write_project(tmp_path / "project")
        file = folder / "workflow.yaml"
        file.write_text(f"{file.read_text()}{lines}\n")
        repository = RunRepository(database)
        catalogue = Catalogue.load(tmp_path / "project")
        runner = Runner(catalogue, ScriptedModel(answer), repository, lambda user: f"#{user}")
        ended = await runner.run(order())
        stored = repository.get(ended.id)
        runner.threads.close()
        assert stored is not None
        assert (stored.status, stored.output) == (ended.status, ended.output)
        return ended

    yield run
    database.close()


async def test_what_a_guard_holds_is_not_delivered(run_with):
    said = GuardReport({})
    said.add("g", "output", Verdict("review"), 1)
    held = msgspec.structs.replace(
        completion(msgspec.json.encode(GOOD).decode()),
        guards=msgspec.json.encode(said.records).decode(),
    )
    run = await run_with("", held)
    assert (run.status, run.output, run.error.code) == ("failed", None, "review_needed")


async def test_what_its_workflow_has_reviewed_is_not_delivered(run_with):
    run = await run_with("review: {always: true}", GOOD)
    assert (run.status, run.output, run.error.code) == ("failed", None, "review_needed")


async def test_a_person_who_is_not_there_writes_no_answer(run_with):
    run = await run_with("fallback: review", failure(500, "broken"))
    assert (run.status, run.output, run.error.code) == ("failed", None, "broken")


async def test_what_rules_hold_must_wait(run_with):
    run = await run_with("", GOOD)
    assert run.status == "completed"
    assert not must_wait(run, Outcome(output=GOOD))
    assert must_wait(run, Outcome(output=GOOD, hold=Hold(reasons=("too dear",))))
