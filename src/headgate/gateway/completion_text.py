"""What does a chat completion say, in words? Pure."""

from __future__ import annotations

import msgspec


class _Message(msgspec.Struct):
    content: str | None = None


class _Choice(msgspec.Struct):
    message: _Message


class _Completion(msgspec.Struct):
    choices: list[_Choice]


_completion = msgspec.json.Decoder(_Completion)


def said_first(body: bytes) -> str:
    """The text of the first choice; raises as decoding does, or `IndexError`."""
    return _completion.decode(body).choices[0].message.content or ""


def said_by_all(body: bytes) -> str:
    """The texts of all choices together; raises as decoding does."""
    return "".join(choice.message.content or "" for choice in _completion.decode(body).choices)
