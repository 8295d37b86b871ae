"""Problems name the field, say what to do, and never repeat the value."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.checks.schema import Schema, plain_json
from headgate.checks.strict_schema import as_sent, strict_problems
from headgate.config.json_file import JsonFile
from headgate.errors import ConfigError

SECRET = "a-customers-secret"


def closed(**properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


@pytest.mark.parametrize(
    ("schema", "value", "told"),
    [
        ({"type": "string"}, 3, "must be of type string"),
        ({"type": ["string", "null"]}, 3, "must be of type"),
        ({"enum": ["a", "b", 1]}, SECRET, "must be one of a, b, 1"),
        ({"const": "x"}, SECRET, "must be x"),
        ({"type": "array", "minItems": 3}, [SECRET], "must have at least 3 items"),
        ({"type": "array", "maxItems": 1}, [SECRET, SECRET], "must have at most 1 item"),
        ({"type": "array", "uniqueItems": True}, [SECRET, SECRET], "the same item twice"),
        ({"minLength": 99}, SECRET, "must have at least 99 characters"),
        ({"maxLength": 1}, SECRET, "must have at most 1 character"),
        ({"minimum": 5}, 4, "must be at least 5"),
        ({"maximum": 5}, 6, "must be at most 5"),
        ({"exclusiveMinimum": 5}, 5, "must be more than 5"),
        ({"exclusiveMaximum": 5}, 5, "must be less than 5"),
        ({"multipleOf": 5}, 4, "must be a multiple of 5"),
        ({"pattern": "^x"}, SECRET, "must match the pattern ^x"),
        ({"format": "date"}, SECRET, "must be written as date"),
        ({"anyOf": [{"type": "null"}, {"type": "integer"}]}, SECRET, "fits none"),
        ({"not": {}}, SECRET, "breaks the schema's `not`"),
        ({"type": "object", "minProperties": 1}, {}, "must have at least 1 field"),
    ],
)
def test_each_kind_of_problem_says_what_would_fit(schema, value, told):
    (problem,) = Schema(closed(x=schema)).problems({"x": value})
    assert problem.path == "x"
    assert told in problem.message
    assert SECRET not in str(problem)


def test_paths_lead_to_the_very_place():
    schema = Schema(closed(a={"type": "array", "items": closed(b={"type": "integer"})}))
    found = schema.problems({"a": [{"b": 1}, {"b": "x"}, {}, {"b": 1, "c": 2}], "d": 1})
    assert sorted(p.path for p in found) == ["a[1].b", "a[2].b", "a[3].c", "d"]


@pytest.mark.parametrize("levels", [250, 256, 400, 900])
def test_what_is_nested_very_deep_is_a_problem_and_no_fault(levels):
    value: Any = SECRET
    for _ in range(levels):
        value = [value]
    (problem,) = Schema(closed(x={"type": "string"})).problems({"x": value})
    assert "does not fit the schema" in problem.message
    assert Schema(closed(x={})).problems({"x": value}) == ()


def test_at_most_twenty_problems_are_told():
    schema = Schema(closed(a={"type": "array", "items": {"type": "integer"}}))
    assert len(schema.problems({"a": ["x"] * 1000})) == 20


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[]", "s.json:1: must be a JSON object"),
        ('{"type": "string"}', "s.json:1: type: the root must have"),
        ("{\n\n}", "s.json:1: "),
        (
            '{\n"type": "object",\n"properties": {\n"a": {"type": "strin"}}}',
            "s.json:4: properties.a.type: strin is no JSON type; those are string, number,",
        ),
        (
            '{"type": "object", "additionalProperties": false,\n"required": ["aa"]}',
            "s.json:2: required[0]: names `aa`, which `properties` does not have",
        ),
        ('{"a":' * 300 + "1" + "}" * 300, "s.json:1: is nested too deeply"),
        ('{"a":' * 3000 + "1" + "}" * 3000, "s.json:1: is nested too deeply"),
        ('{\n"type": "object",\n"properties": {"a": {"$ref": "#/$defs/no"}}}', "s.json:"),
        ('{\n"type": "object",\n"properties": {"a": {"$ref": "http://x.test/y"}}}', "s.json:"),
        ('{"type": "object",\n"$schema": "http://json-schema.org/draft-07/schema#"}', "s.json:2:"),
        ('{"a": 1,\n "b": }', "s.json:2: not valid JSON"),
    ],
)
def test_what_is_no_schema_is_an_error_at_its_line(text, told):
    with pytest.raises(ConfigError) as caught:
        Schema.of(JsonFile(Path("s.json"), text.encode()))
    assert caught.value.message.startswith(told)


def test_what_is_required_may_be_named_by_no_property_where_others_may_stand():
    text = b'{"type": "object", "required": ["a"]}'
    assert Schema.of(JsonFile(Path("s.json"), text)).required == ("a",)


@pytest.mark.parametrize(
    ("schema", "path", "told"),
    [
        (closed() | {"anyOf": []}, ("anyOf",), "the root must be one object"),
        (closed(a={}), ("properties", "a"), "needs a `type`"),
        (closed(a=True), ("properties", "a"), "write a schema with a type"),
        (closed(a={"type": "string", "minLength": 1}), ("properties", "a", "minLength"), "pattern"),
        (closed(a={"type": "string", "default": ""}), ("properties", "a", "default"), "leave it"),
        (closed(a={"allOf": [], "type": "string"}), ("properties", "a", "allOf"), "merged"),
        (closed(a={"type": "string", "format": "uri"}), ("properties", "a", "format"), "only"),
        (closed(a={"type": "array"}), ("properties", "a"), "`items`"),
        (closed(a={"type": "object"}), ("properties", "a", "additionalProperties"), "false"),
        (
            {
                "type": "object",
                "properties": {"a": {"type": "null"}},
                "additionalProperties": False,
            },
            ("properties", "a"),
            "required",
        ),
        (closed() | {"required": ["z"]}, ("required", 0), "`z` is not among"),
        (
            closed(a={"$ref": "#/$defs/b"}) | {"$defs": {"b": {"type": "object"}}},
            ("$defs", "b", "additionalProperties"),
            "false",
        ),
        (
            closed(a={"type": "string", "enum": ["x" * 61] * 251}),
            ("properties", "a", "enum"),
            "250",
        ),
        (closed(a={"enum": list(range(1001))}), (), "1000 enum values"),
        (
            closed(x={"$ref": "#/$defs/node", "description": "d"}),
            ("properties", "x", "$ref"),
            "must stand alone",
        ),
        (closed(**{f"p{i}": {"type": "null"} for i in range(5001)}), (), "5000 properties"),
        (closed(**{"p" * 120_001: {"type": "null"}}), (), "120000 characters"),
    ],
)
def test_what_strict_mode_refuses_is_named_with_its_path(schema, path, told):
    found = strict_problems(schema)
    assert any(at == path and told in message for at, message in found), found


def test_nesting_beyond_ten_levels_is_refused():
    schema = closed(x={"type": "null"})
    for _ in range(9):
        schema = closed(x=schema)
    assert any("10 levels" in message for _, message in strict_problems(schema))


def test_a_rich_schema_that_strict_mode_takes_is_taken():
    schema = closed(
        text={"type": "string", "pattern": "^a", "format": "date", "title": "t"},
        number={"type": ["number", "null"], "minimum": 0, "multipleOf": 0.5},
        list={
            "type": "array",
            "items": {"$ref": "#/$defs/node", "$comment": "c"},
            "minItems": 1,
            "maxItems": 3,
        },
        either={"anyOf": [{"type": "string"}, closed(deep={"const": 1})]},
    ) | {"$defs": {"node": closed(child={"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]})}}
    assert strict_problems(schema) == []


def test_what_only_people_read_is_not_sent_but_fields_of_such_names_are():
    schema = {
        "$schema": "s", "$id": "i", "$comment": "c", "title": "t", "type": "object",
        "properties": {"$id": {"type": "string", "$comment": "c", "enum": ["$comment"]}},
    }  # fmt: skip
    assert as_sent(schema) == {
        "title": "t",
        "type": "object",
        "properties": {"$id": {"type": "string", "enum": ["$comment"]}},
    }


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=20,
)


@given(json_values, st.sampled_from([None, 1, 4]))
def test_every_value_of_a_json_file_has_its_line(value, indent):
    text = json.dumps(value, indent=indent)
    file = JsonFile(Path("f.json"), text.encode())

    def walk(node, steps):
        line = file.line_of(steps)
        assert 1 <= line <= text.count("\n") + 1
        if steps:
            last = steps[-1]
            shown = json.dumps(last) if isinstance(last, str) else ""
            assert shown in text.split("\n")[line - 1]
        if isinstance(node, list):
            node = dict(enumerate(node))
        for step, child in node.items() if isinstance(node, dict) else ():
            walk(child, (*steps, step))

    walk(value, ())


@given(json_values)
def test_plain_json_leaves_json_as_it_is(value):
    assert plain_json(value) == value


def test_plain_json_refuses_what_json_cannot_carry():
    assert plain_json({"a": (1, Decimal("0.5"))}) == {"a": [1, 0.5]}
    for value in (float("nan"), {1: 2}, object(), {"a": {1, 2}}):
        with pytest.raises(ValueError):
            plain_json(value)
    assert msgspec.json.encode(plain_json({"a": 1})) == b'{"a":1}'
