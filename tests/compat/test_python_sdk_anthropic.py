"""The official OpenAI SDK before a provider that speaks Anthropic's Messages API."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Literal

import openai
import pytest
from openai import OpenAI
from pydantic import BaseModel

import anthropics
from anthropics import answer, failure, judge, streamed, text, thinking, tool_use
from servers import ADMIN_KEY, PROVIDER_KEY, RunningServer, end_server, start_server
from upstreams import CUT, Upstream, completion, reply, stream

HELLO: Any = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello"}]

WEATHER = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
CHAT_TOOLS: Any = [{"type": "function", "function": {"name": "weather", "parameters": WEATHER}}]
TOOLS: Any = [{"type": "function", "name": "weather", "parameters": WEATHER, "strict": True}]


class Ticket(BaseModel):
    """What is asked for as structured output."""

    summary: str
    severity: Literal["low", "medium", "high"]


TICKET = {"summary": "It leaks «badly»", "severity": "high"}


@pytest.fixture(scope="module")
def server(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    address = upstream.base_url.removesuffix("/v1")
    settings = f"""
providers:
  claude:
    kind: anthropic
    base_url: {address}
    api_key: {PROVIDER_KEY}
    models: [claude-*]
  other:
    base_url: {address}/v1
    api_key: {PROVIDER_KEY}
    models: [other-*]
retries: {{ base_delay_s: 0.01, max_delay_s: 0.05 }}
routes:
  either:
    targets:
      - {{ provider: claude, model: claude-either }}
      - {{ provider: other, model: other-either }}
"""
    server = start_server(tmp_path_factory.mktemp("anthropic") / "server", settings=settings)
    yield server
    end_server(server)


@pytest.fixture
def client(server: RunningServer) -> Iterator[OpenAI]:
    with OpenAI(base_url=server.base_url, api_key=ADMIN_KEY, max_retries=0) as made:
        yield made


@pytest.fixture
def claude(model: str) -> str:
    """A model of Anthropic's that no other test uses."""
    return f"claude-{model}"


def sent(upstream: Upstream, model: str, number: int = 1) -> dict[str, Any]:
    """What the provider was asked, which must be what it takes."""
    request = upstream.wait_for(model, number)
    assert request.target == "/v1/messages"
    assert request.header("x-api-key") == PROVIDER_KEY
    assert request.header("anthropic-version") == "2023-06-01"
    assert request.header("authorization") is None
    body: dict[str, Any] = request.json()
    judge(body)
    return body


def test_a_chat(client: OpenAI, server: RunningServer, upstream: Upstream, claude: str):
    upstream.answers(claude, answer(text("Good"), text(" day.")))
    raw = client.chat.completions.with_raw_response.create(
        model=claude, messages=HELLO, max_tokens=100, stop=["END"], temperature=0.2
    )
    said = raw.parse()
    assert said.choices[0].message.content == "Good day."
    assert said.choices[0].finish_reason == "stop"
    assert said.usage is not None
    assert (said.usage.prompt_tokens, said.usage.completion_tokens) == (3210, 40)
    assert said.usage.prompt_tokens_details is not None
    assert said.usage.prompt_tokens_details.cached_tokens == 3000
    body = sent(upstream, claude)
    assert body["system"] == [{"type": "text", "text": "Be brief."}]
    assert (body["max_tokens"], body["temperature"], body["stop_sequences"]) == (100, 0.2, ["END"])
    record = server.record(id=raw.headers["x-headgate-call-id"])
    assert record["provider"] == "claude"
    assert record["model_answered"] == "claude-sonnet-4-5-20250929"
    assert (record["input_tokens"], record["cached_tokens"]) == (3210, 3000)
    assert (record["cache_write_tokens"], record["output_tokens"]) == (200, 40)
    # $3, $0.30, $3.75 and $15 for a million of each.
    assert record["cost_nanousd"] == 10 * 3_000 + 3000 * 300 + 200 * 3_750 + 40 * 15_000


def test_a_streamed_chat(client: OpenAI, server: RunningServer, upstream: Upstream, claude: str):
    upstream.answers(claude, streamed(thinking("Hm …"), text("Good day, 世界.")))
    raw = client.chat.completions.with_raw_response.create(
        model=claude, messages=HELLO, stream=True
    )
    chunks = list(raw.parse())
    assert "".join(c.choices[0].delta.content or "" for c in chunks) == "Good day, 世界."
    assert chunks[0].choices[0].delta.role == "assistant"
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert all(chunk.usage is None for chunk in chunks)
    assert sent(upstream, claude)["stream"] is True
    record = server.record(id=raw.headers["x-headgate-call-id"])
    assert (record["input_tokens"], record["output_tokens"]) == (3210, 40)
    assert record["reasoning_tokens"] == 7
    assert record["tokens_estimated"] is False
    assert record["first_token_us"] > 0


def test_a_streams_usage_is_told_to_who_asks(client: OpenAI, upstream: Upstream, claude: str):
    upstream.answers(claude, streamed(text("Hi")))
    chunks = list(
        client.chat.completions.create(
            model=claude, messages=HELLO, stream=True, stream_options={"include_usage": True}
        )
    )
    assert chunks[-1].choices == []
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.total_tokens == 3250


def test_what_is_left_of_the_limits_is_told(client: OpenAI, upstream: Upstream, claude: str):
    left = [
        ("anthropic-ratelimit-requests-limit", "50"),
        ("anthropic-ratelimit-requests-remaining", "49"),
        ("anthropic-ratelimit-requests-reset", "2020-01-01T00:00:00Z"),
        ("anthropic-ratelimit-tokens-remaining", "30000"),
        ("anthropic-ratelimit-tokens-reset", "2999-01-01T00:00:00Z"),
        ("anthropic-ratelimit-input-tokens-remaining", "x"),
        ("request-id", "req_011CSHoEeqs5C35K2UUqR7Fy"),
    ]
    upstream.answers(claude, reply(anthropics.message(text("Hi")), headers=left))
    raw = client.chat.completions.with_raw_response.create(model=claude, messages=HELLO)
    assert raw.headers["x-ratelimit-limit-requests"] == "50"
    assert raw.headers["x-ratelimit-remaining-requests"] == "49"
    assert raw.headers["x-ratelimit-reset-requests"] == "0.000s"
    assert raw.headers["x-ratelimit-remaining-tokens"] == "30000"
    assert float(raw.headers["x-ratelimit-reset-tokens"].removesuffix("s")) > 1e9
    assert raw.headers["x-request-id"] == "req_011CSHoEeqs5C35K2UUqR7Fy"


def test_a_tool_is_called_and_answered(client: OpenAI, upstream: Upstream, claude: str):
    called = tool_use("weather", {"city": "Ulm"}, "toolu_a")
    upstream.answers(
        claude, answer(text("One moment."), called, stop="tool_use"), answer(text("Sunny."))
    )
    first = client.chat.completions.create(model=claude, messages=HELLO, tools=CHAT_TOOLS)
    choice = first.choices[0]
    assert choice.finish_reason == "tool_calls"
    assert choice.message.tool_calls is not None
    call: Any = choice.message.tool_calls[0]
    assert (call.id, call.function.name) == ("toolu_a", "weather")
    assert json.loads(call.function.arguments) == {"city": "Ulm"}
    turns: Any = [
        *HELLO,
        choice.message.model_dump(exclude_none=True),
        {"role": "tool", "tool_call_id": call.id, "content": "25 °C"},
    ]
    second = client.chat.completions.create(model=claude, messages=turns, tools=CHAT_TOOLS)
    assert second.choices[0].message.content == "Sunny."
    body = sent(upstream, claude, 2)
    assert body["messages"][1]["content"][1] == called
    result = body["messages"][2]["content"][0]
    assert result["tool_use_id"] == "toolu_a"
    assert result["content"] == [{"type": "text", "text": "25 °C"}]


def test_tool_calls_are_streamed(client: OpenAI, upstream: Upstream, claude: str):
    upstream.answers(
        claude,
        streamed(
            tool_use("weather", {"city": "Ulm"}, "toolu_a"),
            tool_use("clock", {}, "toolu_b"),
            stop="tool_use",
        ),
    )
    with client.chat.completions.stream(model=claude, messages=HELLO, tools=CHAT_TOOLS) as told:
        final = told.get_final_completion()
    calls = final.choices[0].message.tool_calls
    assert calls is not None
    assert [(c.id, c.function.name) for c in calls] == [
        ("toolu_a", "weather"),
        ("toolu_b", "clock"),
    ]
    assert [json.loads(c.function.arguments) for c in calls] == [{"city": "Ulm"}, {}]
    assert final.choices[0].finish_reason == "tool_calls"


def test_structured_output_is_parsed(client: OpenAI, upstream: Upstream, claude: str):
    upstream.answers(claude, answer(text(json.dumps(TICKET))))
    said = client.chat.completions.parse(model=claude, messages=HELLO, response_format=Ticket)
    assert said.choices[0].message.parsed == Ticket(**TICKET)  # type: ignore[arg-type]
    held = sent(upstream, claude)["output_config"]["format"]
    assert held["type"] == "json_schema"
    assert held["schema"]["required"] == ["summary", "severity"]
    assert held["schema"]["additionalProperties"] is False
    answered = client.responses.parse(model=claude, input="Hello", text_format=Ticket)
    assert answered.output_parsed == Ticket(**TICKET)  # type: ignore[arg-type]
    assert sent(upstream, claude, 2)["output_config"]["format"] == held


def test_a_response(client: OpenAI, server: RunningServer, upstream: Upstream, claude: str):
    upstream.answers(claude, answer(thinking("Hm"), text("Good day."), stop="end_turn"))
    raw = client.responses.with_raw_response.create(
        model=claude, instructions="Be brief.", input="Hello", max_output_tokens=50
    )
    said = raw.parse()
    assert said.output_text == "Good day."
    assert said.status == "completed"
    assert [item.type for item in said.output] == ["reasoning", "message"]
    assert said.usage is not None
    assert said.usage.input_tokens_details.cached_tokens == 3000
    assert said.usage.output_tokens_details.reasoning_tokens == 7
    assert said.instructions == "Be brief."
    assert said.store is False
    assert sent(upstream, claude)["max_tokens"] == 50
    assert server.record(id=raw.headers["x-headgate-call-id"])["cost_nanousd"] > 0
    with pytest.raises(openai.NotFoundError, match="keeps none"):
        client.responses.retrieve(said.id)
    with pytest.raises(openai.BadRequestError, match="previous_response_id"):
        client.responses.create(model=claude, input="And?", previous_response_id=said.id)


def test_a_streamed_response(client: OpenAI, upstream: Upstream, claude: str):
    upstream.answers(
        claude,
        streamed(
            thinking("Let me see."),
            text("Good day."),
            tool_use("weather", {"city": "Ulm"}),
            stop="tool_use",
        ),
    )
    with client.responses.stream(
        model=claude,
        input="Hello",
        tools=TOOLS,
        reasoning={"effort": "medium", "summary": "auto"},
        include=["reasoning.encrypted_content"],
    ) as told:
        events = list(told)
        final = told.get_final_response()
    assert [event.sequence_number for event in events] == list(range(len(events)))
    kinds = [event.type for event in events]
    assert kinds[:3] == [
        "response.created", "response.in_progress", "response.output_item.added",
    ]  # fmt: skip
    for done in (
        "response.reasoning_summary_text.done",
        "response.output_text.done",
        "response.content_part.done",
        "response.function_call_arguments.done",
    ):
        assert kinds.count(done) == 1, done
    assert kinds.count("response.output_item.done") == 3
    assert kinds[-1] == "response.completed"
    assert final.output_text == "Good day."
    call: Any = final.output[2]
    assert json.loads(call.arguments) == {"city": "Ulm"}
    assert sent(upstream, claude)["thinking"] == {"type": "adaptive", "display": "summarized"}


def test_a_tool_loop_hands_the_thinking_back(client: OpenAI, upstream: Upstream, claude: str):
    thought = thinking("Which city? Ulm.")
    upstream.answers(
        claude,
        answer(thought, tool_use("weather", {"city": "Ulm"}), stop="tool_use"),
        answer(text("Sunny.")),
    )
    options: Any = {"tools": TOOLS, "include": ["reasoning.encrypted_content"]}
    turns: Any = [{"role": "user", "content": "How is it in Ulm?"}]
    first = client.responses.create(model=claude, input=turns, **options)
    turns += [item.model_dump(exclude_none=True) for item in first.output]
    call: Any = first.output[1]
    turns.append({"type": "function_call_output", "call_id": call.call_id, "output": "25 °C"})
    assert client.responses.create(model=claude, input=turns, **options).output_text == "Sunny."
    body = sent(upstream, claude, 2)
    assert body["messages"][1]["content"][0] == thought
    assert body["messages"][1]["content"][1]["type"] == "tool_use"


def test_an_answer_cut_by_its_limit_says_so(client: OpenAI, upstream: Upstream, claude: str):
    upstream.answers(claude, answer(text("Good"), stop="max_tokens"))
    chat = client.chat.completions.create(model=claude, messages=HELLO, max_tokens=1)
    assert chat.choices[0].finish_reason == "length"
    response = client.responses.create(model=claude, input="Hello", max_output_tokens=16)
    assert response.status == "incomplete"
    assert response.incomplete_details is not None
    assert response.incomplete_details.reason == "max_output_tokens"


def deltas(client: OpenAI, claude: str, endpoint: str) -> Iterator[str]:
    """The text of a stream, piece by piece."""
    if endpoint == "chat":
        for chunk in client.chat.completions.create(model=claude, messages=HELLO, stream=True):
            yield chunk.choices[0].delta.content or ""
    else:
        for event in client.responses.create(model=claude, input="Hello", stream=True):
            if event.type == "response.output_text.delta":
                yield event.delta


@pytest.mark.parametrize("endpoint", ["chat", "responses"])
def test_a_cut_stream_raises(
    client: OpenAI, server: RunningServer, upstream: Upstream, claude: str, endpoint: str
):
    upstream.answers(claude, streamed(text("Good day."), end=[0.05, CUT]))
    seen: list[str] = []
    with pytest.raises(openai.APIError) as raised:
        seen.extend(deltas(client, claude, endpoint))
    assert "".join(seen) == "Good day."
    assert str(raised.value.code).startswith("upstream_")


@pytest.mark.parametrize("endpoint", ["chat", "responses"])
def test_an_error_in_place_of_a_streams_content_is_tried_again(
    client: OpenAI, upstream: Upstream, claude: str, endpoint: str
):
    error = anthropics.event("error", error={"type": "overloaded_error", "message": "Overloaded"})
    begun = anthropics.events(anthropics.message())[:2]
    upstream.answers(claude, stream(*begun, error), streamed(text("Good day.")))
    assert "".join(deltas(client, claude, endpoint)) == "Good day."


@pytest.mark.parametrize("endpoint", ["chat", "responses"])
def test_an_error_within_a_stream_raises(
    client: OpenAI, server: RunningServer, upstream: Upstream, claude: str, endpoint: str
):
    error = {"type": "overloaded_error", "message": "Overloaded"}
    upstream.answers(
        claude, streamed(text("Good day."), end=[anthropics.event("error", error=error)])
    )
    with pytest.raises(openai.APIError, match="Overloaded") as raised:
        list(deltas(client, claude, endpoint))
    assert raised.value.code == "overloaded"
    record = server.record(model_requested=claude)
    assert record["error_class"] == "overloaded"
    assert record["input_tokens"] == 3210


ERRORS: list[tuple[int, str, str, type[openai.APIStatusError], str]] = [
    (400, "invalid_request_error", "odd", openai.BadRequestError, "invalid_request"),
    (
        400, "invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum",
        openai.BadRequestError, "context_length_exceeded",
    ),
    (404, "not_found_error", "model: claude-x", openai.NotFoundError, "model_not_found"),
    (413, "request_too_large", "Too large", openai.APIStatusError, "request_too_large"),
    (429, "rate_limit_error", "Slow down", openai.RateLimitError, "rate_limit_exceeded"),
    (529, "overloaded_error", "Overloaded", openai.InternalServerError, "overloaded"),
]  # fmt: skip


@pytest.mark.parametrize(("status", "kind", "words", "raises", "code"), ERRORS)
def test_an_error_is_the_sdks_own(
    client: OpenAI,
    upstream: Upstream,
    claude: str,
    status: int,
    kind: str,
    words: str,
    raises: type[openai.APIStatusError],
    code: str,
):
    upstream.answers(claude, failure(status, kind, words))
    with pytest.raises(raises) as raised:
        client.chat.completions.create(model=claude, messages=HELLO)
    assert raised.value.code == code
    assert words in raised.value.message


def test_an_overloaded_provider_is_tried_again(client: OpenAI, upstream: Upstream, claude: str):
    upstream.answers(claude, failure(529, "overloaded_error", "Overloaded"), answer(text("Hi")))
    said = client.chat.completions.create(model=claude, messages=HELLO)
    assert said.choices[0].message.content == "Hi"


def test_a_refused_key_is_not_quoted(client: OpenAI, upstream: Upstream, claude: str):
    upstream.answers(claude, failure(401, "authentication_error", f"bad key {PROVIDER_KEY}"))
    with pytest.raises(openai.APIStatusError) as raised:
        client.chat.completions.create(model=claude, messages=HELLO)
    assert raised.value.status_code == 502
    assert PROVIDER_KEY not in raised.value.message


REFUSED: dict[str, Any] = {
    "n": 2,
    "logprobs": True,
    "store": True,
    "logit_bias": {"50256": -100},
    "presence_penalty": 0.5,
    "audio": {"voice": "alloy", "format": "wav"},
    "response_format": {"type": "json_object"},
    "web_search_options": {},
    "something_new": 1,
}


@pytest.mark.parametrize("field", REFUSED)
def test_what_cannot_be_carried_is_refused_by_name(client: OpenAI, claude: str, field: str):
    with pytest.raises(openai.BadRequestError) as raised:
        client.chat.completions.create(
            model=claude, messages=HELLO, extra_body={field: REFUSED[field]}
        )
    assert raised.value.code == "unsupported_by_provider"
    assert raised.value.param == field
    assert field in raised.value.message


@pytest.mark.parametrize("field", REFUSED)
def test_what_cannot_be_carried_goes_to_the_next_target(
    client: OpenAI, upstream: Upstream, field: str
):
    upstream.answers("other-either", reply(completion("other-either", "From elsewhere.")))
    raw = client.chat.completions.with_raw_response.create(
        model="either", messages=HELLO, extra_body={field: REFUSED[field]}
    )
    assert raw.headers["x-headgate-target"] == "other/other-either"
    assert raw.parse().choices[0].message.content == "From elsewhere."


def test_a_part_that_cannot_be_carried_goes_to_the_next_target(client: OpenAI, upstream: Upstream):
    upstream.answers("other-either", reply(completion("other-either", "Heard.")))
    spoken: Any = [
        {
            "role": "user",
            "content": [{"type": "input_audio", "input_audio": {"data": "AA", "format": "wav"}}],
        }
    ]
    raw = client.chat.completions.with_raw_response.create(model="either", messages=spoken)
    assert raw.parse().choices[0].message.content == "Heard."
    assert raw.headers["x-headgate-target"] == "other/other-either"


@pytest.mark.parametrize(
    "field",
    [
        "previous_response_id",
        "conversation",
        "prompt",
        "store",
        "top_logprobs",
        "truncation",
        "context_management",
    ],
)
def test_what_no_response_can_carry_is_refused_by_name(client: OpenAI, claude: str, field: str):
    value: Any = {
        "store": True,
        "top_logprobs": 3,
        "prompt": {"id": "pmpt_1"},
        "truncation": "auto",
        "context_management": [{}],
    }
    with pytest.raises(openai.APIStatusError) as raised:
        client.responses.create(
            model=claude, input="Hello", extra_body={field: value.get(field, "resp_123")}
        )
    assert raised.value.status_code == 400
    assert raised.value.param == field


def test_embeddings_are_refused(client: OpenAI, claude: str):
    with pytest.raises(openai.BadRequestError, match="has no embeddings"):
        client.embeddings.create(model=claude, input="Hello")


def test_the_models_are_listed(client: OpenAI, upstream: Upstream):
    listed = {
        "data": [
            {
                "type": "model",
                "id": "claude-sonnet-4-5-20250929",
                "display_name": "Claude Sonnet 4.5",
                "created_at": "2025-09-29T00:00:00Z",
                "lifecycle": "active",
                "max_input_tokens": 200000,
            }
        ],
        "has_more": False,
        "first_id": "claude-sonnet-4-5-20250929",
        "last_id": "claude-sonnet-4-5-20250929",
    }
    upstream.answers("/v1/models?limit=1000", reply(listed))
    found = {model.id: model for model in client.models.list()}
    shown = found["claude-sonnet-4-5-20250929"]
    assert (shown.object, shown.owned_by, shown.created) == ("model", "anthropic", 1759104000)
    asked = upstream.requests("/v1/models?limit=1000")[0]
    assert asked.header("x-api-key") == PROVIDER_KEY
    assert asked.header("anthropic-version") == "2023-06-01"
