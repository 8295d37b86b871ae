"""/v1/images: a picture of one colour, which the prompt decides."""

from __future__ import annotations

import base64
import struct
import time
import zlib
from typing import Any

from headgate.simulator import tokens
from headgate.simulator.catalogue import find_model
from headgate.simulator.exchange import Exchange
from headgate.simulator.wire.api_error import ApiError, invalid_value, missing_parameter
from headgate.simulator.wire.form import is_form, read_form
from headgate.simulator.wire.parameters import Parameter, check_parameters
from headgate.simulator.wire.reply import Reply, StreamReply, json_reply, named_event

_GENERATION = (
    Parameter("prompt", "string", required=True),
    Parameter("background", "string"),
    Parameter("model", "string"),
    Parameter("moderation", "string"),
    Parameter("n", "integer", minimum=1, maximum=10),
    Parameter("output_compression", "integer", minimum=0, maximum=100),
    Parameter("output_format", "string"),
    Parameter("partial_images", "integer", minimum=0, maximum=3),
    Parameter("quality", "string"),
    Parameter("response_format", "string", choices=("url", "b64_json")),
    Parameter("size", "string"),
    Parameter("stream", "boolean"),
    Parameter("style", "string"),
    Parameter("svg", "object"),
    Parameter("user", "string"),
)
_SIZES = ("auto", "256x256", "512x512", "1024x1024", "1024x1536", "1536x1024")
_IMAGE_TOKENS = {"low": 272, "medium": 1_056, "high": 4_160}
_INPUT_IMAGE_TOKENS = 323
_DRAWING_MODEL = "gpt-image-1.5"
_VARYING_MODEL = "dall-e-2"
"""What is meant where a request names none."""


def create_image(exchange: Exchange, _: str) -> Reply:
    """Pictures for a prompt."""
    body = exchange.request.json_object()
    check_parameters(body, _GENERATION, refuse_unknown=exchange.refuse_unknown)
    return _drawn(body, "image_generation", 0)


def edit_image(exchange: Exchange, _: str) -> Reply:
    """Pictures for a prompt and pictures: of a form, or of files that JSON names."""
    if not is_form(exchange.request):
        body = exchange.request.json_object()
        for image in body.get("images") or []:
            if image.get("file_id"):
                exchange.memory.objects.get("file", image["file_id"])
        return _drawn(body, "image_edit", len(body.get("images") or []))
    form = read_form(exchange.request)
    form.required_file("image")
    body = {name: values[-1] for name, values in form.fields.items()}
    body["stream"] = body.get("stream") == "true"
    given = sum(file.field.startswith("image") for file in form.files)
    return _drawn(body, "image_edit", given)


def vary_image(exchange: Exchange, _: str) -> Reply:
    """Pictures like a picture."""
    form = read_form(exchange.request)
    image = form.required_file("image")
    body: dict[str, Any] = {name: values[-1] for name, values in form.fields.items()}
    body["model"] = body.get("model") or _VARYING_MODEL
    return _drawn({**body, "prompt": f"{zlib.crc32(image.content)}"}, "image_edit", 1)


def _drawn(body: dict[str, Any], event: str, images_given: int) -> Reply:
    if not body.get("prompt"):
        raise missing_parameter("prompt")
    model = find_model(str(body.get("model") or _DRAWING_MODEL), "image")
    if (body.get("svg") or body.get("svg[model]")) and body.get("output_format") != "svg":
        raise ApiError(400, "'svg' requires output_format to be svg.", param="svg")
    size = body.get("size") or "auto"
    if size not in _SIZES:
        raise invalid_value("size", size, _SIZES)
    quality = body.get("quality") or "low"
    if quality not in _IMAGE_TOKENS:
        quality = "low"
    count = int(body.get("n") or 1)
    colour = zlib.crc32(str(body["prompt"]).encode()) & 0xFFFFFF
    as_svg = body.get("output_format") == "svg"
    drawn = base64.b64encode(_svg(colour) if as_svg else _png(colour)).decode()
    text, pictures = tokens.counted(str(body["prompt"])), images_given * _INPUT_IMAGE_TOKENS
    given = _IMAGE_TOKENS[quality] * count
    usage = {
        "input_tokens": text + pictures,
        "input_tokens_details": {"text_tokens": text, "image_tokens": pictures},
        "output_tokens": given,
        "total_tokens": text + pictures + given,
    }
    now = int(time.time())
    told = {
        "background": "opaque",
        "output_format": "svg" if as_svg else "png",
        "quality": quality,
        "size": "1024x1024" if size == "auto" else size,
    }
    if body.get("stream"):
        shown = {"b64_json": drawn, "created_at": now, **told}
        pieces = [
            named_event({"type": f"{event}.partial_image", "partial_image_index": at, **shown})
            for at in range(int(body.get("partial_images") or 0))
        ]
        done = named_event({"type": f"{event}.completed", "usage": usage, **shown})
        return StreamReply((*pieces, done), used_tokens=given)
    if model.id.startswith("dall-e"):
        if body.get("response_format") == "b64_json":
            return json_reply({"created": now, "data": [{"b64_json": drawn}] * count})
        url = f"https://simulator.invalid/{colour:06x}.png"
        return json_reply({"created": now, "data": [{"url": url}] * count})
    data = [{"b64_json": drawn} for _ in range(count)]
    return json_reply({"created": now, **told, "data": data, "usage": usage}, used_tokens=given)


def _svg(colour: int) -> bytes:
    """The same as a drawing."""
    return (
        b'<svg xmlns="http://www.w3.org/2000/svg" width="16" height="16">'
        b'<rect width="16" height="16" fill="#%06x"/></svg>' % colour
    )


def _png(colour: int) -> bytes:
    """A picture of 16 by 16 pixels."""
    row = b"\0" + colour.to_bytes(3, "big") * 16

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    head = struct.pack(">IIBBBBB", 16, 16, 8, 2, 0, 0, 0)
    drawn = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(row * 16)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + drawn
