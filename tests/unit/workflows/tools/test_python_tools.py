"""Functions as tools: what each way of ending means, and what their author is told."""

from __future__ import annotations

import asyncio
import itertools
import threading
import time
from pathlib import Path

import pytest

from headgate.checks.bounded_thread import BoundedThreads
from headgate.errors import ConfigError
from headgate.workflows.tools import python_tools, stoppable
from headgate.workflows.tools.python_tools import load_python_tools
from headgate.workflows.tools.tool import Tool, ToolAnswer, ToolCall

NUMBERS = itertools.count()
IMPORTS = "import asyncio, time, threading\nfrom headgate.tools import ToolError\n"


def tool_of(body: str, *, way: str = "def", signature: str = "n: int = 1") -> Tool:
    code = f'{IMPORTS}{way} act({signature}):\n    """Act."""\n    {body}\n'
    path = Path("workflows/x/tools.py")
    return load_python_tools(path, code.encode(), f"tools_of_test_{next(NUMBERS)}", ["act"])["act"]


async def answer_of(tool: Tool, timeout_s: float = 5, **arguments) -> ToolAnswer:
    return await tool.call(arguments, ToolCall(key="k-1", timeout_s=timeout_s, run_id="r"))


both = pytest.mark.parametrize("way", ["def", "async def"])


@both
async def test_what_it_returns_is_done(way):
    answer = await answer_of(tool_of("return {'n': n, 'at': (1.5, None)}", way=way), n=3)
    assert answer == ToolAnswer(outcome="done", content={"n": 3, "at": [1.5, None]})
    assert (await answer_of(tool_of("pass", way=way))).content is None


@both
async def test_a_tool_error_says_that_nothing_was_done(way):
    answer = await answer_of(tool_of("raise ToolError('There is no such order.')", way=way))
    assert answer == ToolAnswer(outcome="failed", content="There is no such order.", code="refused")
    answer = await answer_of(tool_of("raise ToolError('x' * 9000)", way=way))
    assert len(answer.content) == 2000


async def test_half_a_character_in_a_tool_error_is_replaced():
    answer = await answer_of(tool_of("raise ToolError('a\\ud800b')"))
    assert answer.content == "a?b"


@both
@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("raise ValueError('a secret')", "raised ValueError at line 5"),
        ("raise SystemExit('a secret')", "raised SystemExit at line 5"),
        ("raise KeyboardInterrupt", "raised KeyboardInterrupt at line 5"),
        ("raise TimeoutError('a secret')", "raised TimeoutError at line 5"),
        ("return object()", r"returned what is no JSON \(object\)"),
        ("return float('nan')", r"returned what can't be JSON \(float\)"),
        ("x = []; x.append(x); return x", r"returned what can't be JSON \(list\)"),
    ],
)
async def test_after_any_other_end_nobody_knows(way, body, says):
    answer = await answer_of(tool_of(body, way=way))
    assert answer.outcome == "unknown"
    assert answer.code in ("raised", "invalid_result")
    assert "secret" not in answer.content
    assert __import__("re").search(says, answer.content), answer.content


@both
async def test_what_takes_too_long_is_unknown(way):
    wait = "await asyncio.sleep(5)" if way == "async def" else "time.sleep(2)"
    started = time.monotonic()
    answer = await answer_of(tool_of(wait, way=way), timeout_s=0.05)
    assert (answer.outcome, answer.code) == ("unknown", "timeout")
    assert "took longer than 0.05 s" in answer.content
    assert time.monotonic() - started < 1.5


async def test_a_coroutine_that_will_not_stop_is_no_longer_waited_for(monkeypatch):
    monkeypatch.setattr(stoppable, "_STOPPING_S", 0.05)
    monkeypatch.setattr(stoppable, "_AT_MOST", 1)
    body = (
        "end = time.monotonic() + 2.5\n"
        "    while time.monotonic() < end:\n"
        "        try: await asyncio.sleep(0.05)\n"
        "        except asyncio.CancelledError: pass"
    )
    tool = tool_of(body, way="async def")
    started = time.monotonic()
    assert (await answer_of(tool, timeout_s=0.05)).code == "timeout"
    assert time.monotonic() - started < 2
    busy = await answer_of(tool)
    assert (busy.outcome, busy.code) == ("failed", "busy")
    await asyncio.sleep(max(0.0, 2.7 - (time.monotonic() - started)))
    assert (await answer_of(tool, timeout_s=10)).outcome == "done"
    await tool.close()


async def test_a_call_that_is_cancelled_cancels_the_coroutine(tmp_path):
    mark = tmp_path / "stopped"
    body = f"try: await asyncio.sleep(5)\n    finally: open({str(mark)!r}, 'w').close()"
    call = asyncio.ensure_future(answer_of(tool_of(body, way="async def")))
    await asyncio.sleep(0.05)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert mark.exists()


async def test_a_coroutine_that_cancels_itself_does_not_cancel_the_run():
    tool = tool_of("asyncio.current_task().cancel(); await asyncio.sleep(1)", way="async def")
    assert (await answer_of(tool)).outcome == "unknown"


async def test_a_plain_function_that_returns_a_coroutine_is_told_to_be_async():
    answer = await answer_of(tool_of("return asyncio.sleep(0)"))
    assert answer.outcome == "unknown"
    assert "must be `async def`" in answer.content


async def test_when_every_thread_hangs_the_next_call_did_certainly_nothing(monkeypatch):
    monkeypatch.setattr(python_tools, "_threads", BoundedThreads("tools", 1))
    tool = tool_of("time.sleep(0.3)")
    assert (await answer_of(tool, timeout_s=0.02)).outcome == "unknown"
    answer = await answer_of(tool)
    assert (answer.outcome, answer.code) == ("failed", "busy")
    await asyncio.sleep(0.4)
    assert (await answer_of(tool)).outcome == "done"


async def test_a_result_too_large_is_left_out():
    answer = await answer_of(tool_of("return 'x' * 300_000"))
    assert answer.outcome == "done"
    assert "300,002 bytes is left out" in answer.content


async def test_wrong_arguments_never_reach_the_function():
    answer = await answer_of(tool_of("raise ValueError"), n="1")
    assert (answer.outcome, answer.code) == ("failed", "invalid_arguments")
    assert "Expected `int`" in answer.content


async def test_the_idempotency_key_is_filled_in_and_shown():
    tool = tool_of("return idempotency_key", signature="n: int, *, idempotency_key: str")
    assert (await answer_of(tool, n=1)).content == "k-1"
    sent = tool.sent({"n": 1}, "k-1")
    assert sent.summary == "act(…) of tools.py"
    assert sent.details == {"function": "act", "arguments": {"n": 1}, "idempotency_key": "k-1"}
    assert "idempotency_key" not in tool_of("pass").sent({"n": 1}, "k-1").details


async def test_plain_functions_run_beside_the_event_loop():
    answer = await answer_of(tool_of("return threading.current_thread().name"))
    assert answer.content == "headgate-tools"
    assert threading.current_thread().name != "headgate-tools"
    answer = await answer_of(tool_of("return threading.current_thread().name", way="async def"))
    assert answer.content == threading.current_thread().name


async def test_the_model_is_told_docstring_and_schema():
    spec = await tool_of("pass", signature="n: int").spec()
    assert spec.description == "Act."
    assert spec.parameters == {
        "type": "object",
        "properties": {"n": {"type": "integer"}},
        "required": ["n"],
        "additionalProperties": False,
    }


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("x = (", "tools.py:1: not valid Python"),
        ("\nraise OSError('no disk')", "tools.py:2: raised OSError when loaded: no disk"),
        ("", "tools.py:1: act: there is no such function"),
        ("act = 3", "tools.py:1: act: is no function"),
        ("\n\nclass act: pass", "tools.py:1: act: is no function"),
        ("\nfrom textwrap import dedent as act", "tools.py:1: act: `text` has no type"),
        ("\ndef act(a): 'A.'", "tools.py:2: act: `a` has no type"),
        ("\n\ndef act(a: int): pass", "tools.py:3: act: write a docstring"),
        ("def act():\n  'A.'\n  yield", "tools.py:1: act: must return its result"),
        ("async def act():\n  'A.'\n  yield", "tools.py:1: act: must return its result"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(code, says):
    with pytest.raises(ConfigError) as told:
        load_python_tools(Path("tools.py"), code.encode(), f"broken_{next(NUMBERS)}", ["act"])
    assert told.value.problems[0].startswith(says)


def test_every_problem_is_told():
    with pytest.raises(ConfigError) as told:
        load_python_tools(
            Path("tools.py"), b"def a(x): 'A.'", f"broken_{next(NUMBERS)}", ["a", "b"]
        )
    assert len(told.value.problems) == 2


def test_functions_that_are_not_named_are_not_tools():
    code = b"def helper(x): pass\ndef act(n: int):\n  'Act.'"
    found = load_python_tools(Path("tools.py"), code, f"named_{next(NUMBERS)}", ["act"])
    assert list(found) == ["act"]


POST_INIT = """
import dataclasses

@dataclasses.dataclass
class Order:
    number: str

    def __post_init__(self):
        {}[self.number]

def act(order: Order):
    \"\"\"Act.\"\"\"
"""


async def test_arguments_that_its_types_refuse_are_seen_before_anybody_is_asked():
    path = Path("workflows/x/tools.py")
    name = f"tools_of_test_{next(NUMBERS)}"
    tool = load_python_tools(path, POST_INIT.encode(), name, ["act"])["act"]
    given = {"order": {"number": "a secret"}}
    assert tool.sent(given, "k").refused == "they raised KeyError"
    answer = await answer_of(tool, **given)
    assert (answer.outcome, answer.code) == ("failed", "invalid_arguments")
    assert "secret" not in answer.content
    when = tool_of("pass", signature="day: __import__('datetime').date")
    assert when.sent({"day": "2026-01-31"}, "k").refused is None
    assert "RFC3339" in when.sent({"day": "31.1."}, "k").refused
