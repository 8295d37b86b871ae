"""Adds to the instructions of a request, wherever its endpoint has them."""

from __future__ import annotations

from typing import Any

_OPERATORS = ("system", "developer")


def instruct(fields: dict[str, Any], text: str) -> str:
    """Add `text` to the instructions of a decoded request; return the field that has changed.

    To the last message of instructions before the conversation, so that what stands first, and a
    provider keeps, stays as it is; where there is none, to a new one.
    """
    messages = fields.get("messages")
    if not isinstance(messages, list):
        said = fields.get("instructions")
        fields["instructions"] = f"{said}\n\n{text}" if isinstance(said, str) and said else text
        return "instructions"
    last = None
    for message in messages:
        if not isinstance(message, dict) or message.get("role") not in _OPERATORS:
            break
        last = message
    if last is None:
        messages.insert(0, {"role": "system", "content": text})
    elif isinstance(last.get("content"), str):
        last["content"] = f"{last['content']}\n\n{text}"
    else:
        content = last.get("content")
        parts = content if isinstance(content, list) else []
        last["content"] = [*parts, {"type": "text", "text": text}]
    return "messages"
