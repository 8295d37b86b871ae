"""Strict mode refuses what OpenAI's refuses, in its words."""

from __future__ import annotations

from typing import Any

import pytest

from headgate.simulator.schema.strict import SchemaRefusedError, check_strict

GOOD: dict[str, Any] = {
    "type": "object",
    "properties": {"a": {"type": "string"}, "b": {"type": "array", "items": {"type": "integer"}}},
    "required": ["a", "b"],
    "additionalProperties": False,
}


def with_property(schema: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {"p": schema},
        "required": ["p"],
        "additionalProperties": False,
    }


def test_a_closed_schema_is_taken():
    check_strict(GOOD)


@pytest.mark.parametrize(
    ("schema", "complaint"),
    [
        (
            {**GOOD, "additionalProperties": True},
            "In context=(), 'additionalProperties' is required to be supplied and to be false.",
        ),
        (
            {**GOOD, "required": ["a"]},
            (
                "In context=(), 'required' is required to be supplied and to be an array including"
                " every key in properties. Missing 'b'."
            ),
        ),
        (
            {"type": "array", "items": GOOD},
            "schema must be a JSON Schema of 'type: \"object\"', got 'type: \"array\"'.",
        ),
        (
            {"anyOf": [GOOD]},
            "schema must be a JSON Schema of 'type: \"object\"', got 'type: \"None\"'.",
        ),
        (
            with_property({"type": "object", "properties": {}}),
            (
                "In context=('properties', 'p'), 'additionalProperties' is required to be supplied"
                " and to be false."
            ),
        ),
        (
            with_property({"description": "anything"}),
            "In context=('properties', 'p'), schema must have a 'type' key.",
        ),
        (
            with_property({"type": "array"}),
            "In context=('properties', 'p'), array schema missing items.",
        ),
        (
            with_property({"oneOf": [{"type": "string"}]}),
            "In context=('properties', 'p'), 'oneOf' is not permitted.",
        ),
        (
            with_property({"anyOf": [{"type": "string"}, {"allOf": []}]}),
            "In context=('properties', 'p', 'anyOf', '1'), 'allOf' is not permitted.",
        ),
        (
            with_property({"$ref": "#/$defs/Nothing"}),
            (
                "In context=('properties', 'p'), reference to component '#/$defs/Nothing' which was"
                " not found in the schema."
            ),
        ),
        (
            with_property({"type": "text"}),
            "In context=('properties', 'p'), 'text' is not a valid type.",
        ),
        (
            with_property({"type": "string", "enum": [str(n) for n in range(1_001)]}),
            "1001 enum values exceeds limit of 1000.",
        ),
    ],
)
def test_what_strict_mode_refuses(schema: dict[str, Any], complaint: str):
    with pytest.raises(SchemaRefusedError) as refusal:
        check_strict(schema)
    assert str(refusal.value) == complaint


def test_nesting_is_limited():
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(12):
        schema = with_property(schema)
    with pytest.raises(SchemaRefusedError, match="levels of nesting"):
        check_strict(schema)


def test_definitions_are_checked_too():
    schema = {**GOOD, "$defs": {"Bad": {"type": "object", "properties": {}}}}
    with pytest.raises(SchemaRefusedError, match=r"\('\$defs', 'Bad'\)"):
        check_strict(schema)
