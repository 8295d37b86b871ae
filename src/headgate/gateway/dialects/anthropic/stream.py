"""A message's stream, event by event; its subclasses tell it as a chat's or a response's.

Its order: `message_start`, then for each block of content its start, deltas and stop, then
`message_delta` with why it ended and `message_stop`; `ping` anywhere; `error` in place of the rest.
"""

from __future__ import annotations

from abc import abstractmethod

import msgspec

from headgate.errors import HeadgateError, UpstreamFailedError
from headgate.gateway.dialects.anthropic.failure import Failure, code_of, status_of
from headgate.gateway.dialects.anthropic.message import Block, Message, Part, Tokens, part_of
from headgate.gateway.endpoints import StreamReader, Usage
from headgate.gateway.endpoints.endpoint import UNREADABLE, StreamRefused, data_of, events_of

_MAX_CHARACTERS = 64 * 1024 * 1024
"""Of an answer that is gathered for the events that repeat it; a longer one ends in an error."""


class _Delta(msgspec.Struct):
    type: str = ""
    text: str = ""
    partial_json: str = ""
    thinking: str = ""
    signature: str = ""
    stop_reason: str | None = None


class _Event(msgspec.Struct):
    type: str
    message: Message | None = None
    index: int = 0
    content_block: Block | None = None
    delta: _Delta | None = None
    usage: Tokens | None = None
    error: Failure | None = None


_event = msgspec.json.Decoder(_Event)


class MessageStreamReader(StreamReader):
    """Reads the events of one message and hands on what its subclass makes of them."""

    __slots__ = ("_characters", "_counted", "_open", "_pieces", "_told", "message", "parts")

    def __init__(self) -> None:
        super().__init__()
        self.message: Message | None = None
        self.parts: list[Part] = []
        """Those that are complete, and the one that is being told."""
        self._open: dict[int, Part] = {}
        self._pieces: dict[int, list[str]] = {}
        self._characters = 0
        self._counted = False
        """Whether its output has been counted: its start says 1, whatever is still to come."""
        self._told = False
        """Whether the client sees something of the message."""

    @abstractmethod
    def _begin(self, message: Message) -> bytes:
        """What the client sees of a message that begins."""

    @abstractmethod
    def _begin_part(self, number: int, part: Part) -> bytes:
        """What it sees of the `number`-th part that begins; its text is still empty."""

    @abstractmethod
    def _grow_part(self, number: int, part: Part, piece: str) -> bytes:
        """What it sees of `piece`, that is added to a part."""

    @abstractmethod
    def _end_part(self, number: int, part: Part) -> bytes:
        """What it sees of a part that is complete."""

    @abstractmethod
    def _end(self, message: Message) -> bytes:
        """What it sees of the end; `message` has its last usage and why it stopped."""

    def _read(self, block: bytes) -> bytes:
        said = b""
        for event in events_of(block):
            said += self._take(event)
            self._told = self._told or bool(said)
        return said

    def _take(self, raw: bytes) -> bytes:
        data = data_of(raw)
        if not data or self.finished:
            return b""
        self.events += 1
        try:
            event = _event.decode(data)
        except UNREADABLE as error:
            raise ValueError(f"an event is not one of a message: {error}") from None
        if event.type == "error":
            return self._fail(event.error or Failure())
        if event.type == "message_start" and event.message is not None:
            if self.message is not None:
                raise ValueError("the message begins twice")
            self.message = event.message
            self.usage = self._used(event.message)
            return self._begin(event.message)
        if event.type == "ping":
            return b""
        if self.message is None:
            raise ValueError("the message does not begin with its start")
        return self._take_content(event, self.message)

    def _take_content(self, event: _Event, message: Message) -> bytes:
        match event.type:
            case "content_block_start" if event.content_block is not None:
                return self._start_block(event.index, event.content_block)
            case "content_block_delta" if event.delta is not None:
                return self._add(event.index, event.delta)
            case "content_block_stop":
                return self._stop_block(event.index)
            case "message_delta":
                if event.delta is not None:
                    message.stop_reason = event.delta.stop_reason or message.stop_reason
                if event.usage is not None:
                    message.usage = message.usage.updated(event.usage)
                    self._counted = self._counted or event.usage.output_tokens is not None
                    self.usage = self._used(message)
            case "message_stop":
                left = b"".join(self._stop_block(index) for index in sorted(self._open))
                self.finished = True
                return left + self._end(message)
        return b""

    def _start_block(self, index: int, block: Block) -> bytes:
        part = part_of(block)
        if part is None:
            return b""
        if index in self._open:
            raise ValueError("a block begins twice")
        first = "" if part.kind == "tool" else part.text
        # A tool's input may come whole with its start; in pieces it begins as an empty object.
        whole, part.text = part.text, ""
        self.parts.append(part)
        self._open[index] = part
        self._pieces[index] = []
        begun = self._begin_part(len(self.parts) - 1, part)
        if part.kind == "tool":
            part.text = whole
        return begun + (self._grow(index, part, first) if first else b"")

    def _add(self, index: int, delta: _Delta) -> bytes:
        part = self._open.get(index)
        if part is None:
            return b""
        if delta.type == "signature_delta":
            part.signature += delta.signature
            return b""
        piece = {
            "text_delta": delta.text,
            "input_json_delta": delta.partial_json,
            "thinking_delta": delta.thinking,
        }.get(delta.type, "")
        return self._grow(index, part, piece) if piece else b""

    def _grow(self, index: int, part: Part, piece: str) -> bytes:
        self._characters += len(piece)
        if self._characters > _MAX_CHARACTERS:
            raise ValueError("the answer is too long")
        self._pieces[index].append(piece)
        self.first_token_seen = True
        return self._grow_part(self._number(part), part, piece)

    def _stop_block(self, index: int) -> bytes:
        part = self._open.get(index)
        if part is None:
            return b""
        grown = b""
        if part.kind == "tool" and not self._pieces[index]:
            grown = self._grow(index, part, part.text)
        del self._open[index]
        part.text = "".join(self._pieces.pop(index))
        return grown + self._end_part(self._number(part), part)

    def _number(self, part: Part) -> int:
        """Blocks come one after another, so it is nearly always the last."""
        return next(n for n in range(len(self.parts) - 1, -1, -1) if self.parts[n] is part)

    def _fail(self, failure: Failure) -> bytes:
        code = code_of(failure)[:64]
        if not self._told:
            raise StreamRefused(failure.message, code=code, status=status_of(failure))
        self.failure = code
        self.finished = True
        error: HeadgateError = UpstreamFailedError(failure.message, code=self.failure)
        return self.error_block(error)

    def _used(self, message: Message) -> Usage | None:
        """What the message used until now; None, so that it is estimated, where it does not say.

        Of one that breaks off the output alone is estimated: it is charged, and nobody counted it.
        """
        tokens = message.usage
        if not tokens.told:
            return None
        return Usage(
            model=message.model,
            service_tier=tokens.tier,
            input_tokens=tokens.all_input,
            cached_tokens=tokens.cached,
            cache_write_tokens=tokens.written,
            output_tokens=tokens.output if self._counted else None,
            reasoning_tokens=tokens.thinking,
        )
