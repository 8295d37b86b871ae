"""`/v1/realtime`: what a response that was spoken over a websocket used, and what a transcript did.

No address takes such a request over HTTP; each `response.create` on a socket is one.
"""

from __future__ import annotations

import msgspec

from headgate.gateway.endpoints.endpoint import Endpoint, TokenCount, Usage


class _CachedDetails(msgspec.Struct):
    audio_tokens: TokenCount | None = None


class _InputDetails(msgspec.Struct):
    cached_tokens: TokenCount | None = None
    audio_tokens: TokenCount | None = None
    image_tokens: TokenCount | None = None
    cached_tokens_details: _CachedDetails | None = None


class _OutputDetails(msgspec.Struct):
    audio_tokens: TokenCount | None = None


class RealtimeTokens(msgspec.Struct):
    """The `usage` of a response, or of a transcript that is charged by tokens."""

    input_tokens: TokenCount | None = None
    output_tokens: TokenCount | None = None
    input_token_details: _InputDetails | None = None
    output_token_details: _OutputDetails | None = None

    def as_usage(self, *, model: str | None = None, response_id: str | None = None) -> Usage:
        """The same as the ledger counts it."""
        taken = self.input_token_details or _InputDetails()
        given = self.output_token_details or _OutputDetails()
        cached = taken.cached_tokens_details or _CachedDetails()
        return Usage(
            model=model,
            input_tokens=self.input_tokens,
            cached_tokens=taken.cached_tokens,
            output_tokens=self.output_tokens,
            input_audio_tokens=taken.audio_tokens,
            output_audio_tokens=given.audio_tokens,
            input_image_tokens=taken.image_tokens,
            cached_audio_tokens=cached.audio_tokens,
            response_id=response_id,
        )


class _Response(msgspec.Struct):
    id: str | None = None
    usage: RealtimeTokens | None = None


_response = msgspec.json.Decoder(_Response)


class Realtime(Endpoint):
    """Responses of the Realtime API."""

    name = "realtime"
    streams = True
    generates = True
    counts_text = True

    def usage(self, body: bytes) -> Usage:
        """See `Endpoint`; `body` is the response of a `response.done`."""
        try:
            response = _response.decode(body)
        except msgspec.ValidationError:
            return Usage()
        return (response.usage or RealtimeTokens()).as_usage(response_id=response.id)


REALTIME = Realtime()
"""Not one of `ENDPOINTS`, which take requests over HTTP."""
