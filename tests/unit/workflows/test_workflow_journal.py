"""A run that is carried on from its journal: what was heard is not asked again."""

from __future__ import annotations

import asyncio
import time

import msgspec
import pytest

from headgate.workflows.durable.orders import Terms
from headgate.workflows.journal import RunLostError
from headgate.workflows.run import RunError
from scripted_workflows import GOOD, Kept, order

BAD = {"label": "neither", "score": 1}
TERMS = Terms(body="{}", priority=2)


async def test_a_call_that_was_heard_is_not_made_again(runner_with, repository):
    journal = Kept()
    journal.dies_after = "call-1"
    first = runner_with(BAD)
    run = await first.accept(order(), None, TERMS)
    with pytest.raises(asyncio.CancelledError):
        await first.carry(run, order(), None, journal)
    assert repository.get(run.id).status == "queued", "another process goes on with it"
    heard = msgspec.json.decode(journal.kept["call-1"])
    second = runner_with(GOOD)
    ended = await second.carry(run, order(), None, journal)
    assert (ended.status, ended.output) == ("completed", GOOD)
    assert [request.headers for request in second.model.requests] == [
        ((b"idempotency-key", b"call-2"),)
    ]
    calls = [step for step in ended.steps if step.kind == "call"]
    assert [step.attempt for step in calls] == [1, 2]
    assert calls[0].started_at_us == heard["started_at_us"], "it was heard when it was heard"
    assert repository.get(run.id).status == "completed"


async def test_a_run_that_is_lost_is_left_alone(runner_with, repository):
    runner = runner_with(GOOD)
    run = await runner.accept(order(), None, TERMS)
    journal = Kept()
    journal.lost = True
    with pytest.raises(RunLostError):
        await runner.carry(run, order(), None, journal)
    assert runner.model.requests == []
    assert repository.get(run.id).status == "queued"
    # Nor is its end stored where somebody has ended it meanwhile.
    error = RunError(status=409, message="cancelled", type="t", code="c")
    journal.lost = False
    assert repository.end_early(run.id, error)
    with pytest.raises(RunLostError):
        await runner.carry(run, order(), None, journal)
    assert repository.get(run.id).error.code == "c"


async def test_a_deadline_ends_a_run_even_if_there_is_a_fallback(project, runner_with):
    settings = project / "workflows" / "labels" / "workflow.yaml"
    settings.write_text(settings.read_text() + "fallback: {output: {label: bad, score: 0}}\n")
    runner = runner_with(GOOD)
    runner.model.delay_s = 5.0
    run = await runner.accept(order(), None, TERMS)
    deadline_at_us = time.time_ns() // 1000 + 50_000
    ended = await runner.carry(run, order(), None, Kept(), deadline_at_us=deadline_at_us)
    assert (ended.status, ended.error.code) == ("failed", "run_deadline")


async def test_what_goes_wrong_ends_the_run(runner_with, repository):
    runner = runner_with(RuntimeError("a fault of ours"))
    run = await runner.accept(order(), None, TERMS)
    ended = await runner.carry(run, order(), None, Kept())
    assert (ended.status, ended.error.status) == ("failed", 500)
    assert "fault of ours" not in ended.error.message
