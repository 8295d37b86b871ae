"""What is told of actions: found page by page, with what was asked and what would be sent."""

from __future__ import annotations

import msgspec
import pytest

from headgate.review.board import Board
from headgate.review.choice import Choice
from headgate.storage import Database
from headgate.workflows.journal import RunLostError
from headgate.workflows.tools.action import Action
from headgate.workflows.tools.action_search import ActionFilter, search_actions
from headgate.workflows.tools.action_store import ActionStore
from headgate.workflows.tools.tool import Sent
from review_people import GROUPS, person
from scripted_tools import TICKET, unknown
from scripted_workflows import CALLER, GOOD, asks

ALWAYS = "tools: {make: {source: it/make, effect: write}}"
NEVER = "tools: {make: {source: it/make, effect: write, approval: never, needs: untrusted}}"
LOW = {**TICKET, "priority": "low"}


def found(database: Database, limit: int = 100, after: str | None = None, **wanted) -> list[Action]:
    with database.connect() as connection:
        return search_actions(connection, ActionFilter(**wanted), limit=limit, after=after)


def board_of(works, preview) -> Board:
    return Board(
        works.reviews, works.runs, works.runner.catalogue, works.threads, GROUPS,
        lease_s=60, preview=preview,
    )  # fmt: skip


async def test_actions_are_found_newest_first_and_by_what_they_are(works_with, database):
    waits = works_with(asks(("make", TICKET)), settings=ALWAYS)
    acts = works_with(asks(("make", TICKET)), GOOD, settings=NEVER)
    runs = [await waits.carried(await waits.begun()) for _ in range(3)]
    done = await acts.carried(await acts.begun())
    everything = [one.id for one in found(database)]
    assert everything == sorted(everything, reverse=True)
    assert len(everything) == 4
    paged: list[str] = []
    while page := found(database, 3, paged[-1] if paged else None):
        paged += [one.id for one in page]
    assert paged == everything
    assert {one.run_id for one in found(database, state="requested")} == {run.id for run in runs}
    assert [one.run_id for one in found(database, state="done")] == [done.id]
    assert [one.run_id for one in found(database, run_id=runs[0].id)] == [runs[0].id]
    assert len(found(database, key_ids=(CALLER.key_id,), project="default", workflow="labels")) == 4
    for nothing in ({"key_ids": ("key_else",)}, {"project": "else"}, {"workflow": "else"}):
        assert found(database, **nothing) == []
    assert all(one.arguments is None for one in found(database))
    (whole,) = waits.runs.actions(runs[0].id)
    assert whole.arguments == TICKET
    (bare,) = waits.runs.actions(runs[0].id, contents=False)
    assert bare == msgspec.structs.replace(whole, arguments=None)


async def test_what_the_model_had_asked_for_is_kept_beside_what_was_sent(works_with):
    works = works_with(asks(("make", TICKET)), GOOD, settings=ALWAYS)
    run = await works.carried(await works.begun())
    review = await works.waiting(run)
    await works.board.decide(review.id, person(), Choice(decision="edit", output=LOW))
    await works.carried(run)
    (action,) = works.runs.actions(run.id)
    assert (action.asked, action.arguments) == (TICKET, LOW)
    shown = await works.board.show(await works.board.get(review.id))
    assert shown.went_out == LOW
    assert shown.action == action


async def test_what_would_be_sent_is_told_of_arguments_that_fit(works_with):
    works = works_with(asks(("make", TICKET)), settings=ALWAYS)
    run = await works.carried(await works.begun())
    board = board_of(works, works.tools.preview)
    review = await works.waiting(run)
    (action,) = works.runs.actions(run.id)
    assert await board.preview(review, LOW) == Sent("POST /it", {"body": LOW, "key": action.key})
    assert await board.preview(review, {**TICKET, "priority": "huge"}) is None
    assert (await board.show(review)).sent_now is None
    assert works.tool.calls == []
    gone = board_of(works, lambda *_: None)
    assert await gone.preview(review, LOW) is None


async def test_a_tool_that_has_changed_since_is_told_apart(works_with):
    works = works_with(asks(("make", TICKET)), settings=ALWAYS)
    review = await works.waiting(await works.carried(await works.begun()))
    now = Sent("POST /elsewhere", {"body": TICKET})
    board = board_of(works, lambda _workflow, _tool, _arguments, _key: now)
    shown = await board.show(review)
    assert shown.contents.sent["summary"] == "POST /it"
    assert shown.sent_now == now
    await board.decide(review.id, person(), Choice(decision="reject", note="no"))
    assert (await board.show(await board.get(review.id))).sent_now is None


async def test_of_an_unknown_outcome_what_a_person_said_is_what_came_of_it(works_with, tool):
    tool.answers = [unknown()]
    works = works_with(asks(("make", TICKET)), GOOD, settings=NEVER)
    run = await works.carried(await works.begun())
    review = await works.waiting(run)
    board = board_of(works, works.tools.preview)
    assert await board.preview(review, {"id": "t9"}) is None
    assert (await board.show(review)).contents.explained == ("nobody knows whether it was done",)
    await board.decide(review.id, person(), Choice(decision="edit", output={"id": "t9"}))
    assert (await board.show(await board.get(review.id))).went_out == {"id": "t9"}


async def test_each_state_that_an_action_comes_to_is_told_once(works_with, database):
    works = works_with(asks(("make", TICKET)), GOOD, settings=NEVER)
    told: list[str] = []
    works.actions._note = lambda action: told.append(action.state)
    run = await works.carried(await works.begun())
    assert told == ["approved", "started", "done"]
    store = ActionStore(database, works.executor, lambda action: told.append(action.state))
    (action,) = store.of_run(run.id)
    assert not store.end(action, "failed", None, None)
    with pytest.raises(RunLostError):  # its run is over
        store.start(action)
    assert len(told) == 3


async def test_waiting_actions_are_counted_among_what_waits(works_with):
    works = works_with(asks(("make", TICKET)), settings=ALWAYS)
    await works.carried(await works.begun())
    assert await works.board.waiting(None) == await works.board.waiting(None, "action") == 1
    assert await works.board.waiting("default", "output") == 0


@pytest.mark.parametrize("then", ["approve", "reject", "wait", "escalate"])
async def test_time_never_says_whether_what_was_sent_was_done(works_with, tool, then):
    tool.answers = [unknown()]
    more = ", escalate_to: leads, after_escalation: reject" if then == "escalate" else ""
    review = f"review: {{deadline: {{within_hours: 1, then: {then}{more}}}}}"
    works = works_with(asks(("make", TICKET)), GOOD, settings=f"{NEVER}\n{review}")
    found = await works.waiting(await works.carried(await works.begun()))
    assert found.deadline is not None
    assert found.deadline.then == ("escalate" if then == "escalate" else "wait")
    assert found.deadline.after_escalation == "wait"


async def test_time_sends_nothing_that_nobody_approved(works_with):
    review = "review: {deadline: {within_hours: 1, then: approve}}"
    works = works_with(asks(("make", TICKET)), GOOD, settings=f"{ALWAYS}\n{review}")
    found = await works.waiting(await works.carried(await works.begun()))
    assert found.deadline is not None
    assert found.deadline.then == "reject"
