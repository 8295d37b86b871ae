"""The text of a request by which it is graded: what the user said last. Pure."""

from __future__ import annotations

from typing import Any

import msgspec

from headgate.gateway.endpoints.endpoint import UNREADABLE
from headgate.gateway.request import Request

_FIELDS = {"chat/completions": "messages", "responses": "input"}
_LEFT_OUT = "\n[…]\n"
_any = msgspec.json.Decoder()


def graded_text(request: Request, most_characters: int) -> str | None:
    """At most `most_characters` of it; None where there is no text, or the endpoint has none."""
    field = _FIELDS.get(request.endpoint.name)
    raw = None if field is None else request.fields.get(field)
    if raw is None:
        return None
    try:
        found = _last_said(_any.decode(raw))
    except UNREADABLE:
        return None
    return _cut(found.strip(), most_characters) or None


def _last_said(conversation: Any) -> str:
    if isinstance(conversation, str):
        return conversation
    if not isinstance(conversation, list):
        return ""
    for message in reversed(conversation):
        if isinstance(message, dict) and message.get("role") == "user":
            return _text(message.get("content"))
    return ""


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    parts = (part.get("text") for part in content if isinstance(part, dict))
    return "\n".join(part for part in parts if isinstance(part, str))


def _cut(text: str, most_characters: int) -> str:
    """Its beginning and its end, since what is asked stands before or after what it is about."""
    if len(text) <= most_characters:
        return text
    half = (most_characters - len(_LEFT_OUT)) // 2
    return f"{text[:half]}{_LEFT_OUT}{text[-half:]}"
