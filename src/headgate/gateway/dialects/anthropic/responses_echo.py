"""What a response repeats of its request, and what of the answer the request asked to see."""

from __future__ import annotations

from typing import Any

import msgspec

from headgate.gateway.dialects.anthropic.reading import given
from headgate.gateway.endpoints import Fields
from headgate.gateway.endpoints.endpoint import UNREADABLE

_REPEATED: dict[str, bytes] = {
    "instructions": b"null",
    "max_output_tokens": b"null",
    "max_tool_calls": b"null",
    "metadata": b"{}",
    "parallel_tool_calls": b"true",
    "prompt_cache_key": b"null",
    "reasoning": b'{"effort":null,"summary":null}',
    "safety_identifier": b"null",
    "temperature": b"null",
    "text": b'{"format":{"type":"text"}}',
    "tool_choice": b'"auto"',
    "tools": b"[]",
    "top_p": b"null",
    "user": b"null",
}
"""Fields that a response repeats, with what stands where the request has none."""


class _Reasoning(msgspec.Struct):
    summary: str | None = None


class Echo:
    """Of one request."""

    def __init__(self, fields: Fields) -> None:
        self.fields: dict[str, Any] = {
            name: msgspec.Raw(given(fields, name) or default) for name, default in _REPEATED.items()
        }
        self.summary = wants_summary(fields)
        """Whether the client wants to read what was thought, as far as it is told."""
        self.sealed = b'"reasoning.encrypted_content"' in (given(fields, "include") or b"")
        """Whether it wants to hand back what was thought with its next turn."""


def wants_summary(fields: Fields) -> bool:
    """Whether `reasoning.summary` asks for one."""
    try:
        reasoning = msgspec.json.decode(given(fields, "reasoning") or b"{}", type=_Reasoning)
    except UNREADABLE:
        return False
    return reasoning.summary is not None
