"""A message as a response: its items, its status, its usage."""

from __future__ import annotations

from typing import Any

from headgate.gateway.dialects.anthropic.message import (
    INCOMPLETE_REASONS,
    Message,
    Part,
    Tokens,
    parts_of,
)
from headgate.gateway.dialects.anthropic.responses_echo import Echo
from headgate.gateway.dialects.anthropic.sealed_thinking import seal

Json = dict[str, Any]

_PREFIXES = {"text": "msg", "tool": "fc", "thinking": "rs"}


def response_object(message: Message, echo: Echo, *, created_s: int) -> Json:
    """The whole response."""
    return finished_response(message, parts_of(message), echo, created_s=created_s)


def finished_response(message: Message, parts: list[Part], echo: Echo, *, created_s: int) -> Json:
    """A response whose answer is complete, or that ended before it was."""
    reason = INCOMPLETE_REASONS.get(message.stop_reason or "")
    output = [item_of(message, number, part, echo) for number, part in enumerate(parts)]
    if reason is not None and output and output[-1]["type"] != "reasoning":
        output[-1]["status"] = "incomplete"
    return {
        **begun_response(message, echo, created_s=created_s),
        "status": "completed" if reason is None else "incomplete",
        "incomplete_details": None if reason is None else {"reason": reason},
        "output": output,
        "usage": response_usage(message.usage),
    }


def begun_response(message: Message, echo: Echo, *, created_s: int) -> Json:
    """A response that has just begun."""
    return {
        "id": f"resp_{message.suffix}",
        "object": "response",
        "created_at": created_s,
        "status": "in_progress",
        "background": False,
        "error": None,
        "incomplete_details": None,
        "model": message.model,
        "output": [],
        "previous_response_id": None,
        "service_tier": message.usage.tier,
        "store": False,
        "top_logprobs": 0,
        "truncation": "disabled",
        "usage": None,
        **echo.fields,
    }


def item_id(message: Message, number: int, part: Part) -> str:
    """The id of the item of the `number`-th part."""
    return f"{_PREFIXES[part.kind]}_{message.suffix}_{number}"


def item_of(message: Message, number: int, part: Part, echo: Echo) -> Json:
    """The item of a part that is complete."""
    item = open_item(message, number, part)
    if part.kind == "text":
        return item | {"status": "completed", "content": [output_text(part.text)]}
    if part.kind == "tool":
        return item | {"status": "completed", "arguments": part.text}
    if echo.summary and part.text:
        item["summary"] = [summary_text(part.text)]
    if echo.sealed:
        item["encrypted_content"] = seal(part)
    return item


def open_item(message: Message, number: int, part: Part) -> Json:
    """The item of a part that has just begun."""
    identifier = item_id(message, number, part)
    if part.kind == "text":
        return {
            "id": identifier,
            "type": "message",
            "status": "in_progress",
            "role": "assistant",
            "content": [],
        }
    if part.kind == "tool":
        return {
            "id": identifier,
            "type": "function_call",
            "status": "in_progress",
            "call_id": part.id,
            "name": part.name,
            "arguments": "",
        }
    return {"id": identifier, "type": "reasoning", "summary": []}


def output_text(text: str) -> Json:
    """A part of a message's content."""
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def summary_text(text: str) -> Json:
    """A part of what was thought."""
    return {"type": "summary_text", "text": text}


def response_usage(tokens: Tokens) -> Json | None:
    """What it used, as a response tells it; None where it is not known."""
    if not tokens.told:
        return None
    return {
        "input_tokens": tokens.all_input,
        "input_tokens_details": {
            "cached_tokens": tokens.cached,
            "cache_write_tokens": tokens.written,
        },
        "output_tokens": tokens.output,
        "output_tokens_details": {"reasoning_tokens": tokens.thinking},
        "total_tokens": tokens.all_input + tokens.output,
    }
