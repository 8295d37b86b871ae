"""An application that goes away stops the call upstream; it is settled and recorded anyway."""

from __future__ import annotations

import asyncio
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI, OpenAI

from servers import RunningServer
from upstreams import STREAM_HEAD, Upstream, chat_words, chunk, error, response_deltas

HELLO: Any = [{"role": "user", "content": "Hello"}]
_CANCELLED_S = 3.0


@pytest.mark.parametrize("endpoint", ["chat", "responses"])
def test_a_stream_that_is_closed_stops_upstream(
    scripted: OpenAI, gateway: RunningServer, upstream: Upstream, model: str, endpoint: str
):
    begun = chat_words(model, "Wa") if endpoint == "chat" else response_deltas(model, "Wa")
    upstream.answers(model, [STREAM_HEAD, *map(chunk, begun), 20.0])
    if endpoint == "chat":
        raw: Any = scripted.chat.completions.with_raw_response.create(
            model=model, messages=HELLO, stream=True
        )
    else:
        raw = scripted.responses.with_raw_response.create(model=model, input="x", stream=True)
    flowing = raw.parse()
    next(iter(flowing))
    flowing.close()
    assert upstream.wait_for(model).left.wait(_CANCELLED_S)
    record = gateway.record(id=raw.headers["x-headgate-call-id"])
    assert (record["status"], record["error_class"]) == (499, "client_disconnected")
    assert record["streamed"] is True
    assert record["tokens_estimated"] is True
    assert record["input_tokens"] > 0
    assert record["output_tokens"] > 0


async def test_a_cancelled_task_stops_upstream(
    async_scripted: AsyncOpenAI, gateway: RunningServer, upstream: Upstream, model: str
):
    upstream.answers(model, [20.0])
    asking = asyncio.create_task(
        async_scripted.chat.completions.create(model=model, messages=HELLO)
    )
    asked = await asyncio.to_thread(upstream.wait_for, model)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert await asyncio.to_thread(asked.left.wait, _CANCELLED_S)
    record = await asyncio.to_thread(gateway.record, model_requested=model)
    assert (record["status"], record["error_class"]) == (499, "client_disconnected")


async def test_a_cancelled_stream_stops_upstream(
    async_scripted: AsyncOpenAI, gateway: RunningServer, upstream: Upstream, model: str
):
    upstream.answers(model, [STREAM_HEAD, *map(chunk, chat_words(model, "Wa")), 20.0])
    flowing = await async_scripted.chat.completions.create(model=model, messages=HELLO, stream=True)
    reading = asyncio.create_task(_read(flowing))
    asked = await asyncio.to_thread(upstream.wait_for, model)
    await asyncio.sleep(0.1)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    await flowing.close()
    assert await asyncio.to_thread(asked.left.wait, _CANCELLED_S)
    record = await asyncio.to_thread(gateway.record, model_requested=model)
    assert record["status"] == 499


async def _read(flowing: Any) -> None:
    async for _ in flowing:
        pass


def test_a_client_that_leaves_between_attempts_ends_the_retries(
    scripted: OpenAI, gateway: RunningServer, upstream: Upstream, model: str
):
    upstream.answers(model, error(429, "busy", headers=[("retry-after", "2")]))
    with pytest.raises(openai.APITimeoutError):
        scripted.with_options(timeout=0.3).chat.completions.create(
            model=model, messages=HELLO, extra_headers={"x-stainless-read-timeout": "60"}
        )
    record = gateway.record(model_requested=model)
    assert (record["status"], record["attempts"]) == (499, 1)
    assert len(upstream.requests(model)) == 1
