"""Makes a small value of a schema's shape, so that a prompt can be tried out before any run."""

from __future__ import annotations

from typing import Any, Final

_DEPTH_AT_MOST = 12
_WORD: Final = "text"

_BY_FORMAT: Final = {
    "date": "2026-01-31",
    "date-time": "2026-01-31T09:30:00Z",
    "time": "09:30:00Z",
    "duration": "PT30M",
    "email": "someone@example.com",
    "idn-email": "someone@example.com",
    "hostname": "www.example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uri": "https://www.example.com/",
    "uri-reference": "/",
    "iri": "https://www.example.com/",
    "uuid": "3f2b8c1e-6a4d-4e0f-9b7a-5c1d2e3f4a5b",
}


def sample_of(schema: dict[str, Any], *, optional: bool) -> dict[str, Any]:
    """An object with all required properties, and the optional ones if asked for.

    It has the shape that the schema asks for, and what its `examples` and `default` say; it need
    not meet patterns.
    """
    found = _sample(schema, schema, optional=optional, depth=0)
    return found if isinstance(found, dict) else {}


def _sample(schema: Any, root: dict[str, Any], *, optional: bool, depth: int) -> Any:
    if not isinstance(schema, dict) or depth > _DEPTH_AT_MOST:
        return _WORD
    if "const" in schema:
        return schema["const"]
    if schema.get("enum"):
        return schema["enum"][0]
    kind = schema.get("type", "object" if "properties" in schema else "string")
    kind = kind[0] if isinstance(kind, list) and kind else kind
    # Of an object its fields are told one by one, so that none is left out.
    if kind not in ("object", "array"):
        if schema.get("examples"):
            return schema["examples"][0]
        if schema.get("default") is not None:
            return schema["default"]
    reference = schema.get("$ref")
    if isinstance(reference, str) and reference.startswith("#/$defs/"):
        target = root.get("$defs", {}).get(reference.removeprefix("#/$defs/"), {})
        return _sample(target, root, optional=optional, depth=depth + 1)
    for keyword in ("anyOf", "oneOf", "allOf"):
        if schema.get(keyword):
            return _sample(schema[keyword][0], root, optional=optional, depth=depth + 1)
    match kind:
        case "object":
            required = schema.get("required", ())
            return {
                name: _sample(child, root, optional=optional, depth=depth + 1)
                for name, child in schema.get("properties", {}).items()
                if optional or name in required
            }
        case "array":
            count = max(int(schema.get("minItems", 0)), 1 if optional else 0)
            item = _sample(schema.get("items"), root, optional=optional, depth=depth + 1)
            return [item] * min(count, 10)
        case "integer" | "number":
            return schema.get("minimum", 1)
        case "boolean":
            return True
        case "null":
            return None
        case _:
            return _string(schema)


def _string(schema: dict[str, Any]) -> str:
    text = _BY_FORMAT.get(str(schema.get("format")), _WORD)
    shortest = min(int(schema.get("minLength", 0)), 10_000)
    if len(text) < shortest:
        text = (f"{text} " * (shortest // len(text) + 1))[:shortest]
    longest = schema.get("maxLength")
    return text if longest is None else text[: int(longest)]
