"""What becomes of one input, on every way that a run can take."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from headgate.errors import (
    InvalidRequestError,
    NotFoundError,
    PayloadTooLargeError,
    PermissionDeniedError,
    UnavailableError,
)
from headgate.gateway.caller import Caller
from scripted_workflows import GOOD, completion, declare, failure, order

BAD = {"label": "ugly", "score": 3}


def write_rules(labels: Path, text: str) -> None:
    (labels / "rules.py").write_text(text)


async def test_a_good_answer_completes_and_is_stored_with_its_steps(runner_with, repository):
    runner = runner_with(GOOD)
    run = await runner.run(order(user="ann", feature="sorting"))
    assert (run.status, run.output, run.fallback, run.error) == ("completed", GOOD, False, None)
    assert [step.kind for step in run.steps] == ["input", "render", "call", "parse", "schema"]
    assert {step.verdict for step in run.steps} == {"passed"}
    stored = repository.get(run.id)
    assert stored == run
    assert stored.version == "1.2.3"
    assert stored.digest.startswith("sha256:")
    assert stored.user_hash == "#ann"
    assert stored.feature == "sorting"
    assert stored.cost_nanousd == 1_000
    assert stored.calls[0].target == "openai/small-model"


async def test_the_request_asks_for_strict_output_and_bounds_its_length(runner_with):
    runner = runner_with(GOOD)
    await runner.run(order(headers=((b"x-simulator-fault", b"500;first"),), user="ann"))
    body = runner.model.bodies[0]
    assert body["model"] == "small-model"
    assert body["max_completion_tokens"] == 2048
    assert body["store"] is False
    assert body["response_format"]["type"] == "json_schema"
    assert body["response_format"]["json_schema"]["strict"] is True
    assert body["response_format"]["json_schema"]["name"] == "labels"
    assert "temperature" not in body
    assert "reasoning_effort" not in body
    assert [m["role"] for m in body["messages"]] == ["system", "user"]
    request = runner.model.requests[0]
    assert request.headers == ((b"x-simulator-fault", b"500;first"),)
    assert (request.user_hash, request.workflow) == ("#ann", "labels")


async def test_sampling_is_sent_when_the_owner_sets_it(runner_with, labels):
    declare(labels, "temperature: 0.2\nreasoning_effort: low\nmax_output_tokens: 99\n")
    runner = runner_with(GOOD)
    await runner.run(order())
    body = runner.model.bodies[0]
    assert (body["temperature"], body["reasoning_effort"]) == (0.2, "low")
    assert body["max_completion_tokens"] == 99


@pytest.mark.parametrize(
    ("answer", "check", "told"),
    [
        (BAD, "enum", "label: must be one of good, bad"),
        ("not json", "json", "is not JSON"),
        ("[1]", "json", "must be one JSON object"),
        ("", "json", "is not JSON"),
        (f'{{"label": {"[" * 300}{"]" * 300}}}', "schema", "does not fit the schema"),
        (completion(None, refusal="I can't."), "refusal", "you refused"),
        (completion('{"label": "go', finish_reason="length"), "length", "cut off at 2048 tokens"),
        (completion("x", finish_reason="content_filter"), "content_filter", "withheld"),
    ],
)
async def test_an_answer_that_fails_is_asked_again_with_its_faults(
    runner_with, answer, check, told
):
    runner = runner_with(answer, GOOD)
    run = await runner.run(order())
    assert (run.status, run.output, run.fallback) == ("completed", GOOD, False)
    failed = [step for step in run.steps if step.verdict == "failed"]
    assert [problem.check for step in failed for problem in step.problems] == [check]
    assert [step.attempt for step in run.steps if step.kind == "call"] == [1, 2]
    first, second = (body["messages"] for body in runner.model.bodies)
    assert second[: len(first)] == first
    assert told in second[-1]["content"]
    assert second[-1]["role"] == "user"
    assert run.cost_nanousd == 2_000


async def test_the_model_is_told_how_often_it_was_asked_before(runner_with):
    runner = runner_with({"label": "other"}, GOOD)
    await runner.run(order())
    assert [request.asked_before for request in runner.model.requests] == [0, 1]


async def test_the_failed_answer_is_shown_again_but_a_cut_one_is_not(runner_with):
    shown = runner_with(BAD, GOOD)
    await shown.run(order())
    assert shown.model.bodies[1]["messages"][-2]["role"] == "assistant"
    cut = runner_with(completion("half", finish_reason="length"), GOOD)
    await cut.run(order())
    assert "half" not in str(cut.model.bodies[1]["messages"])


async def test_two_failed_answers_end_in_the_declared_fallback(runner_with, labels, repository):
    declare(labels, "fallback:\n  output: {label: bad, score: 0}\n")
    run = await runner_with(BAD).run(order())
    assert (run.status, run.fallback) == ("completed", True)
    assert run.output == {"label": "bad", "score": 0}
    assert run.steps[-1].kind == "fallback"
    assert run.steps[-1].code == "checks_failed"
    assert repository.get(run.id).fallback is True


async def test_two_failed_answers_without_fallback_fail_the_run(runner_with, repository):
    runner = runner_with(BAD)
    run = await runner.run(order())
    assert (run.status, run.output) == ("failed", None)
    assert (run.error.status, run.error.code) == (502, "checks_failed")
    assert "enum" in run.error.message
    assert len(runner.model.requests) == 2
    assert repository.get(run.id) == run


@pytest.mark.parametrize(("reask", "calls"), [(0, 1), (2, 3)])
async def test_the_owner_says_how_often_it_is_asked_again(runner_with, labels, reask, calls):
    declare(labels, f"checks: {{reask: {reask}}}\n")
    runner = runner_with(BAD)
    await runner.run(order())
    assert len(runner.model.requests) == calls


@pytest.mark.parametrize(
    "reply", [failure(504, "upstream_timeout"), failure(429, "rate_limit_exceeded")]
)
async def test_an_upstream_failure_fails_the_run_with_that_error(runner_with, reply):
    runner = runner_with(reply)
    run = await runner.run(order())
    assert run.status == "failed"
    assert run.error.status == reply.status
    assert run.error.message == "It broke."
    assert run.steps[-1].code == run.error.code
    assert len(runner.model.requests) == 1


async def test_an_upstream_failure_falls_back_where_that_is_declared(runner_with, labels):
    declare(labels, "fallback: {from_rules: true}\n")
    write_rules(labels, "def fallback(input):\n    return {'label': 'bad', 'score': len(input)}\n")
    run = await runner_with(failure(502, "upstream_failed")).run(order())
    assert (run.status, run.fallback) == ("completed", True)
    assert run.output == {"label": "bad", "score": 1}
    assert run.steps[-1].code == "upstream_failed"


async def test_an_error_without_a_readable_body_still_says_what_happened(runner_with):
    odd = completion("")
    odd = type(odd)(call_id="call_1", status=500, body=b"<html>")
    run = await runner_with(odd).run(order())
    assert (run.error.status, run.error.code) == (500, "upstream_failed")


async def test_a_refusal_of_headgates_own_is_an_error_of_the_run(runner_with):
    run = await runner_with(UnavailableError("The ledger is full.", code="ledger_full")).run(
        order()
    )
    assert (run.status, run.error.status, run.error.code) == ("failed", 503, "ledger_full")


async def test_rules_see_the_output_and_can_refuse_it(runner_with, labels):
    write_rules(
        labels,
        "def check(output, input):\n"
        "    return ['score: must be 7'] if output['score'] != 7 else []\n",
    )
    runner = runner_with(GOOD, {"label": "good", "score": 7})
    run = await runner.run(order())
    assert run.output["score"] == 7
    assert "- score: must be 7" in runner.model.bodies[1]["messages"][-1]["content"]


async def test_rules_can_put_an_output_right(runner_with, labels):
    write_rules(labels, "def amend(output, input):\n    output['score'] = 9\n    return output\n")
    run = await runner_with(GOOD).run(order())
    assert run.output == {"label": "good", "score": 9}
    assert run.steps[-1].verdict == "amended"


async def test_an_amended_output_must_still_fit_the_schema(runner_with, labels):
    write_rules(labels, "def amend(output, input):\n    return {'label': 'purple', 'score': 1}\n")
    run = await runner_with(GOOD).run(order())
    assert run.error.code == "checks_failed"


@pytest.mark.parametrize(
    "body",
    [
        "raise ValueError('a secret of ' + input['text'])",
        "raise SystemExit",
        "return 'not a list'",
        "return [1]",
        "import time; time.sleep(0.4)",
    ],
)
async def test_a_rule_that_cannot_run_lets_nothing_pass(runner_with, labels, repository, body):
    declare(labels, "checks: {reask: 0, rules_timeout_s: 0.1}\n")
    write_rules(labels, f"def check(output, input):\n    {body}\n")
    run = await runner_with(GOOD).run(order("ann"))
    assert (run.status, run.output) == ("failed", None)
    assert run.error.code == "checks_failed"
    assert run.steps[-1].kind == "rules"
    assert run.steps[-1].verdict == "failed"
    assert "secret of ann" not in str(repository.get(run.id).steps)


async def test_a_fallback_that_fails_leaves_the_first_error(runner_with, labels):
    declare(labels, "fallback: {from_rules: true}\n")
    write_rules(labels, "def fallback(input):\n    return {'label': 'unheard-of', 'score': 0}\n")
    run = await runner_with(failure(502, "upstream_failed")).run(order())
    assert (run.status, run.output, run.error.code) == ("failed", None, "upstream_failed")
    assert run.steps[-1].verdict == "failed"


async def test_a_run_that_takes_too_long_falls_back_and_says_why(runner_with, labels):
    declare(labels, "limits: {timeout_s: 0.05}\nfallback:\n  output: {label: bad, score: 0}\n")
    runner = runner_with(GOOD)
    runner.model.delay_s = 5
    run = await runner.run(order())
    assert (run.status, run.fallback) == ("completed", True)
    assert run.steps[-1].code == "run_timeout"
    assert run.steps[-2].verdict == "interrupted"


async def test_a_run_that_takes_too_long_without_fallback_fails_with_504(runner_with, labels):
    declare(labels, "limits: {timeout_s: 0.05}\n")
    runner = runner_with(GOOD)
    runner.model.delay_s = 5
    run = await runner.run(order())
    assert (run.error.status, run.error.code) == (504, "run_timeout")


async def test_a_caller_that_goes_away_ends_the_run(runner_with, repository):
    runner = runner_with(GOOD)
    runner.model.delay_s = 30
    task = asyncio.create_task(runner.run(order(idempotency_key="k")))
    while not runner.model.requests:
        await asyncio.sleep(0.005)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    (stored,) = repository.newest(limit=10)
    assert (stored.status, stored.error.code) == ("failed", "client_disconnected")
    runner.model.delay_s = 0
    again = await runner.run(order(idempotency_key="k"))
    assert (again.status, again.replayed) == ("completed", False)


async def test_a_fault_of_ours_is_recorded_and_raised(runner_with, repository):
    with pytest.raises(ZeroDivisionError):
        await runner_with(ZeroDivisionError("private")).run(order())
    (stored,) = repository.newest(limit=10)
    assert (stored.status, stored.error.code) == ("failed", "internal_error")
    assert "private" not in str(stored)


@pytest.mark.parametrize(
    ("given", "param"),
    [
        ({}, "input.text"),
        ({"text": 3}, "input.text"),
        ({"text": "x", "colour": "red"}, "input.colour"),
        ("text", "input"),
        (None, "input"),
        ({"text": [[[]]]}, "input.text"),
    ],
)
async def test_an_input_that_does_not_fit_names_the_field_and_makes_no_run(
    runner_with, repository, given, param
):
    runner = runner_with(GOOD)
    with pytest.raises(InvalidRequestError) as caught:
        await runner.run(order(input=given))
    assert caught.value.param == param
    assert repository.newest(limit=1) == []
    assert runner.model.requests == []


async def test_an_input_nested_very_deep_is_refused(runner_with):
    given: object = "end"
    for _ in range(500):
        given = [given]
    with pytest.raises(InvalidRequestError, match="levels deep"):
        await runner_with(GOOD).run(order(input={"text": given}))


async def test_an_input_larger_than_the_workflow_takes_is_refused(runner_with, labels):
    declare(labels, "limits: {input_max_bytes: 100}\n")
    with pytest.raises(PayloadTooLargeError, match="this workflow takes 100"):
        await runner_with(GOOD).run(order("x" * 200))


async def test_an_unknown_workflow_is_404_and_names_those_there_are(runner_with):
    with pytest.raises(NotFoundError, match="there are labels"):
        await runner_with(GOOD).run(order(workflow="label"))


async def test_a_key_may_be_kept_from_a_workflow(runner_with):
    limited = Caller(key_id="key_2", project="default", role="app", workflows=("other-*",))
    with pytest.raises(PermissionDeniedError, match="may not run"):
        await runner_with(GOOD).run(order(caller=limited))
