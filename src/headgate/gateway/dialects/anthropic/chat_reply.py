"""A message as a chat completion, and its usage as a chat tells it."""

from __future__ import annotations

from typing import Any

from headgate.gateway.dialects.anthropic.message import (
    FINISH_REASONS,
    Message,
    Part,
    Tokens,
    parts_of,
)

Json = dict[str, Any]


def chat_completion(message: Message, *, created_s: int) -> Json:
    """The whole completion; what was thought has no place in it."""
    parts = parts_of(message)
    text = "".join(part.text for part in parts if part.kind == "text")
    calls = [tool_call(part) for part in parts if part.kind == "tool"]
    said: Json = {"role": "assistant", "content": text or (None if calls else ""), "refusal": None}
    if calls:
        said["tool_calls"] = calls
    choice = {
        "index": 0,
        "message": said,
        "logprobs": None,
        "finish_reason": finish_reason(message.stop_reason),
    }
    return {
        **chat_head(message, "chat.completion", created_s),
        "choices": [choice],
        "usage": chat_usage(message.usage),
    }


def chat_head(message: Message, kind: str, created_s: int) -> Json:
    """What a completion and each of its chunks begin with."""
    return {
        "id": f"chatcmpl-{message.suffix}",
        "object": kind,
        "created": created_s,
        "model": message.model,
        "service_tier": message.usage.tier,
        "system_fingerprint": None,
    }


def tool_call(part: Part) -> Json:
    """A call of a tool, with all its arguments."""
    return {
        "id": part.id,
        "type": "function",
        "function": {"name": part.name, "arguments": part.text},
    }


def finish_reason(stop_reason: str | None) -> str:
    """Why the answer ends, in OpenAI's words."""
    return FINISH_REASONS.get(stop_reason or "", "stop")


def chat_usage(tokens: Tokens) -> Json | None:
    """What it used, as a chat completion tells it; None where it is not known."""
    if not tokens.told:
        return None
    return {
        "prompt_tokens": tokens.all_input,
        "completion_tokens": tokens.output,
        "total_tokens": tokens.all_input + tokens.output,
        "prompt_tokens_details": {
            "cached_tokens": tokens.cached,
            "cache_write_tokens": tokens.written,
            "audio_tokens": 0,
        },
        "completion_tokens_details": {
            "reasoning_tokens": tokens.thinking,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }
