"""What a model wants done: permitted, approved, done once, and told; on each database."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from headgate.errors import ConflictError, InvalidRequestError
from headgate.review.choice import Choice
from headgate.review.output import EditRefusedError
from headgate.workflows.journal import RunLostError
from headgate.workflows.tools.action import Action
from headgate.workflows.tools.tool import ToolAnswer
from review_people import person
from scripted_tools import (
    ALWAYS,
    ASKED,
    IDEMPOTENT,
    NEVER,
    TICKET,
    UNSENDABLE,
    Killed,
    done,
    unknown,
)
from scripted_workflows import CALLER, GOOD, Kept, asks


def states(works, run) -> list[str]:
    return [action.state for action in works.actions.of_run(run.id)]


async def test_what_needs_no_person_is_done_at_once_and_told(works_with, tool):
    works = works_with(ASKED, GOOD, settings=NEVER)
    run = await works.carried(await works.begun())
    assert (run.status, run.output) == ("completed", GOOD)
    (action,) = works.actions.of_run(run.id)
    assert tool.calls == [(TICKET, action.key)]
    assert (action.state, action.result, action.attempts) == ("done", {"id": "t1"}, 1)
    assert works.contents(1) == [{"id": "t1"}]
    (step,) = [step for step in run.steps if step.kind == "tool"]
    assert (step.tool.name, step.tool.outcome, step.tool.action_id) == ("make", "done", action.id)


async def test_an_approval_that_speaks_of_money_approves_no_action(works_with, tool):
    works = works_with(ASKED, GOOD, settings=ALWAYS)
    run = await works.carried(await works.begun())
    review = await works.waiting(run)
    with pytest.raises(InvalidRequestError, match="Only a budget's review takes `usd`"):
        await works.board.decide(review.id, person(), Choice(decision="approve", usd="25"))
    assert (states(works, run), tool.calls) == (["requested"], [])


async def test_what_a_person_must_approve_waits_and_nothing_is_sent(works_with, tool):
    works = works_with(ASKED, GOOD, settings=ALWAYS)
    run = await works.carried(await works.begun())
    review = await works.waiting(run)
    assert tool.calls == []
    shown = await works.board.show(review)
    assert (review.kind, review.facts.tool, review.facts.effect) == ("action", "make", "write")
    assert shown.contents.draft == TICKET
    (action,) = works.actions.of_run(run.id)
    assert shown.contents.sent == {
        "summary": "POST /it",
        "details": {"body": TICKET, "key": action.key},
    }
    assert action.review_id == review.id
    await works.board.decide(review.id, person(), Choice(decision="approve"))
    assert works.runs.get(run.id).status == "queued"
    ended = await works.carried(run)
    assert (ended.status, ended.output) == ("completed", GOOD)
    assert tool.calls == [(TICKET, action.key)]
    assert len(works.runner.model.requests) == 2, "the first call is not made again"
    assert [step.kind for step in ended.steps].count("call") == 2
    assert works.contents(1) == [{"id": "t1"}]


async def test_a_person_may_change_what_is_sent_within_its_schema(works_with, tool):
    works = works_with(ASKED, GOOD, settings=ALWAYS)
    run = await works.carried(await works.begun())
    review = await works.waiting(run)
    wrong = {**TICKET, "priority": "huge"}
    with pytest.raises(EditRefusedError):
        await works.board.decide(review.id, person(), Choice(decision="edit", output=wrong))
    changed = {**TICKET, "priority": "low"}
    await works.board.decide(review.id, person(), Choice(decision="edit", output=changed))
    ended = await works.carried(run)
    assert ended.status == "completed"
    assert [arguments for arguments, _ in tool.calls] == [changed]


async def test_nobody_is_asked_to_approve_what_cannot_be_sent(works_with, tool):
    unfit = {**TICKET, "title": UNSENDABLE}
    works = works_with(asks(("make", unfit)), GOOD, settings=ALWAYS)
    run = await works.carried(await works.begun())
    assert (run.status, tool.calls, states(works, run)) == ("completed", [], [])
    assert works.contents(1) == [{"error": "This can't be sent: the title leads elsewhere."}]
    waits = works_with(ASKED, GOOD, settings=ALWAYS)
    run = await waits.carried(await waits.begun())
    review = await waits.waiting(run)
    with pytest.raises(EditRefusedError, match="leads elsewhere"):
        await waits.board.decide(review.id, person(), Choice(decision="edit", output=unfit))
    assert states(waits, run) == ["requested"]


async def test_what_a_person_refuses_is_not_sent_and_the_model_is_told(works_with, tool):
    works = works_with(ASKED, GOOD, settings=ALWAYS)
    run = await works.carried(await works.begun())
    review = await works.waiting(run)
    choice = Choice(decision="reject", note="a duplicate")
    await works.board.decide(review.id, person(), choice)
    with pytest.raises(ConflictError):
        await works.board.decide(review.id, person(), Choice(decision="approve"))
    ended = await works.carried(run)
    assert (ended.status, tool.calls, states(works, run)) == ("completed", [], ["refused"])
    assert works.contents(1) == [{"error": "A person refused this.", "note": "a duplicate"}]


async def test_several_that_were_asked_for_at_once_are_decided_one_after_the_other(
    works_with, tool
):
    two = asks(("make", TICKET), ("make", {**TICKET, "title": "Second"}))
    works = works_with(two, GOOD, settings=ALWAYS)
    run = await works.begun()
    for _ in range(2):
        run = await works.carried(run)
        review = await works.waiting(run)
        await works.board.decide(review.id, person(), Choice(decision="approve"))
    run = await works.carried(run)
    assert run.status == "completed"
    assert [arguments["title"] for arguments, _ in tool.calls] == ["Broken", "Second"]
    assert len({key for _, key in tool.calls}) == 2
    assert works.contents(1) == [{"id": "t1"}, {"id": "t2"}]


async def test_rules_on_arguments_say_when_a_person_is_asked(works_with, tool):
    settings = (
        "tools: {make: {source: it/make, effect: write, needs: untrusted, approval: {when:"
        " [{field: priority, one_of: [high]}]}}}"
    )
    low = {**TICKET, "priority": "low"}
    works = works_with(asks(("make", low)), ASKED, GOOD, settings=settings)
    run = await works.carried(await works.begun())
    review = await works.waiting(run)
    assert tool.calls[0][0] == low
    assert (await works.board.show(review)).contents.explained == ('`priority` is "high"',)


async def test_an_idempotent_action_whose_answer_is_lost_is_sent_again_with_its_key(
    works_with, tool, monkeypatch
):
    monkeypatch.setattr("headgate.workflows.tools.sending._PAUSES_S", (0.0, 0.0))
    tool.answers = [unknown(), done({"id": 1})]
    works = works_with(ASKED, GOOD, settings=IDEMPOTENT)
    run = await works.carried(await works.begun())
    assert (run.status, states(works, run)) == ("completed", ["done"])
    assert len({key for _, key in tool.calls}) == 1
    assert len(tool.calls) == 2


@pytest.mark.parametrize("later", ["failed", "unknown"])
async def test_that_a_later_attempt_failed_says_nothing_of_the_first(
    works_with, tool, monkeypatch, later
):
    monkeypatch.setattr("headgate.workflows.tools.sending._PAUSES_S", (0.0, 0.0))
    tool.answers = [unknown(), *(ToolAnswer(outcome=later, content="away") for _ in range(2))]
    works = works_with(ASKED, GOOD, settings=IDEMPOTENT)
    run = await works.carried(await works.begun())
    assert (await works.waiting(run)).facts.outcome_unknown
    assert len(tool.calls) == 3


@pytest.mark.parametrize(
    ("choice", "told", "sent"),
    [
        (Choice(decision="approve"), {"id": "t2"}, 2),
        (Choice(decision="edit", output={"id": "seen"}), {"id": "seen"}, 1),
        (Choice(decision="reject", note="it is not there"), {"error": "it is not there"}, 1),
    ],
)
async def test_what_nobody_knows_the_outcome_of_goes_to_a_person(
    works_with, tool, choice, told, sent
):
    tool.answers = [unknown()]
    works = works_with(ASKED, GOOD, settings=NEVER)
    run = await works.carried(await works.begun())
    review = await works.waiting(run)
    assert review.facts.outcome_unknown
    assert states(works, run) == ["unknown"]
    await works.board.decide(review.id, person(), choice)
    ended = await works.carried(run)
    assert (ended.status, len(tool.calls)) == ("completed", sent)
    assert works.contents(1) == [told]


@pytest.mark.parametrize(("settings", "sent"), [(IDEMPOTENT, 2), (NEVER, 1)])
async def test_an_action_under_way_at_a_crash_is_sent_again_only_if_that_does_no_harm(
    works_with, tool, settings, sent
):
    works = works_with(ASKED, GOOD, settings=settings)
    journal, run = Kept(), await works.begun()
    works.die_while_sending()
    with pytest.raises(Killed):
        await works.carried(run, journal)
    assert states(works, run) == ["started"]
    works.leases.leave(works.executor)
    other = works_with(GOOD, settings=settings)
    ended = await other.carried(run, journal)
    assert len(tool.calls) == sent
    assert len({key for _, key in tool.calls}) == 1
    if sent == 2:
        assert (ended.status, states(other, run)) == ("completed", ["done"])
    else:
        assert (await other.waiting(ended)).facts.outcome_unknown


async def test_what_another_living_process_sends_is_left_to_it(works_with, tool, monkeypatch):
    monkeypatch.setattr("headgate.workflows.tools.sending._OTHERS_WITHIN_S", -9.9)
    monkeypatch.setattr("headgate.workflows.tools.sending._LOOK_S", 0.05)
    works = works_with(ASKED, GOOD, settings=IDEMPOTENT)
    journal, run = Kept(), await works.begun()
    works.die_while_sending()
    with pytest.raises(Killed):
        await works.carried(run, journal)
    other = works_with(GOOD, settings=IDEMPOTENT)
    with pytest.raises(RunLostError):
        await other.carried(run, journal)
    assert len(tool.calls) == 1


async def test_a_process_that_was_held_for_dead_can_not_say_what_came_of_it(works_with, tool):
    works = works_with(ASKED, GOOD, settings=IDEMPOTENT)
    run, journal = await works.begun(), Kept()
    tool.delay_s = 0.3
    first = asyncio.create_task(works.carried(run, journal))
    while not tool.calls:
        await asyncio.sleep(0.01)
    works.leases.leave(works.executor)
    tool.delay_s = 0.0
    other = works_with(GOOD, settings=IDEMPOTENT)
    ended = await other.carried(run, journal)
    assert (ended.status, states(other, run)) == ("completed", ["done"])
    with pytest.raises(RunLostError):
        await first
    (action,) = other.actions.of_run(run.id)
    assert action.attempts == 2


async def test_a_run_whose_time_is_up_waits_for_what_is_on_its_way(works_with, tool):
    tool.delay_s, tool.answers = 0.5, [unknown()]
    works = works_with(ASKED, GOOD, settings=f"{NEVER}\nlimits: {{timeout_s: 0.2}}")
    run = await works.carried(await works.begun())
    assert (await works.waiting(run)).facts.outcome_unknown


async def test_limits_in_a_window_are_exact_over_processes(works_with, tool):
    settings = NEVER.replace("needs: untrusted", "needs: untrusted, per_hour: 3")
    processes = [works_with(ASKED, GOOD, settings=settings) for _ in range(3)]
    runs = [await one.begun() for one in processes for _ in range(2)]
    for one in processes:
        one.runner.model.answers = [ASKED, ASKED, GOOD]
    carried = await asyncio.gather(
        *(one.carried(run) for one, run in zip(processes * 2, runs, strict=True))
    )
    assert {run.status for run in carried} == {"completed"}
    assert len(tool.calls) == 3


async def test_an_action_is_kept_whole(works_with):
    works = works_with(ASKED, GOOD, settings=NEVER)
    run = await works.carried(await works.begun())
    (action,) = works.actions.of_run(run.id)
    assert action == msgspec.convert(msgspec.to_builtins(action), Action)
    assert (action.project, action.workflow, action.tool) == ("default", "labels", "make")
    assert action.requested_at_us <= action.started_at_us <= action.ended_at_us


async def test_a_key_that_may_not_use_a_tool_is_not_shown_it(works_with, tool):
    settings = (
        "tools: {make: {source: it/make, effect: write, approval: never, needs: untrusted,"
        " callers: {roles: [admin]}}}"
    )
    works = works_with(ASKED, GOOD, settings=settings)
    run = await works.carried(await works.begun(), caller=CALLER)
    assert run.status == "completed", "asking for what was not offered is no answer"
    assert not any("tools" in body for body in works.runner.model.bodies)
    assert tool.calls == []


async def test_what_is_not_any_more_what_was_approved_is_asked_anew_and_not_sent(works_with, tool):
    works = works_with(ASKED, GOOD, settings=ALWAYS)
    run = await works.carried(await works.begun())
    review = await works.waiting(run)
    await works.board.decide(review.id, person(), Choice(decision="approve"))
    tool.address = "POST /elsewhere"
    run = await works.carried(run)
    again = await works.waiting(run)
    assert (again.id != review.id, tool.calls) == (True, [])
    shown = await works.board.show(again)
    assert shown.contents.sent["summary"] == "POST /elsewhere"
    assert shown.contents.explained == ("what would be sent is not any more what was approved",)
    await works.board.decide(again.id, person(), Choice(decision="approve"))
    run = await works.carried(run)
    assert (run.status, len(tool.calls)) == ("completed", 1)
