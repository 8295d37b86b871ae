"""What came of a `tools/call`, as JSON for the model: structured where it is, else its text."""

from __future__ import annotations

from typing import Any

import msgspec

from headgate.workflows.prompts.untrusted import made_visible
from headgate.workflows.tools.tool import ToolAnswer

_ERROR_BYTES_AT_MOST = 8 * 1024
_PARTS_AT_MOST = 1000


def answer_of(result: Any, limit_bytes: int) -> ToolAnswer:
    """The answer that a server's result is; `limit_bytes` bounds its content.

    `isError` is the server's word that the tool failed. It is believed, for writes too: there is
    nobody else to ask.
    """
    if not isinstance(result, dict):
        return _unreadable()
    if result.get("resultType", "complete") != "complete":
        return ToolAnswer(
            outcome="unknown",
            content="the tool asks for more than its arguments, which is not offered to it",
            code="input_required",
        )
    content = result.get("content", [])
    if not isinstance(content, list):
        return _unreadable()
    text = "\n".join(_part(part) for part in content[:_PARTS_AT_MOST])
    if result.get("isError"):
        said = _cut(made_visible(text), min(limit_bytes, _ERROR_BYTES_AT_MOST))
        return ToolAnswer(
            outcome="failed", content=said or "the tool failed and said no more", code="tool_error"
        )
    structured = result.get("structuredContent")
    if structured is not None and len(msgspec.json.encode(structured)) <= limit_bytes:
        return ToolAnswer(outcome="done", content=structured)
    return ToolAnswer(outcome="done", content=_cut(text, limit_bytes))


def _part(part: Any) -> str:
    """A text as it is; of anything else only that it was there."""
    kind = part.get("type") if isinstance(part, dict) else None
    if kind == "text" and isinstance(text := part.get("text"), str):
        return text
    if kind in ("image", "audio", "resource", "resource_link"):
        return f"[{str(kind).replace('_', ' ')} left out]"
    return "[something that is no text left out]"


def _cut(text: str, limit_bytes: int) -> str:
    data = text.encode("utf-8", "replace")
    if len(data) <= limit_bytes:
        return text
    kept = data[:limit_bytes].decode("utf-8", "ignore")
    return f"{kept}\n[cut: {limit_bytes} of {len(data)} bytes]"


def _unreadable() -> ToolAnswer:
    return ToolAnswer(
        outcome="unknown", content="the server's answer is not MCP", code="bad_answer"
    )
