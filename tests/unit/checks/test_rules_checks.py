"""A rule's every way of going wrong ends in a problem, never in a pass and never in a hang."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from headgate.checks import bounded_thread
from headgate.checks.bounded_thread import BoundedThreads, NoThreadFreeError, call_bounded
from headgate.checks.rules import Rules, RulesError
from headgate.checks.ruling import PASSED, Hold


def rules(code: str, timeout_s: float = 0.5) -> Rules:
    return Rules.load(
        Path("rules.py"), code.encode(), f"rules_of_test_{abs(hash(code))}", timeout_s
    )


async def test_no_problems_and_none_both_pass():
    assert await rules("def check(o, i): return []").check({}, {}) == PASSED
    assert await rules("def check(o, i): return None").check({}, {}) == PASSED
    assert await rules("def fallback(i): return {}").check({}, {}) == PASSED


@pytest.mark.parametrize("said", ["hold('sum: large')", "[hold('sum: large')]"])
async def test_a_check_may_have_a_person_look(said):
    code = f"from headgate.checks.ruling import hold\ndef check(o, i): return {said}"
    ruling = await rules(code).check({}, {})
    assert ruling.problems == ()
    assert ruling.hold == Hold(reasons=("sum: large",))


async def test_a_problem_goes_before_a_hold():
    code = "from headgate.checks.ruling import hold\ndef check(o, i): return ['bad', hold('odd')]"
    ruling = await rules(code).check({}, {})
    assert [problem.message for problem in ruling.problems] == ["bad"]
    assert ruling.hold is None


async def test_a_problem_may_begin_with_its_field():
    code = "def check(o, i): return ['a.b[0]: is bad', 'Nothing fits: at all']"
    first, second = (await rules(code).check({}, {})).problems
    assert (first.path, first.message) == ("a.b[0]", "is bad")
    assert (second.path, second.message) == ("", "Nothing fits: at all")
    assert second.check == "rules"


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("raise KeyError('a secret')", "raised KeyError at line 2"),
        ("raise StopIteration", "raised RuntimeError"),
        ("raise SystemExit", "raised RuntimeError"),
        ("raise KeyboardInterrupt", "raised RuntimeError"),
        ("return 'a text'", "must return a list of texts"),
        ("return [None]", "must return a list of texts"),
        ("from headgate.checks.ruling import hold; return hold(1)", "takes a text"),
        ("return False", "must return a list of texts"),
        ("import time; time.sleep(1)", "took longer than 0.1 s"),
    ],
)
async def test_a_check_that_goes_wrong_is_itself_a_problem(body, told):
    (problem,) = (await rules(f"def check(o, i):\n    {body}\n", 0.1).check({}, {})).problems
    assert told in problem.message
    assert "secret" not in problem.message


async def test_many_and_long_problems_are_cut():
    found = (await rules("def check(o, i): return ['x' * 9999] * 99").check({}, {})).problems
    assert len(found) == 20
    assert len(found[0].message) == 500


async def test_rules_work_on_copies():
    output, given = {"a": [1]}, {"b": [2]}
    code = "def check(o, i):\n    o['a'].append(9); i['b'].append(9)\n    return []\n"
    await rules(code).check(output, given)
    assert (output, given) == ({"a": [1]}, {"b": [2]})


async def test_amend_and_fallback_must_return_objects():
    assert await rules("def amend(o, i): return {'a': (1,)}").amend({}, {}) == {"a": [1]}
    assert await rules("def fallback(i): return i").amend({"x": 1}, {}) == {"x": 1}
    for body in ("None", "[]", "{1: 2}", "{'a': float('inf')}", "{'a': object()}"):
        with pytest.raises(RulesError):
            await rules(f"def amend(o, i): return {body}").amend({}, {})
        with pytest.raises(RulesError):
            await rules(f"def fallback(i): return {body}").fallback({})


async def test_a_rules_file_may_define_dataclasses_and_helpers():
    code = (
        "from __future__ import annotations\nfrom dataclasses import dataclass\n"
        "@dataclass\nclass Limit:\n    most: int\n"
        "def check(o, i): return [] if o['n'] <= Limit(3).most else ['n: too much']\n"
    )
    assert await rules(code).check({"n": 3}, {}) == PASSED
    assert len((await rules(code).check({"n": 4}, {})).problems) == 1


async def test_a_hanging_rule_does_not_hold_up_the_event_loop():
    slow = rules("import time\ndef check(o, i): time.sleep(2)", 0.05)
    started = time.monotonic()
    found = await asyncio.gather(*(slow.check({}, {}) for _ in range(3)))
    assert time.monotonic() - started < 1.5
    assert all(ruling.problems for ruling in found)
    await asyncio.sleep(0.35)


async def test_when_every_thread_hangs_the_next_rule_fails_at_once(monkeypatch):
    import threading

    monkeypatch.setattr(bounded_thread, "_rules", BoundedThreads("rules", 2))
    go = threading.Event()
    stuck = [asyncio.create_task(call_bounded(go.wait, 5)) for _ in range(2)]
    await asyncio.sleep(0.02)
    with pytest.raises(NoThreadFreeError):
        await call_bounded(lambda: 1, 5)
    (problem,) = (await rules("def check(o, i): return []").check({}, {})).problems
    assert "never returned" in problem.message
    go.set()
    await asyncio.gather(*stuck)
    assert await call_bounded(lambda: 1, 5) == 1
