"""How much work a JSON Schema can make, reckoned before any is done. Pure.

References unfold: thirty definitions of which each refers twice to the next are a billion schemas.
The validator keeps what it has found behind references that lead in a circle, and no others; and it
keeps nothing while it lists errors, which may then take a time that doubles with each level.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from headgate.checks.schema_path import referred

_Keywords = tuple[str, ...]

_HERE_MANY: _Keywords = ("allOf", "anyOf", "oneOf")
_HERE_ONE: _Keywords = ("not", "if", "then", "else")
_HERE_NAMED: _Keywords = ("dependentSchemas", "dependencies")
_BELOW_MANY: _Keywords = ("prefixItems", "items")
_BELOW_ONE: _Keywords = (
    "items", "additionalItems", "contains", "additionalProperties", "propertyNames",
    "unevaluatedItems", "unevaluatedProperties",
)  # fmt: skip
_BELOW_NAMED: _Keywords = ("properties", "patternProperties")

_LISTING_WORK = 200_000
"""Visits of a subschema for which errors are listed; beyond, it is only told that there are some.
They take some 0.2 s at worst."""

_LISTING_DEPTH = 200
"""How deep a value may be nested whose errors are listed; the validator gives up at 255."""

_RECKONED_AT_MOST = 20_000
"""Steps for which that work is reckoned."""


class UnknownReferenceError(Exception):
    """A schema refers to something that is not followed here."""


def unfolded(schema: Any, at_most: int) -> int | None:
    """How many subschemas `schema` unfolds to, its circles once; None where more than `at_most`.

    Counts what every reference unfolds to by itself. Raises `UnknownReferenceError`.
    """
    count = 0
    starts, known = [schema], {id(schema)}
    while starts:
        waiting: list[tuple[Any, frozenset[int]]] = [(starts.pop(), frozenset())]
        while waiting:
            node, behind = waiting.pop()
            count += 1
            if count > at_most:
                return None
            target = _target(node, schema)
            if target is not None and id(target) not in known:
                known.add(id(target))
                starts.append(target)
            if target is not None and id(target) not in behind:
                waiting.append((target, behind | {id(target)}))
            waiting += [(inner, behind) for inner, _ in _inside(node)]
    return count


def lists_errors_of(schema: Any, value: Any) -> bool:
    """Whether the errors of `value` can be listed, and in little time."""
    size, depth = extent(value)
    if depth > _LISTING_DEPTH:
        return False
    left = min(_LISTING_WORK // size, _RECKONED_AT_MOST)
    waiting: list[tuple[Any, int]] = [(schema, depth)]
    while waiting:
        node, levels = waiting.pop()
        left -= 1
        if left < 0:
            return False
        try:
            target = _target(node, schema)
        except UnknownReferenceError:
            return False
        if target is not None:
            waiting.append((target, levels))
        waiting += [
            (inner, levels - below) for inner, below in _inside(node) if levels - below >= 0
        ]
    return True


def extent(value: Any) -> tuple[int, int]:
    """How many values `value` holds, itself among them, and how deep they are nested."""
    count, depth = 0, -1
    layer = [value]
    while layer:
        count += len(layer)
        depth += 1
        layer = [
            child
            for node in layer
            if isinstance(node, dict | list)
            for child in (node.values() if isinstance(node, dict) else node)
        ]
    return count, depth


def _target(node: Any, root: Any) -> Any:
    if not isinstance(node, dict):
        return None
    if node.keys() & {"$dynamicRef", "$recursiveRef"} or (node is not root and "$id" in node):
        raise UnknownReferenceError
    reference = node.get("$ref")
    if reference is None:
        return None
    target = referred(root, reference) if isinstance(reference, str) else None
    if target is None:
        raise UnknownReferenceError
    return target


def _inside(node: Any) -> Iterator[tuple[Any, int]]:
    """The subschemas of `node`, and how much deeper in the value what they are about stands."""
    if not isinstance(node, dict):
        return
    for keywords, below in ((_HERE_MANY, 0), (_BELOW_MANY, 1)):
        for keyword in keywords:
            found = node.get(keyword)
            if isinstance(found, list):
                yield from ((one, below) for one in found)
    for keywords, below in ((_HERE_ONE, 0), (_BELOW_ONE, 1)):
        for keyword in keywords:
            if isinstance(found := node.get(keyword), dict):
                yield found, below
    for keywords, below in ((_HERE_NAMED, 0), (_BELOW_NAMED, 1)):
        for keyword in keywords:
            if isinstance(found := node.get(keyword), dict):
                yield from ((one, below) for one in found.values())
