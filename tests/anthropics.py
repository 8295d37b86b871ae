"""Anthropic's Messages API as its specification publishes it: messages, streams, errors, rules.

For scripts of `upstreams.Upstream`, which answers in any provider's place, and for judging what
such a provider would be sent.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, Final

from upstreams import Script, Step, reply, stream

Json = dict[str, Any]

USAGE: Final[Json] = {
    "input_tokens": 10,
    "cache_creation_input_tokens": 200,
    "cache_read_input_tokens": 3000,
    "cache_creation": {"ephemeral_5m_input_tokens": 200, "ephemeral_1h_input_tokens": 0},
    "output_tokens": 40,
    "output_tokens_details": {"thinking_tokens": 7},
    "service_tier": "standard",
}


def text(said: str) -> Json:
    """A text block."""
    return {"type": "text", "text": said, "citations": None}


def tool_use(name: str, given: Json, identifier: str = "toolu_01") -> Json:
    """A call of a tool."""
    return {"type": "tool_use", "id": identifier, "name": name, "input": given}


def thinking(thought: str, signature: str = "sig+/=") -> Json:
    """What was thought."""
    return {"type": "thinking", "thinking": thought, "signature": signature}


def message(
    *content: Json, model: str = "claude-sonnet-4-5-20250929", stop: str = "end_turn", **more: Any
) -> Json:
    """A whole message."""
    return {
        "id": "msg_01XFDUDYJgAACzvnptvVoYEL",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": list(content),
        "stop_reason": stop,
        "stop_sequence": None,
        "usage": USAGE,
        **more,
    }


def event(kind: str, **fields: Any) -> bytes:
    """One event of a stream."""
    data = json.dumps({"type": kind, **fields}, ensure_ascii=False)
    return f"event: {kind}\ndata: {data}\n\n".encode()


def events(whole: Json, *, pieces: int = 3) -> list[bytes]:
    """The stream of `whole`, each block's text in about so many deltas."""
    begun = {**whole, "content": [], "stop_reason": None}
    begun["usage"] = {**whole["usage"], "output_tokens": 1, "output_tokens_details": None}
    told = [event("message_start", message=begun), event("ping")]
    for index, block in enumerate(whole["content"]):
        told += block_events(index, block, pieces)
    told.append(
        event(
            "message_delta",
            delta={"stop_reason": whole["stop_reason"], "stop_sequence": None},
            usage={
                "output_tokens": whole["usage"]["output_tokens"],
                "output_tokens_details": whole["usage"]["output_tokens_details"],
            },
        )
    )
    return [*told, event("message_stop")]


def block_events(index: int, block: Json, pieces: int) -> list[bytes]:
    """One block's start, deltas and stop."""
    kind = block["type"]
    deltas: Iterable[Json]
    if kind == "text":
        empty = {**block, "text": ""}
        deltas = [{"type": "text_delta", "text": p} for p in cut(block["text"], pieces)]
    elif kind == "tool_use":
        empty = {**block, "input": {}}
        given = json.dumps(block["input"], ensure_ascii=False) if block["input"] else ""
        deltas = [
            {"type": "input_json_delta", "partial_json": p} for p in ["", *cut(given, pieces)]
        ]
    elif kind == "thinking":
        empty = {**block, "thinking": "", "signature": ""}
        deltas = [
            *({"type": "thinking_delta", "thinking": p} for p in cut(block["thinking"], pieces)),
            {"type": "signature_delta", "signature": block["signature"]},
        ]
    else:
        empty, deltas = block, []
    return [
        event("content_block_start", index=index, content_block=empty),
        *(event("content_block_delta", index=index, delta=delta) for delta in deltas),
        event("content_block_stop", index=index),
    ]


def cut(whole: str, pieces: int) -> list[str]:
    """`whole` in about so many pieces."""
    size = max(1, -(-len(whole) // pieces))
    return [whole[start : start + size] for start in range(0, len(whole), size)]


def answer(*content: Json, **more: Any) -> Script:
    """A whole message as a reply."""
    return reply(message(*content, **more), headers=[("request-id", "req_anthropic")])


def streamed(*content: Json, end: Sequence[Step] = (), **more: Any) -> Script:
    """A streamed message; with `end` in place of its last two events."""
    told: list[Step] = [*events(message(*content, **more))]
    return stream(*(told[:-2] + list(end) if end else told))


def failure(status: int, kind: str, words: str, **options: Any) -> Script:
    """An error."""
    return reply(
        {"type": "error", "error": {"type": kind, "message": words}, "request_id": "req_1"},
        status=status,
        **options,
    )


FIELDS: Final = frozenset(
    {
        "model", "messages", "max_tokens", "system", "stream", "stop_sequences", "temperature",
        "top_p", "top_k", "tools", "tool_choice", "thinking", "output_config", "metadata",
        "service_tier", "cache_control",
    }
)  # fmt: skip


def judge(body: Json) -> None:
    """Hold a request to the rules that the API refuses it by."""
    assert set(body) <= FIELDS, set(body) - FIELDS
    assert isinstance(body["model"], str)
    assert body["max_tokens"] >= 1
    for part in body.get("system", ()):
        assert part["text"].strip()
    roles = [turn["role"] for turn in body["messages"]]
    assert roles
    assert roles == [("user", "assistant")[n % 2] for n in range(len(roles))] or (
        roles[0] == "assistant"
    )
    pending: set[str] = set()
    for turn in body["messages"]:
        kinds = [block["type"] for block in turn["content"]]
        assert kinds
        answered = {b["tool_use_id"] for b in turn["content"] if b["type"] == "tool_result"}
        assert answered == pending, "a tool call and its result must stand side by side"
        for block in turn["content"]:
            if block["type"] == "text":
                assert block["text"].strip(), "text blocks must hold text"
        pending = {b["id"] for b in turn["content"] if b["type"] == "tool_use"}
    last = body["messages"][-1]
    if last["role"] == "assistant" and last["content"][-1]["type"] == "text":
        assert last["content"][-1]["text"] == last["content"][-1]["text"].rstrip()
    names = [tool["name"] for tool in body.get("tools", ())]
    kinds_used = {block["type"] for turn in body["messages"] for block in turn["content"]}
    assert names or not {"tool_use", "tool_result"} & kinds_used, "calls of tools without tools"
    assert all(tool["input_schema"]["type"] == "object" for tool in body.get("tools", ()))
    choice = body.get("tool_choice", {"type": "auto"})
    assert choice["type"] in ("auto", "any", "tool", "none")
    assert choice["type"] != "tool" or choice["name"] in names
    thinks = body.get("thinking", {"type": "disabled"})
    if thinks["type"] == "enabled":
        assert 1024 <= thinks["budget_tokens"] < body["max_tokens"]
        assert choice["type"] in ("auto", "none")
    assert thinks["type"] == "disabled" or not {"temperature", "top_p"} & set(body)
    assert body.get("temperature", 0) <= 1
