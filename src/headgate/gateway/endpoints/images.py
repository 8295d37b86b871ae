"""`/v1/images/generations`, `/v1/images/edits` and `/v1/images/variations`: pictures out."""

from __future__ import annotations

import re

import msgspec

from headgate.errors import InvalidRequestError
from headgate.gateway.endpoints import lenient
from headgate.gateway.endpoints.endpoint import Endpoint, Fields, StreamReader, TokenCount, Usage
from headgate.gateway.endpoints.typed_events import TypedEventsReader

_FINAL = re.compile(rb'"type":\s*"image_(?:generation|edit)\.completed"')
_MAX_EVENT_BYTES = 64 * 1024 * 1024
"""A picture is one event."""


class _Details(msgspec.Struct):
    image_tokens: TokenCount | None = None


class _Tokens(msgspec.Struct):
    input_tokens: TokenCount | None = None
    output_tokens: TokenCount | None = None
    input_tokens_details: _Details | None = None
    output_tokens_details: _Details | None = None


class _Reply(msgspec.Struct):
    usage: _Tokens | None = None

    def as_usage(self) -> Usage:
        tokens = self.usage or _Tokens()
        taken = tokens.input_tokens_details or _Details()
        given = tokens.output_tokens_details or _Details(image_tokens=tokens.output_tokens)
        return Usage(
            input_tokens=tokens.input_tokens,
            output_tokens=tokens.output_tokens,
            input_image_tokens=taken.image_tokens,
            output_image_tokens=given.image_tokens,
        )


_reply = msgspec.json.Decoder(_Reply)


class ImageGenerations(Endpoint):
    """Pictures from words."""

    name = "images/generations"
    streams = True
    generates = True

    def check(self, fields: Fields) -> None:
        """See `Endpoint`; a second model would be neither allowed nor paid for."""
        for name in fields:
            if name.partition("[")[0] == "svg" and bytes(fields[name]) != b"null":
                raise InvalidRequestError(
                    "Drawing as SVG is not supported, because it runs a second model whose cost"
                    " could not be recorded; leave out `svg`.",
                    param="svg",
                    code="unsupported_parameter",
                )

    def usage(self, body: bytes) -> Usage:
        """See `Endpoint`."""
        return lenient.read(_reply, body).as_usage()

    def reader_for(self, fields: Fields, *, hide_usage: bool) -> StreamReader:  # noqa: ARG002
        """See `Endpoint`."""
        return TypedEventsReader(_FINAL, self.usage, _MAX_EVENT_BYTES)


class ImageEdits(ImageGenerations):
    """Pictures from pictures and words; a form, or JSON that names files."""

    name = "images/edits"
    takes_form = True


class ImageVariations(ImageGenerations):
    """Pictures from a picture."""

    name = "images/variations"
    streams = False
    takes_form = True
