"""Streams say the same as the document, piece by piece, at the rate that was chosen."""

from __future__ import annotations

import gzip
import json
import time
from typing import Any

import openai
import pytest
from plain_http import KEY, ask

from headgate.simulator import SimulatorConfig, SimulatorHandle, serve_in_thread

ASK: list[Any] = [{"role": "user", "content": "Why do rivers meander? 🙂 Écris deux phrases."}]
WEATHER: list[Any] = [
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "description": "The weather of a city",
            "parameters": {
                "type": "object",
                "properties": {"city": {"type": "string"}},
                "required": ["city"],
            },
        },
    }
]


def events(simulator: SimulatorHandle, path: str, body: dict[str, Any]) -> list[tuple[str, str]]:
    """The stream's events as they came: the `event:` line (or an empty text) and the data."""
    reply = ask(f"{simulator.base_url}{path}", {**body, "stream": True})
    assert reply.status == 200
    assert reply.headers["content-type"] == "text/event-stream; charset=utf-8"
    found = []
    for block in reply.body.decode().strip().split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.split("\n"))
        found.append((lines.get("event", ""), lines["data"]))
    return found


def test_chunks_join_to_the_whole_answer(client: openai.OpenAI):
    for n in (1, 3):
        whole = client.chat.completions.create(model="gpt-4.1", messages=ASK, n=n)
        texts = [""] * n
        finishes: list[Any] = [None] * n
        stream = client.chat.completions.create(model="gpt-4.1", messages=ASK, n=n, stream=True)
        for chunk in stream:
            for choice in chunk.choices:
                texts[choice.index] += choice.delta.content or ""
                finishes[choice.index] = choice.finish_reason
        assert texts == [choice.message.content for choice in whole.choices]
        assert finishes == ["stop"] * n


def test_chunks_are_framed_as_openai_does(simulator: SimulatorHandle):
    found = events(simulator, "/chat/completions", {"model": "gpt-4.1", "messages": ASK})
    assert found[-1] == ("", "[DONE]")
    chunks = [json.loads(data) for _, data in found[:-1]]
    assert {event for event, _ in found} == {""}
    assert len({(chunk["id"], chunk["created"], chunk["model"]) for chunk in chunks}) == 1
    assert chunks[0]["choices"][0]["delta"] == {
        "role": "assistant",
        "content": "",
        "refusal": None,
    }
    assert chunks[-1]["choices"][0] == {
        "index": 0,
        "delta": {},
        "logprobs": None,
        "finish_reason": "stop",
    }
    assert all("usage" not in chunk for chunk in chunks)


def test_usage_comes_in_a_chunk_of_its_own_where_it_is_asked_for(simulator: SimulatorHandle):
    body = {
        "model": "gpt-4.1",
        "messages": ASK,
        "stream_options": {"include_usage": True},
    }
    found = events(simulator, "/chat/completions", body)
    *chunks, last = [json.loads(data) for _, data in found[:-1]]
    assert all(chunk["usage"] is None for chunk in chunks)
    assert last["choices"] == []
    assert last["usage"]["total_tokens"] > 0


def test_streamed_calls_join_to_the_calls(client: openai.OpenAI):
    ask: list[Any] = [{"role": "user", "content": "What is the weather in Paris and in Rome?"}]
    whole = client.chat.completions.create(model="gpt-4.1", messages=ask, tools=WEATHER)
    with client.chat.completions.stream(model="gpt-4.1", messages=ask, tools=WEATHER) as stream:
        final = stream.get_final_completion()
    said = final.choices[0].message.tool_calls or []
    wanted = whole.choices[0].message.tool_calls or []
    assert len(said) == len(wanted) == 2
    for one, other in zip(said, wanted, strict=True):
        assert one.type == other.type == "function"
        assert (one.function.name, one.function.arguments) == (
            other.function.name,
            other.function.arguments,
        )
    assert final.choices[0].finish_reason == "tool_calls"


def test_response_events_come_in_order(simulator: SimulatorHandle):
    body = {
        "model": "gpt-5-mini",
        "input": "Say hello to the world",
        "reasoning": {"summary": "auto", "effort": "low"},
    }
    found = events(simulator, "/responses", body)
    data = [json.loads(text) for _, text in found]
    assert [event for event, _ in found] == [part["type"] for part in data]
    assert [part["sequence_number"] for part in data] == list(range(len(data)))
    names = [name for place, (name, _) in enumerate(found) if found[place - 1][0] != name]
    assert names == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.reasoning_summary_part.added",
        "response.reasoning_summary_text.delta",
        "response.reasoning_summary_text.done",
        "response.reasoning_summary_part.done",
        "response.output_item.done",
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ]
    assert data[0]["response"]["status"] == "in_progress"
    assert data[0]["response"]["output"] == []
    assert data[-1]["response"]["status"] == "completed"
    assert data[-1]["response"]["usage"]["output_tokens"] > 0


def test_response_deltas_join_to_the_whole_answer(client: openai.OpenAI):
    whole = client.responses.create(model="gpt-4.1", input="Why do rivers meander? 🙂")
    text = ""
    done = ""
    for event in client.responses.create(
        model="gpt-4.1", input="Why do rivers meander? 🙂", stream=True
    ):
        if event.type == "response.output_text.delta":
            text += event.delta
        elif event.type == "response.output_text.done":
            done = event.text
    assert text == done == whole.output_text


def test_response_calls_stream_their_arguments(client: openai.OpenAI):
    tool: Any = {"type": "function", "strict": False, **WEATHER[0]["function"]}
    with client.responses.stream(
        model="gpt-4.1", input="What is the weather in Paris?", tools=[tool]
    ) as stream:
        deltas = "".join(
            event.delta
            for event in stream
            if event.type == "response.function_call_arguments.delta"
        )
        final = stream.get_final_response()
    (call,) = final.output
    assert call.type == "function_call"
    assert json.loads(call.arguments) == {"city": "Paris"}
    assert deltas == call.arguments


def test_a_cut_response_ends_incomplete(client: openai.OpenAI):
    last = list(
        client.responses.create(
            model="gpt-4.1", input="Tell me a long story.", max_output_tokens=16, stream=True
        )
    )[-1]
    assert last.type == "response.incomplete"
    assert last.response.incomplete_details is not None
    assert last.response.incomplete_details.reason == "max_output_tokens"


@pytest.mark.parametrize(
    ("rate", "words", "least_s", "most_s"),
    # At 200 tokens a second 1,000 would take 5 s; a busy machine is given time for the rest.
    [(200.0, 50, 0.2, 5.0), (0.0, 1_000, 0.0, 4.0)],
)
def test_a_stream_takes_the_time_its_rate_needs(
    rate: float, words: int, least_s: float, most_s: float
):
    config = SimulatorConfig(tokens_per_s=rate)
    text = "word " * words
    with (
        serve_in_thread(config) as handle,
        openai.OpenAI(base_url=handle.base_url, api_key="k") as sdk,
    ):
        sdk.models.list()
        began = time.monotonic()
        stream = sdk.chat.completions.create(
            model="gpt-4.1", messages=[{"role": "user", "content": f"Say {text}"}], stream=True
        )
        received = "".join(c.choices[0].delta.content or "" for c in stream if c.choices)
        took_s = time.monotonic() - began
    assert received.count("word") == words
    assert least_s <= took_s < most_s


def test_the_first_token_can_be_late():
    with (
        serve_in_thread(SimulatorConfig(first_token_s=0.15)) as handle,
        openai.OpenAI(base_url=handle.base_url, api_key="k") as sdk,
    ):
        began = time.monotonic()
        sdk.responses.create(model="gpt-4.1", input="Say x")
        assert time.monotonic() - began >= 0.15


def test_a_client_that_leaves_ends_the_stream():
    with serve_in_thread(SimulatorConfig(tokens_per_s=20)) as handle:
        with openai.OpenAI(base_url=handle.base_url, api_key="k") as sdk:
            stream = sdk.chat.completions.create(
                model="gpt-4.1",
                messages=[{"role": "user", "content": "Say " + "word " * 500}],
                stream=True,
            )
            next(iter(stream))
            stream.close()
        deadline = time.monotonic() + 5
        while handle.requests[-1].ending == "in_progress" and time.monotonic() < deadline:
            time.sleep(0.01)
        assert handle.requests[-1].ending == "client_gone"


def test_replies_are_compressed_where_it_is_wished():
    with serve_in_thread(SimulatorConfig(gzip=True, tokens_per_s=0)) as handle:
        url = f"{handle.base_url}/models"
        packed = ask(url, headers={**KEY, "accept-encoding": "gzip"})
        assert packed.headers["content-encoding"] == "gzip"
        assert json.loads(gzip.decompress(packed.body))["object"] == "list"
        assert "content-encoding" not in ask(url).headers
        with openai.OpenAI(base_url=handle.base_url, api_key="k") as sdk:
            stream = sdk.chat.completions.create(model="gpt-4.1", messages=ASK, stream=True)
            assert sum(1 for _ in stream) > 5
