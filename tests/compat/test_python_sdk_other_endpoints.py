"""Embeddings, moderations and models of the official Python SDK."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from openai import AsyncOpenAI, NotFoundError, OpenAI

from servers import RunningServer, StartServer
from upstreams import Upstream


def _nearness(one: Sequence[float], other: Sequence[float]) -> float:
    return sum(x * y for x, y in zip(one, other, strict=True))


def test_embeddings(client: OpenAI, simulated: RunningServer):
    raw = client.embeddings.with_raw_response.create(
        model="text-embedding-3-small", input=["a red apple", "red apples", "tax return"]
    )
    made = raw.parse()
    apple, apples, tax = (item.embedding for item in made.data)
    assert _nearness(apple, apples) > _nearness(apple, tax)
    record = simulated.record(id=raw.headers["x-headgate-call-id"])
    assert record["endpoint"] == "embeddings"
    assert record["input_tokens"] == made.usage.prompt_tokens
    assert record["cost_nanousd"] == made.usage.prompt_tokens * 20
    assert record["output_tokens"] in (None, 0)


@pytest.mark.parametrize("encoding", ["float", "base64"])
def test_embeddings_of_fewer_dimensions(client: OpenAI, encoding: str):
    made = client.embeddings.create(
        model="text-embedding-3-small", input="x", dimensions=64, encoding_format=encoding
    )
    if encoding == "float":
        assert len(made.data[0].embedding) == 64


async def test_embeddings_asked_for_asynchronously(async_client: AsyncOpenAI):
    made = await async_client.embeddings.create(model="text-embedding-3-large", input="x")
    assert len(made.data[0].embedding) == 3072


def test_moderations_are_free(client: OpenAI, simulated: RunningServer):
    raw = client.moderations.with_raw_response.create(
        model="omni-moderation-latest", input=["Good morning!", "I will kill you"]
    )
    calm, violent = raw.parse().results
    assert not calm.flagged
    assert violent.flagged
    assert violent.categories.violence
    record = simulated.record(id=raw.headers["x-headgate-call-id"])
    assert (record["endpoint"], record["cost_nanousd"]) == ("moderations", 0)


def test_moderations_need_no_model(client: OpenAI):
    assert client.moderations.create(input="Good morning!").results


def test_models_are_listed_and_shown(client: OpenAI):
    listed = {listed.id for listed in client.models.list()}
    assert {"gpt-4.1-mini", "text-embedding-3-small"} <= listed
    assert client.models.retrieve("gpt-4.1-mini").id == "gpt-4.1-mini"
    with pytest.raises(NotFoundError) as refused:
        client.models.retrieve("no-such-model")
    assert refused.value.code == "model_not_found"


def test_a_key_sees_the_models_that_it_may_use_and_the_routes(
    server_with: StartServer, upstream: Upstream
):
    server = server_with(
        settings=f"""
providers:
  here: {{base_url: "{upstream.base_url}", api_key: sk-here}}
routes:
  cheap: {{targets: [{{provider: here, model: gpt-5-mini}}]}}
"""
    )
    key = server.new_key(models=["cheap"])
    with OpenAI(base_url=server.base_url, api_key=key, max_retries=0) as client:
        assert [listed.id for listed in client.models.list()] == ["cheap"]
        assert client.models.retrieve("cheap").owned_by == "headgate"
        with pytest.raises(NotFoundError):
            client.models.retrieve("gpt-5-mini")
        answer = client.chat.completions.create(model="cheap", messages=[])
    assert answer.model == "gpt-5-mini"
