"""A client's JSON Schema, in the part of the language that Anthropic holds its answers to.

Whatever fits the narrowed schema fits the client's too, but for the bounds (`minimum`,
`maxLength`, …): the API refuses those, so the model is told them in words.
"""

from __future__ import annotations

from typing import Any

import msgspec

from headgate.errors import InvalidRequestError

_BOUNDS = (
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "maxItems",
    "uniqueItems",
    "minProperties",
    "maxProperties",
    "default",
    "examples",
)
_LISTS = ("anyOf", "allOf")
_MAPS = ("properties", "$defs", "definitions")
_FORMATS = frozenset(
    {
        "date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid",
    }
)  # fmt: skip
_MAX_DEPTH = 64


def narrowed(schema: Any, depth: int = 0) -> Any:
    """`schema` as the API takes it. Raises `InvalidRequestError` where it is nested too deep."""
    if not isinstance(schema, dict):
        return schema
    if depth > _MAX_DEPTH:
        raise InvalidRequestError("The JSON Schema is nested too deep.", code="invalid_schema")
    kept = {key: value for key, value in schema.items() if key not in _BOUNDS and key != "oneOf"}
    words = {key: schema[key] for key in _BOUNDS if key in schema}
    for key in _LISTS:
        if isinstance(kept.get(key), list):
            kept[key] = [narrowed(each, depth + 1) for each in kept[key]]
    if isinstance(schema.get("oneOf"), list):
        either = [narrowed(each, depth + 1) for each in schema["oneOf"]]
        kept["anyOf"] = [*kept.get("anyOf", []), *either]
    for key in _MAPS:
        if isinstance(kept.get(key), dict):
            kept[key] = {name: narrowed(each, depth + 1) for name, each in kept[key].items()}
    if "items" in kept:
        kept["items"] = narrowed(kept["items"], depth + 1)
    if kept.get("format", "date") not in _FORMATS:
        words["format"] = kept.pop("format")
    # Of these the API knows 0 and 1 only.
    if kept.get("minItems", 0) not in (0, 1):
        words["minItems"] = kept.pop("minItems")
    if kept.get("type") == "object" or "properties" in kept:
        kept["additionalProperties"] = False
    if words:
        told = ", ".join(
            f"{key}: {msgspec.json.encode(value).decode()}" for key, value in words.items()
        )
        kept["description"] = f"{kept.get('description', '')} ({told})".strip()
    return kept
