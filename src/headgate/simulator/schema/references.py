"""What a schema's `$ref` points at, and how deep the smallest value of each part is."""

from __future__ import annotations

import math
from typing import Any
from urllib.parse import unquote

import jsonschema_rs

MAX_CHAIN = 100
"""How many references may lead to one another."""


class ReferenceNotFoundError(Exception):
    """A `$ref` leads nowhere within its document."""


def malformed(schema: Any) -> str | None:
    """What makes `schema` no JSON Schema; None where it is one."""
    try:
        jsonschema_rs.meta.validate(schema)
    except jsonschema_rs.ValidationError as error:
        return error.message
    except (ValueError, TypeError, jsonschema_rs.ReferencingError) as error:
        return str(error)
    return None


class References:
    """The references within one schema document."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document
        self._heights: dict[int, float] = {}
        self._measure()

    def target(self, reference: str) -> Any:
        """The subschema at `reference`, such as `#/$defs/Node`; else `ReferenceNotFoundError`."""
        if reference == "#":
            return self._document
        if not reference.startswith("#/"):
            raise ReferenceNotFoundError(reference)
        found: Any = self._document
        for step in reference[2:].split("/"):
            name = unquote(step).replace("~1", "/").replace("~0", "~")
            if isinstance(found, dict) and name in found:
                found = found[name]
            elif isinstance(found, list) and name.isdigit() and int(name) < len(found):
                found = found[int(name)]
            else:
                raise ReferenceNotFoundError(reference)
        return found

    def resolved(self, schema: Any) -> Any:
        """`schema` with its `$ref` replaced by what it points at, beside the other keywords."""
        for _ in range(MAX_CHAIN):
            if not isinstance(schema, dict) or "$ref" not in schema:
                return schema
            target = self.target(str(schema["$ref"]))
            beside = {key: value for key, value in schema.items() if key != "$ref"}
            if not isinstance(target, dict):
                return target
            schema = {**target, **beside}
        raise ReferenceNotFoundError("references lead to one another without end")

    def height(self, schema: Any) -> float:
        """How many objects and arrays the smallest value of `schema` nests; infinite if none is."""
        known = self._heights.get(id(schema))
        return self._height_of(schema) if known is None else known

    def _measure(self) -> None:
        """Find every part's height: start from infinity and lower until nothing changes."""
        parts: list[Any] = []
        seen: set[int] = set()
        waiting: list[Any] = [self._document]
        while waiting:
            part = waiting.pop()
            if id(part) in seen:
                continue
            seen.add(id(part))
            if isinstance(part, dict):
                parts.append(part)
                waiting.extend(part.values())
            elif isinstance(part, list):
                waiting.extend(part)
        # The innermost parts come last, so that one round does most of the work.
        parts.reverse()
        self._heights = {id(part): math.inf for part in parts}
        changed = True
        while changed:
            changed = False
            for part in parts:
                height = self._height_of(part)
                if height < self._heights[id(part)]:
                    self._heights[id(part)] = height
                    changed = True

    def _height_of(self, schema: Any) -> float:
        if not isinstance(schema, dict):
            return 0 if schema is True else math.inf
        if "const" in schema or "enum" in schema:
            return 0
        if "$ref" in schema:
            try:
                return self._known(self.target(str(schema["$ref"])))
            except ReferenceNotFoundError:
                return math.inf
        for key in ("anyOf", "oneOf"):
            branches = schema.get(key)
            if isinstance(branches, list) and branches:
                return min(self._known(branch) for branch in branches)
        kind = schema.get("type")
        kinds = kind if isinstance(kind, list) else [kind]
        return min(self._height_of_kind(schema, str(found)) for found in kinds)

    def _height_of_kind(self, schema: dict[str, Any], kind: str) -> float:
        if kind == "object" or (kind == "None" and "properties" in schema):
            properties = schema.get("properties") or {}
            needed = [
                properties[name] for name in schema.get("required") or () if name in properties
            ]
            return 1 + max((self._known(part) for part in needed), default=0)
        if kind == "array" or (kind == "None" and "items" in schema):
            if not schema.get("minItems"):
                return 1
            return 1 + self._known(schema.get("items", True))
        return 0

    def _known(self, schema: Any) -> float:
        if not isinstance(schema, dict):
            return 0 if schema is True else math.inf
        return self._heights.get(id(schema), math.inf)
