"""A streamed message says the same as a whole one, wherever its bytes are cut."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import anthropics
from anthropics import event, message, text, thinking, tool_use
from headgate.config.settings import ProviderSettings
from headgate.gateway.dialects import dialect_for
from headgate.gateway.dialects.anthropic import AnthropicDialect
from headgate.gateway.endpoints import ENDPOINTS
from headgate.gateway.endpoints.endpoint import StreamRefused
from headgate.gateway.request import Request, read_request

DIALECT = AnthropicDialect(b"", default_max_tokens=100, clock=lambda: 1_790_000_000.5)

words = st.text(st.sampled_from('ab"\\{}[]:,\n é中data event: \u2028'), min_size=1, max_size=12)
blocks = st.one_of(
    words.map(text),
    words.map(thinking),
    st.builds(
        tool_use,
        st.sampled_from(["weather", "clock"]),
        st.dictionaries(words, st.one_of(words, st.integers(), st.none()), max_size=3),
        st.sampled_from(["toolu_a", "toolu_b"]),
    ),
    st.just({"type": "redacted_thinking", "data": "abc="}),
    st.just({"type": "server_tool_use", "id": "x", "name": "web_search", "input": {}}),
)
stops = st.sampled_from(
    ["end_turn", "max_tokens", "stop_sequence", "tool_use", "refusal", "pause_turn"]
)


def request(name: str, **fields: Any) -> Request:
    body = {"model": "claude-x", "stream": True, "messages": [], "input": "Hello", **fields}
    del body["input" if name == "chat/completions" else "messages"]
    return read_request(ENDPOINTS[name], json.dumps(body).encode())


@st.composite
def cut_streams(draw: st.DrawFn) -> tuple[dict[str, Any], list[bytes], bytes]:
    """A message, its stream cut anywhere, and the whole of its stream."""
    content = draw(st.lists(blocks, max_size=4))
    whole = message(*content, stop=draw(stops))
    data = b"".join(anthropics.events(whole, pieces=draw(st.integers(1, 4))))
    if draw(st.booleans()):
        data = data.replace(b"\n", b"\r\n")
    cuts = sorted(draw(st.sets(st.integers(1, len(data) - 1), max_size=8)))
    ends = [0, *cuts, len(data)]
    return whole, [data[a:b] for a, b in pairwise(ends)], data


def told(asked: Request, pieces: list[bytes]) -> tuple[bytes, Any]:
    """What a client sees of the stream, and its reader."""
    reader = DIALECT.stream_reader(asked)
    return b"".join(map(reader.feed, pieces)), reader


def objects(stream: bytes) -> list[dict[str, Any]]:
    found = []
    for block in stream.decode().split("\n\n"):
        data = block.rpartition("data: ")[2]
        if data and data != "[DONE]":
            found.append(json.loads(data))
    return found


@settings(max_examples=150, deadline=None)
@given(cut_streams())
def test_a_chats_chunks_add_up_to_the_whole_completion(drawn):
    whole, pieces, data = drawn
    asked = request("chat/completions", stream_options={"include_usage": True})
    seen, reader = told(asked, pieces)
    assert seen == told(asked, [data])[0]
    assert reader.finished
    assert seen.endswith(b"data: [DONE]\n\n")
    expected = json.loads(DIALECT.answer(asked, 200, json.dumps(whole).encode()))
    chunks = objects(seen)
    assert {chunk["id"] for chunk in chunks} == {expected["id"]}
    assert chunks[-1]["usage"] == expected["usage"]
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks[:-1]]
    said = "".join(delta.get("content") or "" for delta in deltas)
    choice = expected["choices"][0]
    assert said == (choice["message"]["content"] or "")
    assert chunks[-2]["choices"][0]["finish_reason"] == choice["finish_reason"]
    calls: dict[int, dict[str, Any]] = {}
    for delta in deltas:
        for call in delta.get("tool_calls", ()):
            known = calls.setdefault(call["index"], {"id": call.get("id"), "arguments": ""})
            known["name"] = call["function"].get("name", known.get("name"))
            known["arguments"] += call["function"]["arguments"]
    assert [
        (call["id"], call["name"], json.loads(call["arguments"])) for call in calls.values()
    ] == [
        (c["id"], c["function"]["name"], json.loads(c["function"]["arguments"]))
        for c in choice["message"].get("tool_calls", ())
    ]
    assert list(calls) == list(range(len(calls)))
    check_usage(reader, expected["usage"]["prompt_tokens"])


@settings(max_examples=150, deadline=None)
@given(cut_streams(), st.booleans(), st.booleans())
def test_a_responses_events_add_up_to_the_whole_response(drawn, summary, sealed):
    whole, pieces, data = drawn
    fields: dict[str, Any] = {"reasoning": {"summary": "auto"}} if summary else {}
    if sealed:
        fields["include"] = ["reasoning.encrypted_content"]
    asked = request("responses", **fields)
    seen, reader = told(asked, pieces)
    assert seen == told(asked, [data])[0]
    assert reader.finished
    expected = normal(json.loads(DIALECT.answer(asked, 200, json.dumps(whole).encode())))
    events = objects(seen)
    assert [each["sequence_number"] for each in events] == list(range(len(events)))
    assert [each["type"] for each in events[:2]] == ["response.created", "response.in_progress"]
    final = events[-1]
    assert final["type"] == f"response.{expected['status']}"
    assert normal(final["response"]) == expected
    done = [each["item"] for each in events if each["type"] == "response.output_item.done"]
    added = [each["item"] for each in events if each["type"] == "response.output_item.added"]
    assert [item["id"] for item in added] == [item["id"] for item in done]
    assert [item["id"] for item in done] == [item["id"] for item in expected["output"]]
    grown: dict[str, str] = {}
    for each in events:
        if each["type"].endswith(".delta"):
            grown[each["item_id"]] = grown.get(each["item_id"], "") + each["delta"]
    for item in done:
        shown = item.get("arguments")
        if item["type"] == "message":
            shown = item["content"][0]["text"]
        if item["type"] == "reasoning":
            shown = "".join(part["text"] for part in item["summary"])
        assert grown.get(item["id"], "") == shown
    check_usage(reader, expected["usage"]["input_tokens"])


def check_usage(reader: Any, input_tokens: int) -> None:
    assert reader.usage.input_tokens == input_tokens == 3210
    assert (reader.usage.cached_tokens, reader.usage.cache_write_tokens) == (3000, 200)
    assert (reader.usage.output_tokens, reader.usage.reasoning_tokens) == (40, 7)


def normal(response: dict[str, Any]) -> dict[str, Any]:
    """Arguments as values: the same JSON may be spaced in two ways."""
    for item in response["output"]:
        if "arguments" in item:
            item["arguments"] = json.loads(item["arguments"])
    return response


@pytest.mark.parametrize("name", ["chat/completions", "responses"])
@given(cut_streams(), st.integers(0, 10_000))
@settings(max_examples=60, deadline=None)
def test_a_stream_that_ends_early_never_looks_complete(name, drawn, at):
    data = drawn[2].replace(b"\r\n", b"\n")
    end = data.index(b"event: message_stop")
    seen, reader = told(request(name), [data[: min(at, end)]])
    assert not reader.finished
    assert b"[DONE]" not in seen
    assert b'"type":"response.completed"' not in seen


@pytest.mark.parametrize("name", ["chat/completions", "responses"])
def test_an_error_before_any_content_may_be_tried_elsewhere(name):
    begun = anthropics.events(message(text("Hi")))[:2]
    error = event("error", error={"type": "overloaded_error", "message": "Overloaded"})
    with pytest.raises(StreamRefused, match="Overloaded") as refused:
        told(request(name), [*begun, error])
    assert (refused.value.code, refused.value.status) == ("overloaded", 529)


@pytest.mark.parametrize("name", ["chat/completions", "responses"])
def test_an_error_after_content_is_the_last_that_is_told(name):
    begun = anthropics.events(message(text("Hi")))[:4]
    error = event("error", error={"type": "api_error", "message": "Broken"})
    seen, reader = told(request(name), [*begun, error, event("message_stop")])
    assert reader.failure == "server_error"
    assert objects(seen)[-1]["error"]["message"] == "Broken"


@pytest.mark.parametrize(
    "data",
    [
        b"data: {\n\n",
        b"data: [1]\n\n",
        b'data: {"type": 1}\n\n',
        event("content_block_stop", index=0),
        event("message_start", message={"id": "m", "model": "c"}) * 2,
    ],
)
@pytest.mark.parametrize("name", ["chat/completions", "responses"])
def test_what_is_no_message_is_not_read(name, data):
    with pytest.raises(ValueError):
        told(request(name), [data])


@pytest.mark.parametrize(
    "usage", [{"input_tokens": -5, "output_tokens": 1}, {"input_tokens": 10**12}, {}]
)
@pytest.mark.parametrize("name", ["chat/completions", "responses"])
def test_absurd_or_missing_usage_is_not_taken_for_a_figure(name, usage):
    whole = message(text("Hi"), usage=usage)
    said = json.loads(DIALECT.answer(request(name), 200, json.dumps(whole).encode()))
    assert said["usage"] is None
    start = event("message_start", message={**whole, "content": []})
    _, reader = told(request(name), [start, *anthropics.block_events(0, text("Hi"), 1)])
    reader.feed(event("message_stop"))
    assert reader.finished
    assert reader.usage is None, "then it is estimated"


@pytest.mark.parametrize("end", [[], [event("error", error={"type": "overloaded_error"})]])
@pytest.mark.parametrize("name", ["chat/completions", "responses"])
def test_of_a_message_that_breaks_off_the_input_is_known_and_the_output_is_not(name, end):
    begun = message(usage={"input_tokens": 10, "output_tokens": 1})
    start = event("message_start", message=begun)
    written = anthropics.block_events(0, text("Hello there"), 3)[:-1]
    _, reader = told(request(name), [start, *written, *end])
    assert reader.usage.input_tokens == 10
    assert reader.usage.output_tokens is None, "then it is estimated"
    assert reader.events > len(written)


def test_an_unknown_event_or_delta_is_passed_over():
    begun = anthropics.events(message(text("Hi")))
    odd = [
        event("something_new", index=3),
        event("content_block_delta", index=0, delta={"type": "new_delta", "new": 1}),
        event("content_block_delta", index=9, delta={"type": "text_delta", "text": "?"}),
    ]
    plain, _ = told(request("responses"), begun)
    seen, _ = told(request("responses"), [*begun[:4], *odd, *begun[4:]])
    assert seen == plain


def test_the_dialect_is_chosen_by_the_kind():
    assert isinstance(dialect_for(ProviderSettings(kind="anthropic")), AnthropicDialect)
