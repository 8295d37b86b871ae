"""A response as the API shows it: its fields, and the items of its output."""

from __future__ import annotations

from typing import Any

import msgspec

from headgate.simulator.answer import Answer, Usage
from headgate.simulator.catalogue import Effort, Model
from headgate.simulator.endpoints.identifier import new_id
from headgate.simulator.endpoints.logprobs import token_logprobs
from headgate.simulator.endpoints.sampling import service_tier
from headgate.simulator.schema.strict import SchemaRefusedError, check_strict
from headgate.simulator.wire.request import JsonObject

_ECHOED = (
    "instructions",
    "max_output_tokens",
    "max_tool_calls",
    "previous_response_id",
    "prompt",
    "prompt_cache_key",
    "prompt_cache_retention",
    "safety_identifier",
    "user",
)


def response_frame(
    body: JsonObject, model: Model, effort: Effort | None, created_at: int
) -> dict[str, Any]:
    """The response to `body` before anything of its output is there."""
    text = body.get("text") or {}
    reasoning = body.get("reasoning") or {}
    frame: dict[str, Any] = {
        "id": new_id("resp_"),
        "object": "response",
        "created_at": created_at,
        "status": "in_progress",
        "background": body.get("background") is True,
        "completed_at": None,
        "error": None,
        "incomplete_details": None,
        "metadata": body.get("metadata") or {},
        "model": model.snapshot,
        "output": [],
        "parallel_tool_calls": body.get("parallel_tool_calls") is not False,
        "reasoning": {"effort": effort, "summary": reasoning.get("summary")},
        "service_tier": service_tier(body),
        "temperature": _or(body.get("temperature"), 1.0),
        "text": {
            "format": text.get("format") or {"type": "text"},
            "verbosity": text.get("verbosity") or "medium",
        },
        "tool_choice": _or(body.get("tool_choice"), "auto"),
        "tools": [_tool(tool) for tool in body.get("tools") or ()],
        "top_logprobs": body.get("top_logprobs") or 0,
        "top_p": _or(body.get("top_p"), 1.0),
        "truncation": body.get("truncation") or "disabled",
        "usage": None,
    }
    for name in _ECHOED:
        frame[name] = body.get(name)
    if body.get("conversation") is not None:
        given = body["conversation"]
        frame["conversation"] = {"id": given} if isinstance(given, str) else given
    return frame


def completed(
    frame: dict[str, Any], answer: Answer, output: list[dict[str, Any]], usage: Usage, now: int
) -> dict[str, Any]:
    """`frame` with its output and what it cost; incomplete where the answer was cut."""
    reason = {"length": "max_output_tokens", "content_filter": "content_filter"}.get(answer.finish)
    return {
        **frame,
        "status": "incomplete" if reason else "completed",
        "completed_at": None if reason else now,
        "incomplete_details": {"reason": reason} if reason else None,
        "output": output,
        "usage": {
            "input_tokens": usage.input_tokens,
            "input_tokens_details": {
                "cached_tokens": usage.cached_tokens,
                "cache_write_tokens": 0,
            },
            "output_tokens": usage.output_tokens,
            "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
            "total_tokens": usage.total_tokens,
        },
    }


def output_items(
    answer: Answer, *, summary: str | None, encrypted: bool, reasoned: bool, top: int | None
) -> list[dict[str, Any]]:
    """The items of the output: reasoning first, then calls of functions or a message.

    `top` is how many alternatives each token is told with, None for no probabilities.
    """
    items: list[dict[str, Any]] = []
    if reasoned:
        item: dict[str, Any] = {
            "id": new_id("rs_"),
            "type": "reasoning",
            "summary": [{"type": "summary_text", "text": summary}] if summary else [],
        }
        if encrypted:
            # Opaque to clients, as it is at OpenAI; nothing is hidden in it.
            item["encrypted_content"] = new_id("gAAAAA")
        items.append(item)
    status = "incomplete" if answer.finish in ("length", "content_filter") else "completed"
    if answer.tool_calls:
        items += [
            {
                "id": new_id("fc_"),
                "type": "function_call",
                "status": status,
                "name": call.name,
                "call_id": new_id("call_"),
                "arguments": call.arguments,
            }
            for call in answer.tool_calls
        ]
        return items
    if answer.refusal is not None:
        part: dict[str, Any] = {"type": "refusal", "refusal": answer.refusal}
    else:
        logprobs = [] if top is None else token_logprobs(answer.text, top)
        part = {
            "type": "output_text",
            "annotations": [],
            "logprobs": logprobs,
            "text": answer.text,
        }
    items.append(
        {
            "id": new_id("msg_"),
            "type": "message",
            "status": status,
            "role": "assistant",
            "content": [part],
        }
    )
    return items


def _or(value: Any, default: Any) -> Any:
    return default if value is None else value


def _tool(tool: dict[str, Any]) -> dict[str, Any]:
    """A tool as the response repeats it; a function says whether it is strict."""
    if tool.get("type") != "function":
        return tool
    shown = {"description": None, "parameters": None, **tool}
    if shown.get("strict") is None:
        shown["strict"] = _could_be_strict(shown["parameters"])
    return shown


def _could_be_strict(parameters: Any) -> bool:
    try:
        check_strict(msgspec.to_builtins(parameters))
    except SchemaRefusedError:
        return False
    return True
