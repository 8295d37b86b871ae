"""`client.responses` of the official Python SDK, unchanged but for its `base_url`."""

from __future__ import annotations

import json
from typing import Any, Literal

import pytest
from openai import AsyncOpenAI, BadRequestError, OpenAI
from openai.types.responses import Response
from pydantic import BaseModel

from servers import RunningServer

MODEL = "gpt-5-mini"
INPUT = "When is breakfast, and can my dog come along?"


class Ticket(BaseModel):
    """What is asked for as structured output."""

    summary: str
    severity: Literal["low", "medium", "high"]


WEATHER: Any = {
    "type": "function",
    "name": "get_weather",
    "description": "Get the current weather of a city",
    "strict": True,
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    },
}


def test_a_response(client: OpenAI, simulated: RunningServer):
    raw = client.responses.with_raw_response.create(model=MODEL, input=INPUT)
    answer = raw.parse()
    assert isinstance(answer, Response)
    assert answer.status == "completed"
    assert answer.output_text
    assert answer.usage is not None
    record = simulated.record(id=raw.headers["x-headgate-call-id"])
    assert record["endpoint"] == "responses"
    assert record["input_tokens"] == answer.usage.input_tokens
    assert record["output_tokens"] == answer.usage.output_tokens
    assert record["reasoning_tokens"] == answer.usage.output_tokens_details.reasoning_tokens


async def test_a_response_asked_for_asynchronously(async_client: AsyncOpenAI):
    answer = await async_client.responses.create(model=MODEL, input=INPUT)
    assert answer.output_text


def test_a_streams_events_come_in_order_with_their_numbers(
    client: OpenAI, simulated: RunningServer
):
    raw = client.responses.with_raw_response.create(model=MODEL, input=INPUT, stream=True)
    events = list(raw.parse())
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert [event.type for event in events[:2]] == ["response.created", "response.in_progress"]
    assert events[-1].type == "response.completed"
    deltas = "".join(e.delta for e in events if e.type == "response.output_text.delta")
    assert deltas == events[-1].response.output_text
    usage = events[-1].response.usage
    assert usage is not None
    record = simulated.record(id=raw.headers["x-headgate-call-id"])
    assert (record["input_tokens"], record["output_tokens"]) == (
        usage.input_tokens,
        usage.output_tokens,
    )
    assert record["streamed"] is True


def test_structured_output_is_parsed(client: OpenAI):
    answer = client.responses.parse(model=MODEL, input=INPUT, text_format=Ticket)
    assert isinstance(answer.output_parsed, Ticket)


def test_the_stream_helper_tells_events_and_the_whole(client: OpenAI):
    with client.responses.stream(model=MODEL, input=INPUT, text_format=Ticket) as stream:
        kinds = {event.type for event in stream}
        final = stream.get_final_response()
    assert {"response.created", "response.output_text.delta", "response.completed"} <= kinds
    assert isinstance(final.output_parsed, Ticket)


async def test_the_stream_helper_read_asynchronously(async_client: AsyncOpenAI):
    async with async_client.responses.stream(model=MODEL, input=INPUT) as stream:
        kinds = [event.type async for event in stream]
        final = await stream.get_final_response()
    assert kinds[-1] == "response.completed"
    assert final.output_text


def test_a_response_goes_on_from_the_one_before(client: OpenAI):
    first = client.responses.create(model=MODEL, input=INPUT, store=True)
    second = client.responses.create(
        model=MODEL, input="And on Sundays?", previous_response_id=first.id
    )
    assert second.previous_response_id == first.id
    assert first.usage is not None
    assert second.usage is not None
    assert second.usage.input_tokens > first.usage.input_tokens


def test_a_stored_response_is_streamed_again(client: OpenAI):
    made = client.responses.create(model=MODEL, input=INPUT)
    events = list(client.responses.retrieve(made.id, stream=True))
    assert [event.sequence_number for event in events] == list(range(len(events)))
    last = events[-1]
    assert last.type == "response.completed"
    assert last.response.output_text == made.output_text
    rest = list(client.responses.retrieve(made.id, stream=True, starting_after=3))
    assert rest == events[4:]


def test_a_stored_prompt_brings_its_own_model(client: OpenAI, simulated: RunningServer):
    prompt: Any = {"id": "pmpt_1", "variables": {"city": "Lisbon"}}
    raw = client.responses.with_raw_response.create(prompt=prompt)
    answer = raw.parse()
    record = simulated.record(id=raw.headers["x-headgate-call-id"])
    assert (record["model_requested"], record["model_answered"]) == (None, answer.model)
    assert record["cost_nanousd"] > 0, "it is priced by the model that the reply names"
    events = list(client.responses.create(prompt=prompt, stream=True))
    assert events[-1].type == "response.completed"
    with pytest.raises(BadRequestError) as refused:
        client.responses.create(input=INPUT)
    assert refused.value.param == "model", "the provider says itself what it misses"


def test_input_tokens_are_counted_without_a_model(client: OpenAI, simulated: RunningServer):
    raw = client.responses.input_tokens.with_raw_response.count(input=INPUT)
    assert raw.parse().input_tokens > 0
    record = simulated.record(id=raw.headers["x-headgate-call-id"])
    assert (record["model_requested"], record["cost_nanousd"]) == (None, 0)


def test_a_round_with_a_tool(client: OpenAI):
    conversation: list[Any] = [{"role": "user", "content": "What is the weather in Lisbon?"}]
    asked = client.responses.create(
        model=MODEL, input=conversation, tools=[WEATHER], tool_choice="required"
    )
    calls = [item for item in asked.output if item.type == "function_call"]
    assert calls[0].name == "get_weather"
    assert set(json.loads(calls[0].arguments)) == {"city"}
    conversation += [item.model_dump(exclude_none=True) for item in asked.output]
    conversation.append(
        {"type": "function_call_output", "call_id": calls[0].call_id, "output": "24 °C, clear"}
    )
    answered = client.responses.create(model=MODEL, input=conversation, tools=[WEATHER])
    assert answered.output_text
