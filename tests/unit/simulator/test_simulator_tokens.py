"""Tokens are counted as OpenAI counts them: input, cached, output and reasoning."""

from __future__ import annotations

from typing import Any

import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.simulator import SimulatorConfig, serve_in_thread, tokens
from headgate.simulator.prompt_cache import PromptCache
from headgate.simulator.reasoning import reasoning_tokens


@given(st.text(max_size=200))
def test_pieces_join_to_the_text(text: str):
    assert "".join(tokens.pieces(text)) == text


@given(st.text(max_size=200), st.integers(0, 30))
def test_a_shortened_text_begins_alike_and_is_within_its_limit(text: str, limit: int):
    short = tokens.shortened(text, limit)
    assert text.startswith(short)
    assert tokens.counted(short) <= limit


def test_a_known_text_has_its_known_count():
    assert tokens.counted("hello world") == 2


def test_the_output_is_counted_by_the_models_tokenizer(client: openai.OpenAI):
    reply = client.chat.completions.create(
        model="gpt-4.1", messages=[{"role": "user", "content": "Say hello world, naïve café"}]
    )
    assert reply.usage is not None
    text = reply.choices[0].message.content or ""
    assert reply.usage.completion_tokens == tokens.counted(text)
    assert reply.usage.total_tokens == reply.usage.prompt_tokens + reply.usage.completion_tokens


def test_a_repeated_prefix_is_cached_in_steps_of_128():
    long = "The gate lets through what the fields can drink, and no more than that. " * 200
    with (
        serve_in_thread(SimulatorConfig(tokens_per_s=0)) as handle,
        openai.OpenAI(base_url=handle.base_url, api_key="k") as sdk,
    ):

        def cached(question: str) -> tuple[int, int]:
            messages: list[Any] = [
                {"role": "system", "content": long},
                {"role": "user", "content": question},
            ]
            usage = sdk.chat.completions.create(model="gpt-4.1", messages=messages).usage
            assert usage is not None
            assert usage.prompt_tokens_details is not None
            return usage.prompt_tokens_details.cached_tokens or 0, usage.prompt_tokens

        first, _ = cached("One?")
        second, prompt = cached("Two, and a different ending?")
        assert first == 0
        assert second >= 1_024
        assert second % 128 == 0
        assert prompt - second < 256
        reply = sdk.responses.create(model="gpt-4.1", instructions=long, input="Three?")
        assert reply.usage is not None
        assert reply.usage.input_tokens_details.cached_tokens == second


@given(
    st.lists(st.lists(st.integers(0, 3), max_size=6), min_size=1, max_size=6),
    st.integers(min_value=1, max_value=4),
)
def test_no_more_is_cached_than_was_seen(endings: list[list[int]], words: int):
    cache = PromptCache()
    seen: list[list[int]] = []
    for ending in endings:
        prompt = list(range(words)) * 300 + ending * 128
        cached = cache.recall("m", prompt)
        shared = max((_shared(prompt, other) for other in seen), default=0)
        assert cached == (shared // 128 * 128 if shared >= 1_024 else 0)
        seen.append(prompt)


def _shared(one: list[int], other: list[int]) -> int:
    for place, (left, right) in enumerate(zip(one, other, strict=False)):
        if left != right:
            return place
    return min(len(one), len(other))


def test_the_cache_forgets_what_is_oldest():
    cache = PromptCache(max_prefixes=2)
    first, second = [1] * 1_024, [2] * 1_200
    cache.recall("m", first)
    cache.recall("m", second)
    assert cache.recall("m", first) == 0


def test_models_do_not_share_their_cache():
    cache = PromptCache()
    cache.recall("one", [1] * 1_024)
    assert cache.recall("other", [1] * 1_024) == 0


def test_more_effort_takes_more_reasoning(client: openai.OpenAI):
    def reasoned(effort: Any) -> int:
        usage = client.chat.completions.create(
            model="gpt-5-mini",
            messages=[{"role": "user", "content": "Explain tides."}],
            reasoning_effort=effort,
        ).usage
        assert usage is not None
        assert usage.completion_tokens_details is not None
        used = usage.completion_tokens_details.reasoning_tokens or 0
        assert usage.completion_tokens > used
        return used

    assert reasoned("minimal") == 0
    assert 0 < reasoned("low") < reasoned("medium") < reasoned("high")


@given(st.integers(1, 100_000), st.integers(1, 4_000))
def test_reasoning_leaves_half_of_the_limit_to_the_answer(prompt: int, limit: int):
    used = reasoning_tokens("high", prompt, limit)
    assert used % 64 == 0
    assert used <= limit / 2


def test_an_effort_that_does_not_exist_is_refused(client: openai.OpenAI):
    wrong: Any = "huge"
    with pytest.raises(openai.BadRequestError) as refusal:
        client.responses.create(model="gpt-5", input="x", reasoning={"effort": wrong})
    assert refusal.value.param == "reasoning.effort"


def test_a_prompt_beyond_the_context_window_is_refused(client: openai.OpenAI):
    with pytest.raises(openai.BadRequestError) as refusal:
        client.chat.completions.create(
            model="gpt-4o", messages=[{"role": "user", "content": "one two " * 70_000}]
        )
    assert refusal.value.code == "context_length_exceeded"
    assert refusal.value.param == "messages"
