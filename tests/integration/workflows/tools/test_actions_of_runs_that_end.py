"""Actions whose run is ended from outside: nothing more goes out, and nothing is forgotten."""

from __future__ import annotations

import asyncio
import time

import pytest
import sqlalchemy as sa

from headgate.errors import ConflictError
from headgate.ledger.alerts.outbox import AlertOutbox
from headgate.review.choice import Choice
from headgate.review.deciding import ReviewDecidedError
from headgate.review.left_over import LeftOver
from headgate.review.sweeper import Sweeper
from headgate.workflows.durable.carrier import CANCELLED
from headgate.workflows.durable.orders import Terms
from headgate.workflows.journal import RunLostError
from headgate.workflows.tools.tool import ToolSpec
from review_people import person
from scripted_tools import (
    ALWAYS,
    ASKED,
    IDEMPOTENT,
    NEVER,
    PARAMETERS,
    TICKET,
    Killed,
    action_of,
    done,
    unknown,
)
from scripted_workflows import GOOD, Kept, order

TIMED = f"{ALWAYS}\nreview: {{deadline: {{within_hours: 1, then: reject}}}}"
APPROVE, REJECT = Choice(decision="approve"), Choice(decision="reject")


async def cancelled_on_its_way(works, tool):
    """A run that was cancelled while its action was on its way."""
    run = await works.begun()
    carried = asyncio.create_task(works.carried(run))
    while not tool.calls:
        await asyncio.sleep(0.01)
    assert works.runs.end_early(run.id, CANCELLED)
    with pytest.raises(RunLostError):
        await carried
    return run


def test_a_look_that_finds_nothing_asks_the_database_once(works_with):
    works = works_with(GOOD, settings=NEVER)
    asked: list[str] = []

    def note(_connection, _cursor, statement, *_more) -> None:
        asked.append(statement)

    engine = works.reviews.database.engine
    sa.event.listen(engine, "before_cursor_execute", note)
    try:
        assert look_for_left_over(works) == 0
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)
    assert sum("FROM actions" in statement for statement in asked) == 1


def look_for_left_over(works) -> int:
    return LeftOver(works.reviews, works.runs).look(time.time_ns() // 1000)


def sweeper_of(works, clock_us=lambda: time.time_ns() // 1000) -> Sweeper:
    return Sweeper(
        works.reviews,
        works.runs,
        works.runner.catalogue,
        works.threads,
        AlertOutbox(works.reviews.database, ["log"]).note_review,
        clock_us=clock_us,
    )


async def test_nothing_is_sent_for_a_run_that_was_cancelled_a_moment_before(works_with, tool):
    works = works_with(ASKED, GOOD, settings=NEVER)
    run = await works.begun()

    async def spec() -> ToolSpec:
        if works.runner.model.requests:
            works.runs.end_early(run.id, CANCELLED)
        return ToolSpec("Does it.", PARAMETERS)

    tool.spec = spec
    with pytest.raises(RunLostError):
        await works.carried(run)
    assert (tool.calls, works.actions.of_run(run.id)) == ([], [])


async def test_what_was_approved_is_not_sent_once_the_run_is_cancelled(works_with, tool):
    works = works_with(ASKED, GOOD, settings=ALWAYS)
    run = await works.carried(await works.begun())
    review = await works.waiting(run)
    await works.board.decide(review.id, person(), APPROVE)
    approved = action_of(works, run)
    assert works.runs.end_early(run.id, CANCELLED)
    with pytest.raises(RunLostError):
        works.actions.start(approved)
    action = action_of(works, run)
    assert (action.state, action.code, tool.calls) == ("failed", "run_ended", [])
    with pytest.raises(ConflictError):
        await works.board.decide(review.id, person(), APPROVE)


async def test_what_is_on_its_way_at_a_cancel_is_not_sent_again(works_with, tool, monkeypatch):
    monkeypatch.setattr("headgate.workflows.tools.sending._PAUSES_S", (0.1, 0.1))
    tool.delay_s, tool.answers = 0.2, [unknown(), done(1)]
    works = works_with(ASKED, GOOD, settings=IDEMPOTENT)
    run = await cancelled_on_its_way(works, tool)
    assert (len(tool.calls), action_of(works, run).state) == (1, "unknown")


async def test_a_task_that_is_cancelled_twice_still_keeps_what_came_of_what_it_sent(
    works_with, tool
):
    tool.delay_s = 0.4
    works = works_with(ASKED, GOOD, settings=NEVER)
    run = await works.begun()
    carried = asyncio.create_task(works.carried(run))
    while not tool.calls:
        await asyncio.sleep(0.01)
    for _ in range(2):
        carried.cancel()
        await asyncio.sleep(0.05)
    with pytest.raises(asyncio.CancelledError):
        await carried
    assert action_of(works, run).state == "done"


async def test_a_process_that_loses_a_run_and_has_it_again_waits_for_what_it_sent(works_with, tool):
    tool.delay_s = 0.4
    works = works_with(ASKED, GOOD, settings=NEVER)
    run, journal = await works.begun(), Kept()
    first = asyncio.create_task(works.carried(run, journal))
    while not tool.calls:
        await asyncio.sleep(0.01)
    found = await asyncio.gather(first, works.carried(run, journal), return_exceptions=True)
    assert sum(isinstance(end, RunLostError) for end in found) == 1, "it ends once"
    assert works.runs.get(run.id).status == "completed"
    assert (len(tool.calls), action_of(works, run).state) == (1, "done")


async def test_what_another_process_has_sent_meanwhile_is_taken_from_it(
    works_with, tool, monkeypatch
):
    monkeypatch.setattr("headgate.workflows.tools.sending._LOOK_S", 0.05)
    tool.delay_s = 0.4
    one, other = (works_with(ASKED, GOOD, settings=NEVER) for _ in range(2))
    run, journal = await one.begun(), Kept()
    first = asyncio.create_task(one.carried(run, journal))
    while not tool.calls:
        await asyncio.sleep(0.01)
    found = await asyncio.gather(first, other.carried(run, journal), return_exceptions=True)
    assert sum(isinstance(end, RunLostError) for end in found) == 1, "it ends once"
    assert one.runs.get(run.id).status == "completed"
    assert (len(tool.calls), action_of(one, run).state) == (1, "done")


async def test_a_leg_that_was_slept_through_changes_nothing_any_more(works_with, tool):
    works = works_with(ASKED, GOOD, settings=ALWAYS)
    run = await works.carried(await works.begun())
    review = await works.waiting(run)
    await works.board.decide(review.id, person(), APPROVE)
    stale = works_with(RuntimeError("its journal is gone"), settings=ALWAYS)
    with pytest.raises(RunLostError):
        await stale.runner.carry(stale.runs.get(run.id), order(), None, Kept(), leg=0)
    assert works.runs.get(run.id).status == "queued"
    assert not works.runs.progress(run, [], 0)
    assert (await works.carried(run)).status == "completed"
    assert len(tool.calls) == 1


async def test_a_process_that_stood_still_before_it_sent_does_not_send(
    works_with, tool, monkeypatch
):
    monkeypatch.setattr("headgate.workflows.tools.sending._LOOK_S", 0.01)
    works = works_with(ASKED, GOOD, settings=NEVER)
    start, slept = works.actions.start, []

    def stood_still(action):
        started = start(action)
        if not slept:
            slept.append(True)
            time.sleep(0.3)
        else:
            monkeypatch.setattr("headgate.workflows.tools.sending._SENT_WITHIN_S", 60)
        return started

    monkeypatch.setattr("headgate.workflows.tools.sending._SENT_WITHIN_S", 0.2)
    monkeypatch.setattr(works.actions, "start", stood_still)
    run = await works.carried(await works.begun())
    assert run.status == "completed"
    assert (len(tool.calls), action_of(works, run).attempts) == (1, 2)


async def test_of_a_cancelled_run_a_person_says_what_came_of_what_was_on_its_way(works_with, tool):
    tool.delay_s, tool.answers = 0.2, [unknown()]
    works = works_with(ASKED, GOOD, settings=NEVER)
    run = await cancelled_on_its_way(works, tool)
    assert look_for_left_over(works) == 1
    assert look_for_left_over(works) == 0, "a person is asked once"
    action = action_of(works, run)
    review = await works.board.get(action.review_id)
    assert review.facts.outcome_unknown
    with pytest.raises(ReviewDecidedError):
        await works.board.decide(review.id, person(), APPROVE)
    seen = Choice(decision="edit", output={"id": "seen"})
    await works.board.decide(review.id, person(), seen)
    action = action_of(works, run)
    assert (action.state, action.result, len(tool.calls)) == ("done", {"id": "seen"}, 1)
    assert (works.runs.get(run.id).status, look_for_left_over(works)) == ("failed", 0)


async def test_what_a_dead_process_had_begun_for_a_run_that_is_over_comes_to_a_person(works_with):
    works = works_with(ASKED, GOOD, settings=NEVER)
    run, journal = await works.begun(), Kept()
    works.die_while_sending()
    with pytest.raises(Killed):
        await works.carried(run, journal)
    assert works.runs.end_early(run.id, CANCELLED)
    assert look_for_left_over(works) == 0, "who sends it may still say"
    works.leases.leave(works.executor)
    other = works_with(GOOD, settings=NEVER)
    assert look_for_left_over(other) == 1
    action = action_of(other, run)
    assert (action.state, action.code) == ("unknown", "interrupted")
    await other.board.decide(action.review_id, person(), REJECT)
    assert action_of(other, run).state == "failed"


async def test_time_refuses_what_waits_but_never_says_what_was_not_done(works_with, tool):
    tool.answers = [unknown()]
    works = works_with(ASKED, GOOD, settings=TIMED)
    run = await works.carried(await works.begun())
    review = await works.waiting(run)
    assert review.deadline.then == "reject"
    await works.board.decide(review.id, person(), APPROVE)
    run = await works.carried(run)
    review = await works.waiting(run)
    assert review.facts.outcome_unknown
    later_us = time.time_ns() // 1000 + 7_200_000_000
    await sweeper_of(works, lambda: later_us).look()
    assert (await works.board.get(review.id)).decision is None
    assert action_of(works, run).state == "unknown"


async def test_a_person_and_the_clock_at_once_are_one_who_decides(works_with, tool):
    works = works_with(ASKED, GOOD, settings=TIMED)
    run = await works.carried(await works.begun())
    review = await works.waiting(run)
    later_us = time.time_ns() // 1000 + 7_200_000_000
    sweepers = [sweeper_of(works, lambda: later_us) for _ in range(3)]
    found = await asyncio.gather(
        works.board.decide(review.id, person(), APPROVE),
        *(sweeper.look() for sweeper in sweepers),
        return_exceptions=True,
    )
    by_person = not isinstance(found[0], BaseException)
    assert by_person or isinstance(found[0], ConflictError)
    assert sum(found[1:]) + by_person == 1
    ended = await works.carried(run)
    assert (ended.status, len(tool.calls)) == ("completed", int(by_person))
    assert works.orders.get(run.id) is None


async def test_past_a_runs_deadline_nothing_can_be_approved(works_with, tool):
    works = works_with(ASKED, GOOD, settings=ALWAYS)
    past_us = time.time_ns() // 1000 + 300_000
    terms = Terms(body="{}", priority=2, deadline_at_us=past_us)
    run = await works.carried(await works.runner.accept(order(), None, terms))
    review = await works.waiting(run)
    await asyncio.sleep(0.35)
    for choice in (APPROVE, Choice(decision="edit", output=TICKET)):
        with pytest.raises(ReviewDecidedError, match="deadline"):
            await works.board.decide(review.id, person(), choice)
    await works.board.decide(review.id, person(), REJECT)
    assert works.orders.overdue(time.time_ns() // 1000, 10) == [run.id]
    assert (action_of(works, run).state, tool.calls) == ("refused", [])
