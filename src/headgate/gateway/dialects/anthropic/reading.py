"""Reads the fields of a request; what it can't read is refused by the field's name."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, TypeVar

import msgspec

from headgate.errors import InvalidRequestError, UnsupportedError
from headgate.gateway.endpoints import Fields
from headgate.gateway.endpoints.endpoint import UNREADABLE

T = TypeVar("T")

_NULL = b"null"


def given(fields: Fields, name: str) -> bytes | None:
    """The JSON of a field, or None where it is missing or null."""
    raw = fields.get(name)
    if raw is None:
        return None
    text = bytes(raw).strip()
    return None if text == _NULL else text


def read(fields: Fields, name: str, decoder: msgspec.json.Decoder[T]) -> T | None:
    """A field's value; `UnsupportedError` names the place in it that can't be carried."""
    text = given(fields, name)
    if text is None:
        return None
    return decode(text, name, decoder)


def decode(text: bytes, name: str, decoder: msgspec.json.Decoder[T]) -> T:
    """As `read`, for JSON that stands at `name`."""
    try:
        return decoder.decode(text)
    except msgspec.ValidationError as error:
        reason, _, where = str(error).partition(" - at `$")
        place = name + where.rstrip("`")
        raise UnsupportedError(
            f"`{place}` is not something that a provider of this model takes: {reason}.",
            param=place,
        ) from None
    except UNREADABLE as error:
        raise InvalidRequestError(
            f"`{name}` can't be read: {error}.", param=name, code="invalid_json"
        ) from None


def refuse(param: str, why: str) -> UnsupportedError:
    """An error for a field that Anthropic's API has no word for."""
    return UnsupportedError(
        f"Anthropic's API can't carry `{param}`: {why}; leave it out, or ask for a model or a"
        " route of another kind of provider.",
        param=param,
    )


def check_fields(fields: Fields, known: Collection[str], harmless: Mapping[str, Any]) -> None:
    """Refuse fields that are not `known`, nor have the value that is as good as none."""
    for name in fields:
        if name in known:
            continue
        text = given(fields, name)
        if text is None or (name in harmless and _value(text) == harmless[name]):
            continue
        raise refuse(name, "it has nothing that does the same")


def _value(text: bytes) -> Any:
    try:
        return msgspec.json.decode(text)
    except UNREADABLE:
        return None
