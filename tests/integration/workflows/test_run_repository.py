"""Runs and Idempotency-Keys on each kind of database, under concurrency too."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import msgspec
import pytest
import sqlalchemy as sa

from headgate.checks.problem import Problem
from headgate.errors import ConflictError, InvalidRequestError
from headgate.gateway.caller import Caller
from headgate.storage import Database
from headgate.storage.schema import idempotency_keys, run_contents, runs
from headgate.workflows import idempotency, repository
from headgate.workflows.catalogue import Catalogue
from headgate.workflows.claims import Claim
from headgate.workflows.durable.carrier import DurableRuns
from headgate.workflows.durable.leases import LeaseStore, Whereabouts
from headgate.workflows.durable.tending import Tending
from headgate.workflows.durable.webhook_rule import WebhookRule
from headgate.workflows.durable.webhooks import WebhookOutbox
from headgate.workflows.idempotency import INTERRUPTED, RunInProgressError
from headgate.workflows.repository import RunRepository
from headgate.workflows.run import Run, RunError
from headgate.workflows.runner import Runner
from headgate.workflows.steps import CallFacts, Step
from scripted_workflows import (
    CALLER,
    GOOD,
    ScriptedModel,
    failure,
    order,
    stored_run,
    write_project,
)


@pytest.fixture
def stored(database: Database) -> RunRepository:
    return RunRepository(database)


@pytest.fixture
def runner_with(tmp_path, stored):
    write_project(tmp_path / "project")

    def build(*answers) -> Runner:
        catalogue = Catalogue.load(tmp_path / "project")
        return Runner(catalogue, ScriptedModel(*answers), stored, lambda user: f"#{user}")

    return build


def ended(run: Run, **changes) -> Run:
    step = Step(
        kind="schema",
        started_at_us=run.created_at_us,
        duration_us=12,
        verdict="failed",
        problems=(Problem("label", "enum", "quotes a customer"),),
    )
    call = Step(
        kind="call",
        started_at_us=run.created_at_us,
        call=CallFacts(id="call_1", status=200, latency_us=5, attempts=1, cost_nanousd=2**40),
    )
    fields = {
        "status": "completed",
        "output": {"n": 2**60, "t": "\U0001f600"},
        "finished_at_us": run.created_at_us + 7,
        "steps": (call, step),
    }
    return msgspec.structs.replace(run, **{**fields, **changes})


def claim(key: str = "k", body: str = "a") -> Claim:
    return Claim(project="default", workflow="labels", key=f"key_1 {key}", body_hash=body * 64)


def test_a_run_comes_back_as_it_was_stored(stored):
    run = stored_run(feature="f", user_hash="0" * 32)
    assert stored.begin(run, None) is None
    assert stored.get(run.id) == run
    done = ended(run)
    assert stored.finish(done, None) is True
    assert stored.get(run.id) == done


def test_a_failed_run_comes_back_with_its_error(stored):
    run = stored_run()
    stored.begin(run, None)
    error = RunError(status=504, message="m", type="t", code=None, param="p", retryable=False)
    done = ended(run, status="failed", output=None, error=error)
    stored.finish(done, None)
    assert stored.get(run.id) == done


def test_the_metadata_hold_no_contents(stored, database):
    run = stored_run()
    stored.begin(run, None)
    stored.finish(ended(run), None)
    with database.connect() as connection:
        row = connection.execute(sa.select(runs)).mappings().one()
    assert "quotes a customer" not in str(dict(row))
    assert "\u20ac" not in str(dict(row))
    bare = stored.get(run.id, contents=False)
    assert (bare.input, bare.output) == (None, None)
    assert bare.steps[1].problems == (Problem("label", "enum", ""),)


def test_a_run_whose_contents_are_erased_can_still_be_shown(stored, database):
    run = stored_run()
    stored.begin(run, None)
    stored.finish(ended(run), None)
    with database.begin() as connection:
        connection.execute(sa.delete(run_contents))
    shown = stored.get(run.id)
    assert (shown.status, shown.input, shown.output) == ("completed", None, None)


def test_a_run_ends_once(stored):
    run = stored_run()
    stored.begin(run, None)
    assert stored.finish(ended(run), None) is True
    assert stored.finish(ended(run, status="failed"), None) is False
    assert stored.get(run.id).status == "completed"


def test_runs_are_listed_newest_first_in_pages_and_by_owner(stored):
    mine = [stored_run(project="a", workflow=f"w{n % 2}", key_id=f"k{n % 3}") for n in range(7)]
    for run in [*mine, stored_run(project="b")]:
        stored.begin(run, None)
    newest = [run.id for run in reversed(mine)]
    assert [r.id for r in stored.newest(limit=3, project="a")] == newest[:3]
    assert [r.id for r in stored.newest(limit=9, project="a", after=newest[2])] == newest[3:]
    assert len(stored.newest(limit=9, project="a", workflow="w0")) == 4
    assert len(stored.newest(limit=9, project="a", key_ids=("k0",))) == 3
    assert len(stored.newest(limit=9)) == 8
    assert all(run.input is None for run in stored.newest(limit=9))


def test_the_same_key_and_body_is_the_run_that_was_there_first(stored):
    first, second = stored_run(), stored_run()
    assert stored.begin(first, claim()) is None
    assert stored.begin(second, claim()) == first.id
    assert stored.get(second.id) is None


def test_the_same_key_with_another_body_is_a_conflict(stored):
    stored.begin(stored_run(), claim())
    with pytest.raises(ConflictError) as caught:
        stored.begin(stored_run(), claim(body="b"))
    assert caught.value.code == "idempotency_key_reused"


def test_a_key_belongs_to_its_project_and_workflow(stored):
    stored.begin(stored_run(), claim())
    for field in ("project", "workflow", "key"):
        assert (
            stored.begin(stored_run(), msgspec.structs.replace(claim(), **{field: "other"})) is None
        )


def test_a_failed_run_lets_go_of_its_key(stored):
    first, second = stored_run(), stored_run()
    stored.begin(first, claim())
    stored.finish(ended(first, status="failed"), claim())
    assert stored.begin(second, claim(body="b")) is None


def test_keys_older_than_a_day_are_forgotten(stored, database, monkeypatch):
    monkeypatch.setattr(repository, "_SWEEP_INTERVAL_S", 0)
    old = stored_run(created_at_us=time.time_ns() // 1000 - 25 * 3600 * 1_000_000)
    stored.begin(old, claim("old"))
    stored.begin(stored_run(), claim("new"))
    with database.connect() as connection:
        left = connection.execute(sa.select(idempotency_keys.c.key)).scalars().all()
    assert left == ["key_1 new"]


def test_of_many_at_once_exactly_one_makes_the_run(stored):
    count = 8
    together = Barrier(count)

    def begin(_: int) -> tuple[str, str | None]:
        run = stored_run()
        together.wait()
        return run.id, stored.begin(run, claim())

    with ThreadPoolExecutor(count) as threads:
        outcomes = list(threads.map(begin, range(count)))
    (winner,) = [run_id for run_id, earlier in outcomes if earlier is None]
    assert [earlier for _, earlier in outcomes if earlier is not None] == [winner] * (count - 1)
    assert len(stored.newest(limit=20)) == 1


def test_only_runs_that_lost_their_process_are_given_up(stored):
    now_us = time.time_ns() // 1000
    lost, alive, done = (
        stored_run(created_at_us=now_us - 10**9),
        stored_run(),
        stored_run(created_at_us=1),
    )
    for run in (lost, alive, done):
        stored.begin(run, claim(run.id))
    stored.finish(ended(done), None)
    assert stored.give_up(INTERRUPTED, begun_before_us=now_us - 10**8, workflow="labels") == 1
    assert stored.give_up(INTERRUPTED, begun_before_us=now_us - 10**8, workflow="labels") == 0
    given_up = stored.get(lost.id)
    assert (given_up.status, given_up.error.code) == ("failed", "run_interrupted")
    assert stored.get(alive.id).status == "running"
    assert stored.get(done.id).status == "completed"
    assert stored.begin(stored_run(), claim(lost.id, "b")) is None


async def test_the_same_request_twice_is_one_run_and_one_call(runner_with):
    runner = runner_with(GOOD)
    first = await runner.run(order(idempotency_key="k"))
    second = await runner.run(order(idempotency_key="k"))
    assert (second.id, second.output, second.replayed) == (first.id, GOOD, True)
    assert len(runner.model.requests) == 1
    with pytest.raises(ConflictError):
        await runner.run(order("another", idempotency_key="k"))


async def test_the_order_of_an_inputs_fields_does_not_matter(runner_with):
    runner = runner_with(GOOD)
    first = await runner.run(order(input={"text": "a", "tone": "b"}, idempotency_key="k"))
    second = await runner.run(order(input={"tone": "b", "text": "a"}, idempotency_key="k"))
    assert first.id == second.id


async def test_two_applications_never_meet_on_a_key(runner_with):
    runner = runner_with(GOOD)
    other = Caller(key_id="key_2", project="default", role="app")
    first = await runner.run(order(idempotency_key="k"))
    second = await runner.run(order("another", idempotency_key="k", caller=other))
    assert first.id != second.id


async def test_duplicates_wait_for_the_run_that_is_under_way(runner_with):
    runner = runner_with(GOOD)
    runner.model.delay_s = 0.15
    answered = await asyncio.gather(*(runner.run(order(idempotency_key="k")) for _ in range(5)))
    assert len({run.id for run in answered}) == 1
    assert sorted(run.replayed for run in answered) == [False, True, True, True, True]
    assert len(runner.model.requests) == 1


async def test_a_duplicate_of_a_run_that_fails_gets_that_failure_and_a_retry_a_new_run(runner_with):
    runner = runner_with(failure(502, "upstream_failed"), GOOD)
    runner.model.delay_s = 0.1
    first, second = await asyncio.gather(
        runner.run(order(idempotency_key="k")), runner.run(order(idempotency_key="k"))
    )
    assert first.id == second.id
    assert {first.status, second.status} == {"failed"}
    third = await runner.run(order(idempotency_key="k"))
    assert (third.status, third.id != first.id) == ("completed", True)


async def test_a_duplicate_does_not_wait_for_ever(runner_with, monkeypatch):
    monkeypatch.setattr(idempotency, "WAIT_S", 0.1)
    runner = runner_with(GOOD)
    runner.model.delay_s = 0.6
    first = asyncio.create_task(runner.run(order(idempotency_key="k")))
    while not runner.model.requests:
        await asyncio.sleep(0.005)
    with pytest.raises(RunInProgressError) as caught:
        await runner.run(order(idempotency_key="k"))
    assert (caught.value.status, caught.value.retryable) == (409, True)
    assert (await first).status == "completed"


async def test_a_key_whose_run_lost_its_process_makes_a_new_run(runner_with, stored):
    runner = runner_with(GOOD)
    lost = stored_run(created_at_us=time.time_ns() // 1000 - 10**9)
    request = order(idempotency_key="k")
    stored.begin(lost, idempotency.claim_of(request))
    run = await runner.run(request)
    assert (run.status, run.id != lost.id) == ("completed", True)
    assert stored.get(lost.id).error.code == "run_interrupted"


async def test_lost_runs_are_ended_once_and_their_webhook_is_told(
    runner_with, stored, tmp_path, database
):
    runner = runner_with(GOOD)
    place = tmp_path / "project" / "workflows" / "labels" / "workflow.yaml"
    place.write_text(place.read_text() + "webhook: https://example.com/\n")
    lost = stored_run(created_at_us=time.time_ns() // 1000 - 10**9)
    stored.begin(lost, None)
    runner.catalogue = Catalogue.load(tmp_path / "project")
    assert [await runner.give_up_lost() for _ in range(2)] == [1, 0]
    assert stored.get(lost.id).status == "failed"
    (telling,) = WebhookOutbox(database).claim()
    assert (telling.run_id, telling.url) == (lost.id, "https://example.com/")
    assert b'"run.failed"' in telling.body


async def test_a_run_lost_just_before_a_start_is_ended_by_the_server_that_started(
    runner_with, stored, database, monkeypatch
):
    monkeypatch.setattr("headgate.workflows.durable.tending._GIVE_UP_EVERY_S", 0.01)
    runner = runner_with(GOOD)
    limits = runner.catalogue.get("labels").settings.limits
    monkeypatch.setattr("headgate.workflows.runner.GRACE_S", -limits.timeout_s)
    durable = DurableRuns(
        runner,
        database,
        LeaseStore(database, "executor_1", Whereabouts("", "")),
        per_worker=1,
        waiting_at_most=1,
        webhooks=WebhookRule(()),
    )
    tending = Tending(durable)
    tending.start()
    try:
        lost = stored_run(created_at_us=time.time_ns() // 1000 + 200_000)
        stored.begin(lost, None)
        deadline_s = time.monotonic() + 10
        while stored.get(lost.id).status == "running" and time.monotonic() < deadline_s:
            await asyncio.sleep(0.02)
    finally:
        await tending.stop()
    assert stored.get(lost.id).error.code == "run_interrupted"


@pytest.mark.parametrize("key", ["", "x" * 201, "ä", "a\nb"])
async def test_a_key_must_be_short_and_plain(runner_with, key):
    with pytest.raises(InvalidRequestError, match="Idempotency-Key"):
        await runner_with(GOOD).run(order(idempotency_key=key))


async def test_without_a_key_each_request_is_stored_run(runner_with):
    runner = runner_with(GOOD)
    assert (await runner.run(order())).id != (await runner.run(order())).id
    assert CALLER.key_id == "key_1"
