"""What guards take out of an answer, or hold back, is not told by the tokens beside it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from guards_at_a_call import guards_at
from headgate.checks.guards.guarding import Guarding
from headgate.checks.parts.flow import ChatFlow, FlowReader, ResponseFlow
from headgate.config.detection import DetectionSettings
from headgate.config.guards import GuardSettings, RedactMode, RedactSettings, WordsSettings
from headgate.errors import ContentBlockedError
from headgate.gateway.guarded_stream import GuardedStream

MAIL = "anne@example.com"
MASKED = "****@******e.com"
TOKENS = [{"token": MAIL, "logprob": -0.1, "bytes": [97], "top_logprobs": [{"token": MAIL}]}]


def hiding(mode: RedactMode) -> Guarding:
    find = DetectionSettings(kinds=("email",), languages=("en",))
    return guards_at("x", hide=GuardSettings(redact=RedactSettings(find=find, mode=mode)))


def chat(text: str, tokens: Any) -> dict[str, Any]:
    message = {"role": "assistant", "content": text}
    return {"choices": [{"index": 0, "message": message, "logprobs": {"content": tokens}}]}


def response(text: str, tokens: Any) -> dict[str, Any]:
    said = {"type": "output_text", "text": text, "annotations": [], "logprobs": tokens}
    output = [{"type": "message", "role": "assistant", "content": [said]}]
    schema = {"type": "object", "properties": {"logprobs": {"type": "string"}}}
    echoed = {"format": {"type": "json_schema", "name": "x", "schema": schema}}
    return {"object": "response", "output": output, "text": echoed}


@pytest.mark.parametrize("answer", [chat, response])
async def test_a_whole_answer_that_was_rewritten_has_none(answer: Any) -> None:
    guarding = hiding("mask")
    await guarding.request({"input": "hi"})
    body = answer(f"To {MAIL}.", TOKENS)
    await guarding.reply(body)
    told = json.dumps(body)
    assert MASKED in told
    assert MAIL not in told
    # What an answer repeats of its request stays: a schema may have a field of that name.
    assert "output" not in body or body["text"] == response("", [])["text"]


async def test_one_that_was_not_has_them() -> None:
    guarding = hiding("mask")
    await guarding.request({"input": "hi"})
    body = chat("Nothing to see.", [{"token": "Nothing"}])
    await guarding.reply(body)
    assert body == chat("Nothing to see.", [{"token": "Nothing"}])


def events(flow: FlowReader) -> list[dict[str, Any]]:
    if isinstance(flow, ChatFlow):
        choice = {"index": 0, "delta": {"content": f"To {MAIL}"}, "logprobs": {"content": TOKENS}}
        return [{"choices": [choice]}, {"choices": [{"delta": {}, "finish_reason": "stop"}]}]
    at = {"item_id": "msg_1", "output_index": 0, "content_index": 0, "logprobs": TOKENS}
    return [
        {"type": "response.output_text.delta", "delta": f"To {MAIL}", **at},
        {"type": "response.output_text.done", "text": f"To {MAIL}", **at},
        {"type": "response.completed", "response": response(f"To {MAIL}", TOKENS)},
    ]


def streamed(guarding: Guarding, flow: FlowReader) -> str:
    stream = GuardedStream(guarding, flow)
    told = [stream.feed(b"data: %b\n\n" % json.dumps(one).encode()) for one in events(flow)]
    return b"".join(told).decode()


@pytest.mark.parametrize("flow", [ChatFlow, ResponseFlow])
async def test_a_stream_that_guards_read_has_none(flow: Any) -> None:
    guarding = hiding("mask")
    await guarding.request({"input": "hi"})
    told = streamed(guarding, flow())
    assert MAIL not in told
    assert MASKED in told


async def test_words_are_not_shown_in_tokens_before_they_are_blocked() -> None:
    words = GuardSettings(words=WordsSettings(words=("anne",)))
    guarding = guards_at("chat/completions", house=words)
    await guarding.request({"messages": []})
    stream = GuardedStream(guarding, ChatFlow())
    piece, end = (b"data: %b\n\n" % json.dumps(one).encode() for one in events(ChatFlow()))
    assert b"anne" not in stream.feed(piece)
    with pytest.raises(ContentBlockedError):
        stream.feed(end)


@pytest.mark.parametrize("flow", [ChatFlow, ResponseFlow])
async def test_a_stream_in_which_values_are_only_put_back_keeps_them(flow: Any) -> None:
    guarding = hiding("placeholder")
    await guarding.request({"input": "bert@example.com"})
    assert f'"token": "{MAIL}"' in streamed(guarding, flow())
