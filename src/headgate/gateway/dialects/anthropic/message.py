"""What Anthropic's Messages API answers: a message, its blocks, what it used, why it stopped."""

from __future__ import annotations

from typing import Literal

import msgspec

_NO_INPUT = msgspec.Raw(b"{}")


class Block(msgspec.Struct):
    """One block of content; which fields it has depends on its type."""

    type: str
    text: str = ""
    id: str = ""
    name: str = ""
    input: msgspec.Raw = _NO_INPUT
    thinking: str = ""
    signature: str = ""
    data: str = ""


_MOST_TOKENS = 10**9
"""More of them no message uses; such a number says nothing."""


def _counted(value: int | None) -> int | None:
    return value if value is not None and 0 <= value <= _MOST_TOKENS else None


class _OutputDetails(msgspec.Struct):
    thinking_tokens: int | None = None


class Tokens(msgspec.Struct):
    """What a message used; `input_tokens` are those that no cache had to do with."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    output_tokens_details: _OutputDetails | None = None
    service_tier: str | None = None

    @property
    def told(self) -> bool:
        """Whether it says what was used; what is below 0 or absurd is not taken for a number."""
        return _counted(self.input_tokens) is not None and _counted(self.output_tokens) is not None

    def updated(self, later: Tokens) -> Tokens:
        """These with what `later`, of the end of a stream, says instead."""
        said = {
            name: value
            for name in self.__struct_fields__
            if (value := getattr(later, name)) is not None
        }
        return msgspec.structs.replace(self, **said)

    @property
    def all_input(self) -> int:
        """OpenAI's count of the input, which holds cached and written tokens."""
        return (_counted(self.input_tokens) or 0) + self.cached + self.written

    @property
    def cached(self) -> int:
        """Input that was found in the prompt cache."""
        return _counted(self.cache_read_input_tokens) or 0

    @property
    def written(self) -> int:
        """Input that was put into the prompt cache."""
        return _counted(self.cache_creation_input_tokens) or 0

    @property
    def output(self) -> int:
        """All output, thinking included."""
        return _counted(self.output_tokens) or 0

    @property
    def thinking(self) -> int:
        """Output that was thinking, where that is told."""
        details = self.output_tokens_details
        return _counted(details.thinking_tokens if details else None) or 0

    @property
    def tier(self) -> str | None:
        """The service tier by OpenAI's name."""
        return "default" if self.service_tier == "standard" else self.service_tier


class Message(msgspec.Struct):
    """A whole answer, or the beginning of a streamed one."""

    id: str
    model: str
    content: list[Block] = []
    stop_reason: str | None = None
    usage: Tokens = msgspec.field(default_factory=Tokens)

    @property
    def suffix(self) -> str:
        """Its id without the prefix, for the ids that are made from it."""
        return self.id.removeprefix("msg_")


class Part(msgspec.Struct):
    """A piece of an answer that a client is shown."""

    kind: Literal["text", "tool", "thinking"]
    text: str = ""
    """The text, the arguments of a tool call as JSON, or what was thought as far as it is told."""
    id: str = ""
    name: str = ""
    signature: str = ""
    redacted: str = ""
    """Of thinking that is only told encrypted: its data."""


def part_of(block: Block) -> Part | None:
    """What `block` shows; None for a kind of block that OpenAI's shapes have no place for."""
    if block.type == "text":
        return Part("text", block.text)
    if block.type == "tool_use":
        return Part("tool", bytes(block.input).decode(), block.id, block.name)
    if block.type == "thinking":
        return Part("thinking", block.thinking, signature=block.signature)
    if block.type == "redacted_thinking":
        return Part("thinking", redacted=block.data)
    return None


def parts_of(message: Message) -> list[Part]:
    """What a whole message shows."""
    return [part for block in message.content if (part := part_of(block)) is not None]


FINISH_REASONS = {
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}
"""A chat's `finish_reason` by `stop_reason`; `stop` for the others."""

INCOMPLETE_REASONS = {
    "max_tokens": "max_output_tokens",
    "model_context_window_exceeded": "max_output_tokens",
    "refusal": "content_filter",
}
"""Why a response is incomplete, by `stop_reason`; it is complete for the others."""
