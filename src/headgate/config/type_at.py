"""What a type says of the field at a path: the values it may have, and what it is for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from msgspec import inspect

_VALUES_AT_MOST = 30


def allowed_at(kind: Any, steps: Sequence[str | int]) -> str | None:
    """The values that may stand there, as `read, write`; None where they are not listed."""
    types = _at(kind, steps)
    values = [str(v) for one in types if isinstance(one, inspect.LiteralType) for v in one.values]
    if not values or len(values) > _VALUES_AT_MOST:
        return None
    fields = [
        f.encode_name for one in types if isinstance(one, inspect.StructType) for f in one.fields
    ]
    return ", ".join([*values, *(["an object with " + ", ".join(fields)] if fields else [])])


def description_at(kind: Any, steps: Sequence[str | int]) -> str | None:
    """What the reference says of the field."""
    if not steps or not isinstance(steps[-1], str):
        return None
    for owner in _at(kind, steps[:-1]):
        if isinstance(owner, inspect.StructType):
            for field in owner.fields:
                if field.encode_name == steps[-1]:
                    return next(_described(field.type), None)
    return None


def _at(kind: Any, steps: Sequence[str | int]) -> list[inspect.Type]:
    found = list(_plain([inspect.type_info(kind)]))
    for step in steps:
        found = list(_plain(inner for one in found for inner in _inside(one, step)))
    return found


def _inside(one: inspect.Type, step: str | int) -> Iterator[inspect.Type]:
    match one:
        case inspect.StructType(tag_field=tag_field) if step == tag_field:
            yield inspect.LiteralType((one.tag,))
        case inspect.StructType():
            yield from (field.type for field in one.fields if field.encode_name == step)
        case inspect.DictType():
            yield one.value_type
        case inspect.ListType() | inspect.VarTupleType():
            yield one.item_type


def _plain(types: Iterable[inspect.Type]) -> Iterator[inspect.Type]:
    """The types that stand behind descriptions and alternatives."""
    for one in types:
        match one:
            case inspect.Metadata():
                yield from _plain([one.type])
            case inspect.UnionType():
                yield from _plain(one.types)
            case _:
                yield one


def _described(one: inspect.Type) -> Iterator[str]:
    if isinstance(one, inspect.Metadata):
        if one.extra_json_schema and (text := one.extra_json_schema.get("description")):
            yield str(text)
        yield from _described(one.type)
