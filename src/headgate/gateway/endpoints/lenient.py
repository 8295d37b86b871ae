"""Reads what it can of a provider's JSON: one field that can't be read must not cost the rest.

A count below zero would otherwise take the reply's id, model and good counts along with it.
"""

from __future__ import annotations

from typing import Any, TypeVar, get_args

import msgspec

T = TypeVar("T", bound=msgspec.Struct)


def read(decoder: msgspec.json.Decoder[T], data: bytes) -> T:
    """What `data` holds, which is a JSON object, as a Struct whose fields all have defaults.

    What does not fit its field is left out. Raises `msgspec.DecodeError` and its like where `data`
    is not a JSON object. Where all of it fits, this costs no more than to decode it.
    """
    try:
        return decoder.decode(data)
    except msgspec.ValidationError:
        value = msgspec.json.decode(data)
        if not isinstance(value, dict):
            raise
        return _kept(value, decoder.type)


def _kept(value: dict[str, Any], kind: type[T]) -> T:
    fields: dict[str, Any] = {}
    for field in msgspec.structs.fields(kind):
        if field.encode_name in value:
            found = value[field.encode_name]
            try:
                fields[field.name] = msgspec.convert(found, field.type)
            except msgspec.ValidationError:
                inner = _struct_in(field.type)
                if inner is not None and isinstance(found, dict):
                    fields[field.name] = _kept(found, inner)
    return kind(**fields)


def _struct_in(kind: Any) -> type[msgspec.Struct] | None:
    for one in (kind, *get_args(kind)):
        if isinstance(one, type) and issubclass(one, msgspec.Struct):
            return one
    return None
