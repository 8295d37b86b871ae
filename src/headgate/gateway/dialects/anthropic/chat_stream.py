"""A message's stream as chat completion chunks, up to `data: [DONE]`."""

from __future__ import annotations

from typing import Any

import msgspec

from headgate.errors import HeadgateError
from headgate.gateway.dialects.anthropic.chat_reply import chat_head, chat_usage, finish_reason
from headgate.gateway.dialects.anthropic.message import Message, Part
from headgate.gateway.dialects.anthropic.stream import MessageStreamReader

_DONE = b"data: [DONE]\n\n"

Json = dict[str, Any]


class ChatChunks(MessageStreamReader):
    """Tells a message as chunks.

    The first chunk waits for the first block, so that a message that breaks off before it can
    still be asked of another target.
    """

    __slots__ = ("_calls", "_created_s", "_greeted", "_with_usage")

    def __init__(self, *, created_s: int, with_usage: bool) -> None:
        super().__init__()
        self._created_s = created_s
        self._with_usage = with_usage
        self._greeted = False
        self._calls: dict[int, int] = {}
        """The number among the tool calls, by the number among the parts."""

    def _begin(self, message: Message) -> bytes:  # noqa: ARG002
        return b""

    def _begin_part(self, number: int, part: Part) -> bytes:
        if part.kind != "tool":
            # A model may think for minutes: that it has begun shows that it is no failure.
            return self._greeting()
        self._calls[number] = len(self._calls)
        function = {"name": part.name, "arguments": ""}
        called = {"id": part.id, "type": "function", "function": function}
        return self._greeting() + self._call(number, called)

    def _grow_part(self, number: int, part: Part, piece: str) -> bytes:
        if part.kind == "text":
            return self._chunk({"content": piece})
        if part.kind == "tool":
            return self._call(number, {"function": {"arguments": piece}})
        return b""

    def _end_part(self, number: int, part: Part) -> bytes:  # noqa: ARG002
        return b""

    def _end(self, message: Message) -> bytes:
        said = self._greeting() + self._chunk({}, finish_reason(message.stop_reason))
        if self._with_usage:
            said += self._data({"choices": [], "usage": chat_usage(message.usage)})
        return said + _DONE

    def _call(self, number: int, fields: Json) -> bytes:
        call = {"index": self._calls[number], **fields}
        return self._chunk({"tool_calls": [call]})

    def _greeting(self) -> bytes:
        if self._greeted:
            return b""
        self._greeted = True
        return self._chunk({"role": "assistant", "content": "", "refusal": None})

    def _chunk(self, delta: Json, finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        chunk: Json = {"choices": [choice]}
        if self._with_usage:
            chunk["usage"] = None
        return self._data(chunk)

    def _data(self, chunk: Json) -> bytes:
        if self.message is None:
            raise ValueError("the message does not begin with its start")
        head = chat_head(self.message, "chat.completion.chunk", self._created_s)
        return b"data: " + msgspec.json.encode({**head, **chunk}) + b"\n\n"

    def error_block(self, error: HeadgateError) -> bytes:
        """See `StreamReader`; both SDKs raise on a chunk that has an `error`."""
        return b"data: " + msgspec.json.encode({"error": error.as_object()}) + b"\n\n"
