"""Runs whose model asks for tools: what it may, what it is told, and where it ends."""

from __future__ import annotations

import json

import pytest

from headgate.workflows.tools.tool import ToolAnswer
from scripted_tools import PARAMETERS, TICKET, done
from scripted_workflows import GOOD, Kept, asks

READ = "tools: {look: {source: it/look, effect: read}}"
LOOKED = asks(("look", TICKET))


async def test_what_a_tool_reads_is_told_to_the_model(works_with, tool):
    tool.answers = [done({"customer": "Ada", "open": 3})]
    works = works_with(LOOKED, GOOD, settings=READ)
    run = await works.carried(await works.begun())
    assert (run.status, run.output) == ("completed", GOOD)
    first, second = works.runner.model.bodies
    (listed, ask) = first["tools"]
    assert listed["function"]["name"] == "look"
    assert listed["function"]["parameters"] == PARAMETERS
    assert ask["function"]["name"] == "ask_caller"
    asked, answered = second["messages"][-2:]
    assert [call["id"] for call in asked["tool_calls"]] == [answered["tool_call_id"]]
    assert works.contents(1) == [{"customer": "Ada", "open": 3}]
    assert works.actions.of_run(run.id) == [], "reading is no action"


async def test_what_was_read_before_a_crash_is_not_read_again(works_with, tool):
    works = works_with(LOOKED, settings=READ)
    journal, run = Kept(), await works.begun()
    works.runner.model.answers = [LOOKED, RuntimeError("it dies here")]
    await works.carried(run, journal)
    again = await works.begun()
    assert len(tool.calls) == 1
    other = works_with(GOOD, settings=READ)
    kept = Kept()
    kept.kept = {name: value for name, value in journal.kept.items() if name != "call-2"}
    await other.carried(again, kept)
    assert len(tool.calls) == 1


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (("nothing", {}), "There is no tool of this name"),
        (("look", "{not json"), "must be one JSON object"),
        (("look", "[1]"), "must be one JSON object"),
        (("look", {"title": "x"}), "priority"),
        (("look", {**TICKET, "priority": "huge"}), "priority"),
        (("look", {**TICKET, "more": 1}), "more"),
    ],
)
async def test_a_call_that_is_refused_is_told_why_and_nothing_is_called(
    works_with, tool, asked, told
):
    works = works_with(asks(asked), GOOD, settings=READ)
    run = await works.carried(await works.begun())
    assert (run.status, tool.calls) == ("completed", [])
    (content,) = works.contents(1)
    assert told in content["error"]
    (said,) = [one for one in works.runner.model.bodies[1]["messages"] if "tool_calls" in one]
    repeated = said["tool_calls"][0]["function"]["arguments"]
    assert isinstance(json.loads(repeated), dict), "providers take nothing else"
    (step,) = [step for step in run.steps if step.kind == "tool"]
    assert step.verdict == "failed"


async def test_a_tool_that_failed_is_told_as_one(works_with, tool):
    tool.answers = [ToolAnswer(outcome="failed", content="no such customer", code="http_404")]
    works = works_with(LOOKED, GOOD, settings=READ)
    run = await works.carried(await works.begun())
    assert works.contents(1) == [{"error": "no such customer"}]
    (step,) = [step for step in run.steps if step.kind == "tool"]
    assert (step.verdict, step.code, step.tool.outcome) == ("failed", "http_404", "failed")


async def test_arguments_from_the_input_are_neither_shown_nor_the_models_to_choose(
    works_with, tool
):
    settings = (
        "tools: {look: {source: it/look, effect: read, arguments: {customer_id: input.text,"
        " priority: low}}}"
    )
    asked = asks(("look", {"title": "t", "customer_id": "somebody else", "priority": "high"}))
    works = works_with(asked, GOOD, settings=settings)
    await works.carried(await works.begun(text="c-17"))
    shown = works.runner.model.bodies[0]["tools"][0]["function"]["parameters"]
    assert list(shown["properties"]) == ["title"]
    assert shown["required"] == ["title"]
    assert tool.calls[0][0] == {"title": "t", "customer_id": "c-17", "priority": "low"}


async def test_a_model_does_not_choose_what_the_input_left_open(works_with, tool):
    settings = (
        "tools: {look: {source: it/look, effect: read, arguments: {customer_id: input.tone}}}"
    )
    works = works_with(asks(("look", {**TICKET, "customer_id": "c-1"})), GOOD, settings=settings)
    await works.carried(await works.begun(text="no tone"))
    assert [arguments for arguments, _ in tool.calls] == [TICKET]


async def test_what_a_model_leaves_out_is_judged_as_what_the_tool_then_takes(works_with, tool):
    cents = {"type": "integer", "default": 5000}
    tool.parameters = {"type": "object", "properties": {"cents": cents}}
    settings = (
        "tools: {pay: {source: it/pay, effect: write, needs: untrusted,"
        " approval: {when: [{field: cents, above: 2000}]}}}"
    )
    works = works_with(asks(("pay", {})), settings=settings)
    run = await works.carried(await works.begun())
    assert (run.status, tool.calls) == ("awaiting_review", [])
    small = works_with(asks(("pay", {"cents": 1})), GOOD, settings=settings)
    run = await small.carried(await small.begun())
    assert (run.status, [given for given, _ in tool.calls]) == ("completed", [{"cents": 1}])


async def test_of_many_calls_in_one_reply_the_first_are_answered_and_the_model_knows_of_no_others(
    works_with, tool
):
    settings = READ.replace("effect: read", "effect: read, per_run: 1000")
    works = works_with(asks(*[("look", TICKET)] * 1000), GOOD, settings=settings)
    run = await works.carried(await works.begun())
    assert (run.status, len(tool.calls)) == ("completed", 32)
    (said,) = [one for one in works.runner.model.bodies[1]["messages"] if "tool_calls" in one]
    assert len(said["tool_calls"]) == len(works.contents(1)) == 32


async def test_what_the_input_lacks_is_asked_of_the_caller(works_with, tool):
    tool.parameters = {**PARAMETERS, "required": ["title", "customer_id"]}
    settings = (
        "tools: {look: {source: it/look, effect: read, arguments: {customer_id: input.tone}}}"
    )
    works = works_with(asks(("look", {"title": "t"})), GOOD, settings=settings)
    run = await works.carried(await works.begun())
    assert (run.status, run.error.code, run.error.status) == ("failed", "clarification_needed", 422)
    assert run.error.param == "input.tone"
    assert tool.calls == []


async def test_a_model_that_would_have_to_guess_asks_the_caller(works_with, tool):
    settings = f"{READ}\nfallback: {{output: {{label: bad, score: 0}}}}"
    question = {"question": "Which customer is it?", "missing": ["customer_id"]}
    works = works_with(asks(("ask_caller", question)), settings=settings)
    run = await works.carried(await works.begun())
    assert (run.status, run.error.code) == ("failed", "clarification_needed")
    assert "Which customer" not in run.error.message, "what a model writes is no metadata"
    assert "Which customer is it?" in run.error_shown()["message"]


async def test_a_text_from_outside_takes_away_what_needs_trust(works_with, tool):
    settings = (
        "trust: trusted\n"
        "tools: {look: {source: it/look, effect: read}, act: {source: it/act, effect: write,"
        " approval: never, needs: trusted}}"
    )
    works = works_with(asks(("look", TICKET), ("act", TICKET)), GOOD, settings=settings)
    run = await works.carried(await works.begun())
    assert run.status == "completed"
    assert len(tool.calls) == 1, "what was read came from outside, so nothing is done after it"
    assert "text from outside" in works.contents(1)[1]["error"]
    names = [
        [one["function"]["name"] for one in body["tools"]] for body in works.runner.model.bodies
    ]
    assert names == [["look", "act", "ask_caller"], ["look", "ask_caller"]]


async def test_what_a_tool_brings_in_makes_the_next_call_an_untrusted_one(works_with, tool):
    settings = f"trust: trusted\n{READ}"
    works = works_with(LOOKED, GOOD, settings=settings)
    await works.carried(await works.begun())
    assert [request.untrusted for request in works.runner.model.requests] == [False, True]
    assert works.runner.model.requests[1].users_vouched, "what users wrote is what it was"
    vouched = works_with(LOOKED, GOOD, settings=settings.replace("read", "read, gives: trusted"))
    await vouched.carried(await vouched.begun())
    assert [request.untrusted for request in vouched.runner.model.requests] == [False, False]


async def test_what_is_vouched_for_takes_nothing_away(works_with, tool):
    settings = (
        "trust: trusted\n"
        "tools: {look: {source: it/look, effect: read, gives: trusted}, act: {source: it/act,"
        " effect: write, approval: never, needs: trusted}}"
    )
    works = works_with(asks(("look", TICKET), ("act", TICKET)), GOOD, settings=settings)
    await works.carried(await works.begun())
    assert len(tool.calls) == 2


async def test_a_loop_ends_where_the_workflow_says(works_with, tool):
    works = works_with(LOOKED, settings=f"{READ}\nlimits: {{model_calls: 3}}")
    run = await works.carried(await works.begun())
    assert (run.status, run.error.code) == ("failed", "run_calls_used_up")
    assert len(works.runner.model.requests) == 3
    assert [body.get("tool_choice") for body in works.runner.model.bodies] == [None, None, "none"]


async def test_a_tool_is_called_as_often_as_the_run_may(works_with, tool):
    settings = READ.replace("effect: read", "effect: read, per_run: 2")
    works = works_with(LOOKED, LOOKED, LOOKED, GOOD, settings=settings)
    await works.carried(await works.begun())
    assert len(tool.calls) == 2
    assert [one["function"]["name"] for one in works.runner.model.bodies[1]["tools"]] == [
        "look",
        "ask_caller",
    ]
    assert "tools" not in works.runner.model.bodies[2]


async def test_a_run_spends_no_more_than_its_workflow_allows(works_with, tool):
    works = works_with(LOOKED, settings=f'{READ}\nlimits: {{usd: "0.000002"}}')
    run = await works.carried(await works.begun())
    assert (run.status, run.error.code) == ("failed", "run_money_used_up")
    assert len(works.runner.model.requests) == 2


async def test_an_answer_that_is_too_long_is_told_as_such(works_with, tool):
    tool.answers = [done("x" * 100_000)]
    works = works_with(LOOKED, GOOD, settings=READ)
    await works.carried(await works.begun())
    assert "100002 characters" in works.contents(1)[0]["error"]


async def test_an_answer_or_arguments_of_any_depth_end_no_run(works_with, tool):
    deep: object = "x\u200b"
    for _ in range(600):
        deep = [deep]
    tool.answers = [done(deep)]
    asked = asks(("look", TICKET), ("look", {**TICKET, "customer_id": deep}))
    works = works_with(asked, GOOD, settings=READ)
    run = await works.carried(await works.begun())
    assert run.status == "completed"
    first, second = works.contents(1)
    assert isinstance(first, list)
    assert "don't fit" in second["error"]


async def test_what_nobody_can_see_is_taken_out_of_what_tools_say(works_with, tool):
    tool.answers = [done({"note": "good\u202e\u200b day"})]
    works = works_with(LOOKED, GOOD, settings=READ)
    await works.carried(await works.begun())
    assert works.contents(1) == [{"note": "good day"}]
