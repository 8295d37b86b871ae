"""`/v1/audio/transcriptions` and `/v1/audio/translations`: a form with sound in, text out."""

from __future__ import annotations

import re

import msgspec

from headgate.gateway.endpoints import lenient
from headgate.gateway.endpoints.endpoint import Endpoint, Fields, StreamReader, TokenCount, Usage
from headgate.gateway.endpoints.typed_events import TypedEventsReader

_FINAL = re.compile(rb'"type":\s*"transcript\.text\.done"')
_MAX_EVENT_BYTES = 8 * 1024 * 1024


class _Details(msgspec.Struct):
    audio_tokens: TokenCount | None = None


class _Tokens(msgspec.Struct):
    input_tokens: TokenCount | None = None
    output_tokens: TokenCount | None = None
    input_token_details: _Details | None = None


class _Reply(msgspec.Struct):
    usage: _Tokens | None = None

    def as_usage(self) -> Usage:
        tokens = self.usage or _Tokens()
        details = tokens.input_token_details or _Details()
        return Usage(
            input_tokens=tokens.input_tokens,
            output_tokens=tokens.output_tokens,
            input_audio_tokens=details.audio_tokens,
        )


_reply = msgspec.json.Decoder(_Reply)


def _usage(body: bytes) -> Usage:
    return lenient.read(_reply, body).as_usage()


class Transcriptions(Endpoint):
    """Transcriptions. What is charged by the minute tells no tokens, and so has no price here."""

    name = "audio/transcriptions"
    streams = True
    generates = True
    takes_form = True

    def usage(self, body: bytes) -> Usage:
        """See `Endpoint`; text and subtitles tell nothing."""
        return _usage(body) if body.lstrip()[:1] == b"{" else Usage()

    def reader_for(self, fields: Fields, *, hide_usage: bool) -> StreamReader:  # noqa: ARG002
        """See `Endpoint`."""
        return TypedEventsReader(_FINAL, _usage, _MAX_EVENT_BYTES)


class Translations(Transcriptions):
    """Translations into English."""

    name = "audio/translations"
    streams = False
