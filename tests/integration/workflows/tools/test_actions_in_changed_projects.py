"""A project that changed while a run waited, or while what it sent was on its way."""

from __future__ import annotations

import pytest

from headgate.review.choice import Choice
from headgate.workflows.tools.tool import ToolUnavailableError
from review_people import person
from scripted_tools import ALWAYS, ASKED, NEVER, TICKET, Killed, action_of, done, unknown
from scripted_workflows import GOOD, Kept, asks, order

GONE = "tools: {other: {source: it/other, effect: write}}"
APPROVE = Choice(decision="approve")
LOOK = "tools: {look: {source: it/look, effect: read, per_hour: 1}}"


async def approved(works):
    run = await works.carried(await works.begun())
    review = await works.waiting(run)
    await works.board.decide(review.id, person(), APPROVE)
    return run


async def test_a_tool_that_is_gone_sends_nothing_and_the_model_is_told(works_with, tool):
    run = await approved(works_with(ASKED, GOOD, settings=ALWAYS))
    works = works_with(GOOD, settings=GONE)
    ended = await works.carried(run)
    assert (ended.status, tool.calls) == ("completed", [])
    action = action_of(works, run)
    assert (action.state, action.code) == ("failed", "no_such_tool")
    assert "does not have this tool any more" in works.contents(0)[0]["error"]


async def test_what_was_on_its_way_when_its_tool_went_comes_to_a_person(works_with, tool):
    tool.answers = [unknown()]
    first = works_with(ASKED, GOOD, settings=NEVER)
    run = await first.carried(await first.begun())
    review = await first.waiting(run)
    works = works_with(GOOD, settings=GONE)
    seen = Choice(decision="edit", output={"id": "seen"})
    await works.board.decide(review.id, person(), seen)
    ended = await works.carried(run)
    assert (ended.status, works.contents(0)) == ("completed", [{"id": "seen"}])


async def test_what_was_interrupted_is_asked_about_even_if_its_tool_is_gone(works_with, tool):
    first = works_with(ASKED, GOOD, settings=NEVER)
    run, journal = await first.begun(), Kept()
    first.die_while_sending()
    with pytest.raises(Killed):
        await first.carried(run, journal)
    first.leases.leave(first.executor)
    works = works_with(GOOD, settings=GONE)
    review = await works.waiting(await works.carried(run, journal))
    assert review.facts.outcome_unknown
    shown = await works.board.show(review)
    assert "does not have any more" in shown.contents.sent["summary"]
    await works.board.decide(review.id, person(), APPROVE)
    ended = await works.carried(run)
    assert (ended.status, len(tool.calls)) == ("completed", 1)
    assert action_of(works, run).code == "no_such_tool"


async def test_stricter_terms_do_not_make_forget_what_was_done(works_with, tool):
    run = await approved(works_with(ASKED, GOOD, settings=ALWAYS))
    tool.parameters = {"type": "object", "properties": {}, "additionalProperties": False}
    works = works_with(GOOD, settings=ALWAYS)
    ended = await works.carried(run)
    assert (ended.status, [sent for sent, _ in tool.calls]) == ("completed", [TICKET])
    assert works.contents(0) == [{"id": "t1"}]


async def test_what_was_approved_goes_out_under_another_version_and_prompt(works_with, tool):
    run = await approved(works_with(ASKED, GOOD, settings=ALWAYS))
    works = works_with(GOOD, settings=ALWAYS)
    folder = works.runner.catalogue.get("labels").folder
    (folder / "prompt.md").write_text("# system\n\nOther words.\n\n# user\n\n{{ input.text }}\n")
    settings = (folder / "workflow.yaml").read_text().replace("1.2.3", "2.0.0")
    (folder / "workflow.yaml").write_text(settings)
    works.runner.catalogue = type(works.runner.catalogue).load(folder.parent.parent)
    ended = await works.carried(run)
    assert (ended.status, ended.version, len(tool.calls)) == ("completed", "2.0.0", 1)
    (body,) = works.runner.model.bodies
    assert body["messages"][0]["content"].startswith("Other words.")
    assert body["messages"][-1]["role"] == "tool"


async def test_a_workflow_that_is_gone_sends_nothing(works_with, tool, tmp_path):
    run = await approved(works_with(ASKED, GOOD, settings=ALWAYS))
    works = works_with(GOOD, settings=ALWAYS)
    empty = tmp_path / "empty"
    (empty / "workflows").mkdir(parents=True)
    works.runner.catalogue = type(works.runner.catalogue).load(empty)
    ended = await works.carried(run)
    assert (ended.status, tool.calls) == ("failed", [])
    action = action_of(works, run)
    assert (action.state, action.code) == ("failed", "run_ended")


async def test_a_tool_that_is_away_takes_no_run_from_its_person(works_with, tool):
    tool.delay_s, tool.answers = 0.5, [unknown()]
    works = works_with(ASKED, GOOD, settings=f"{NEVER}\nlimits: {{timeout_s: 0.3}}")
    told = tool.spec

    async def spec():
        if tool.calls:
            raise ToolUnavailableError
        return await told()

    tool.spec = spec
    run = await works.carried(await works.begun())
    assert (await works.waiting(run)).facts.outcome_unknown


async def test_a_read_that_had_its_room_has_it_when_the_run_comes_by_again(works_with, tool):
    works = works_with(asks(("look", TICKET)), GOOD, settings=LOOK)
    run, journal = await works.begun(), Kept()
    works.runner.repository.finish = lambda *_, **__: (_ for _ in ()).throw(Killed())
    with pytest.raises(Killed):
        await works.carried(run, journal)
    other = works_with(GOOD, settings=LOOK)
    tool.answers = [done("never asked for")]
    ended = await other.carried(run, journal)
    assert (ended.status, len(tool.calls)) == ("completed", 1)
    assert [step.tool.outcome for step in ended.steps if step.tool] == ["done"]


async def test_what_the_model_had_asked_for_is_kept_beside_what_a_person_made_of_it(works_with):
    works = works_with(ASKED, GOOD, settings=ALWAYS)
    run = await works.carried(await works.begun())
    review = await works.waiting(run)
    changed = {**TICKET, "title": "Better"}
    await works.board.decide(review.id, person(), Choice(decision="edit", output=changed))
    action = action_of(works, run)
    assert (action.arguments, action.asked) == (changed, TICKET)


async def test_a_run_that_was_not_to_be_delivered_can_be_approved_when_others_are(works_with, tool):
    before = works_with(GOOD, settings="review: {always: true}")
    run = await before.runner.run(order())
    assert run.status == "awaiting_review"
    after = works_with(
        GOOD,
        settings=(
            f"{NEVER}\nreview: {{always: true}}\n"
            "deliver: {tool: make, arguments: {title: input.text, priority: low}}"
        ),
    )
    await after.board.decide(run.review_id, person(), APPROVE)
    assert (after.runs.get(run.id).status, tool.calls) == ("completed", [])
