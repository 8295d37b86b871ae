"""Embeddings: similar texts are near, and every form of input and output is served."""

from __future__ import annotations

import base64
import struct
from typing import Any

import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st
from plain_http import ask

from headgate.simulator import SimulatorHandle, tokens
from headgate.simulator.text.vectors import normalised, vector_of

SMALL = "text-embedding-3-small"


def similarity(one: list[float], other: list[float]) -> float:
    return sum(left * right for left, right in zip(one, other, strict=True))


def embedded(client: openai.OpenAI, *texts: str, **more: Any) -> list[list[float]]:
    reply = client.embeddings.create(model=SMALL, input=list(texts), **more)
    assert [item.index for item in reply.data] == list(range(len(texts)))
    return [item.embedding for item in reply.data]


def test_similar_texts_are_nearer_than_others(client: openai.OpenAI):
    question, answer, other = embedded(
        client,
        "How can I get a refund for my invoice?",
        "Refunds: you get a refund of an invoice within 14 days.",
        "The volcano erupted at dawn and covered the village in ash.",
    )
    assert similarity(question, answer) > 0.3
    assert similarity(question, other) < 0.15


def test_spelling_and_inflection_change_little(client: openai.OpenAI):
    one, other = embedded(client, "Resetting passwords", "reset a password")
    assert similarity(one, other) > 0.4


@given(st.text(max_size=80), st.sampled_from([8, 256, 1_536]))
def test_vectors_have_length_one_and_are_the_same_again(text: str, dimensions: int):
    vector = vector_of(text, dimensions)
    assert len(vector) == dimensions
    assert abs(similarity(vector, vector) - 1) < 1e-5
    assert vector == vector_of(text, dimensions)


def test_a_shorter_vector_is_the_beginning_of_the_longer_one(client: openai.OpenAI):
    (long,) = embedded(client, "the gate of the canal")
    (short,) = embedded(client, "the gate of the canal", dimensions=512)
    assert len(long) == 1_536
    assert len(short) == 512
    assert similarity(short, normalised(long[:512])) > 0.99999


def test_floats_and_base64_say_the_same(simulator: SimulatorHandle):
    url = f"{simulator.base_url}/embeddings"
    body = {"model": SMALL, "input": "river"}
    floats = ask(url, {**body, "encoding_format": "float"}).json()["data"][0]["embedding"]
    packed = ask(url, {**body, "encoding_format": "base64"}).json()["data"][0]["embedding"]
    unpacked = struct.unpack(f"<{len(floats)}f", base64.b64decode(packed))
    assert all(abs(a - b) < 1e-7 for a, b in zip(floats, unpacked, strict=True))


def test_tokens_are_embedded_as_their_text(client: openai.OpenAI):
    text = "Headgate lets the water in."
    by_tokens = client.embeddings.create(model=SMALL, input=tokens.embedding_encoded(text))
    (by_text,) = embedded(client, text)
    assert by_tokens.data[0].embedding == by_text
    several = client.embeddings.create(model=SMALL, input=[[1, 2, 3], [4, 5]])
    assert len(several.data) == 2
    assert several.usage.prompt_tokens == 5


def test_tokens_that_are_no_text_are_embedded_all_the_same(simulator: SimulatorHandle):
    for given_ in ([99_999_999], [-1], [[2**40]], [100_256]):
        reply = ask(f"{simulator.base_url}/embeddings", {"model": SMALL, "input": given_})
        assert reply.status in (200, 400), reply.body


def test_usage_counts_the_tokens(client: openai.OpenAI):
    reply = client.embeddings.create(model=SMALL, input=["hello world", "hello"])
    assert reply.usage.prompt_tokens == reply.usage.total_tokens == 3


def test_the_older_model_has_its_own_length_and_no_choice(client: openai.OpenAI):
    reply = client.embeddings.create(model="text-embedding-ada-002", input="x")
    assert len(reply.data[0].embedding) == 1_536
    with pytest.raises(openai.BadRequestError):
        client.embeddings.create(model="text-embedding-ada-002", input="x", dimensions=10)


def test_a_text_beyond_the_models_limit_is_refused(client: openai.OpenAI):
    with pytest.raises(openai.BadRequestError) as refusal:
        client.embeddings.create(model=SMALL, input="word " * 9_000)
    assert refusal.value.code == "context_length_exceeded"
    with pytest.raises(openai.BadRequestError):
        client.embeddings.create(model=SMALL, input=["x"] * 2_049)
