"""`/v1/embeddings`: texts in, vectors out, never streamed."""

from __future__ import annotations

import msgspec

from headgate.gateway.endpoints import lenient
from headgate.gateway.endpoints.endpoint import Endpoint, TokenCount, Usage


class _Tokens(msgspec.Struct):
    prompt_tokens: TokenCount | None = None


class _Reply(msgspec.Struct):
    model: str | None = None
    usage: _Tokens | None = None


_reply = msgspec.json.Decoder(_Reply)


class Embeddings(Endpoint):
    """Embeddings."""

    name = "embeddings"
    counts_text = True

    def usage(self, body: bytes) -> Usage:
        """See `Endpoint`."""
        reply = lenient.read(_reply, body)
        tokens = reply.usage.prompt_tokens if reply.usage else None
        return Usage(
            model=reply.model,
            input_tokens=tokens,
            output_tokens=None if tokens is None else 0,
        )
