"""What a model asks tools for, read from its reply."""

from __future__ import annotations

from typing import Any

import msgspec

from headgate.workflows.model import ModelReply
from headgate.workflows.tools.arguments import chosen

AT_MOST = 32
"""Calls of one reply that are looked at. Others are not repeated to the model either, so it knows
of none that nobody answered, and may ask again."""


class AskedTool(msgspec.Struct, frozen=True):
    """One call that a model asked for."""

    call_id: str
    """The model's own, by which it knows the answer."""
    name: str
    arguments: str
    """JSON as the model wrote it, well formed or not."""


class _Function(msgspec.Struct):
    name: str
    arguments: str = ""


class _ToolCall(msgspec.Struct):
    id: str
    function: _Function


class _Message(msgspec.Struct):
    content: str | None = None
    tool_calls: list[_ToolCall] | None = None


class _Choice(msgspec.Struct):
    message: _Message


class _Completion(msgspec.Struct):
    choices: list[_Choice]


_completion = msgspec.json.Decoder(_Completion)


def asked_tools(reply: ModelReply) -> tuple[dict[str, Any], tuple[AskedTool, ...]] | None:
    """The assistant's message, as the next request repeats it, and its calls; None: it asks none.

    Never raises, whatever a provider sent.
    """
    try:
        message = _completion.decode(reply.body).choices[0].message
    except (msgspec.DecodeError, IndexError, RecursionError):
        return None
    if not message.tool_calls:
        return None
    asked = tuple(
        AskedTool(call.id, call.function.name, call.function.arguments)
        for call in message.tool_calls[:AT_MOST]
    )
    return (
        {
            "role": "assistant",
            "content": message.content,
            "tool_calls": [
                {
                    "id": one.call_id,
                    "type": "function",
                    # What was no JSON object is not repeated: providers refuse it.
                    "function": {"name": one.name, "arguments": _valid(one.arguments)},
                }
                for one in asked
            ],
        },
        asked,
    )


def _valid(arguments: str) -> str:
    return arguments if arguments and chosen(arguments) is not None else "{}"
