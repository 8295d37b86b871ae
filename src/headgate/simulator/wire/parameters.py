"""Which fields a body may have, of which types and within which bounds.

The checks give OpenAI's own complaints: the field's name in `param`, the kind of mistake in `code`.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from headgate.simulator.wire.api_error import (
    ApiError,
    invalid_type,
    invalid_value,
    missing_parameter,
)
from headgate.simulator.wire.request import JsonObject

Kind = Literal["string", "boolean", "integer", "number", "object", "array", "any"]

_EXPECTED: dict[Kind, str] = {
    "string": "a string",
    "boolean": "a boolean",
    "integer": "an integer",
    "number": "a decimal",
    "object": "an object",
    "array": "an array of objects",
    "any": "a value",
}


class Parameter(msgspec.Struct, frozen=True):
    """One field of a request body."""

    name: str
    kind: Kind
    required: bool = False
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()

    def check(self, body: JsonObject) -> None:
        """Raise `ApiError` 400 unless `body` has this field as it should be."""
        value = body.get(self.name)
        if value is None:
            if self.required:
                raise missing_parameter(self.name)
            return
        if not _is_a(self.kind, value):
            raise invalid_type(self.name, _EXPECTED[self.kind], value)
        if self.choices and value not in self.choices:
            raise invalid_value(self.name, value, self.choices)
        self._check_bounds(value)

    def _check_bounds(self, value: Any) -> None:
        if self.kind not in ("integer", "number"):
            return
        word = "integer" if self.kind == "integer" else "decimal"
        if self.minimum is not None and value < self.minimum:
            raise ApiError(
                400,
                f"Invalid '{self.name}': {word} below minimum value."
                f" Expected a value >= {self.minimum:g}, but got {value} instead.",
                param=self.name,
                code=f"{word}_below_min_value",
            )
        if self.maximum is not None and value > self.maximum:
            raise ApiError(
                400,
                f"Invalid '{self.name}': {word} above maximum value."
                f" Expected a value <= {self.maximum:g}, but got {value} instead.",
                param=self.name,
                code=f"{word}_above_max_value",
            )


def check_parameters(
    body: JsonObject, parameters: tuple[Parameter, ...], *, refuse_unknown: bool
) -> None:
    """Raise `ApiError` 400 for the first field that is missing, wrong or (if so asked) unknown."""
    if refuse_unknown:
        known = {parameter.name for parameter in parameters}
        for name in body:
            if name not in known:
                raise ApiError(
                    400, f"Unknown parameter: '{name}'.", param=name, code="unknown_parameter"
                )
    for parameter in parameters:
        parameter.check(body)


def check_metadata(body: JsonObject) -> None:
    """Raise `ApiError` 400 for metadata beyond 16 pairs of short strings."""
    metadata = body.get("metadata")
    if metadata is None:
        return
    if len(metadata) > 16:
        raise ApiError(
            400,
            "Invalid 'metadata': too many properties. Expected an object with at most 16"
            f" properties, but got an object with {len(metadata)} properties instead.",
            param="metadata",
            code="object_above_max_properties",
        )
    for key, value in metadata.items():
        if not isinstance(value, str):
            raise invalid_type(f"metadata.{key}", "a string", value)
        if len(key) > 64 or len(value) > 512:
            raise ApiError(
                400,
                f"Invalid 'metadata.{key}': string too long. Keys may have 64 characters, values"
                " 512.",
                param=f"metadata.{key}",
                code="string_above_max_length",
            )


def _is_a(kind: Kind, value: Any) -> bool:
    match kind:
        case "string":
            return isinstance(value, str)
        case "boolean":
            return isinstance(value, bool)
        case "integer":
            return isinstance(value, int) and not isinstance(value, bool)
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "object":
            return isinstance(value, dict)
        case "array":
            return isinstance(value, list)
        case "any":
            return True
