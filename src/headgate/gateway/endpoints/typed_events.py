"""Streams of typed events that end when the body does: of transcriptions, speech and images.

Unlike a chat's `[DONE]` or a response's last event, an event that ends one of several pictures
says nothing of the stream's end; so such a stream is complete if its body ended after one.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import msgspec

from headgate.errors import HeadgateError
from headgate.gateway.endpoints.endpoint import (
    UNREADABLE,
    StreamReader,
    Usage,
    data_of,
    events_of,
)


class _Error(msgspec.Struct):
    code: str | None = None


class _Event(msgspec.Struct):
    type: str = ""
    error: _Error | None = None


_event = msgspec.json.Decoder(_Event)


class TypedEventsReader(StreamReader):
    """Reads such a stream; hands every byte on."""

    __slots__ = ("_final", "_usage_of")

    def __init__(
        self, final: re.Pattern[bytes], usage_of: Callable[[bytes], Usage], max_event_bytes: int
    ) -> None:
        """`final` finds the type of an event that ends something, of which `usage_of` reads."""
        super().__init__()
        self.max_event_bytes = max_event_bytes
        self._final = final
        self._usage_of = usage_of

    def _read(self, block: bytes) -> bytes:
        self.events += block.count(b"\ndata:") + block.startswith(b"data:")
        self.first_token_seen = True
        if self._final.search(block):
            for event in events_of(block):
                if self._final.search(event):
                    self._note_end(data_of(event))
        elif b'"error"' in block:
            for event in events_of(block):
                self._note_error(data_of(event))
        return block

    def _note_end(self, data: bytes) -> None:
        self.may_end = True
        try:
            found = self._usage_of(data)
        except UNREADABLE:
            return
        self.usage = found if self.usage is None else self.usage.plus(found)

    def _note_error(self, data: bytes) -> None:
        try:
            event = _event.decode(data)
        except UNREADABLE:
            return
        if event.type == "error" or event.error is not None:
            self.failure = ((event.error and event.error.code) or "upstream_stream_error")[:64]
            self.may_end = True

    def error_block(self, error: HeadgateError) -> bytes:
        """See `StreamReader`; the SDKs raise on an event that has an `error`."""
        event = {"type": "error", "error": error.as_object()}
        return b"event: error\ndata: " + msgspec.json.encode(event) + b"\n\n"
