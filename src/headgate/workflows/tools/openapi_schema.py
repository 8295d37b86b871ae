"""A schema of an OpenAPI document as JSON Schema 2020-12, whole: its references written out.

3.0 has words of its own (`nullable`, a boolean `exclusiveMinimum`); 3.1 has JSON Schema's. What
only the service sends (`readOnly`) and what says nothing of values is left out.
"""

from __future__ import annotations

from typing import Any

from headgate.checks.schema import plain_json
from headgate.workflows.tools.openapi_document import OpenApiDocument, Place, Steps

_PARTS_AT_MOST = 2000
"""Subschemas of one operation, everything written out."""

_VALUES_AT_MOST = 20_000
"""Values that stand in these: of `enum`, `default`, `required` and the like."""

_DEPTH_AT_MOST = 50

_SAYS_NOTHING = frozenset(
    {
        "example", "examples", "discriminator", "xml", "externalDocs", "readOnly", "writeOnly",
        "$schema", "$comment", "$defs", "definitions", "deprecated",
    }
)  # fmt: skip
_NOT_FOLLOWED = ("$id", "$anchor", "$dynamicRef", "$dynamicAnchor", "$recursiveRef")
_ANNOTATIONS = frozenset({"title", "description", "default"})

_OF_SCHEMAS = ("allOf", "anyOf", "oneOf", "prefixItems")
_OF_NAMED = ("properties", "patternProperties", "dependentSchemas")
_OF_ONE = (
    "items", "not", "if", "then", "else", "contains", "additionalProperties", "propertyNames",
    "unevaluatedItems", "unevaluatedProperties",
)  # fmt: skip


class SchemaWriter:
    """Writes out the schemas of one operation, all of which count against one bound."""

    def __init__(self, document: OpenApiDocument) -> None:
        self._document = document
        self._left = _PARTS_AT_MOST
        self._values_left = _VALUES_AT_MOST
        self._depth = 0

    def written(self, place: Place) -> Any:
        """The schema at `place`. Raises `ConfigError`."""
        return self._schema(place, ())

    def _schema(self, place: Place, behind: tuple[int, ...]) -> Any:
        self._depth += 1
        if self._depth > _DEPTH_AT_MOST:
            raise self._document.error("is nested too deeply", place.steps)
        try:
            return self._one(place, behind)
        finally:
            self._depth -= 1

    def _one(self, place: Place, behind: tuple[int, ...]) -> Any:
        node, steps = place.node, place.steps
        self._left -= 1
        if self._left < 0:
            raise self._document.error(
                f"its schemas have more than {_PARTS_AT_MOST} parts, with all references written"
                " out; describe the tool with `kind: http`",
                steps,
            )
        if isinstance(node, bool):
            return node
        if not isinstance(node, dict):
            raise self._document.error("must be a schema", steps)
        for keyword in _NOT_FOLLOWED:
            if keyword in node:
                raise self._document.error("is not followed; use `$ref`", (*steps, keyword))
        if "$ref" in node:
            return self._referred(place, behind)
        return self._plain(place, behind)

    def _referred(self, place: Place, behind: tuple[int, ...]) -> Any:
        target = self._document.target(place.node["$ref"], place.steps)
        if id(target.node) in behind:
            raise self._document.error(
                "refers to itself, in a circle; describe the tool with `kind: http`",
                (*place.steps, "$ref"),
            )
        found = self._schema(target, (*behind, id(target.node)))
        beside = {key: value for key, value in place.node.items() if key != "$ref"}
        if self._document.is_3_0 or beside.keys() <= _ANNOTATIONS | _SAYS_NOTHING:
            # 3.0 ignores what stands beside a reference; a description does no harm.
            said = {key: value for key, value in beside.items() if key in _ANNOTATIONS}
            return (
                found | self._plain_values(said, place.steps) if isinstance(found, dict) else found
            )
        return {"allOf": [found, self._plain(Place(beside, place.steps), behind)]}

    def _plain(self, place: Place, behind: tuple[int, ...]) -> dict[str, Any]:
        node, steps = place.node, place.steps
        written: dict[str, Any] = {}
        for key, value in node.items():
            at = (*steps, key)
            if key in _SAYS_NOTHING or str(key).startswith("x-"):
                continue
            if key in _OF_SCHEMAS and isinstance(value, list):
                written[key] = [
                    self._schema(Place(one, (*at, index)), behind)
                    for index, one in enumerate(value)
                ]
            elif key in _OF_NAMED and isinstance(value, dict):
                written[key] = {
                    name: self._schema(Place(one, (*at, name)), behind)
                    for name, one in value.items()
                    if not self._only_read(one, at)
                }
            elif key in _OF_ONE:
                written[key] = self._schema(Place(value, at), behind)
            else:
                written |= self._plain_values({key: value}, steps)
        properties = written.get("properties", {})
        if isinstance(properties, dict) and isinstance(written.get("required"), list):
            unsent = node.get("properties", {}).keys() - properties.keys()
            written["required"] = [
                one for one in written["required"] if not isinstance(one, str) or one not in unsent
            ]
        return _as_2020(written) if self._document.is_3_0 else written

    def _only_read(self, schema: Any, steps: Steps) -> bool:
        found = self._document.followed(Place(schema, steps)).node
        return isinstance(found, dict) and found.get("readOnly") is True

    def _plain_values(self, values: dict[str, Any], steps: Steps) -> dict[str, Any]:
        # A few lines of YAML whose aliases name each other can stand for billions of values.
        waiting: list[Any] = [values]
        while waiting:
            node = waiting.pop()
            if isinstance(node, dict | list):
                waiting += node.values() if isinstance(node, dict) else node
                self._values_left -= 1 + len(node)
                if self._values_left < 0:
                    raise self._document.error(
                        f"its schemas hold more than {_VALUES_AT_MOST:,} values", steps
                    )
        try:
            plain: dict[str, Any] = plain_json(values)
        except ValueError as error:
            raise self._document.error(f"holds {error}, which is no JSON", steps) from None
        return plain


def _as_2020(schema: dict[str, Any]) -> dict[str, Any]:
    """3.0's own words in JSON Schema's."""
    for bound, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if isinstance(said := schema.get(exclusive), bool):
            del schema[exclusive]
            if said and bound in schema:
                schema[exclusive] = schema.pop(bound)
    if schema.pop("nullable", False) is not True:
        return schema
    if isinstance(schema.get("type"), str):
        schema["type"] = [schema["type"], "null"]
        if isinstance(schema.get("enum"), list) and None not in schema["enum"]:
            schema["enum"] = [*schema["enum"], None]
        return schema
    said = {key: schema.pop(key) for key in _ANNOTATIONS & schema.keys()}
    return {"anyOf": [schema, {"type": "null"}]} | said
