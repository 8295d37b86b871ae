"""Which JSON Schemas OpenAI's strict mode takes, and what it says of the others."""

from __future__ import annotations

from typing import Any

from headgate.simulator.schema.references import ReferenceNotFoundError, References

MAX_DEPTH = 10
"""How many objects and arrays may be nested."""

MAX_PROPERTIES = 5_000
"""How many properties a schema may have in all."""

MAX_ENUM_VALUES = 1_000
"""How many enum values a schema may have in all."""

MAX_NAME_CHARS = 120_000
"""How long names, enum values and consts may be in all."""

_REFUSED = (
    "allOf",
    "oneOf",
    "not",
    "if",
    "then",
    "else",
    "dependentRequired",
    "dependentSchemas",
    "patternProperties",
    "propertyNames",
    "unevaluatedProperties",
    "unevaluatedItems",
    "minProperties",
    "maxProperties",
    "contains",
    "minContains",
    "maxContains",
    "uniqueItems",
    "prefixItems",
)
_TYPES = frozenset(("string", "number", "integer", "boolean", "object", "array", "null"))


class SchemaRefusedError(Exception):
    """Strict mode doesn't take the schema; the message says where and why, in OpenAI's words."""


def check_strict(schema: Any) -> None:
    """Raise `SchemaRefusedError` unless strict mode takes `schema`."""
    if not isinstance(schema, dict):
        raise SchemaRefusedError("schema must be an object.")
    kind = schema.get("type")
    if "anyOf" in schema or (kind != "object" and "$ref" not in schema):
        shown = "None" if kind is None or "anyOf" in schema else str(kind)
        raise SchemaRefusedError(
            f"schema must be a JSON Schema of 'type: \"object\"', got 'type: \"{shown}\"'."
        )
    check = _Check(References(schema))
    check.visit(schema, (), depth=0)
    for key in ("$defs", "definitions"):
        for name, part in (schema.get(key) or {}).items():
            check.visit(part, (key, name), depth=0)
    check.finish()


class _Check:
    """One walk over a schema, with what the limits count."""

    def __init__(self, references: References) -> None:
        self._references = references
        self._properties = 0
        self._enum_values = 0
        self._name_chars = 0

    def visit(self, schema: Any, context: tuple[str, ...], depth: int) -> None:
        if not isinstance(schema, dict):
            raise _refused(context, "schema must be an object")
        if depth > MAX_DEPTH:
            raise SchemaRefusedError(f"{depth} levels of nesting exceeds limit of {MAX_DEPTH}.")
        for keyword in _REFUSED:
            if keyword in schema:
                raise _refused(context, f"'{keyword}' is not permitted")
        if "$ref" in schema:
            self._visit_reference(schema["$ref"], context)
            return
        if "anyOf" in schema:
            self._visit_any_of(schema["anyOf"], context, depth)
            return
        self._count_values(schema, context)
        kinds = self._kinds(schema, context)
        if "object" in kinds:
            self._visit_object(schema, context, depth)
        if "array" in kinds:
            if "items" not in schema:
                raise _refused(context, "array schema missing items")
            self.visit(schema["items"], (*context, "items"), depth + 1)

    def finish(self) -> None:
        """Raise where the whole schema is beyond a limit."""
        for count, limit, what in (
            (self._properties, MAX_PROPERTIES, "object properties"),
            (self._enum_values, MAX_ENUM_VALUES, "enum values"),
            (self._name_chars, MAX_NAME_CHARS, "characters of names and values"),
        ):
            if count > limit:
                raise SchemaRefusedError(f"{count} {what} exceeds limit of {limit}.")

    def _visit_reference(self, reference: Any, context: tuple[str, ...]) -> None:
        try:
            self._references.target(str(reference))
        except ReferenceNotFoundError:
            raise _refused(
                context, f"reference to component '{reference}' which was not found in the schema"
            ) from None

    def _visit_any_of(self, branches: Any, context: tuple[str, ...], depth: int) -> None:
        if not isinstance(branches, list) or not branches:
            raise _refused(context, "'anyOf' must be an array with at least one schema")
        for place, branch in enumerate(branches):
            self.visit(branch, (*context, "anyOf", str(place)), depth)

    def _visit_object(self, schema: dict[str, Any], context: tuple[str, ...], depth: int) -> None:
        if schema.get("additionalProperties") is not False:
            raise _refused(
                context, "'additionalProperties' is required to be supplied and to be false"
            )
        properties = schema.get("properties") or {}
        if not isinstance(properties, dict):
            raise _refused(context, "'properties' must be an object")
        required = schema.get("required")
        missing = [name for name in properties if name not in (required or ())]
        if missing or (properties and not isinstance(required, list)):
            raise _refused(
                context,
                "'required' is required to be supplied and to be an array including every key in"
                f" properties. Missing '{missing[0] if missing else next(iter(properties))}'",
            )
        for name in required or ():
            if name not in properties:
                raise _refused(
                    context, f"'required' names '{name}', which is not among the properties"
                )
        for name, part in properties.items():
            self._properties += 1
            self._name_chars += len(name)
            self.visit(part, (*context, "properties", name), depth + 1)

    def _count_values(self, schema: dict[str, Any], context: tuple[str, ...]) -> None:
        if "enum" in schema:
            values = schema["enum"]
            if not isinstance(values, list) or not values:
                raise _refused(context, "'enum' must be an array with at least one value")
            self._enum_values += len(values)
            self._name_chars += sum(len(value) for value in values if isinstance(value, str))
        if isinstance(schema.get("const"), str):
            self._name_chars += len(schema["const"])

    def _kinds(self, schema: dict[str, Any], context: tuple[str, ...]) -> tuple[str, ...]:
        kind = schema.get("type")
        if kind is None:
            if "enum" in schema or "const" in schema:
                return ()
            raise _refused(context, "schema must have a 'type' key")
        kinds = tuple(kind) if isinstance(kind, list) else (kind,)
        for found in kinds:
            if found not in _TYPES:
                raise _refused(context, f"'{found}' is not a valid type")
        return kinds


def _refused(context: tuple[str, ...], complaint: str) -> SchemaRefusedError:
    return SchemaRefusedError(f"In context={context!r}, {complaint}.")
