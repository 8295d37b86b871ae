"""What a model thought, as the `encrypted_content` that a client hands back with its next turn.

A tool call that was thought about must come back with the thinking, unchanged, and Headgate keeps
nothing in between. Anthropic signs it, so it is not encrypted once more.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

import msgspec

from headgate.gateway.dialects.anthropic.message import Part
from headgate.gateway.endpoints.endpoint import UNREADABLE

_MARK = "anthropic:"


class _Thinking(msgspec.Struct, tag="thinking", tag_field="type"):
    thinking: str
    signature: str


class _Redacted(msgspec.Struct, tag="redacted_thinking", tag_field="type"):
    data: str


def seal(part: Part) -> str:
    """The text that holds `part`."""
    block: _Thinking | _Redacted = _Thinking(part.text, part.signature)
    if part.redacted:
        block = _Redacted(part.redacted)
    return _MARK + base64.b64encode(msgspec.json.encode(block)).decode()


def unseal(text: str) -> dict[str, Any] | None:
    """The block that `text` holds; None where it is another provider's."""
    if not text.startswith(_MARK):
        return None
    try:
        data = base64.b64decode(text.removeprefix(_MARK), validate=True)
        block = msgspec.json.decode(data, type=_Thinking | _Redacted)
    except (binascii.Error, *UNREADABLE):
        return None
    found: dict[str, Any] = msgspec.to_builtins(block)
    return found
