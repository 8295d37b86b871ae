"""Whether OpenAI's strict structured output takes a schema; says which paths it would refuse.

From the guide "Structured model outputs", section "Supported schemas": every object closed and
all its properties required, a subset of the keywords, and bounds on size. A schema that is refused
there fails every call, so it is refused here when the workflow is loaded.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Steps = tuple[str | int, ...]
Found = tuple[Steps, str]
"""The path in the schema, and what to do."""

_KEYWORDS = frozenset(
    {
        "type", "enum", "const", "anyOf", "$ref", "$defs", "definitions",
        "title", "description",
        "properties", "required", "additionalProperties",
        "items", "minItems", "maxItems",
        "pattern", "format",
        "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf",
    }
)  # fmt: skip
_NOT_SENT = frozenset({"$schema", "$id", "$comment"})
"""Say nothing to a model; taken out before the schema is sent."""

_FORMATS = frozenset(
    {"date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"}
)
_REMEDIES = {
    "default": "leave it out; every property is required and always given",
    "minLength": "use `pattern`, or check it in rules.py",
    "maxLength": "say it in the description, and check it in rules.py",
    "uniqueItems": "check it in rules.py",
    "oneOf": "use `anyOf`",
    "allOf": "write the merged schema out",
    "prefixItems": "use an object, or `items`",
    "patternProperties": "use a list of objects with a key and a value",
}

_PROPERTIES_AT_MOST = 5000
_DEPTH_AT_MOST = 10
_ENUM_VALUES_AT_MOST = 1000
_LARGE_ENUM = 250
_LARGE_ENUM_CHARACTERS = 15_000
_CHARACTERS_AT_MOST = 120_000


class _Size:
    def __init__(self) -> None:
        self.properties = 0
        self.enum_values = 0
        self.characters = 0


def strict_problems(schema: dict[str, Any]) -> list[Found]:
    """Every reason for which strict mode would refuse `schema`; empty where it takes it."""
    found: list[Found] = []
    if "anyOf" in schema:
        found.append((("anyOf",), "the root must be one object; put `anyOf` into a property"))
    size = _Size()
    found.extend(_walk(schema, (), 1, size))
    if size.properties > _PROPERTIES_AT_MOST:
        found.append(((), f"has more than {_PROPERTIES_AT_MOST} properties"))
    if size.enum_values > _ENUM_VALUES_AT_MOST:
        found.append(((), f"has more than {_ENUM_VALUES_AT_MOST} enum values"))
    if size.characters > _CHARACTERS_AT_MOST:
        found.append(((), f"has more than {_CHARACTERS_AT_MOST} characters of names and values"))
    return found


def as_sent(schema: Any) -> Any:
    """`schema` without what only people and tools read."""
    if isinstance(schema, list):
        return [as_sent(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    sent: dict[str, Any] = {}
    for keyword, value in schema.items():
        if keyword in ("properties", "$defs", "definitions"):
            sent[keyword] = {name: as_sent(child) for name, child in value.items()}
        elif keyword in ("enum", "const", "required"):
            sent[keyword] = value
        elif keyword not in _NOT_SENT:
            sent[keyword] = as_sent(value)
    return sent


def _walk(schema: Any, at: Steps, depth: int, size: _Size) -> Iterator[Found]:
    if not isinstance(schema, dict):
        yield at, "write a schema with a type; `true` and `false` are not taken"
        return
    if depth > _DEPTH_AT_MOST:
        yield at, f"is nested more than {_DEPTH_AT_MOST} levels deep"
        return
    for keyword in schema:
        if keyword not in _KEYWORDS and keyword not in _NOT_SENT:
            remedy = _REMEDIES.get(keyword, "leave it out, or check it in rules.py")
            yield (*at, keyword), f"strict structured output has no `{keyword}`; {remedy}"
    if "$ref" in schema and schema.keys() - _NOT_SENT - {"$ref"}:
        yield (*at, "$ref"), "must stand alone; write what stands beside it where it leads"
    if not any(keyword in schema for keyword in ("type", "$ref", "anyOf", "enum", "const")):
        yield at, "needs a `type`"
    yield from _format(schema, at)
    yield from _enum(schema, at, size)
    kinds = schema.get("type")
    kinds = kinds if isinstance(kinds, list) else [kinds]
    if "object" in kinds or "properties" in schema:
        yield from _object(schema, at, depth, size)
    if "array" in kinds:
        if "items" not in schema:
            yield at, "an array needs `items`"
        else:
            yield from _walk(schema["items"], (*at, "items"), depth + 1, size)
    for index, form in enumerate(schema.get("anyOf", ())):
        yield from _walk(form, (*at, "anyOf", index), depth, size)
    for holder in ("$defs", "definitions"):
        for name, definition in schema.get(holder, {}).items():
            size.characters += len(name)
            yield from _walk(definition, (*at, holder, name), depth, size)


def _object(schema: dict[str, Any], at: Steps, depth: int, size: _Size) -> Iterator[Found]:
    properties = schema.get("properties", {})
    if schema.get("additionalProperties") is not False:
        yield (*at, "additionalProperties"), 'an object needs "additionalProperties": false'
    required = schema.get("required", [])
    for name in properties:
        if name not in required:
            yield (
                (*at, "properties", name),
                "must be in `required`; where it may be absent, allow the type null",
            )
    for index, name in enumerate(required):
        if name not in properties:
            yield (*at, "required", index), f"`{name}` is not among the properties"
    size.properties += len(properties)
    for name, child in properties.items():
        size.characters += len(name)
        yield from _walk(child, (*at, "properties", name), depth + 1, size)


def _format(schema: dict[str, Any], at: Steps) -> Iterator[Found]:
    if (written := schema.get("format")) is not None and written not in _FORMATS:
        yield (*at, "format"), f"strict structured output knows only {', '.join(sorted(_FORMATS))}"


def _enum(schema: dict[str, Any], at: Steps, size: _Size) -> Iterator[Found]:
    values = schema.get("enum", [])
    size.enum_values += len(values)
    characters = sum(len(value) for value in values if isinstance(value, str))
    if isinstance(schema.get("const"), str):
        characters += len(schema["const"])
    size.characters += characters
    if len(values) > _LARGE_ENUM and characters > _LARGE_ENUM_CHARACTERS:
        yield (
            (*at, "enum"),
            f"more than {_LARGE_ENUM} values may have {_LARGE_ENUM_CHARACTERS} characters at most",
        )
