"""What a server's result means, and how a hostile one is bounded."""

from __future__ import annotations

import pytest

from headgate.workflows.tools.mcp.answers import answer_of


def text(value: str) -> dict[str, object]:
    return {"content": [{"type": "text", "text": value}]}


def test_texts_are_joined_and_structure_goes_before_them():
    two = {"content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}
    assert answer_of(two, 100).content == "a\nb"
    assert answer_of(two | {"structuredContent": {"n": 1}}, 100).content == {"n": 1}


def test_structure_that_is_too_large_gives_way_to_the_text_cut():
    answer = answer_of(text("é" * 80) | {"structuredContent": {"n": "x" * 200}}, 100)
    assert answer.outcome == "done"
    assert answer.content == "é" * 50 + "\n[cut: 100 of 160 bytes]"


def test_an_error_is_a_failure_even_where_it_has_structure():
    answer = answer_of(text("no") | {"isError": True, "structuredContent": {"id": 1}}, 100)
    assert (answer.outcome, answer.content) == ("failed", "no")


def test_the_text_of_an_error_is_bounded():
    answer = answer_of(text("x" * 1_000_000) | {"isError": True}, 1_000_000)
    assert len(answer.content) < 9000


def test_an_error_without_a_text_says_so():
    assert answer_of({"content": [], "isError": True}, 100).content == (
        "the tool failed and said no more"
    )


@pytest.mark.parametrize(
    ("part", "note"),
    [
        ({"type": "image", "data": "…", "mimeType": "image/png"}, "[image left out]"),
        ({"type": "audio", "data": "…"}, "[audio left out]"),
        ({"type": "resource", "resource": {"text": "secret"}}, "[resource left out]"),
        ({"type": "resource_link", "uri": "file:///etc/passwd"}, "[resource link left out]"),
        ({"type": "text", "text": 5}, "[something that is no text left out]"),
        ("text", "[something that is no text left out]"),
        (None, "[something that is no text left out]"),
    ],
)
def test_what_is_no_text_is_only_mentioned(part, note):
    assert answer_of({"content": [part]}, 1000).content == note


@pytest.mark.parametrize("result", [None, [], "ok", {"content": "ok"}, {"content": {}}])
def test_what_is_no_result_leaves_it_open(result):
    answer = answer_of(result, 1000)
    assert (answer.outcome, answer.code) == ("unknown", "bad_answer")


def test_a_tool_that_asks_for_more_is_not_answered():
    answer = answer_of({"resultType": "input_required", "inputRequests": {}}, 1000)
    assert (answer.outcome, answer.code) == ("unknown", "input_required")
