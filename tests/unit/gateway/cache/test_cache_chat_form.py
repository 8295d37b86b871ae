"""A kept completion told as a stream is the completion, for the official SDK; and the other way."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openai.lib.streaming.chat import ChatCompletionStreamState
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from headgate.gateway.cache.forms import form_of
from headgate.gateway.endpoints import Usage

FORM = form_of("chat/completions")
USAGE = {"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13}

_text = st.text(st.characters(codec="utf-8"), max_size=700)
_name = st.from_regex(r"[a-z_]{1,12}", fullmatch=True)


@st.composite
def messages(draw: st.DrawFn) -> dict[str, Any]:
    """An assistant's message."""
    message: dict[str, Any] = {"role": "assistant", "content": None, "refusal": None}
    kind = draw(st.sampled_from(["content", "refusal", "tool_calls", "both"]))
    if kind in ("content", "both"):
        message["content"] = draw(_text)
    if kind == "refusal":
        message["refusal"] = draw(_text)
    if kind in ("tool_calls", "both"):
        message["tool_calls"] = [
            {
                "id": f"call_{number}",
                "type": "function",
                "function": {"name": draw(_name), "arguments": json.dumps({"a": draw(_text)})},
            }
            for number in range(draw(st.integers(1, 3)))
        ]
    return message


@st.composite
def completions(draw: st.DrawFn) -> dict[str, Any]:
    """A whole answer."""
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_790_000_000,
        "model": "gpt-x-2026",
        "service_tier": "default",
        "system_fingerprint": "fp_1",
        "choices": [
            {
                "index": index,
                "message": draw(messages()),
                "logprobs": None,
                "finish_reason": draw(st.sampled_from(["stop", "tool_calls", "length"])),
            }
            for index in range(draw(st.integers(1, 3)))
        ],
        "usage": USAGE,
    }


def chunks_of(stream: bytes) -> list[dict[str, Any]]:
    events = stream.split(b"\n\n")
    assert events[-1] == b""
    assert events[-2] == b"data: [DONE]"
    return [json.loads(event.removeprefix(b"data: ")) for event in events[:-2]]


def told(completion: dict[str, Any], *, include_usage: bool = True) -> list[dict[str, Any]]:
    return chunks_of(FORM.events(json.dumps(completion).encode(), include_usage=include_usage))


def accumulated(chunks: list[dict[str, Any]]) -> dict[str, Any]:
    """What the SDK makes of a stream."""
    state: Any = ChatCompletionStreamState()
    for chunk in chunks:
        state.handle_chunk(ChatCompletionChunk.model_validate(chunk))
    return without_nothing(state.current_completion_snapshot.to_dict())


def without_nothing(value: Any) -> Any:
    """`value` without nulls, empty texts, and the `index` that the SDK leaves on tool calls."""
    if isinstance(value, list):
        return [without_nothing(item) for item in value]
    if not isinstance(value, dict):
        return value
    is_call = "function" in value
    return {
        name: without_nothing(inner)
        for name, inner in value.items()
        if inner not in (None, "", [])
        and not (is_call and name == "index")
        and name not in ("parsed", "parsed_arguments")
    }


@settings(deadline=None)
@given(completions())
def test_the_sdk_puts_a_replayed_stream_together_to_the_whole_answer(completion: dict[str, Any]):
    assert accumulated(told(completion)) == without_nothing(completion)


@settings(deadline=None)
@given(completions(), st.booleans(), st.integers(1, 5))
def test_a_stream_that_was_kept_is_the_whole_answer(
    completion: dict[str, Any], include_usage: bool, at_once: int
):
    stream = FORM.events(json.dumps(completion).encode(), include_usage=include_usage)
    scribe = FORM.scribe(1_000_000)
    assert scribe is not None
    events = [event + b"\n\n" for event in stream.split(b"\n\n")[:-1]]
    for start in range(0, len(events), at_once):
        scribe.feed(b"".join(events[start : start + at_once]))
    body = scribe.whole(Usage(input_tokens=9, output_tokens=4))
    assert body is not None
    assert FORM.complete(body)
    whole = json.loads(body)
    ChatCompletion.model_validate(whole, strict=True)
    found = {name: whole["usage"][name] for name in USAGE}
    assert without_nothing({**whole, "usage": found}) == without_nothing(completion)


@settings(deadline=None)
@given(completions())
def test_usage_is_told_only_where_it_was_asked_for(completion: dict[str, Any]):
    assert not any("usage" in chunk for chunk in told(completion, include_usage=False))
    *others, last = told(completion)
    assert all(chunk["usage"] is None for chunk in others)
    assert (last["choices"], last["usage"]) == ([], USAGE)


def test_log_probabilities_come_back():
    tokens = [{"token": "Hi", "logprob": -0.1, "bytes": [72, 105], "top_logprobs": []}]
    completion = {
        "id": "c", "object": "chat.completion", "created": 1, "model": "m", "usage": USAGE,
        "choices": [{
            "index": 0, "message": {"role": "assistant", "content": "Hi", "refusal": None},
            "logprobs": {"content": tokens, "refusal": None}, "finish_reason": "stop",
        }],
    }  # fmt: skip
    assert accumulated(told(completion))["choices"][0]["logprobs"]["content"][0]["token"] == "Hi"
    scribe = FORM.scribe(10_000)
    assert scribe is not None
    scribe.feed(FORM.events(json.dumps(completion).encode(), include_usage=True))
    whole = json.loads(scribe.whole(Usage()) or b"")
    assert whole["choices"][0]["logprobs"]["content"] == tokens


def test_deltas_are_put_together_as_the_provider_cut_them():
    deltas: list[dict[str, Any]] = [
        {"role": "assistant", "content": None},
        {"tool_calls": [{"index": 1, "id": "b", "type": "function",
                         "function": {"name": "two", "arguments": ""}}]},
        {"tool_calls": [{"index": 0, "id": "a", "type": "function",
                         "function": {"name": "one", "arguments": '{"x'}}]},
        {"tool_calls": [{"index": 0, "function": {"arguments": '":1}'}},
                        {"index": 1, "function": {"arguments": "{}"}}]},
    ]  # fmt: skip
    scribe = FORM.scribe(10_000)
    assert scribe is not None
    frame = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    for delta in deltas:
        chunk = {**frame, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
        scribe.feed(b"data: " + json.dumps(chunk).encode() + b"\n\n")
    end = {**frame, "choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]}
    scribe.feed(b"data: " + json.dumps(end).encode() + b"\n\ndata: [DONE]\n\n")
    whole = json.loads(scribe.whole(Usage(input_tokens=1, output_tokens=2)) or b"")
    message = whole["choices"][0]["message"]
    assert [call["function"] for call in message["tool_calls"]] == [
        {"name": "one", "arguments": '{"x":1}'},
        {"name": "two", "arguments": "{}"},
    ]
    assert [call["id"] for call in message["tool_calls"]] == ["a", "b"]
    assert whole["usage"]["total_tokens"] == 3


def test_a_stream_that_is_too_long_is_let_go():
    scribe = FORM.scribe(100)
    assert scribe is not None
    chunk = {"choices": [{"index": 0, "delta": {"content": "x" * 60}, "finish_reason": "stop"}]}
    event = b"data: " + json.dumps(chunk).encode() + b"\n\n"
    scribe.feed(event)
    assert scribe.whole(Usage(input_tokens=1, output_tokens=1)) is not None
    scribe.feed(event)
    scribe.feed(event)
    assert scribe.whole(Usage(input_tokens=1, output_tokens=1)) is None


def test_a_stream_of_which_nobody_knows_the_usage_is_not_kept():
    scribe = FORM.scribe(1000)
    assert scribe is not None
    scribe.feed(b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n')
    assert scribe.whole(Usage()) is None


@pytest.mark.parametrize(
    "data",
    [b'{"choices":[{}]}', b'{"choices":7}', b"{", b'{"choices":[{"index":0,"delta":"x"}]}'],
)
def test_what_is_no_stream_of_chunks_is_not_kept(data: bytes):
    scribe = FORM.scribe(1000)
    assert scribe is not None
    scribe.feed(b"data: " + data + b"\n\n")
    assert scribe.whole(Usage(input_tokens=1, output_tokens=1)) is None


@pytest.mark.parametrize("reason", ["content_filter", None, "error"])
def test_an_answer_that_was_cut_off_is_not_complete(reason: str | None):
    choices = [
        {"index": i, "message": {}, "finish_reason": r} for i, r in enumerate(("stop", reason))
    ]
    body = {"choices": choices}
    assert not FORM.complete(json.dumps(body).encode())


@pytest.mark.parametrize(
    "body",
    [
        b'{"choices":[]}',
        b"{}",
        b"[]",
        b"nonsense",
        b'{"choices":[{"index":0,"finish_reason":"stop"}]}',
    ],
)
def test_what_has_no_choices_is_not_complete(body: bytes):
    assert not FORM.complete(body)
