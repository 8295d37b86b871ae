"""Makes a small value of a schema's shape, so that a prompt can be tried out before any run."""

from __future__ import annotations

from typing import Any

_DEPTH_AT_MOST = 12


def sample_of(schema: dict[str, Any], *, optional: bool) -> dict[str, Any]:
    """An object with all required properties, and the optional ones if asked for.

    It has the shape that the schema asks for; it need not meet patterns and lengths.
    """
    found = _sample(schema, schema, optional=optional, depth=0)
    return found if isinstance(found, dict) else {}


def _sample(schema: Any, root: dict[str, Any], *, optional: bool, depth: int) -> Any:
    if not isinstance(schema, dict) or depth > _DEPTH_AT_MOST:
        return "text"
    if "const" in schema:
        return schema["const"]
    if schema.get("enum"):
        return schema["enum"][0]
    reference = schema.get("$ref")
    if isinstance(reference, str) and reference.startswith("#/$defs/"):
        target = root.get("$defs", {}).get(reference.removeprefix("#/$defs/"), {})
        return _sample(target, root, optional=optional, depth=depth + 1)
    for keyword in ("anyOf", "oneOf", "allOf"):
        if schema.get(keyword):
            return _sample(schema[keyword][0], root, optional=optional, depth=depth + 1)
    kind = schema.get("type", "object" if "properties" in schema else "string")
    match kind[0] if isinstance(kind, list) else kind:
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
            return "text"
