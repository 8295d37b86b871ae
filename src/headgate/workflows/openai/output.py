"""Shows a completed run as OpenAI would a reply: whole or as a stream, on both endpoints.

Pure: a run goes in, JSON or server-sent events come out. The ids are made from the run's, so that
whoever holds a reply finds its run.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from headgate.workflows.folder import Workflow
from headgate.workflows.run import Run

_PIECE_CHARACTERS = 256
"""Of one streamed piece. The answer was checked whole before; the cuts are only for the form."""

_encode = msgspec.json.encode


def chat_completion(run: Run, workflow: Workflow) -> dict[str, Any]:
    """A `chat.completion`."""
    message: dict[str, Any] = {
        "role": "assistant",
        "content": _text(run),
        "refusal": None,
        "annotations": [],
    }
    return {
        **_chat_head(run, workflow, "chat.completion"),
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}],
        "usage": _chat_usage(run),
    }


def chat_events(run: Run, workflow: Workflow, *, include_usage: bool) -> Iterator[bytes]:
    """The same as a stream, `data: [DONE]` included; each item is one event."""
    head = _chat_head(run, workflow, "chat.completion.chunk")
    usage: dict[str, Any] = {"usage": None} if include_usage else {}

    def chunk(delta: dict[str, Any], finish_reason: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
        return _data({**head, "choices": [choice], **usage})

    yield chunk({"role": "assistant", "content": "", "refusal": None})
    for piece in _pieces(_text(run)):
        yield chunk({"content": piece})
    yield chunk({}, "stop")
    if include_usage:
        yield _data({**head, "choices": [], "usage": _chat_usage(run)})
    yield b"data: [DONE]\n\n"


def response(
    run: Run, workflow: Workflow, metadata: dict[str, str], *, begun: bool = False
) -> dict[str, Any]:
    """A `response`; `begun`: as it looks before its output is there."""
    settings = workflow.settings
    return {
        "id": f"resp_{_suffix(run)}",
        "object": "response",
        "created_at": run.created_at_us // 1_000_000,
        "status": "in_progress" if begun else "completed",
        "background": False,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "max_output_tokens": settings.max_output_tokens,
        "max_tool_calls": None,
        "metadata": metadata,
        "model": f"workflow:{run.workflow}",
        "output": [] if begun else [_message(run)],
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "prompt_cache_key": None,
        "reasoning": {"effort": settings.reasoning_effort, "summary": None},
        "safety_identifier": None,
        "service_tier": "default",
        "temperature": settings.temperature,
        "text": {"format": _text_format(workflow)},
        "tool_choice": "auto",
        "tools": [],
        "top_logprobs": 0,
        "top_p": None,
        "truncation": "disabled",
        "usage": None if begun else _response_usage(run),
        "user": None,
    }


def response_events(run: Run, workflow: Workflow, metadata: dict[str, str]) -> Iterator[bytes]:
    """The same as a stream of typed events, numbered from 0; each item is one event."""
    text, item = _text(run), {"item_id": _message_id(run), "output_index": 0}
    part = {**item, "content_index": 0}
    begun = response(run, workflow, metadata, begun=True)
    empty = {**_message(run), "status": "in_progress", "content": []}
    events: list[tuple[str, dict[str, Any]]] = [
        ("response.created", {"response": begun}),
        ("response.in_progress", {"response": begun}),
        ("response.output_item.added", {"output_index": 0, "item": empty}),
        ("response.content_part.added", {**part, "part": _output_text("")}),
        *(
            ("response.output_text.delta", {**part, "delta": piece, "logprobs": []})
            for piece in _pieces(text)
        ),
        ("response.output_text.done", {**part, "text": text, "logprobs": []}),
        ("response.content_part.done", {**part, "part": _output_text(text)}),
        ("response.output_item.done", {"output_index": 0, "item": _message(run)}),
        ("response.completed", {"response": response(run, workflow, metadata)}),
    ]
    for number, (kind, fields) in enumerate(events):
        data = _encode({"type": kind, "sequence_number": number, **fields})
        yield b"event: %b\ndata: %b\n\n" % (kind.encode(), data)


def _chat_head(run: Run, workflow: Workflow, kind: str) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-{_suffix(run)}",
        "object": kind,
        "created": run.created_at_us // 1_000_000,
        "model": f"workflow:{run.workflow}",
        "service_tier": "default",
        "system_fingerprint": workflow.fingerprint,
    }


def _chat_usage(run: Run) -> dict[str, Any]:
    tokens = _Tokens(run)
    return {
        "prompt_tokens": tokens.input,
        "completion_tokens": tokens.output,
        "total_tokens": tokens.input + tokens.output,
        "prompt_tokens_details": {"cached_tokens": tokens.cached, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": tokens.reasoning,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def _response_usage(run: Run) -> dict[str, Any]:
    tokens = _Tokens(run)
    return {
        "input_tokens": tokens.input,
        "input_tokens_details": {
            "cached_tokens": tokens.cached,
            "cache_write_tokens": tokens.cache_write,
        },
        "output_tokens": tokens.output,
        "output_tokens_details": {"reasoning_tokens": tokens.reasoning},
        "total_tokens": tokens.input + tokens.output,
    }


class _Tokens:
    """Sums over a run's calls; what a provider did not tell counts as 0, as SDKs need numbers."""

    def __init__(self, run: Run) -> None:
        self.input = sum(call.input_tokens or 0 for call in run.calls)
        self.cached = sum(call.cached_tokens or 0 for call in run.calls)
        self.cache_write = sum(call.cache_write_tokens or 0 for call in run.calls)
        self.output = sum(call.output_tokens or 0 for call in run.calls)
        self.reasoning = sum(call.reasoning_tokens or 0 for call in run.calls)


def _message(run: Run) -> dict[str, Any]:
    return {
        "id": _message_id(run),
        "type": "message",
        "status": "completed",
        "role": "assistant",
        "content": [_output_text(_text(run))],
    }


def _output_text(text: str) -> dict[str, Any]:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def _text_format(workflow: Workflow) -> dict[str, Any]:
    return {"type": "json_schema", **workflow.response_format["json_schema"]}


def _text(run: Run) -> str:
    return _encode(run.output).decode()


def _pieces(text: str) -> Iterator[str]:
    for start in range(0, len(text), _PIECE_CHARACTERS):
        yield text[start : start + _PIECE_CHARACTERS]


def _suffix(run: Run) -> str:
    return run.id.removeprefix("run_")


def _message_id(run: Run) -> str:
    return f"msg_{_suffix(run)}"


def _data(chunk: dict[str, Any]) -> bytes:
    return b"data: %b\n\n" % _encode(chunk)
