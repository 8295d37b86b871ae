"""Chat completions as the official SDK sees them."""

from __future__ import annotations

import json
from typing import Any, Literal

import openai
import pydantic
import pytest
from plain_http import ask

from headgate.simulator import SimulatorConfig, SimulatorHandle, serve_in_thread

ASK: list[Any] = [{"role": "user", "content": "Why do rivers meander on flat land?"}]


def test_the_same_request_gets_the_same_answer(client: openai.OpenAI):
    first = client.chat.completions.create(model="gpt-4.1", messages=ASK)
    second = client.chat.completions.create(model="gpt-4.1", messages=ASK)
    assert first.choices == second.choices
    assert first.usage == second.usage
    assert first.id != second.id
    assert "rivers" in (first.choices[0].message.content or "")


def test_the_answer_names_the_snapshot(client: openai.OpenAI):
    reply = client.chat.completions.create(model="gpt-5-mini", messages=ASK)
    assert reply.model == "gpt-5-mini-2025-08-07"
    assert reply.system_fingerprint
    assert reply.service_tier == "default"


def test_the_headers_are_openais(client: openai.OpenAI):
    raw = client.chat.completions.with_raw_response.create(model="gpt-4.1", messages=ASK)
    headers = raw.headers
    assert headers["x-request-id"].startswith("req_")
    assert int(headers["openai-processing-ms"]) >= 1
    assert headers["openai-version"] == "2020-10-01"
    assert headers["openai-organization"]
    assert headers["x-headgate-simulated"] == "true"
    assert headers["content-type"] == "application/json"
    for kind in ("requests", "tokens"):
        limit = int(headers[f"x-ratelimit-limit-{kind}"])
        assert 0 < int(headers[f"x-ratelimit-remaining-{kind}"]) < limit
        assert headers[f"x-ratelimit-reset-{kind}"].endswith("s")


def test_several_choices_differ(client: openai.OpenAI):
    reply = client.chat.completions.create(model="gpt-4.1", messages=ASK, n=3)
    assert [choice.index for choice in reply.choices] == [0, 1, 2]
    assert len({choice.message.content for choice in reply.choices}) == 3


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ('Say "hello there"', "hello there"),
        ("Reply with exactly: OK", "OK"),
        ("What is 12 * 12?", "12 * 12 = 144"),
        ("hi", "Hello! How can I help you today?"),
    ],
)
def test_simple_questions_get_their_answer(client: openai.OpenAI, asked: str, said: str):
    reply = client.chat.completions.create(
        model="gpt-4.1", messages=[{"role": "user", "content": asked}]
    )
    assert reply.choices[0].message.content == said


def test_a_longer_answer_is_given_where_one_is_asked_for(client: openai.OpenAI):
    def words(asked: str) -> int:
        reply = client.chat.completions.create(
            model="gpt-4.1", messages=[{"role": "user", "content": asked}]
        )
        return len((reply.choices[0].message.content or "").split())

    assert words("Explain tides in one sentence.") < words("Explain tides.")
    assert words("Explain tides in 300 words.") > 200


def test_stop_sequences_end_the_answer(client: openai.OpenAI):
    reply = client.chat.completions.create(
        model="gpt-4.1",
        messages=[{"role": "user", "content": "Say one, two, three"}],
        stop=[", three", "four"],
    )
    assert reply.choices[0].message.content == "one, two"
    assert reply.choices[0].finish_reason == "stop"


@pytest.mark.parametrize("field", ["max_tokens", "max_completion_tokens"])
def test_the_limit_of_tokens_cuts_the_answer(client: openai.OpenAI, field: str):
    extra: dict[str, Any] = {field: 5}
    reply = client.chat.completions.create(model="gpt-4.1", messages=ASK, **extra)
    assert reply.choices[0].finish_reason == "length"
    assert reply.usage is not None
    assert reply.usage.completion_tokens == 5


def test_log_probabilities_cover_the_text(client: openai.OpenAI):
    reply = client.chat.completions.create(
        model="gpt-4.1", messages=ASK, logprobs=True, top_logprobs=2
    )
    choice = reply.choices[0]
    assert choice.logprobs is not None
    assert choice.logprobs.content is not None
    assert "".join(token.token for token in choice.logprobs.content) == choice.message.content
    for token in choice.logprobs.content:
        assert token.logprob <= 0
        assert [token.token, 2] == [token.top_logprobs[0].token, len(token.top_logprobs)]
        assert token.top_logprobs[0].logprob >= token.top_logprobs[1].logprob


def test_images_cost_tokens(client: openai.OpenAI):
    def prompt_tokens(detail: Literal["low", "high"]) -> int:
        reply = client.chat.completions.create(
            model="gpt-4.1",
            messages=[
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": "What is this?"},
                        {
                            "type": "image_url",
                            "image_url": {"url": "https://example.com/a.png", "detail": detail},
                        },
                    ],
                }
            ],
        )
        assert reply.usage is not None
        return reply.usage.prompt_tokens

    assert prompt_tokens("high") - prompt_tokens("low") == 765 - 85


class Person(pydantic.BaseModel):
    name: str
    email: str | None
    kind: Literal["customer", "supplier"]


def test_parse_gives_a_typed_answer(client: openai.OpenAI):
    reply = client.chat.completions.parse(
        model="gpt-4.1-mini",
        messages=[
            {"role": "system", "content": "Extract the person."},
            {"role": "user", "content": "Our supplier Ann Lee writes from ann@example.org."},
        ],
        response_format=Person,
    )
    assert reply.choices[0].message.parsed == Person(
        name="Ann Lee", email="ann@example.org", kind="supplier"
    )


def test_json_mode_gives_the_keys_that_are_asked_for(client: openai.OpenAI):
    reply = client.chat.completions.create(
        model="gpt-4.1",
        messages=[
            {"role": "system", "content": "Answer in JSON with the keys `summary` and `language`."},
            {"role": "user", "content": "La panne dure depuis ce matin. Nous sommes bloqués."},
        ],
        response_format={"type": "json_object"},
    )
    value = json.loads(reply.choices[0].message.content or "")
    assert value["language"] == "fr"
    assert "panne" in value["summary"]


def test_a_correction_is_answered_for_the_question_before_it(client: openai.OpenAI):
    def parsed(messages: list[Any]) -> Person | None:
        reply = client.chat.completions.parse(
            model="gpt-4.1", messages=messages, response_format=Person
        )
        return reply.choices[0].message.parsed

    ask = [{"role": "user", "content": "Our supplier Ann Lee writes from ann@example.org."}]
    correction = [
        {"role": "assistant", "content": "{}"},
        {"role": "user", "content": "Your answer did not pass these checks: - name: missing"},
    ]
    assert parsed(ask) == parsed(ask + correction)


def test_the_older_limit_is_refused_by_models_that_reason(client: openai.OpenAI):
    with pytest.raises(openai.BadRequestError) as refusal:
        client.chat.completions.create(model="gpt-5-mini", messages=ASK, max_tokens=50)
    assert refusal.value.param == "max_tokens"
    assert refusal.value.code == "unsupported_parameter"
    with pytest.raises(openai.BadRequestError) as refusal:
        client.chat.completions.create(model="o3", messages=ASK, temperature=0)
    assert refusal.value.param == "temperature"


def test_any_key_is_taken_but_one_is_needed(simulator: SimulatorHandle):
    url = f"{simulator.base_url}/models"
    missing = ask(url, headers={})
    assert missing.status == 401
    assert missing.json()["error"]["type"] == "invalid_request_error"
    assert ask(url, headers={"authorization": "Bearer anything"}).status == 200


def test_only_the_keys_of_the_configuration_are_taken_where_it_names_some():
    with serve_in_thread(SimulatorConfig(api_keys=("sk-right-key",))) as handle:
        with (
            openai.OpenAI(base_url=handle.base_url, api_key="sk-wrong", max_retries=0) as wrong,
            pytest.raises(openai.AuthenticationError) as refusal,
        ):
            wrong.models.list()
        assert refusal.value.code == "invalid_api_key"
        with openai.OpenAI(base_url=handle.base_url, api_key="sk-right-key") as right:
            assert right.models.list().data


def test_the_models_are_listed_and_found(client: openai.OpenAI):
    listed = {model.id for model in client.models.list()}
    assert {"gpt-5-mini", "gpt-4.1", "o4-mini", "text-embedding-3-small"} <= listed
    assert client.models.retrieve("gpt-4.1").object == "model"
    with pytest.raises(openai.NotFoundError) as missing:
        client.models.retrieve("gpt-99")
    assert missing.value.code == "model_not_found"


def test_health_needs_no_key(simulator: SimulatorHandle):
    reply = ask(simulator.base_url.removesuffix("/v1") + "/healthz", headers={})
    assert reply.json() == {"status": "ok"}


async def test_many_callers_at_once_are_served(simulator: SimulatorHandle):
    import asyncio

    async with openai.AsyncOpenAI(base_url=simulator.base_url, api_key="k") as sdk:
        asks: list[list[Any]] = [[{"role": "user", "content": f"Say {n}"}] for n in range(20)]
        replies = await asyncio.gather(
            *(sdk.chat.completions.create(model="gpt-4.1", messages=ask) for ask in asks)
        )
    assert [r.choices[0].message.content for r in replies] == [str(n) for n in range(20)]
