"""Which questions may be compared: one project, one workflow, one version, no tools."""

from __future__ import annotations

import json
from typing import Any

import pytest
from kept_answers import a_scope, fields_of

from headgate.gateway.cache.semantic.question import Question, read_question

SYSTEM = {"role": "system", "content": "Label."}
USER = {"role": "user", "content": "Hello"}


def question(
    *messages: dict[str, Any], version: str | None = "hg_1", scope: Any = None, **more: Any
) -> Question | None:
    body = {"model": "m", "messages": list(messages), **more}
    scope = scope or a_scope(workflow="labels")
    return read_question(fields_of(json.dumps(body).encode()), scope, version)


def bounds(*messages: dict[str, Any], **more: Any) -> bytes:
    found = question(*messages, **more)
    assert found is not None
    return found.bounds


def test_only_the_last_text_may_differ():
    other = {"role": "user", "content": "Good morning"}
    found = question(SYSTEM, other)
    assert found is not None
    assert found.text == "Good morning"
    assert found.bounds == bounds(SYSTEM, USER)


@pytest.mark.parametrize(
    "changed",
    [
        {"version": "hg_2"},
        {"scope": a_scope(workflow="labels", project="sales")},
        {"scope": a_scope(workflow="other")},
        {"scope": a_scope(workflow="labels", targets="elsewhere")},
        {"temperature": 1},
        {"max_completion_tokens": 5},
    ],
    ids=str,
)
def test_everything_else_bounds_the_comparison(changed: dict[str, Any]):
    assert bounds(SYSTEM, USER, **changed) != bounds(SYSTEM, USER)


def test_so_do_the_messages_before():
    assert bounds({**SYSTEM, "content": "Sort."}, USER) != bounds(SYSTEM, USER)
    assert bounds(SYSTEM, {**USER, "name": "ann"}) != bounds(SYSTEM, USER)


@pytest.mark.parametrize(
    ("messages", "more"),
    [
        ([SYSTEM, USER], {"tools": [{"type": "function"}]}),
        ([SYSTEM, USER], {"functions": []}),
        ([SYSTEM, USER], {"scope": a_scope(workflow=None)}),
        ([SYSTEM, USER], {"version": None}),
        ([SYSTEM, USER], {"scope": a_scope(workflow="labels", endpoint="responses")}),
        ([], {}),
        ([SYSTEM], {}),
        ([USER, {"role": "assistant", "content": "Hi"}], {}),
        ([{"role": "user", "content": [{"type": "text", "text": "Hello"}]}], {}),
        ([{"role": "user", "content": " "}], {}),
    ],
    ids=str,
)
def test_what_has_no_text_or_has_tools_is_not_compared(messages: Any, more: Any):
    assert question(*messages, **more) is None
