"""Runs that wait for people, on each database: nothing lost, nothing decided twice."""

from __future__ import annotations

import asyncio

import msgspec
import pytest
import sqlalchemy as sa

from headgate.errors import ConflictError, InvalidRequestError, NotFoundError
from headgate.ledger.alerts.alert import ReviewAlert
from headgate.review.choice import Choice
from headgate.review.deciding import FourEyesError, NotYourReviewError
from headgate.review.output import EditRefusedError
from headgate.review.repository import Wanted
from headgate.review.review import Contents
from headgate.storage import Database
from headgate.storage.review_tables import review_events, reviews
from headgate.storage.schema import runs
from review_people import person
from scripted_workflows import GOOD, failure, order

EDITED = {"label": "bad", "score": 5}


async def test_a_run_waits_with_its_draft_and_nothing_of_it_goes_out(desk_with):
    desk = desk_with()
    run_id, review_id = await desk.held(text="judge me")
    stored = desk.runs.get(run_id)
    assert (stored.status, stored.output, stored.finished_at_us) == ("awaiting_review", None, None)
    shown = await desk.board.show(await desk.board.get(review_id))
    assert shown.contents.draft == GOOD
    assert shown.contents.explained == ("a person looks at each run of this workflow",)
    assert shown.contents.output_schema is not None
    assert shown.run.input == {"text": "judge me"}
    assert [event.what for event in shown.events] == ["opened"]
    assert (shown.review.run_id, shown.review.version_of_workflow) == (run_id, "1.2.3")


@pytest.mark.parametrize(
    ("choice", "status", "output"),
    [
        (Choice(decision="approve"), "completed", GOOD),
        (Choice(decision="edit", output=EDITED, note="too kind"), "completed", EDITED),
        (Choice(decision="reject", note="no"), "rejected", None),
    ],
)
async def test_a_decision_ends_the_run(desk_with, choice, status, output):
    desk = desk_with()
    run_id, review_id = await desk.held()
    desk.clock.now_us += 90_000_000
    review = await desk.board.decide(review_id, person(), choice)
    assert review.seconds_to_decision == 90
    run = desk.runs.get(run_id)
    assert (run.status, run.output) == (status, output)
    assert run.finished_at_us == desk.clock.now_us
    assert (run.error is None) is (status == "completed")
    events = desk.repository.events(review_id)
    assert [(e.what, e.note) for e in events][1:] == [(review.decision, choice.note)]
    if choice.decision == "edit":
        assert (review.edit_distance, review.edit_share) == (2, 1.0)
    with pytest.raises(ConflictError):
        await desk.board.decide(review_id, person("key_bob"), Choice(decision="approve"))


async def test_an_edited_output_passes_the_same_schema_and_rules(desk_with):
    desk = desk_with(
        rules="def check(output, input):\n"
        "    return ['label: is too kind'] if output['label'] == 'good' else None\n",
    )
    desk.runner.model.answers = [EDITED]
    run_id, review_id = await desk.held()
    for wrong, named in (
        ({"label": "bad"}, "output.score"),
        ({**EDITED, "more": 1}, "output.more"),
        (GOOD, "output.label"),
    ):
        with pytest.raises(EditRefusedError) as caught:
            await desk.board.decide(review_id, person(), Choice(decision="edit", output=wrong))
        assert caught.value.param == named
    assert desk.runs.get(run_id).status == "awaiting_review"
    for unfit in (Choice(decision="edit"), Choice(decision="approve", output=EDITED)):
        with pytest.raises(InvalidRequestError):
            await desk.board.decide(review_id, person(), unfit)
    await desk.board.decide(review_id, person(), Choice(decision="edit", output=EDITED))


async def test_of_many_who_decide_at_once_in_several_processes_one_does(desk_with):
    one, other = desk_with(), desk_with()
    run_id, review_id = await one.held()

    async def decide(number: int) -> str:
        board = (one, other)[number % 2].board
        choice = Choice(decision=("approve", "reject")[number // 2 % 2])
        try:
            return str((await board.decide(review_id, person(f"key_{number}"), choice)).decision)
        except ConflictError:
            return "told"

    ended = await asyncio.gather(*(decide(number) for number in range(12)))
    assert ended.count("told") == 11
    (won,) = set(ended) - {"told"}
    run = one.runs.get(run_id)
    assert run.status == {"approved": "completed", "rejected": "rejected"}[won]


async def test_of_many_who_claim_at_once_one_has_it(desk_with):
    one, other = desk_with(), desk_with()
    _, review_id = await one.held()

    async def claim(number: int) -> bool:
        try:
            await (one, other)[number % 2].board.claim(review_id, person(f"key_{number}"))
        except ConflictError:
            return False
        return True

    assert sum(await asyncio.gather(*(claim(number) for number in range(12)))) == 1


async def test_the_queue_is_in_the_order_of_urgency_and_comes_in_pages(desk_with):
    slow = desk_with("review: {always: true, deadline: {within_hours: 48}}")
    quick = desk_with("review: {always: true, deadline: {within_hours: 1}}")
    never = desk_with()
    order_of = [
        (await quick.held())[1],
        *[(await slow.held())[1] for _ in range(2)],
        *[(await never.held())[1] for _ in range(2)],
    ]
    found: list[str] = []
    while page := await never.board.list(Wanted(limit=2, after=found[-1] if found else None)):
        found += [review.id for review in page]
    assert found == order_of
    await never.board.claim(order_of[1], person())
    claimed = await never.board.list(Wanted(status="claimed"))
    assert [review.id for review in claimed] == [order_of[1]]
    assert len(await never.board.list(Wanted(status="open"))) == 4
    assert [r.id for r in await never.board.list(Wanted(claimed_by="key_ann"))] == [order_of[1]]
    for review_id in order_of[:3]:
        await never.board.decide(review_id, person(), Choice(decision="approve"))
    decided = await never.board.list(Wanted(status="decided", limit=2))
    rest = await never.board.list(Wanted(status="decided", limit=2, after=decided[-1].id))
    assert [r.id for r in (*decided, *rest)] == sorted(order_of[:3], reverse=True)
    assert await never.board.list(Wanted(workflow="another")) == []


async def test_who_may_not_decide_changes_nothing(desk_with):
    desk = desk_with("review: {always: true, reviewers: leads, four_eyes: true}")
    _, review_id = await desk.held()
    approve = Choice(decision="approve")
    with pytest.raises(NotYourReviewError):
        await desk.board.decide(review_id, person(), approve)
    with pytest.raises(NotYourReviewError):
        await desk.board.claim(review_id, person())
    with pytest.raises(FourEyesError):
        await desk.board.decide(review_id, person("key_1", "admin"), approve)
    with pytest.raises(NotFoundError):
        await desk.board.decide("rev_0", person(), approve)
    told: list[ReviewAlert] = []
    desk.board._tell = lambda _, alert, __: told.append(alert)
    given = await desk.board.decide(
        review_id, person("key_lead"), Choice(decision="escalate", to="reviewers", note="you")
    )
    assert (given.reviewers, given.decision) == ("reviewers", None)
    assert [(alert.happened, alert.reviewers) for alert in told] == [("escalated", "reviewers")]
    with pytest.raises(InvalidRequestError, match="no group"):
        await desk.board.decide(review_id, person(), Choice(decision="escalate", to="nobody"))
    assert (await desk.board.decide(review_id, person(), approve)).decision == "approved"


async def test_a_run_and_its_question_are_stored_together_or_not_at_all(desk_with, monkeypatch):
    desk = desk_with()

    def break_off(*_: object) -> None:
        raise RuntimeError("as if the process had died here")

    monkeypatch.setattr(desk.repository, "add_event", break_off)
    with pytest.raises(RuntimeError):
        await desk.runner.run(order())
    with desk.repository.database.connect() as connection:
        assert connection.execute(sa.select(reviews)).all() == []
        assert connection.execute(sa.select(runs.c.status)).scalars().all() == ["running"]


async def test_a_decision_and_the_end_of_its_run_are_stored_together_or_not_at_all(
    desk_with, monkeypatch
):
    desk = desk_with()
    run_id, review_id = await desk.held()

    def break_off(*_: object) -> None:
        raise RuntimeError("as if the process had died here")

    with monkeypatch.context() as patch:
        patch.setattr(desk.repository, "add_event", break_off)
        with pytest.raises(RuntimeError):
            await desk.board.decide(review_id, person(), Choice(decision="approve"))
    assert desk.runs.get(run_id).status == "awaiting_review"
    assert (await desk.board.get(review_id)).decision is None
    await desk.board.decide(review_id, person(), Choice(decision="approve"))
    assert desk.runs.get(run_id).output == GOOD


async def test_a_run_that_was_ended_otherwise_is_not_ended_again(desk_with):
    desk = desk_with()
    run_id, review_id = await desk.held()
    with desk.repository.database.begin() as connection:
        connection.execute(sa.update(runs).values(status="failed"))
    for choice in (Choice(decision="approve"), Choice(decision="edit", output=EDITED)):
        with pytest.raises(ConflictError, match="does not wait any more"):
            await desk.board.decide(review_id, person(), choice)
    await desk.board.decide(review_id, person(), Choice(decision="reject"))
    assert (desk.runs.get(run_id).status, desk.runs.get(run_id).output) == ("failed", None)


async def test_where_every_way_fails_a_person_may_write_the_answer(desk_with):
    desk = desk_with("fallback: review", failure(500, "broken", "The provider broke."))
    run_id, review_id = await desk.held()
    review = await desk.board.get(review_id)
    assert (review.has_draft, review.facts.error_code) == (False, "broken")
    contents = desk.repository.contents(review_id)
    assert (contents.draft, contents.explained) == (None, ("The provider broke.",))
    with pytest.raises(InvalidRequestError):
        await desk.board.decide(review_id, person(), Choice(decision="approve"))
    await desk.board.decide(review_id, person(), Choice(decision="edit", output=EDITED))
    run = desk.runs.get(run_id)
    assert (run.status, run.output, run.error) == ("completed", EDITED, None)


async def test_an_idempotency_key_gives_the_same_run_whatever_became_of_it(desk_with):
    desk = desk_with()
    run_id, review_id = await desk.held(idempotency_key="once")
    again = await desk.runner.run(order(idempotency_key="once"))
    assert (again.id, again.status, again.replayed) == (run_id, "awaiting_review", True)
    await desk.board.decide(review_id, person(), Choice(decision="reject"))
    ended = await desk.runner.run(order(idempotency_key="once"))
    assert (ended.id, ended.status) == (run_id, "rejected")
    assert ended.error.code == "review_rejected"
    assert ended.error.retryable is False


async def test_nobody_is_asked_twice_about_the_same(desk_with, database: Database):
    desk = desk_with()
    _, review_id = await desk.held()
    first = await desk.board.get(review_id)
    with database.begin() as connection:
        second = msgspec.structs.replace(first, id="rev_2")
        again = desk.repository.open(connection, second, Contents())
    assert again == review_id
    with database.connect() as connection:
        assert len(connection.execute(sa.select(review_events)).all()) == 1
