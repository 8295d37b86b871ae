"""A stream that ends early never looks complete to the Python SDK: it raises, sync and async."""

from __future__ import annotations

from typing import Any

import openai
import pytest
from openai import AsyncOpenAI, OpenAI

from servers import RunningServer
from upstreams import (
    CUT,
    DONE,
    RESET,
    STREAM_END,
    STREAM_HEAD,
    Step,
    Upstream,
    chat_words,
    chunk,
    response_deltas,
    response_event,
    response_object,
    stream,
)

HELLO: Any = [{"role": "user", "content": "Hello"}]

ENDS: dict[str, list[Step]] = {
    "the connection is cut": [CUT],
    "the connection is reset": [RESET],
    "the body ends early": [STREAM_END],
    "an event is cut in two": [chunk(b'data: {"choices": [{"del'), CUT],
    "the chunks make no sense": [b"ZZZ\r\nnonsense\r\n", CUT],
}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_a_broken_chat_raises(
    scripted: OpenAI, gateway: RunningServer, upstream: Upstream, model: str, end: list[Step]
):
    begun = chat_words(model, "Wa", "ter")
    upstream.answers(model, [STREAM_HEAD, *map(chunk, begun), 0.05, *end])
    raw = scripted.chat.completions.with_raw_response.create(
        model=model, messages=HELLO, stream=True
    )
    seen: list[Any] = []
    with pytest.raises(openai.APIError) as raised:
        seen.extend(piece.choices[0].delta.content or "" for piece in raw.parse())
    assert "".join(seen) == "Water"
    assert str(raised.value.code).startswith("upstream_")
    record = gateway.record(id=raw.headers["x-headgate-call-id"])
    assert record["error_class"] == raised.value.code
    assert record["tokens_estimated"] is True
    assert record["output_tokens"] > 0


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_a_broken_response_raises(
    scripted: OpenAI, gateway: RunningServer, upstream: Upstream, model: str, end: list[Step]
):
    begun = response_deltas(model, "Wa", "ter")
    upstream.answers(model, [STREAM_HEAD, *map(chunk, begun), 0.05, *end])
    raw = scripted.responses.with_raw_response.create(model=model, input="x", stream=True)
    numbers: list[int] = []
    with pytest.raises(openai.APIError) as raised:
        numbers.extend(event.sequence_number for event in raw.parse())
    assert numbers == list(range(len(begun)))
    assert "upstream_" in str(raised.value.body) + str(raised.value.code)
    record = gateway.record(id=raw.headers["x-headgate-call-id"])
    assert str(record["error_class"]).startswith("upstream_")


async def test_a_broken_chat_raises_asynchronously(
    async_scripted: AsyncOpenAI, upstream: Upstream, model: str
):
    upstream.answers(model, [STREAM_HEAD, *map(chunk, chat_words(model, "Wa")), 0.05, CUT])
    flowing = await async_scripted.chat.completions.create(model=model, messages=HELLO, stream=True)
    with pytest.raises(openai.APIError):
        async for _ in flowing:
            pass


async def test_a_broken_response_raises_asynchronously(
    async_scripted: AsyncOpenAI, upstream: Upstream, model: str
):
    upstream.answers(model, [STREAM_HEAD, *map(chunk, response_deltas(model, "Wa")), 0.05, CUT])
    flowing = await async_scripted.responses.create(model=model, input="x", stream=True)
    with pytest.raises(openai.APIError):
        async for _ in flowing:
            pass


def test_a_broken_stream_raises_in_the_stream_helpers(
    scripted: OpenAI, upstream: Upstream, model: str
):
    upstream.answers(model, [STREAM_HEAD, *map(chunk, chat_words(model, "Wa")), 0.05, CUT])
    with (
        pytest.raises(openai.APIError),
        scripted.chat.completions.stream(model=model, messages=HELLO) as flowing,
    ):
        flowing.until_done()
    other = f"{model}-response"
    upstream.answers(other, [STREAM_HEAD, *map(chunk, response_deltas(other, "Wa")), 0.05, CUT])
    with (
        pytest.raises(openai.APIError),
        scripted.responses.stream(model=other, input="x") as flowing_response,
    ):
        flowing_response.until_done()


def test_an_error_that_the_provider_streams_is_raised_and_recorded(
    scripted: OpenAI, gateway: RunningServer, upstream: Upstream, model: str
):
    said = b'data: {"error":{"message":"Overloaded","type":"x","param":null,"code":"busy"}}\n\n'
    upstream.answers(model, stream(*chat_words(model, "Wa"), said, DONE))
    raw = scripted.chat.completions.with_raw_response.create(
        model=model, messages=HELLO, stream=True
    )
    with pytest.raises(openai.APIError, match="Overloaded"):
        list(raw.parse())
    assert gateway.record(id=raw.headers["x-headgate-call-id"])["error_class"] == "busy"


def test_a_response_that_fails_says_so_as_openai_does(
    scripted: OpenAI, gateway: RunningServer, upstream: Upstream, model: str
):
    failed = response_object(
        model, "failed", error={"code": "server_error", "message": "It broke."}
    )
    begun = response_deltas(model, "Wa")
    last = response_event("response.failed", len(begun), response=failed)
    upstream.answers(model, stream(*begun, last))
    raw = scripted.responses.with_raw_response.create(model=model, input="x", stream=True)
    events = list(raw.parse())
    assert events[-1].type == "response.failed"
    record = gateway.record(id=raw.headers["x-headgate-call-id"])
    assert record["error_class"] == "server_error"


def test_the_simulators_cut_stream_raises_too(client: OpenAI):
    with pytest.raises(openai.APIError):
        list(
            client.chat.completions.create(
                model="gpt-4.1-mini",
                messages=HELLO,
                stream=True,
                extra_headers={"x-simulator-fault": "cut;after=3"},
            )
        )
