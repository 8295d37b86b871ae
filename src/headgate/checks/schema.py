"""Whether a value fits a JSON Schema (2020-12), and if not, where and what would.

Messages are made from the schema alone and never quote the value, so they may be logged.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import jsonschema_rs
import msgspec

from headgate.checks.problem import Problem
from headgate.checks.schema_work import lists_errors_of
from headgate.config.json_file import JsonFile, dotted
from headgate.errors import ConfigError

_PROBLEMS_AT_MOST = 20
"""Problems told of one value; who mends these sees the rest next time."""

_OPTIONS_AT_MOST = 50

_TYPES = ("string", "number", "integer", "boolean", "object", "array", "null")

_META = jsonschema_rs.Draft202012Validator(
    {"$ref": "https://json-schema.org/draft/2020-12/schema"}, offline=True
)

_DIALECTS = (
    "https://json-schema.org/draft/2020-12/schema",
    "https://json-schema.org/draft/2020-12/schema#",
)


Steps = tuple[str | int, ...]


class Schema:
    """A compiled schema whose root is an object."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self._validator = jsonschema_rs.Draft202012Validator(
            document, offline=True, validate_formats=True
        )

    @classmethod
    def of(cls, file: JsonFile) -> Schema:
        """The schema in `file`; `ConfigError` with every problem where it is none."""
        if refused := refusals(file.data) or tuple(_impossible(file.data)):
            problems = tuple(file.problem(message, steps) for steps, message in refused)
            raise ConfigError(problems[0], problems=problems)
        return cls(file.data)

    @property
    def properties(self) -> dict[str, Any]:
        """The root's properties."""
        found: dict[str, Any] = self.document.get("properties", {})
        return found

    @property
    def required(self) -> tuple[str, ...]:
        """The root's required properties."""
        return tuple(self.document.get("required", ()))

    def problems(self, value: Any) -> tuple[Problem, ...]:
        """What keeps `value` from fitting, at most 20 problems; empty where it fits."""
        if self._validator.is_valid(value):
            return ()
        if not lists_errors_of(self.document, value):
            return (Problem("", "schema", "does not fit the schema; it can't be told where"),)
        found: list[Problem] = []
        for error in self._validator.iter_errors(value):
            found.append(_explained(error))
            if len(found) == _PROBLEMS_AT_MOST:
                break
        return tuple(found)


def refusals(document: Any) -> tuple[tuple[Steps, str], ...]:
    """What keeps `document` from being a `Schema`: where in it, and what to do."""
    if not isinstance(document, dict):
        return (((), "must be a JSON object that holds a JSON Schema"),)
    if (dialect := document.get("$schema", _DIALECTS[0])) not in _DIALECTS:
        return ((("$schema",), f"is not {_DIALECTS[0]}: {dialect}"),)
    if problems := tuple(_refused(error) for error in _META.iter_errors(document)):
        return problems
    if document.get("type") != "object":
        return ((("type",), 'the root must have "type": "object"'),)
    try:
        Schema(document)
    except (ValueError, jsonschema_rs.ReferencingError) as error:
        steps = tuple(getattr(error, "instance_path", ()))
        return ((steps, str(error).partition("\n")[0]),)
    return ()


def _refused(error: jsonschema_rs.ValidationError) -> tuple[Steps, str]:
    steps = tuple(error.instance_path)
    if steps and steps[-1] == "type" and error.kind.name == "anyOf":
        return steps, f"{_shown(error.instance)} is no JSON type; those are {', '.join(_TYPES)}"
    return steps, error.message


def _impossible(document: dict[str, Any]) -> Iterator[tuple[Steps, str]]:
    """What is required and can't be there, most often a misspelt name: nothing would ever fit."""
    known = document.get("properties", {})
    if document.get("additionalProperties") is not False or "patternProperties" in document:
        return
    for index, name in enumerate(document.get("required", ())):
        if name not in known:
            yield ("required", index), f"names `{name}`, which `properties` does not have"


def _explained(error: jsonschema_rs.ValidationError) -> Problem:
    keyword = error.kind.name
    facts = error.kind.as_dict()
    path = list(error.instance_path)
    if keyword == "required":
        return Problem(dotted([*path, facts["property"]]), keyword, "is missing")
    if keyword == "additionalProperties":
        names = sorted(str(name) for name in facts["unexpected"])
        where = dotted([*path, names[0]]) if names else dotted(path)
        return Problem(where, keyword, "is not a known field; leave it out")
    return Problem(dotted(path), keyword, _remedy(keyword, facts))


def _remedy(keyword: str, facts: dict[str, Any]) -> str:
    match keyword:
        case "type":
            return f"must be of type {' or '.join(facts['types'])}"
        case "enum":
            options = facts["options"]
            shown = ", ".join(_shown(option) for option in options[:_OPTIONS_AT_MOST])
            more = "" if len(options) <= _OPTIONS_AT_MOST else ", …"
            return f"must be one of {shown}{more}"
        case "const":
            return f"must be {_shown(facts['expected_value'])}"
        case "minItems":
            return f"must have at least {_counted(facts['limit'], 'item')}"
        case "maxItems":
            return f"must have at most {_counted(facts['limit'], 'item')}"
        case "minLength":
            return f"must have at least {_counted(facts['limit'], 'character')}"
        case "maxLength":
            return f"must have at most {_counted(facts['limit'], 'character')}"
        case "minProperties":
            return f"must have at least {_counted(facts['limit'], 'field')}"
        case "maxProperties":
            return f"must have at most {_counted(facts['limit'], 'field')}"
        case "minimum":
            return f"must be at least {facts['limit']}"
        case "maximum":
            return f"must be at most {facts['limit']}"
        case "exclusiveMinimum":
            return f"must be more than {facts['limit']}"
        case "exclusiveMaximum":
            return f"must be less than {facts['limit']}"
        case "multipleOf":
            return f"must be a multiple of {facts['multiple_of']}"
        case "pattern":
            return f"must match the pattern {facts['pattern']}"
        case "format":
            return f"must be written as {facts['format']}"
        case "uniqueItems":
            return "must not have the same item twice"
        case "anyOf" | "oneOf":
            return "fits none of the forms that the schema allows, or more than one where one must"
        case _:
            return f"breaks the schema's `{keyword}`"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def plain_json(value: Any) -> Any:
    """`value` as JSON can carry it: `ValueError` where it can't (NaN, an object of Python's)."""
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError("a number that is not finite")
        return value
    if isinstance(value, Decimal):
        return plain_json(float(value))
    if isinstance(value, list | tuple):
        return [plain_json(item) for item in value]
    if isinstance(value, dict):
        if not all(isinstance(key, str) for key in value):
            raise ValueError("a field whose name is not text")
        return {key: plain_json(item) for key, item in value.items()}
    raise ValueError(f"a {type(value).__name__}")
