"""The content of a message, on chat and Responses alike: a text or a list of parts."""

from __future__ import annotations

from typing import Any

from headgate.simulator.conversation import Image
from headgate.simulator.tokens import IMAGE_TOKENS
from headgate.simulator.wire.api_error import invalid_type, invalid_value, missing_parameter

_TEXT_PARTS = {"text": "text", "input_text": "text", "output_text": "text", "refusal": "refusal"}
_MEDIA_PARTS = ("image_url", "input_audio", "file", "input_image", "input_file")
AUDIO_TOKENS = 100
"""What a sound costs, and a file whose text isn't there."""


def read_content(content: Any, param: str) -> tuple[str, tuple[Image, ...]]:
    """The text and the pictures in `content`; `ApiError` 400 naming `param` where it is wrong."""
    if content is None:
        return "", ()
    if isinstance(content, str):
        return content, ()
    if not isinstance(content, list):
        raise invalid_type(param, "one of a string or array of objects", content)
    texts: list[str] = []
    media: list[Image] = []
    for place, part in enumerate(content):
        where = f"{param}[{place}]"
        if not isinstance(part, dict):
            raise invalid_type(where, "an object", part)
        kind = part.get("type")
        if kind in _TEXT_PARTS:
            field = _TEXT_PARTS[kind]
            text = part.get(field)
            if text is None:
                raise missing_parameter(f"{where}.{field}")
            if not isinstance(text, str):
                raise invalid_type(f"{where}.{field}", "a string", text)
            texts.append(text)
        elif kind in _MEDIA_PARTS:
            media.append(_medium(part, str(kind), where))
        else:
            raise invalid_value(f"{where}.type", kind, (*_TEXT_PARTS, *_MEDIA_PARTS))
    return "\n".join(texts), tuple(media)


def _medium(part: dict[str, Any], kind: str, where: str) -> Image:
    if kind == "image_url":
        image = part.get("image_url")
        if not isinstance(image, dict):
            raise invalid_type(f"{where}.image_url", "an object", image)
        if not isinstance(image.get("url"), str):
            raise invalid_type(f"{where}.image_url.url", "a string", image.get("url"))
        return Image(image["url"], _image_cost(image.get("detail")))
    if kind == "input_image":
        reference = part.get("image_url") or part.get("file_id")
        if not isinstance(reference, str):
            raise missing_parameter(f"{where}.image_url")
        return Image(reference, _image_cost(part.get("detail")))
    return Image(repr(sorted(part.items(), key=str)), AUDIO_TOKENS)


def _image_cost(detail: Any) -> int:
    return IMAGE_TOKENS.get(str(detail or "auto"), IMAGE_TOKENS["auto"])
