"""What rules say decides what becomes of a run: asked again, fallen back, or held for a person."""

from __future__ import annotations

from headgate.checks import declared_rules
from headgate.checks.ruling import Hold
from headgate.workflows.output_check import checked
from headgate.workflows.steps import Trail
from scripted_workflows import GOOD, declare, order

AT_MOST_5 = "checks:\n  rules:\n    - {field: score, range: {at_most: 5}, message: is too much}\n"
HOLDS = AT_MOST_5.replace("message", "on_fail: hold, message")
FALLBACK = "fallback:\n  output: {label: bad, score: 0}\n"
MUCH = GOOD | {"score": 9}


async def test_what_breaks_a_declared_rule_is_asked_again_with_its_message(
    runner_with, labels, repository
):
    declare(labels, AT_MOST_5)
    runner = runner_with(MUCH, GOOD)
    run = await runner.run(order())
    assert (run.status, run.output) == ("completed", GOOD)
    assert "score: is too much" in runner.model.bodies[1]["messages"][-1]["content"]
    (failed,) = [step for step in repository.get(run.id).steps if step.verdict == "failed"]
    assert (failed.kind, failed.problems[0].check) == ("rules", "range")


async def test_what_keeps_breaking_it_ends_in_the_fallback(runner_with, labels):
    declare(labels, AT_MOST_5 + FALLBACK)
    run = await runner_with(MUCH).run(order())
    assert (run.output, run.fallback) == ({"label": "bad", "score": 0}, True)
    assert len(run.calls) == 2


async def test_a_model_is_told_at_once_what_all_rules_say(runner_with, labels):
    declare(labels, AT_MOST_5)
    (labels / "rules.py").write_text("def check(output, input): return ['label: not today']\n")
    runner = runner_with(MUCH, GOOD)
    await runner.run(order())
    asked = runner.model.bodies[1]["messages"][-1]["content"]
    assert "score: is too much" in asked
    assert "label: not today" in asked


async def test_rules_judge_what_amend_made(runner_with, labels):
    declare(labels, AT_MOST_5)
    (labels / "rules.py").write_text(
        "def amend(output, input):\n    output['score'] = min(output['score'], 5)\n"
        "    return output\n"
    )
    run = await runner_with(MUCH).run(order())
    assert run.output == GOOD | {"score": 5}
    assert run.steps[-1].verdict == "amended"


async def test_what_is_held_goes_nowhere_without_reviews(runner_with, labels, repository):
    declare(labels, HOLDS + FALLBACK)
    run = await runner_with(MUCH).run(order())
    assert (run.status, run.output, run.fallback) == ("failed", None, False)
    assert (run.error.code, run.error.retryable) == ("review_needed", False)
    assert len(run.calls) == 1, "there is nothing to ask a model again"
    stored = repository.get(run.id)
    assert stored.output is None
    assert stored.steps[-1].verdict == "held"
    assert str(stored.steps[-1].problems[0]) == "score: is too much"


async def test_rules_py_may_hold(runner_with, labels):
    (labels / "rules.py").write_text(
        "from headgate.checks.ruling import hold\n"
        "def check(output, input):\n"
        "    return hold('score: odd') if output['score'] > 5 else None\n"
    )
    runner = runner_with(GOOD)
    assert (await runner.run(order())).status == "completed"
    workflow = runner.catalogue.get("labels")
    found = await checked(workflow, MUCH, {"text": "x"}, Trail())
    assert (found.problems, found.hold) == ((), Hold(reasons=("score: odd",)))


async def test_an_answer_that_is_wrong_and_odd_is_asked_again_first(runner_with, labels):
    declare(labels, HOLDS + "    - {field: label, allowed: [good]}\n")
    run = await runner_with(MUCH | {"label": "bad"}, GOOD).run(order())
    assert (run.status, run.output) == ("completed", GOOD)


async def test_rules_that_take_too_long_let_nothing_by(runner_with, labels, monkeypatch):
    declare(labels, AT_MOST_5.replace("rules:", "rules_timeout_s: 0.05\n  rules:"))
    import threading

    release = threading.Event()
    monkeypatch.setattr(declared_rules, "places", lambda *_: release.wait(5))
    run = await runner_with(GOOD).run(order())
    release.set()
    assert run.error.code == "checks_failed"
    assert "took longer than 0.05 s" in run.steps[-1].problems[0].message
