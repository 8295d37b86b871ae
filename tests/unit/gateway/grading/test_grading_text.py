"""A request is graded by what its user said last, and by no more of it than was declared."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headgate.gateway.endpoints import ENDPOINTS
from headgate.gateway.grading.text import graded_text
from headgate.gateway.request import read_request

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["role", "content", "text", "x"]), inner, max_size=4)
    ),
    max_leaves=20,
)


def text_of(most: int = 1000, endpoint: str = "chat/completions", **fields: Any) -> str | None:
    body = json.dumps({"model": "m", **fields}).encode()
    return graded_text(read_request(ENDPOINTS[endpoint], body), most)


def user(content: Any) -> dict[str, Any]:
    return {"role": "user", "content": content}


@pytest.mark.parametrize(
    ("messages", "text"),
    [
        ([user("Why?")], "Why?"),
        ([{"role": "system", "content": "Be brief."}, user("  Why?\n")], "Why?"),
        ([user("First"), {"role": "assistant", "content": "Well"}, user("Then?")], "Then?"),
        ([user("Do it"), {"role": "assistant"}, {"role": "tool", "content": "42"}], "Do it"),
        ([user([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}])], "a\nb"),
        ([user([{"type": "image_url", "image_url": {"url": "https://x"}}])], None),
        ([user("")], None),
        ([{"role": "system", "content": "Only me."}], None),
        ([], None),
    ],
)
def test_of_a_chat_the_last_message_of_the_user_counts(messages, text):
    assert text_of(messages=messages) == text


def test_a_response_says_it_as_text_or_as_items():
    assert text_of(endpoint="responses", input="Why?") == "Why?"
    items = [user([{"type": "input_text", "text": "Why?"}]), {"type": "function_call_output"}]
    assert text_of(endpoint="responses", input=items) == "Why?"


def test_what_has_no_text_has_none():
    assert text_of(endpoint="embeddings", input="Why?") is None
    assert text_of() is None


def test_of_a_long_text_the_beginning_and_the_end_are_left():
    text = text_of(100, messages=[user("Summarise: " + "x" * 5000 + " In French!")])
    assert text is not None
    assert text.startswith("Summarise: ")
    assert text.endswith(" In French!")
    assert len(text) <= 100


@settings(deadline=None)
@given(JSON, st.integers(100, 200))
def test_whatever_is_sent_the_text_is_bounded_and_nothing_is_raised(messages, most):
    for endpoint, field in (("chat/completions", "messages"), ("responses", "input")):
        text = text_of(most, endpoint, **{field: messages})
        assert text is None or 0 < len(text) <= most


def test_json_nested_too_deep_has_no_text():
    body = b'{"model":"m","messages":' + b"[" * 900 + b"]" * 900 + b"}"
    request = read_request(ENDPOINTS["chat/completions"], body)
    assert graded_text(request, 100) is None
