"""Responses: state, tools, structure and what GET, DELETE and cancel do with them."""

from __future__ import annotations

import time
from typing import Any, Literal

import openai
import pydantic
import pytest

from headgate.simulator import SimulatorConfig, serve_in_thread
from headgate.simulator.endpoints.response_store import ResponseStore, StoredResponse


class Ticket(pydantic.BaseModel):
    severity: Literal["low", "medium", "high", "urgent"]
    reason: str


def test_parse_gives_a_typed_answer(client: openai.OpenAI):
    reply = client.responses.parse(
        model="gpt-5-mini",
        instructions="Triage.",
        input="The whole site is down for everybody.",
        text_format=Ticket,
    )
    assert reply.output_parsed is not None
    assert reply.output_parsed.severity == "urgent"
    assert reply.text is not None
    assert reply.text.format is not None
    assert reply.text.format.type == "json_schema"


def test_input_may_be_items_of_several_kinds(client: openai.OpenAI):
    reply = client.responses.create(
        model="gpt-4.1",
        input=[
            {"role": "developer", "content": "Be brief."},
            {"role": "assistant", "content": "Hello."},
            {
                "type": "message",
                "role": "user",
                "content": [
                    {"type": "input_text", "text": "Say cheese"},
                    {
                        "type": "input_image",
                        "image_url": "data:image/png;base64,xx",
                        "detail": "low",
                    },
                ],
            },
        ],
    )
    assert reply.output_text == "cheese"
    assert reply.usage is not None
    assert reply.usage.input_tokens > 85


def test_the_request_is_echoed(client: openai.OpenAI):
    reply = client.responses.create(
        model="gpt-4.1",
        input="Say x",
        instructions="Be kind.",
        metadata={"team": "support"},
        temperature=0.3,
        top_p=0.9,
        max_output_tokens=99,
        service_tier="flex",
        user="u1",
        prompt_cache_key="k1",
        truncation="auto",
        parallel_tool_calls=False,
    )
    assert reply.metadata == {"team": "support"}
    assert (reply.temperature, reply.top_p, reply.max_output_tokens) == (0.3, 0.9, 99)
    assert (reply.service_tier, reply.user, reply.prompt_cache_key) == ("flex", "u1", "k1")
    assert (reply.truncation, reply.instructions) == ("auto", "Be kind.")
    assert reply.parallel_tool_calls is False


def test_a_conversation_goes_on_from_a_stored_response(client: openai.OpenAI):
    first = client.responses.create(model="gpt-4.1", input="Say " + "river " * 60)
    second = client.responses.create(
        model="gpt-4.1", input="Say more", previous_response_id=first.id
    )
    alone = client.responses.create(model="gpt-4.1", input="Say more")
    assert second.usage is not None
    assert alone.usage is not None
    assert second.usage.input_tokens > alone.usage.input_tokens + 100
    assert second.previous_response_id == first.id


def test_a_response_that_was_not_stored_cannot_be_gone_on_from(client: openai.OpenAI):
    first = client.responses.create(model="gpt-4.1", input="Say x", store=False)
    with pytest.raises(openai.BadRequestError) as refusal:
        client.responses.create(model="gpt-4.1", input="y", previous_response_id=first.id)
    assert refusal.value.code == "previous_response_not_found"
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(first.id)


def test_a_stored_response_can_be_read_listed_and_deleted(client: openai.OpenAI):
    made = client.responses.create(
        model="gpt-4.1",
        input=[
            {"role": "user", "content": "one"},
            {"role": "assistant", "content": "two"},
            {"role": "user", "content": "Say three"},
        ],
    )
    assert client.responses.retrieve(made.id) == made
    listed = client.responses.input_items.list(made.id, limit=2, order="asc")
    assert [item.type for item in listed.data] == ["message", "message"]
    assert listed.has_more
    assert len(list(client.responses.input_items.list(made.id, limit=1))) == 3
    client.responses.delete(made.id)
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(made.id)


def test_a_response_answered_at_once_cannot_be_cancelled(client: openai.OpenAI):
    made = client.responses.create(model="gpt-4.1", input="Say x")
    with pytest.raises(openai.BadRequestError, match="synchronous"):
        client.responses.cancel(made.id)


def test_a_background_response_is_ready_later_or_cancelled():
    with (
        serve_in_thread(SimulatorConfig(tokens_per_s=20)) as handle,
        openai.OpenAI(base_url=handle.base_url, api_key="k") as sdk,
    ):
        quick = sdk.responses.create(model="gpt-4.1", input="Say a b c", background=True)
        slow = sdk.responses.create(model="gpt-4.1", input="Say " + "word " * 500, background=True)
        assert quick.status == slow.status == "queued"
        assert sdk.responses.retrieve(slow.id).status == "in_progress"
        assert sdk.responses.cancel(slow.id).status == "cancelled"
        assert sdk.responses.retrieve(slow.id).output == []
        deadline = time.monotonic() + 5
        while sdk.responses.retrieve(quick.id).status != "completed":
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert sdk.responses.retrieve(quick.id).output_text == "a b c"


def test_reasoning_is_told_where_it_is_asked_for(client: openai.OpenAI):
    reply = client.responses.create(
        model="gpt-5",
        input="Why do rivers meander?",
        reasoning={"effort": "high", "summary": "detailed"},
        include=["reasoning.encrypted_content"],
    )
    reasoning = reply.output[0]
    assert reasoning.type == "reasoning"
    assert "rivers" in reasoning.summary[0].text
    assert reasoning.encrypted_content
    assert reply.usage is not None
    assert reply.usage.output_tokens_details.reasoning_tokens > 0


def test_log_probabilities_are_included_where_they_are_asked_for(client: openai.OpenAI):
    reply = client.responses.create(
        model="gpt-4.1",
        input="Say a b",
        include=["message.output_text.logprobs"],
        top_logprobs=3,
    )
    message = reply.output[0]
    assert message.type == "message"
    part = message.content[0]
    assert part.type == "output_text"
    assert part.logprobs is not None
    assert "".join(token.token for token in part.logprobs) == "a b"
    assert len(part.logprobs[0].top_logprobs) == 3


def test_an_incomplete_response_says_why(client: openai.OpenAI):
    reply = client.responses.create(
        model="gpt-4.1", input="Tell me a long story.", max_output_tokens=16
    )
    assert reply.status == "incomplete"
    assert reply.incomplete_details is not None
    assert reply.incomplete_details.reason == "max_output_tokens"
    assert reply.usage is not None
    assert reply.usage.output_tokens == 16


def test_the_store_forgets_what_is_oldest():
    store = ResponseStore(max_responses=2)
    for number in range(3):
        body: dict[str, Any] = {"id": f"resp_{number}", "status": "completed"}
        store.add(StoredResponse(body, [], (), background=False, ready_at_s=0))
    assert store.get("resp_0") is None
    assert store.get("resp_2") is not None
