"""`/v1/images/generations`, `/v1/images/edits` and `/v1/images/variations`: pictures out."""

from __future__ import annotations

import re

import msgspec

from headgate.gateway.endpoints import lenient
from headgate.gateway.endpoints.endpoint import (
    UNREADABLE,
    Endpoint,
    Fields,
    StreamReader,
    TokenCount,
    Usage,
)
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


class _Svg(msgspec.Struct):
    model: str = ""


_reply = msgspec.json.Decoder(_Reply)
_svg = msgspec.json.Decoder(_Svg)
_text = msgspec.json.Decoder(str)


class ImageGenerations(Endpoint):
    """Pictures from words."""

    name = "images/generations"
    model_optional = True
    runs_second_model = True
    streams = True
    generates = True

    def second_model(self, fields: Fields) -> str | None:
        """See `Endpoint`; a text model writes an SVG after the picture."""
        if "svg" in fields and bytes(fields["svg"]) != b"null":
            try:
                return _svg.decode(fields["svg"]).model
            except UNREADABLE:
                return ""  # the provider names what is wrong with it
        if "svg[model]" in fields:
            return _text_or_nothing(fields["svg[model]"])
        written = any(name.startswith("svg[") for name in fields)
        return "" if written or _text_or_nothing(fields.get("output_format")) == "svg" else None

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


def _text_or_nothing(raw: msgspec.Raw | None) -> str:
    try:
        return "" if raw is None else _text.decode(raw)
    except UNREADABLE:
        return ""


class ImageVariations(ImageGenerations):
    """Pictures from a picture."""

    name = "images/variations"
    runs_second_model = False
    streams = False
    takes_form = True
