"""What of a request is compared with others, and with which others it may be compared. Pure."""

from __future__ import annotations

from typing import Any

import msgspec

from headgate.gateway.cache.key import Scope, answer_key, canonical
from headgate.gateway.endpoints import Fields
from headgate.gateway.endpoints.endpoint import UNREADABLE

_messages = msgspec.json.Decoder(list[dict[str, Any]])
_encode = msgspec.json.encode


class Question(msgspec.Struct, frozen=True):
    """A text, and the bounds within which an answer to another may be an answer to it."""

    bounds: bytes
    """The same for requests of one project, workflow and prompt version that differ in the text
    alone."""
    text: str


def read_question(
    fields: Fields, scope: Scope, version: str | None, hidden: tuple[str, ...] = ()
) -> Question | None:
    """The last message of a run's request, where it is the user's, is text and has no tools.

    `version` names the workflow's version: its rules and schemas count, not only its prompt.
    `hidden` is what stands for values that guards have hidden: an answer that names another one
    could not be put back.
    """
    if scope.workflow is None or version is None or scope.endpoint != "chat/completions":
        return None
    if "tools" in fields or "functions" in fields:
        return None
    rest = canonical(fields, without=frozenset({"messages"}))
    try:
        messages = _messages.decode(fields.get("messages", b"[]"))
    except UNREADABLE:
        return None
    if rest is None or not messages:
        return None
    last = messages[-1]
    text = last.get("content")
    if last.get("role") != "user" or not isinstance(text, str) or not text.strip():
        return None
    before = _encode([version, messages[:-1], sorted(last.keys()), *hidden])
    return Question(answer_key(scope, rest + b"\n" + before), text)
