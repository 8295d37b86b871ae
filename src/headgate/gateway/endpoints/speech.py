"""`/v1/audio/speech`: text in, sound out, always as it comes: as bytes, or as events."""

from __future__ import annotations

import re

import msgspec

from headgate.errors import HeadgateError
from headgate.gateway.endpoints.endpoint import Endpoint, Fields, StreamReader, TokenCount, Usage
from headgate.gateway.endpoints.typed_events import TypedEventsReader

_FINAL = re.compile(rb'"type":\s*"speech\.audio\.done"')
_MAX_EVENT_BYTES = 8 * 1024 * 1024


class _Tokens(msgspec.Struct):
    input_tokens: TokenCount | None = None
    output_tokens: TokenCount | None = None


class _Done(msgspec.Struct):
    usage: _Tokens | None = None


_done = msgspec.json.Decoder(_Done)


class Speech(Endpoint):
    """Speech. Its bytes don't tell what they used, so only its events have a price."""

    name = "audio/speech"
    streams = True
    generates = True

    def usage(self, body: bytes) -> Usage:
        """See `Endpoint`."""
        try:
            tokens = _done.decode(body).usage or _Tokens()
        except msgspec.ValidationError:
            return Usage()
        return Usage(input_tokens=tokens.input_tokens, output_tokens=tokens.output_tokens)

    def is_streamed(self, fields: Fields) -> bool:  # noqa: ARG002 - it always is
        """See `Endpoint`."""
        return True

    def flows(self, content_type: bytes) -> bool:
        """See `Endpoint`; whatever is not JSON is sound."""
        return not content_type.startswith(b"application/json")

    def reader_for(self, fields: Fields, *, hide_usage: bool) -> StreamReader:  # noqa: ARG002
        """See `Endpoint`."""
        if bytes(fields.get("stream_format", b"")) == b'"sse"':
            return TypedEventsReader(_FINAL, self.usage, _MAX_EVENT_BYTES)
        return BytesReader()


class BytesReader(StreamReader):
    """Hands bytes on as they come. What is cut can't say so in itself, so it is cut here too."""

    def __init__(self) -> None:
        super().__init__()
        self.may_end = True
        self.usage = Usage()

    def feed(self, data: bytes) -> bytes:
        """See `StreamReader`."""
        self.first_token_seen = True
        return data

    def _read(self, block: bytes) -> bytes:
        return block

    def error_block(self, error: HeadgateError) -> bytes:  # noqa: ARG002 - there is no way
        """See `StreamReader`."""
        return b""
