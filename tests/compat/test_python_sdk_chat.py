"""`client.chat.completions` of the official Python SDK, unchanged but for its `base_url`."""

from __future__ import annotations

import json
from typing import Any, Literal

import pytest
from openai import AsyncOpenAI, OpenAI
from openai.types.chat import ChatCompletion, ChatCompletionMessageParam
from pydantic import BaseModel

from servers import RunningServer

MODEL = "gpt-4.1-mini"
MESSAGES: list[ChatCompletionMessageParam] = [
    {"role": "system", "content": "You help a hotel's guests."},
    {"role": "user", "content": "When is breakfast, and can my dog come along?"},
]


class Ticket(BaseModel):
    """What is asked for as structured output."""

    summary: str
    severity: Literal["low", "medium", "high"]
    steps: list[str]


WEATHER: Any = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Get the current weather of a city",
        "strict": True,
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
            "additionalProperties": False,
        },
    },
}


def test_a_completion(client: OpenAI):
    answer = client.chat.completions.create(model=MODEL, messages=MESSAGES)
    assert isinstance(answer, ChatCompletion)
    assert answer.choices[0].message.content
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage is not None
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens


async def test_a_completion_asked_for_asynchronously(async_client: AsyncOpenAI):
    answer = await async_client.chat.completions.create(model=MODEL, messages=MESSAGES)
    assert answer.choices[0].message.content


def test_several_choices_and_parameters(client: OpenAI):
    answer = client.chat.completions.create(
        model=MODEL,
        messages=MESSAGES,
        n=2,
        seed=7,
        temperature=0.2,
        max_completion_tokens=50,
        metadata={"ticket": "4711"},
        user="guest-12",
        extra_body={"a_field_of_next_year": True},
    )
    assert [choice.index for choice in answer.choices] == [0, 1]


def test_a_stream_says_what_the_whole_reply_says(client: OpenAI):
    whole = client.chat.completions.create(model=MODEL, messages=MESSAGES, seed=1)
    chunks = list(
        client.chat.completions.create(model=MODEL, messages=MESSAGES, seed=1, stream=True)
    )
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    assert text == whole.choices[0].message.content
    assert chunks[-1].choices[0].finish_reason == "stop"


async def test_a_stream_read_asynchronously(async_client: AsyncOpenAI):
    stream = await async_client.chat.completions.create(model=MODEL, messages=MESSAGES, stream=True)
    text = "".join([chunk.choices[0].delta.content or "" async for chunk in stream])
    assert text


def test_a_stream_shows_no_usage_to_who_did_not_ask(client: OpenAI, simulated: RunningServer):
    raw = client.chat.completions.with_raw_response.create(
        model=MODEL, messages=MESSAGES, stream=True
    )
    chunks = list(raw.parse())
    assert len(chunks) > 2
    assert all(len(chunk.choices) == 1 for chunk in chunks)
    assert all("usage" not in chunk.model_fields_set for chunk in chunks)
    # The ledger knows it all the same.
    record = simulated.record(id=raw.headers["x-headgate-call-id"])
    assert record["input_tokens"] > 0
    assert record["output_tokens"] > 0
    assert not record["tokens_estimated"]
    assert record["cost_nanousd"] > 0
    assert record["first_token_us"] > 0


def test_a_stream_shows_its_usage_to_who_asked(client: OpenAI):
    chunks = list(
        client.chat.completions.create(
            model=MODEL,
            messages=MESSAGES,
            stream=True,
            stream_options={"include_usage": True},
        )
    )
    assert [len(chunk.choices) for chunk in chunks[:-1]] == [1] * (len(chunks) - 1)
    assert chunks[-1].choices == []
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens > 0
    assert all(chunk.usage is None and "usage" in chunk.model_fields_set for chunk in chunks[:-1])


def test_structured_output_is_parsed(client: OpenAI):
    answer = client.chat.completions.parse(model=MODEL, messages=MESSAGES, response_format=Ticket)
    assert isinstance(answer.choices[0].message.parsed, Ticket)


async def test_structured_output_is_parsed_asynchronously(async_client: AsyncOpenAI):
    answer = await async_client.chat.completions.parse(
        model=MODEL, messages=MESSAGES, response_format=Ticket
    )
    assert isinstance(answer.choices[0].message.parsed, Ticket)


def test_the_stream_helper_tells_events_and_the_whole(client: OpenAI):
    with client.chat.completions.stream(model=MODEL, messages=MESSAGES) as stream:
        kinds = [event.type for event in stream]
        final = stream.get_final_completion()
    assert kinds.count("content.done") == 1
    assert kinds.count("content.delta") > 2
    assert final.choices[0].message.content


def test_the_stream_helper_parses_structured_output(client: OpenAI):
    with client.chat.completions.stream(
        model=MODEL,
        messages=MESSAGES,
        response_format=Ticket,
        stream_options={"include_usage": True},
    ) as stream:
        for _ in stream:
            pass
        final = stream.get_final_completion()
    assert isinstance(final.choices[0].message.parsed, Ticket)
    assert final.usage is not None


async def test_the_stream_helper_read_asynchronously(async_client: AsyncOpenAI):
    async with async_client.chat.completions.stream(
        model=MODEL, messages=MESSAGES, response_format=Ticket
    ) as stream:
        kinds = [event.type async for event in stream]
        final = await stream.get_final_completion()
    assert "content.delta" in kinds
    assert isinstance(final.choices[0].message.parsed, Ticket)


def test_a_round_with_a_tool(client: OpenAI):
    messages: list[Any] = [{"role": "user", "content": "What is the weather in Lisbon today?"}]
    asked = client.chat.completions.create(
        model=MODEL, messages=messages, tools=[WEATHER], tool_choice="required"
    )
    message = asked.choices[0].message
    assert asked.choices[0].finish_reason == "tool_calls"
    assert message.tool_calls
    (call,) = message.tool_calls
    assert call.type == "function"
    assert call.function.name == "get_weather"
    assert set(json.loads(call.function.arguments)) == {"city"}
    messages += [
        message.model_dump(exclude_none=True),
        {"role": "tool", "tool_call_id": call.id, "content": '{"sky": "clear", "celsius": 24}'},
    ]
    answered = client.chat.completions.create(model=MODEL, messages=messages, tools=[WEATHER])
    assert answered.choices[0].finish_reason == "stop"
    assert answered.choices[0].message.content


def test_a_tools_arguments_are_streamed(client: OpenAI):
    with client.chat.completions.stream(
        model=MODEL,
        messages=[{"role": "user", "content": "What is the weather in Lisbon today?"}],
        tools=[WEATHER],
        tool_choice="required",
    ) as stream:
        kinds = [event.type for event in stream]
        final = stream.get_final_completion()
    assert "tool_calls.function.arguments.delta" in kinds
    calls = final.choices[0].message.tool_calls
    assert calls
    assert set(json.loads(calls[0].function.arguments)) == {"city"}


@pytest.mark.parametrize("streamed", [False, True])
def test_the_replys_headers_tell_of_the_call(
    client: OpenAI, simulated: RunningServer, streamed: bool
):
    raw = client.chat.completions.with_raw_response.create(
        model=MODEL,
        messages=MESSAGES,
        stream=streamed,
        extra_headers={"x-headgate-feature": "guest-desk", "x-headgate-user": "guest-12"},
    )
    headers = raw.headers
    if streamed:
        list(raw.parse())
    assert raw.request_id == headers["x-request-id"]
    assert headers["x-headgate-target"] == f"openai/{MODEL}"
    assert headers["x-headgate-attempts"] == "1"
    assert headers["x-headgate-cache"] == "off"
    assert int(headers["x-ratelimit-remaining-requests"]) > 0
    record = simulated.record(id=headers["x-headgate-call-id"])
    assert record["upstream_request_id"] == raw.request_id
    assert record["feature"] == "guest-desk"
    assert record["user_hash"]
    assert "guest" not in record["user_hash"]
    assert record["streamed"] is streamed
    if not streamed:
        assert record["cost_nanousd"] == round(float(headers["x-headgate-cost-usd"]) * 1e9)


def test_a_request_id_is_found_on_the_reply_itself(client: OpenAI):
    answer = client.chat.completions.create(model=MODEL, messages=MESSAGES)
    assert answer._request_id


def test_the_sdks_own_user_fields_name_the_end_user(client: OpenAI, simulated: RunningServer):
    hashes = set()
    for fields in (
        {"user": "guest-99"},
        {"safety_identifier": "guest-99"},
        {"extra_headers": {"x-headgate-user": "guest-99"}},
    ):
        raw = client.chat.completions.with_raw_response.create(
            model=MODEL, messages=MESSAGES, **fields
        )
        hashes.add(simulated.record(id=raw.headers["x-headgate-call-id"])["user_hash"])
    assert len(hashes) == 1
    assert None not in hashes
