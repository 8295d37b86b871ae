"""A client's JSON Schema, in the part of the language that Anthropic holds its answers to.

Whatever fits the narrowed schema fits the client's too, but for what the API knows nothing of
(`minimum`, `maxLength`, `pattern`, …): that is told to the model in words.
"""

from __future__ import annotations

from typing import Any

import msgspec

from headgate.errors import InvalidRequestError
from headgate.gateway.dialects.anthropic.reading import refuse

Json = dict[str, Any]

_ANYWHERE = ("title", "description", "enum", "const")
_OF_TYPE: dict[str, tuple[str, ...]] = {
    "object": ("properties", "required"),
    "array": ("items", "minItems"),
    "string": ("format",),
}
"""Keywords that say something of one type only."""
_SILENT = frozenset({"$schema", "$id", "$comment", "$anchor", "additionalProperties"})
"""Left out without a word: they say nothing to a model, or are said anew."""
_TYPES = frozenset({"object", "array", "string", "integer", "number", "boolean", "null"})
_FORMATS = frozenset(
    {
        "date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid",
    }
)  # fmt: skip
_MAX_DEPTH = 64


def narrowed(schema: Any, place: str = "schema", depth: int = 0) -> Json:
    """`schema`, which stands at `place`, as the API takes it.

    Raises `UnsupportedError` where it says too little to be held to, `InvalidRequestError` where it
    is nested too deep.
    """
    if depth > _MAX_DEPTH:
        raise InvalidRequestError(f"`{place[:200]}` is nested too deep.", code="invalid_schema")
    if not isinstance(schema, dict):
        raise refuse(place, "it takes no schema that is only true or false")
    kept: Json = {}
    for key in ("$defs", "definitions"):
        if isinstance(schema.get(key), dict):
            kept[key] = {
                name: narrowed(each, f"{place}.{key}.{name}", depth + 1)
                for name, each in schema[key].items()
            }
    if "$ref" in schema:
        return kept | {"$ref": schema["$ref"]}
    kept |= {key: schema[key] for key in _ANYWHERE if key in schema}
    known = {*kept, *_SILENT, "type"}
    for key, named in (("anyOf", "anyOf"), ("oneOf", "anyOf"), ("allOf", "allOf")):
        if isinstance(schema.get(key), list) and named not in kept:
            kept[named] = [
                narrowed(each, f"{place}.{key}[{index}]", depth + 1)
                for index, each in enumerate(schema[key])
            ]
            known.add(key)
    held = {"enum", "const", "anyOf", "allOf"} & set(kept)
    types = schema.get("type", "object" if "properties" in schema else None)
    names = [str(name) for name in (types if isinstance(types, list) else [types])]
    if not held or types == "object":
        if not names or not all(name in _TYPES for name in names):
            raise refuse(place, "a schema needs a type, a choice or a list of values")
        each = [_of_type(schema, name, known, place, depth) for name in names]
        if len(each) == 1:
            kept |= each[0]
        else:
            kept["anyOf"] = each
    untold = {key: value for key, value in schema.items() if key not in known}
    if untold:
        told = ", ".join(
            f"{key}: {msgspec.json.encode(value).decode()}" for key, value in untold.items()
        )
        kept["description"] = f"{kept.get('description', '')} ({told})".strip()
    return kept


def _of_type(schema: Json, name: str, known: set[str], place: str, depth: int) -> Json:
    """What `schema` says of values of one type; notes in `known` what of it is carried."""
    kept: Json = {"type": name}
    for key in _OF_TYPE.get(name, ()):
        if key not in schema:
            continue
        value = schema[key]
        if key == "properties" and isinstance(value, dict):
            value = {
                field: narrowed(each, f"{place}.properties.{field}", depth + 1)
                for field, each in value.items()
            }
        elif key == "items":
            value = narrowed(value, f"{place}.items", depth + 1)
        elif (key == "format" and str(value) not in _FORMATS) or (
            key == "minItems" and value not in (0, 1)
        ):
            continue
        kept[key] = value
        known.add(key)
    if name == "object":
        kept["additionalProperties"] = False
    return kept
