"""A kept response told as a stream has the events of one, and its last event is the response."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openai import omit
from openai.lib.streaming.responses._responses import ResponseStreamState
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

from headgate.gateway.cache.forms import form_of
from headgate.gateway.endpoints import ENDPOINTS, Usage

FORM = form_of("responses")
EVENTS: TypeAdapter[ResponseStreamEvent] = TypeAdapter(ResponseStreamEvent)

_text = st.text(st.characters(codec="utf-8"), max_size=700)


@st.composite
def items(draw: st.DrawFn) -> dict[str, Any]:
    """An item of a response's output."""
    text = draw(_text)
    match draw(st.sampled_from(["message", "refusal", "function", "reasoning", "custom"])):
        case "message":
            note = {
                "type": "url_citation", "start_index": 0, "end_index": 1, "url": "u", "title": "t",
            }  # fmt: skip
            part = {
                "type": "output_text", "text": text, "logprobs": [],
                "annotations": [note] * draw(st.integers(0, 2)),
            }  # fmt: skip
            return message(part)
        case "refusal":
            return message({"type": "refusal", "refusal": text})
        case "function":
            return {
                "id": "fc_1", "type": "function_call", "status": "completed", "call_id": "call_1",
                "name": "look_up", "arguments": json.dumps({"q": text}),
            }  # fmt: skip
        case "custom":
            return {
                "id": "ctc_1", "type": "custom_tool_call", "call_id": "call_2", "name": "sql",
                "input": text,
            }  # fmt: skip
        case _:
            return {
                "id": "rs_1", "type": "reasoning",
                "summary": [{"type": "summary_text", "text": text}],
            }  # fmt: skip


def message(part: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": "msg_1", "type": "message", "role": "assistant", "status": "completed",
        "content": [part],
    }  # fmt: skip


def response(*output: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": "resp_1", "object": "response", "created_at": 1_790_000_000, "status": "completed",
        "error": None, "incomplete_details": None, "instructions": None, "metadata": {},
        "model": "gpt-x", "output": list(output), "parallel_tool_calls": True,
        "temperature": 0.0, "tool_choice": "auto", "tools": [], "top_p": 1.0,
        "usage": {
            "input_tokens": 5, "output_tokens": 7, "total_tokens": 12,
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens_details": {"reasoning_tokens": 0},
        },
    }  # fmt: skip


def outputs() -> st.SearchStrategy[list[dict[str, Any]]]:
    """The items of one response, each with identifiers of its own."""

    def numbered(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
        for number, item in enumerate(found):
            for name in {"id", "call_id"} & set(item):
                item[name] = f"{item[name]}_{number}"
        return found

    return st.lists(items(), max_size=4).map(numbered)


def told(whole: dict[str, Any]) -> list[dict[str, Any]]:
    stream = FORM.events(json.dumps(whole).encode(), include_usage=False)
    events = []
    for event in stream.decode().split("\n\n")[:-1]:
        name, data = event.split("\n")
        body = json.loads(data.removeprefix("data: "))
        assert name == f"event: {body['type']}"
        events.append(body)
    return events


@settings(deadline=None)
@given(outputs())
def test_the_sdk_puts_a_replayed_stream_together_to_the_whole_response(
    output: list[dict[str, Any]],
):
    whole = response(*output)
    events = told(whole)
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    state: Any = ResponseStreamState(input_tools=[], text_format=omit)
    for event in events:
        read = EVENTS.validate_python(event)
        state.handle_event(read)
        if read.type == "response.output_item.done":
            # Before the last event there is only what the deltas added up to.
            assert_added_up(state, read.output_index, output[read.output_index])
    assert events[0]["response"]["status"] == "in_progress"
    assert events[0]["response"]["output"] == []
    assert events[-1]["type"] == "response.completed"
    assert events[-1]["response"] == whole


def assert_added_up(state: Any, index: int, item: dict[str, Any]) -> None:
    found = state._ResponseStreamState__current_snapshot.output[index]
    if item["type"] == "function_call":
        assert found.arguments == item["arguments"]
    elif item["type"] == "message" and item["content"][0]["type"] == "output_text":
        assert found.content[0].text == item["content"][0]["text"]


@settings(deadline=None)
@given(outputs())
def test_a_stream_that_was_kept_is_the_whole_response(output: list[dict[str, Any]]):
    whole = response(*output)
    stream = FORM.events(json.dumps(whole).encode(), include_usage=False)
    scribe = FORM.scribe(1_000_000)
    assert scribe is not None
    scribe.feed(stream)
    body = scribe.whole(Usage())
    assert body is not None
    assert json.loads(body) == whole
    assert FORM.complete(body)
    Response.model_validate(json.loads(body))


def test_the_gateway_itself_reads_a_replayed_stream_to_its_end():
    reader = ENDPOINTS["responses"].stream_reader(hide_usage=False)
    part = {"type": "output_text", "text": "Hi", "annotations": [], "logprobs": []}
    reader.feed(FORM.events(json.dumps(response(message(part))).encode(), include_usage=False))
    assert reader.finished
    assert reader.usage is not None
    assert (reader.usage.input_tokens, reader.usage.output_tokens) == (5, 7)


def test_an_unfinished_stream_has_no_whole():
    scribe = FORM.scribe(1_000_000)
    assert scribe is not None
    stream = FORM.events(json.dumps(response()).encode(), include_usage=False)
    scribe.feed(stream[: stream.index(b"event: response.completed")])
    assert scribe.whole(Usage()) is None


def test_a_response_that_is_too_large_is_let_go():
    scribe = FORM.scribe(200)
    assert scribe is not None
    scribe.feed(FORM.events(json.dumps(response()).encode(), include_usage=False))
    assert scribe.whole(Usage()) is None


@pytest.mark.parametrize("status", ["incomplete", "failed", "in_progress", None])
def test_a_response_that_did_not_complete_is_not_kept(status: str | None):
    assert not FORM.complete(json.dumps({"status": status, "output": []}).encode())


@pytest.mark.parametrize(
    "output", [None, [1], ["x"], [{}], [{"type": "message", "content": "text"}]], ids=str
)
def test_what_could_not_be_told_as_a_stream_is_not_kept(output: Any):
    body = {"status": "completed", "output": output}
    assert not FORM.complete(json.dumps(body).encode())
