"""The JSON Schemas in a request: named, present, and taken by strict mode where it is asked for."""

from __future__ import annotations

import re
from typing import Any

from headgate.simulator.conversation import OutputFormat, Tool
from headgate.simulator.schema.references import malformed
from headgate.simulator.schema.strict import SchemaRefusedError, check_strict
from headgate.simulator.wire.api_error import (
    ApiError,
    invalid_type,
    invalid_value,
    missing_parameter,
)

_NAME = re.compile(r"^[A-Za-z0-9_-]{1,64}$")


def read_format(value: Any, param: str, said: str, *, nested: bool) -> OutputFormat:
    """The output format that `value` asks for.

    Chat nests its schema in `json_schema`, Responses don't. `said` is what the messages say: JSON
    without a schema is given only where they ask for it. Raises `ApiError` 400 naming `param`.
    """
    if value is None:
        return OutputFormat()
    if not isinstance(value, dict):
        raise invalid_type(param, "an object", value)
    match value.get("type"):
        case "text":
            return OutputFormat()
        case "json_object":
            if "json" not in said.lower():
                raise ApiError(
                    400,
                    "'messages' must contain the word 'json' in some form, to use"
                    " 'response_format' of type 'json_object'.",
                    param="messages" if nested else "input",
                )
            return OutputFormat("json_object")
        case "json_schema":
            where = f"{param}.json_schema" if nested else param
            described = value.get("json_schema") if nested else value
            if not isinstance(described, dict):
                raise missing_parameter(where)
            return OutputFormat("json_schema", _schema(described, where, param))
        case None:
            raise missing_parameter(f"{param}.type")
        case other:
            raise invalid_value(f"{param}.type", other, ("json_object", "json_schema", "text"))


def check_function(
    name: Any, parameters: Any, *, strict: bool, param: str, description: Any = ""
) -> Tool:
    """The function of this name; `ApiError` 400 where its name or schema can't be used."""
    _check_name(name, param)
    if parameters is not None and not isinstance(parameters, dict):
        raise invalid_type(f"{param}.parameters", "an object", parameters)
    if parameters and (wrong := malformed(parameters)):
        raise ApiError(
            400,
            f"Invalid schema for function '{name}': {wrong}",
            param=f"{param}.parameters",
            code="invalid_function_parameters",
        )
    if strict:
        try:
            check_strict(parameters if parameters is not None else {})
        except SchemaRefusedError as error:
            raise ApiError(
                400,
                f"Invalid schema for function '{name}': {error}",
                param=f"{param}.parameters",
                code="invalid_function_parameters",
            ) from None
    return Tool(name, str(description or ""), parameters or {})


def _check_name(name: Any, param: str) -> None:
    """`ApiError` 400 where what `param` stands for has no name, or none that it may have."""
    if name is None:
        raise missing_parameter(f"{param}.name")
    if not isinstance(name, str) or not _NAME.match(name):
        raise ApiError(
            400,
            f"Invalid '{param}.name': string does not match pattern. Expected a string that matches"
            " the pattern '^[a-zA-Z0-9_-]+$'.",
            param=f"{param}.name",
            code="invalid_value",
        )


def _schema(described: dict[str, Any], where: str, param: str) -> dict[str, Any]:
    name = described.get("name")
    _check_name(name, where)
    schema = described.get("schema")
    if schema is None:
        raise missing_parameter(f"{where}.schema")
    if not isinstance(schema, dict):
        raise invalid_type(f"{where}.schema", "an object", schema)
    if wrong := malformed(schema):
        raise ApiError(400, f"Invalid schema for response_format '{name}': {wrong}", param=param)
    if described.get("strict") is True:
        try:
            check_strict(schema)
        except SchemaRefusedError as error:
            raise ApiError(
                400,
                f"Invalid schema for response_format '{name}': {error}",
                param=param,
                code="invalid_json_schema" if param != "response_format" else None,
            ) from None
    return schema
