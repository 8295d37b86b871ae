"""What is done with an output once nothing holds it any more."""

from __future__ import annotations

import pytest

from headgate.review.choice import Choice
from headgate.workflows.tools.tool import ToolAnswer
from review_people import person
from scripted_tools import PARAMETERS, unknown
from scripted_workflows import GOOD

DELIVER = (
    "tools: {send: {source: it/send, effect: write, approval: never, needs: untrusted}}\n"
    "deliver: {tool: send, arguments: {title: input.text, priority: low,"
    " customer_id: output.label}}\n"
)
SENT = {"title": "hello", "priority": "low", "customer_id": "good"}
EDITED = {"label": "bad", "score": 1}


@pytest.fixture(autouse=True)
def takes_anything(tool):
    tool.parameters = {**PARAMETERS, "additionalProperties": True}


async def test_an_output_that_nothing_holds_is_delivered_at_once(works_with, tool):
    works = works_with(GOOD, settings=DELIVER)
    run = await works.carried(await works.begun())
    assert (run.status, run.output) == ("completed", GOOD)
    assert [arguments for arguments, _ in tool.calls] == [SENT]
    assert run.steps[-1].kind == "deliver"
    assert "tools" not in works.runner.model.bodies[0], "a model can't deliver by itself"


@pytest.mark.parametrize(
    ("choice", "label", "status"),
    [
        (Choice(decision="approve"), "good", "completed"),
        (Choice(decision="edit", output=EDITED), "bad", "completed"),
        (Choice(decision="reject"), None, "rejected"),
    ],
)
async def test_what_a_person_must_see_is_delivered_as_they_let_it_out(
    works_with, tool, choice, label, status
):
    works = works_with(GOOD, settings=f"{DELIVER}review: {{always: true}}")
    run = await works.carried(await works.begun())
    review = await works.waiting(run)
    assert (review.kind, tool.calls) == ("output", [])
    await works.board.decide(review.id, person(), choice)
    assert tool.calls == []
    run = works.runs.get(run.id)
    if label is not None:
        assert run.status == "queued"
        run = await works.carried(run)
        assert [arguments["customer_id"] for arguments, _ in tool.calls] == [label]
        assert len(works.runner.model.requests) == 1
        assert run.output["label"] == label
    assert run.status == status
    assert works.orders.get(run.id) is None


async def test_a_tool_that_always_asks_need_not_ask_who_has_just_approved(works_with, tool):
    settings = DELIVER.replace("approval: never, needs: untrusted", "approval: always")
    works = works_with(GOOD, settings=f"{settings}review: {{always: true}}")
    run = await works.carried(await works.begun())
    review = await works.waiting(run)
    await works.board.decide(review.id, person(), Choice(decision="approve"))
    assert (await works.carried(run)).status == "completed"
    assert len(tool.calls) == 1


@pytest.mark.parametrize(
    ("of_tool", "of_review", "asked_again"),
    [
        ("reviewers: leads", "", True),
        ("reviewers: leads", ", reviewers: leads", False),
        ("reviewers: leads", ", reviewers: owners", True),
        ("four_eyes: true", "", True),
        ("four_eyes: true", ", four_eyes: true", False),
        ("four_eyes: false", ", reviewers: owners, four_eyes: true", False),
    ],
)
async def test_an_output_let_out_by_others_than_the_tools_reviewers_is_asked_about_again(
    works_with, tool, of_tool, of_review, asked_again
):
    settings = DELIVER.replace("approval: never, needs: untrusted", f"approval: always, {of_tool}")
    works = works_with(GOOD, settings=f"{settings}review: {{always: true{of_review}}}")
    run = await works.carried(await works.begun())
    review = await works.waiting(run)
    await works.board.decide(review.id, person(role="admin"), Choice(decision="approve"))
    run = await works.carried(run)
    assert (run.status == "awaiting_review", not tool.calls) == (asked_again, asked_again)
    if asked_again:
        again = await works.waiting(run)
        named = "leads" if "leads" in of_tool else None
        assert (again.kind, again.reviewers, again.four_eyes) == ("action", named, named is None)


async def test_without_a_review_the_tools_own_approval_is_asked_for(works_with, tool):
    settings = DELIVER.replace("approval: never, needs: untrusted", "approval: always")
    works = works_with(GOOD, settings=settings)
    run = await works.carried(await works.begun())
    review = await works.waiting(run)
    assert (review.kind, tool.calls) == ("action", [])
    await works.board.decide(review.id, person(), Choice(decision="approve"))
    run = await works.carried(run)
    assert (run.status, run.output, len(tool.calls)) == ("completed", GOOD, 1)
    assert len(works.runner.model.requests) == 1


async def test_a_delivery_that_a_person_refuses_rejects_the_run(works_with, tool):
    settings = DELIVER.replace("approval: never, needs: untrusted", "approval: always")
    works = works_with(GOOD, settings=settings)
    run = await works.carried(await works.begun())
    review = await works.waiting(run)
    await works.board.decide(review.id, person(), Choice(decision="reject"))
    run = await works.carried(run)
    assert (run.status, run.error.code, tool.calls) == ("rejected", "delivery_failed", [])


async def test_a_delivery_that_fails_is_told_with_the_output(works_with, tool):
    tool.answers = [ToolAnswer(outcome="failed", content="no such account", code="http_404")]
    works = works_with(GOOD, settings=DELIVER)
    run = await works.carried(await works.begun())
    assert (run.status, run.error.code, run.output) == ("failed", "delivery_failed", GOOD)


async def test_a_delivery_of_unknown_outcome_waits_for_a_person(works_with, tool):
    tool.answers = [unknown()]
    works = works_with(GOOD, settings=DELIVER)
    run = await works.carried(await works.begun())
    review = await works.waiting(run)
    assert review.facts.outcome_unknown
    choice = Choice(decision="edit", output={"id": "it is there"})
    await works.board.decide(review.id, person(), choice)
    run = await works.carried(run)
    assert (run.status, run.output, len(tool.calls)) == ("completed", GOOD, 1)


async def test_what_was_not_sent_can_not_be_delivered(works_with, tool):
    works = works_with(GOOD, settings=DELIVER.replace("output.label", "input.tone"))
    run = await works.carried(await works.begun())
    assert run.status == "completed", "it was an optional argument"
    tool.parameters = {**tool.parameters, "required": ["customer_id"]}
    run = await works.carried(await works.begun())
    assert (run.status, run.error.code) == ("failed", "delivery_failed")
    assert len(tool.calls) == 1
