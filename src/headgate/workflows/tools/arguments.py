"""A tool's arguments: which the model chooses, which Headgate fills in, and whether they fit.

Pure. A value that nobody gave is never made up here: it is told as missing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from headgate.checks.schema_path import forms_of
from headgate.checks.strict_schema import strict_problems
from headgate.workflows.tools.tool import ToolSpec

ASK_CALLER = "ask_caller"
"""What a model calls in place of guessing an argument."""

_REFERENCE = re.compile(r"(?P<root>input|output)(?P<path>(\.[A-Za-z_][\w-]*)*)")
_MISSING = object()


class ArgumentMissingError(Exception):
    """A field that an argument is taken from is not there."""

    def __init__(self, argument: str, field: str) -> None:
        super().__init__(f"`{argument}` is taken from `{field}`, which is not there")
        self.argument = argument
        self.field = field


def filled(
    bound: Mapping[str, Any],
    given: dict[str, Any],
    output: dict[str, Any] | None = None,
    *,
    optional: Iterable[str] = (),
) -> dict[str, Any]:
    """The arguments that Headgate fills in: `input.FIELD` and `output.FIELD` looked up.

    Raises `ArgumentMissingError` where a field is not there, or null, and its argument is not
    `optional`.
    """
    may_lack = frozenset(optional)
    values: dict[str, Any] = {}
    for name, written in bound.items():
        if (reference := reference_of(written)) is None:
            values[name] = written
            continue
        root, path = reference
        found = _at(given if root == "input" else output, path)
        if found is not _MISSING and found is not None:
            values[name] = found
        elif name not in may_lack:
            raise ArgumentMissingError(name, ".".join((root, *path)))
    return values


def reference_problem(written: Any, *, output: bool) -> str | None:
    """What is wrong with a bound argument that means to be a reference; None: nothing.

    `output`: whether there is an output to refer to.
    """
    if not isinstance(written, str) or not written.startswith(("input.", "output.")):
        return None
    if (reference := reference_of(written)) is None:
        return "write `input.FIELD`, a path of names"
    if reference[0] == "output" and not output:
        return "there is no output yet; write `input.FIELD`, or a value"
    return None


def shown(
    name: str, spec: ToolSpec, description: str | None, bound: Iterable[str]
) -> dict[str, Any]:
    """The tool as a chat completions request lists it, without what Headgate fills in."""
    hidden = frozenset(bound)
    parameters = dict(spec.parameters)
    parameters["properties"] = {
        key: value
        for key, value in (parameters.get("properties") or {}).items()
        if key not in hidden
    }
    parameters["required"] = [key for key in parameters.get("required", ()) if key not in hidden]
    parameters.pop("$schema", None)
    function: dict[str, Any] = {
        "name": name,
        "description": description or spec.description,
        "parameters": parameters,
    }
    if not any(True for _ in strict_problems(parameters)):
        function["strict"] = True
    return {"type": "function", "function": function}


def with_defaults(schema: dict[str, Any], arguments: dict[str, Any]) -> dict[str, Any]:
    """`arguments` beside what `schema` says that is taken for those that are left out."""
    completed: dict[str, Any] = _completed(arguments, [schema], schema)
    return completed


def chosen(text: str) -> dict[str, Any] | None:
    """The arguments that a model wrote; None where they are no JSON object."""
    try:
        value = msgspec.json.decode(text or "{}")
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def reference_of(written: Any) -> tuple[str, tuple[str, ...]] | None:
    """`input.a.b` as `input` and its path; None for a value that is meant as it is."""
    if not isinstance(written, str):
        return None
    found = _REFERENCE.fullmatch(written)
    if found is None or (found["root"] == "input" and not found["path"]):
        return None
    return found["root"], tuple(found["path"].split(".")[1:])


def _completed(value: Any, schemas: list[Any], root: dict[str, Any]) -> Any:
    forms = forms_of(schemas, root) if isinstance(value, dict | list) else []
    if isinstance(value, list):
        items = [form["items"] for form in forms if isinstance(form.get("items"), dict)]
        return [_completed(one, items, root) for one in value] if items else value
    if not isinstance(value, dict):
        return value
    said: dict[str, list[Any]] = {}
    for form in forms:
        for name, schema in (form.get("properties") or {}).items():
            said.setdefault(name, []).append(schema)
    whole = dict(value)
    for name, schemas_of_it in said.items():
        if name in value:
            whole[name] = _completed(value[name], schemas_of_it, root)
            continue
        for one in (*schemas_of_it, *forms_of(schemas_of_it, root)):
            if isinstance(one, dict) and "default" in one:
                whole[name] = one["default"]
                break
    return whole


def _at(node: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        if not isinstance(node, dict) or name not in node:
            return _MISSING
        node = node[name]
    return _MISSING if node is None and not path else node
