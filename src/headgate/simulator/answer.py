"""What the simulated model says, before an endpoint puts it into its own shape."""

from __future__ import annotations

from typing import Literal

import msgspec

Finish = Literal["stop", "length", "tool_calls", "content_filter"]
"""Why an answer ended, in the words of chat completions."""


class ToolCall(msgspec.Struct, frozen=True):
    """A function the model wants called; `arguments` is JSON text."""

    name: str
    arguments: str


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """One choice: a text, a refusal or calls of functions."""

    text: str = ""
    refusal: str | None = None
    tool_calls: tuple[ToolCall, ...] = ()
    finish: Finish = "stop"

    @property
    def parts(self) -> tuple[str, ...]:
        """Every piece of text in it that costs tokens."""
        calls = tuple(part for call in self.tool_calls for part in (call.name, call.arguments))
        return (self.text, self.refusal or "", *calls)


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """What a call used, in tokens."""

    input_tokens: int
    cached_tokens: int
    output_tokens: int
    """Reasoning included."""
    reasoning_tokens: int

    @property
    def total_tokens(self) -> int:
        """Input and output together."""
        return self.input_tokens + self.output_tokens
