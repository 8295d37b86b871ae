"""A workflow that says `cache:` gives good answers again, and no others."""

from __future__ import annotations

from msgspec.structs import replace

from headgate.config.caching import WorkflowCacheSettings
from headgate.workflows.folder import load_workflow
from scripted_workflows import GOOD, completion, order


def answer(content: str, disowned: list[str]):
    return replace(completion(content), disown=lambda: disowned.append(content))


async def test_an_answer_that_fails_the_checks_is_not_given_again(runner_with):
    for bad in ("not json", '{"label": "ugly", "score": 1}'):
        disowned: list[str] = []
        runner = runner_with(answer(bad, disowned), answer('{"label":"good","score":1}', disowned))
        run = await runner.run(order())
        assert run.status == "completed"
        assert disowned == [bad]


async def test_only_the_first_question_is_answered_from_the_cache(runner_with):
    runner = runner_with("not json", GOOD)
    await runner.run(order())
    assert [request.no_store for request in runner.model.requests] == [False, True]


async def test_a_caller_may_ask_the_model_in_any_case(runner_with):
    runner = runner_with(GOOD)
    await runner.run(order(no_store=True))
    assert runner.model.requests[0].no_store


def test_the_block_is_read(labels):
    with (labels / "workflow.yaml").open("a") as file:
        file.write("cache: {ttl_s: 60, tags: [labels]}\n")
    assert load_workflow(labels).settings.cache == WorkflowCacheSettings(ttl_s=60, tags=("labels",))
