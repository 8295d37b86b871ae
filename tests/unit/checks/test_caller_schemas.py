"""A schema that a caller sends is checked against, and can't make a server fetch, hang or tell."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headgate.checks.contract.caller_schema import (
    CallerSchema,
    CallerSchemas,
    Fault,
    UncheckableError,
)
from headgate.checks.schema import Schema

ORDER = {
    "type": "object",
    "properties": {
        "items": {"type": "array", "items": {"$ref": "#/$defs/item"}},
        "mail": {"type": "string", "format": "email"},
        "notes": {"type": "object", "additionalProperties": {"type": "string"}},
    },
    "required": ["items"],
    "additionalProperties": False,
    "$defs": {"item": {"type": "object", "properties": {"price": {"minimum": 0}}}},
}


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        ({"items": []}, None),
        ({}, Fault("items", "required")),
        ({"items": [{"price": 1}, {"price": -1}]}, Fault("items[1].price", "minimum")),
        ({"items": [], "mail": "nobody"}, Fault("mail", "format")),
        ({"items": [], "Anne Example": 1}, Fault("", "additionalProperties")),
        ({"items": [], "notes": {"Anne Example": 1}}, Fault("notes.*", "type")),
        ([], Fault("", "type")),
    ],
)
def test_the_first_fault_is_told_by_path_and_keyword(value: Any, fault: Fault | None):
    assert CallerSchema(ORDER).fault(value) == fault


def doubling(levels: int, keyword: str, *, below: bool) -> dict[str, Any]:
    """Definitions of which each refers twice to the next."""
    definitions: dict[str, Any] = {f"d{levels}": {"type": "object"}}
    for level in range(levels):
        reference: dict[str, Any] = {"$ref": f"#/$defs/d{level + 1}"}
        one = {"properties": {"x": reference}} if below else reference
        definitions[f"d{level}"] = {keyword: [one, one]}
    return {"$ref": "#/$defs/d0", "$defs": definitions}


def nested(levels: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "object"}
    for _ in range(levels):
        schema = {"properties": {"x": schema}}
    return schema


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "http://127.0.0.1:9/schema.json"},
        {"$ref": "file:///etc/passwd"},
        {"$ref": "other.json#/a"},
        {"$ref": "#/$defs/nothing"},
        {"$ref": "#name", "$defs": {"a": {"$anchor": "name"}}},
        {"properties": {"a": {"$id": "http://x/", "$ref": "#/$defs/b"}}},
        {"$dynamicRef": "#meta"},
        {"$schema": "https://example.com/mine"},
        {"type": "thing"},
        {"pattern": "(["},
        {"pattern": "(" * 1000 + ")" * 1000},
        {"pattern": "(a{1000}){1000}"},
        doubling(40, "allOf", below=False),
        doubling(40, "anyOf", below=True),
        {"enum": ["x" * 300_000]},
        nested(300),
        nested(5000),
        [],
        "object",
    ],
)
def test_a_hostile_schema_is_refused_at_once(schema: Any):
    started = time.perf_counter()
    with pytest.raises(UncheckableError) as refused:
        CallerSchemas().compiled(schema)
    assert time.perf_counter() - started < 5
    assert "passwd" not in str(refused.value)


@pytest.mark.parametrize(
    "dialect",
    [None, "https://json-schema.org/draft/2020-12/schema",
     "http://json-schema.org/draft-07/schema#"],
)  # fmt: skip
def test_the_drafts_that_sdks_write_are_known(dialect: str | None):
    said = {} if dialect is None else {"$schema": dialect}
    schema = CallerSchema({**said, "type": "object", "required": ["a"]})
    assert schema.fault({}) == Fault("a", "required")


def deep(levels: int, leaf: Any) -> Any:
    for _ in range(levels):
        leaf = {"x": leaf}
    return leaf


@pytest.mark.parametrize("keyword", ["anyOf", "oneOf", "allOf"])
def test_a_schema_that_refers_to_itself_twice_takes_no_long_time(keyword: str):
    again = {"properties": {"x": {"$ref": "#"}}}
    schema = {"type": "object", keyword: [again, {**again, "title": "again"}]}
    started = time.perf_counter()
    assert CallerSchema(schema).fault(deep(60, 3)) is not None
    # The same holds for what callers send to a workflow.
    assert Schema(schema).problems(deep(60, 3))
    assert time.perf_counter() - started < 5


def test_a_pattern_that_goes_back_and_forth_is_stopped():
    schema = CallerSchema({"pattern": r"^(?=(a+)+$)(a*)*\1b"})
    started = time.perf_counter()
    assert schema.fault("a" * 50_000 + "!") is not None
    assert time.perf_counter() - started < 5


def test_an_answer_that_is_too_large_for_its_schema_is_not_let_by():
    schema = CallerSchema(doubling(10, "allOf", below=False))
    with pytest.raises(UncheckableError, match="too much"):
        schema.fault_in(json.dumps([0] * 5000))
    assert schema.fault_in("{}") is None
    assert schema.fault_in("[0]") == Fault("", "type")
    assert schema.fault_in("[0") == Fault("", "json")


def test_equal_schemas_are_compiled_once_and_few_are_kept():
    schemas = CallerSchemas()
    first = schemas.compiled({"type": "object", "title": "a"})
    assert schemas.compiled({"type": "object", "title": "a"}) is first
    for number in range(300):
        schemas.compiled({"title": str(number)})
    assert len(schemas._kept) == 256
    assert schemas.compiled({"type": "object", "title": "a"}) is not first
    for number in range(30):
        schemas.compiled({"enum": ["x" * 200_000, number]})
    assert schemas._kept_bytes <= 4 << 20


def test_what_becomes_of_a_request_does_not_change_its_schema():
    document = {"properties": {"a": {"const": "anne@example.com"}}}
    schema = CallerSchemas().compiled(document)
    document["properties"]["a"]["const"] = "<EMAIL_1>"
    assert schema.fault({"a": "anne@example.com"}) is None


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=20,
)
_keywords = st.sampled_from(
    ["type", "properties", "items", "anyOf", "allOf", "not", "$ref", "$defs", "required",
     "enum", "const", "pattern", "additionalProperties", "if", "then", "minimum", "format"]
)  # fmt: skip
_schemas = st.recursive(
    _json,
    lambda inner: (
        st.dictionaries(_keywords, inner | st.lists(inner, max_size=3), max_size=4)
        | st.dictionaries(st.sampled_from(["a", "b", "$ref"]), inner | st.just("#"), max_size=3)
    ),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None)
@given(schema=_schemas, value=_json)
def test_any_schema_is_compiled_or_refused_and_any_value_judged(schema: Any, value: Any):
    try:
        compiled = CallerSchemas().compiled(schema)
        fault = compiled.fault(value)
    except UncheckableError:
        return
    assert (fault is None) is compiled._validator.is_valid(value)
