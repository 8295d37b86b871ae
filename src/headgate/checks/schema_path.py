"""What a JSON Schema says of the values that a path such as `items[].price` leads to. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from headgate.checks.field_path import EACH, path_problem, same, steps_of

Document = dict[str, Any]

_FORMS_AT_MOST = 1000
"""Subschemas looked at for one step; of a schema with more, nothing is said."""

_NULL = "null"
_NUMBERS = frozenset({"number", "integer"})
_VALUE_CHARACTERS_AT_MOST = 60


class Said(msgspec.Struct, frozen=True):
    """What a schema says of a path; `problem`, where it has no such field."""

    forms: tuple[Document, ...] = ()
    """The subschemas that may hold there; none where the schema leaves it open."""
    problem: str | None = None

    @property
    def types(self) -> frozenset[str]:
        """The JSON types that may stand there, without null; empty where that is open."""
        found: set[str] = set()
        for form in self.forms:
            kinds = form.get("type")
            if kinds is None:
                kinds = [type_of(value) for value in form.get("enum", [])]
            found.update([kinds] if isinstance(kinds, str) else kinds)
        return frozenset(found - {_NULL})

    @property
    def values(self) -> tuple[Any, ...] | None:
        """The values that alone may stand there, where the schema lists them."""
        listed = [form for form in self.forms if "enum" in form or "const" in form]
        open_forms = [form for form in self.forms if form.get("type") not in (_NULL, None)]
        if not listed or any(form not in listed for form in open_forms):
            return None
        found = [v for form in listed for v in form.get("enum", [form.get("const")])]
        return (*found, None)


def said_of(schema: Document, path: str, file: str) -> Said:
    """What `schema`, which stands in `file`, says of `path`."""
    if (problem := path_problem(path)) is not None:
        return Said(problem=problem)
    forms = forms_of([schema], schema)
    walked = ""
    for step in steps_of(path):
        if step == EACH:
            inner = [form["items"] for form in forms if isinstance(form.get("items"), dict)]
            if not inner:
                if not forms or _types(forms) & {"array"}:
                    return Said()
                return Said(problem=f"{file}: `{walked}` is no list; leave out the `[]`")
            walked += EACH
        else:
            inner = [
                form["properties"][step]
                for form in forms
                if isinstance(form.get("properties"), dict) and step in form["properties"]
            ]
            if not inner:
                return _without(forms, walked, step, file)
            walked = f"{walked}.{step}" if walked else step
        forms = forms_of(inner, schema)
    return Said(tuple(forms))


def _without(forms: list[Document], walked: str, step: str, file: str) -> Said:
    if forms and _types(forms) == {"array"}:
        return Said(problem=f"{file}: `{walked}` is a list; write `{walked}[].{step}`")
    if not forms or any(_is_open(form) for form in forms):
        return Said()
    return Said(problem=f"{file} has no `{step}`" + (f" in `{walked}`" if walked else ""))


def _is_open(form: Document) -> bool:
    """Whether an object may have fields that the schema doesn't name, as its author wrote."""
    if form.get("type") not in ("object", None):
        return False
    return "properties" not in form or form.get("additionalProperties", False) is not False


def _types(forms: Iterable[Document]) -> frozenset[str]:
    return Said(tuple(forms)).types


def forms_of(schemas: list[Any], root: Document) -> list[Document]:
    """`schemas` with what they refer to and the alternatives that they are made of, in their place.

    Empty where that is too much, or leads where this can't follow.
    """
    found: list[Document] = []
    waiting, seen = list(schemas), 0
    while waiting:
        schema = waiting.pop()
        seen += 1
        if seen > _FORMS_AT_MOST or not isinstance(schema, dict):
            return []
        parts = [one for keyword in ("anyOf", "oneOf", "allOf") for one in schema.get(keyword, ())]
        if isinstance(reference := schema.get("$ref"), str):
            target = referred(root, reference)
            if target is None:
                return []
            parts.append(target)
        waiting += parts
        if not parts or schema.keys() & {"properties", "items", "enum", "type"}:
            found.append(schema)
    return found


def referred(root: Document, reference: str) -> Any:
    """What `#` or `#/a/b` stands for in `root`; None for other references and where there is none.

    None, too, for a target that is `null`; a schema never is.
    """
    if reference == "#":
        return root
    if not reference.startswith("#/"):
        return None
    target: Any = root
    for escaped in reference[2:].split("/"):
        name = escaped.replace("~1", "/").replace("~0", "~")
        if isinstance(target, dict):
            target = target.get(name)
        elif isinstance(target, list) and name.isdecimal() and int(name) < len(target):
            target = target[int(name)]
        else:
            return None
    return target


def why_never(value: Any, said: Said, named: str) -> str | None:
    """Why `value` never stands where `said` is of; None where it may. `named`: what says so."""
    if said.values is not None:
        if any(same(value, one) for one in said.values):
            return None
        listed = ", ".join(_shown(one) for one in said.values if one is not None)
        return f"{_shown(value)} is not among the values that {named} lists: {listed}"
    # A whole number may be a number, and the other way round; null may stand for what is absent.
    types = said.types | {_NULL} | (_NUMBERS if said.types & _NUMBERS else frozenset())
    if not said.types or type_of(value) in types:
        return None
    return f"{named} says {' or '.join(sorted(said.types))}, never {_shown(value)}"


def type_of(value: Any) -> str:
    """The JSON type of a value."""
    match value:
        case None:
            return _NULL
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case str():
            return "string"
        case list():
            return "array"
        case _:
            return "object"


def _shown(value: Any) -> str:
    text = msgspec.json.encode(value).decode()
    return (
        text if len(text) <= _VALUE_CHARACTERS_AT_MOST else f"{text[:_VALUE_CHARACTERS_AT_MOST]}…"
    )
