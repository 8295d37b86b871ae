"""Structured output satisfies whatever schema strict mode allows."""

from __future__ import annotations

import re
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headgate.simulator.schema.instance import UnsatisfiableError, instance_for
from headgate.simulator.schema.strict import MAX_DEPTH, SchemaRefusedError, check_strict
from headgate.simulator.text.source import read_source

SOURCE = read_source(
    "Subject: Export fails\n\nBody: Hello, the CSV export of order INV-2041 fails since 3 March"
    " 2026. Jane Doe (jane@example.com) lost 3 hours and EUR 120. Please help us, thank you."
)
NAMES = st.sampled_from(
    [
        "title",
        "summary",
        "key_points",
        "due_date",
        "dates",
        "customer_name",
        "email",
        "amount",
        "count",
        "confidence",
        "priority",
        "category",
        "tags",
        "is_urgent",
        "notes",
        "items",
        "address",
        "children",
        "id",
        "url",
        "reason",
        "weird",
        "x",
    ]
)
FORMATS = st.sampled_from(
    ["date", "date-time", "time", "email", "uuid", "uri", "ipv4", "ipv6", "hostname", "duration"]
)
PATTERNS = st.sampled_from(
    [
        "^[a-z]{2}$",
        r"^\d{4}-\d{2}$",
        "^[A-Z]{3}-[0-9]{3,5}$",
        "(foo|bar)+",
        r"^\+?[1-9]\d{6,14}$",
        "^(?:[01][0-9]|2[0-3]):[0-5][0-9]$",
        "^.{3,7}$",
        "^[^aeiou]+$",
        r"^\w+@\w+\.(com|org)$",
    ]
)


def described(schema: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    descriptions = st.sampled_from(["", "A date.", "Why it is so.", "The customer's name."])
    return st.builds(
        lambda part, text: {**part, "description": text} if text else part, schema, descriptions
    )


@st.composite
def strings(draw: st.DrawFn) -> dict[str, Any]:
    kind = draw(st.sampled_from(["plain", "format", "pattern", "enum", "const", "lengths"]))
    match kind:
        case "format":
            return {"type": "string", "format": draw(FORMATS)}
        case "pattern":
            return {"type": "string", "pattern": draw(PATTERNS)}
        case "enum":
            options = draw(st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=5))
            return {"type": "string", "enum": options}
        case "const":
            return {"type": "string", "const": draw(st.text(max_size=8))}
        case "lengths":
            low = draw(st.integers(0, 60))
            return {
                "type": "string",
                "minLength": low,
                "maxLength": low + draw(st.integers(0, 20)),
            }
        case _:
            return {"type": "string"}


@st.composite
def numbers(draw: st.DrawFn) -> dict[str, Any]:
    kind = draw(st.sampled_from(["integer", "number"]))
    schema: dict[str, Any] = {"type": kind}
    low = draw(st.integers(-1000, 1000))
    width = draw(st.integers(10, 2000))
    step = draw(st.sampled_from([None, 1, 2, 5] + ([0.5, 0.25, 0.01] if kind == "number" else [])))
    if draw(st.booleans()):
        schema[draw(st.sampled_from(["minimum", "exclusiveMinimum"]))] = low
    if draw(st.booleans()):
        schema[draw(st.sampled_from(["maximum", "exclusiveMaximum"]))] = low + width
    if step is not None:
        schema["multipleOf"] = step
    return schema


LEAVES = described(
    st.one_of(
        strings(),
        numbers(),
        st.just({"type": "boolean"}),
        st.just({"type": "null"}),
        st.just({"type": "integer", "enum": [1, 2, 3]}),
        st.just({"$ref": "#/$defs/Node"}),
        st.just({"$ref": "#/$defs/Label"}),
        strings().map(lambda schema: {"anyOf": [schema, {"type": "null"}]}),
        st.just({"type": ["string", "null"]}),
        st.just({"type": ["integer", "null"]}),
    )
)


def objects(parts: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    def closed(properties: dict[str, Any]) -> dict[str, Any]:
        return {
            "type": "object",
            "properties": properties,
            "required": list(properties),
            "additionalProperties": False,
        }

    return st.dictionaries(NAMES, parts, max_size=5).map(closed)


@st.composite
def arrays(draw: st.DrawFn, parts: st.SearchStrategy[dict[str, Any]]) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "array", "items": draw(parts)}
    low = draw(st.integers(0, 3))
    if draw(st.booleans()):
        schema["minItems"] = low
    if draw(st.booleans()):
        schema["maxItems"] = low + draw(st.integers(0, 4))
    return schema


PARTS = st.recursive(
    LEAVES,
    lambda parts: st.one_of(
        objects(parts),
        arrays(parts),
        st.lists(parts, min_size=1, max_size=3).map(lambda found: {"anyOf": found}),
    ),
    max_leaves=12,
)
DEFINITIONS = {
    "Label": {"type": "string", "enum": ["red", "green", "blue"]},
    "Node": {
        "type": "object",
        "properties": {
            "value": {"type": "string"},
            "children": {"type": "array", "items": {"$ref": "#/$defs/Node"}},
            "next": {"anyOf": [{"$ref": "#/$defs/Node"}, {"type": "null"}]},
        },
        "required": ["value", "children", "next"],
        "additionalProperties": False,
    },
}
SCHEMAS = objects(PARTS).map(lambda schema: {**schema, "$defs": DEFINITIONS})


@given(schema=SCHEMAS)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_strict_schema_gets_a_valid_instance(schema: dict[str, Any]):
    try:
        check_strict(schema)
    except SchemaRefusedError:
        # Deeper than strict mode takes; nothing else of these schemas is refused.
        assert str(schema).count("'type'") > MAX_DEPTH
        return
    value = instance_for(schema, SOURCE)
    jsonschema_rs.validator_for(schema, validate_formats=True).validate(value)


@given(schema=SCHEMAS)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_the_same_schema_and_text_get_the_same_instance(schema: dict[str, Any]):
    assert instance_for(schema, SOURCE) == instance_for(schema, SOURCE)


def closed(**properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def test_facts_are_taken_from_the_text():
    schema = closed(
        customer_name={"type": "string"},
        customer_email={"type": "string", "format": "email"},
        order_id={"type": "string"},
        due_date={"type": "string", "format": "date"},
        lost_hours={"type": "integer"},
        amount={"type": "number"},
        currency={"type": "string"},
        phone={"type": ["string", "null"]},
    )
    assert instance_for(schema, SOURCE) == {
        "customer_name": "Jane Doe",
        "customer_email": "jane@example.com",
        "order_id": "INV-2041",
        "due_date": "2026-03-03",
        "lost_hours": 3,
        "amount": 120.0,
        "currency": "EUR",
        "phone": None,
    }


def test_what_the_text_labels_is_taken_by_its_label():
    source = read_source("Extract the fields.\n\nText: Color: dark green, Size: XL, Shelf: B12")
    schema = closed(color={"type": "string"}, shelf={"type": "string"})
    assert instance_for(schema, source) == {"color": "dark green", "shelf": "B12"}


def test_an_array_has_no_fewer_and_no_more_items_than_asked():
    for low, high in ((0, 0), (1, 1), (3, 3), (7, 9)):
        schema = closed(points={"type": "array", "items": {"type": "string"}, "minItems": low})
        schema["properties"]["points"]["maxItems"] = high
        assert low <= len(instance_for(schema, SOURCE)["points"]) <= high


def test_an_array_of_objects_takes_each_from_its_own_sentence():
    source = read_source(
        "Extract the people.\n\nWe met Ann Lee, who is 41. Then Bo Dahl came, who is 35."
        " The hall was cold."
    )
    person = closed(name={"type": "string"}, age={"type": "integer"})
    value = instance_for(closed(people={"type": "array", "items": person}), source)
    assert value["people"] == [{"name": "Ann Lee", "age": 41}, {"name": "Bo Dahl", "age": 35}]


def test_an_array_of_an_enum_holds_what_the_text_speaks_of():
    schema = closed(
        tags={"type": "array", "items": {"type": "string", "enum": ["csv", "export", "zebra"]}}
    )
    assert sorted(instance_for(schema, SOURCE)["tags"]) == ["csv", "export"]


def test_a_discriminated_union_follows_the_text():
    def event(kind: str, field: str) -> dict[str, Any]:
        return closed(kind={"type": "string", "const": kind}, **{field: {"type": "string"}})

    schema = closed(event={"anyOf": [event("holiday", "place"), event("export", "order_id")]})
    assert instance_for(schema, SOURCE)["event"] == {"kind": "export", "order_id": "INV-2041"}


def test_unique_items_are_unique():
    schema = {"type": "array", "items": {"type": "string"}, "uniqueItems": True, "minItems": 9}
    value = instance_for(closed(notes=schema), SOURCE)["notes"]
    assert len(value) == len(set(value)) == 9


def test_a_map_gets_entries_of_its_type():
    value = instance_for({"type": "object", "additionalProperties": {"type": "integer"}}, SOURCE)
    assert value
    assert all(isinstance(part, int) for part in value.values())


def test_all_of_is_joined():
    schema = {"allOf": [closed(name={"type": "string"}), {"required": ["name"]}]}
    assert instance_for(schema, SOURCE) == {"name": "Jane Doe"}


@pytest.mark.parametrize(
    "schema",
    [
        closed(x={"type": "integer", "minimum": 5, "maximum": 4}),
        closed(x={"type": "number", "minimum": 1, "maximum": 9, "multipleOf": 10}),
        closed(x={"type": "string", "pattern": "^a$", "minLength": 3}),
        closed(x={"type": "string", "enum": ["a"], "pattern": "b"}),
        closed(x={"type": "array", "items": {"type": "string"}, "minItems": 2, "maxItems": 1}),
        {**closed(x={"$ref": "#"})},
        {**closed(x={"$ref": "#/$defs/Missing"})},
        {"type": "nonsense"},
        {"type": "string", "pattern": "("},
        closed(x={"type": "array", "items": {"type": "string"}, "minItems": 10_000_000}),
    ],
)
def test_a_schema_that_nothing_satisfies_is_told(schema: dict[str, Any]):
    with pytest.raises(UnsatisfiableError):
        instance_for(schema, SOURCE)


def test_deep_optional_recursion_comes_to_an_end():
    node = closed(
        left={"anyOf": [{"$ref": "#/$defs/Tree"}, {"type": "null"}]},
        right={"anyOf": [{"$ref": "#/$defs/Tree"}, {"type": "null"}]},
        label={"type": "string"},
    )
    schema = {**closed(root={"$ref": "#/$defs/Tree"}), "$defs": {"Tree": node}}
    value = instance_for(schema, SOURCE)
    assert re.search(r"left", str(value["root"]))
    assert len(str(value)) < 20_000


def test_a_step_too_fine_for_decimals_is_kept():
    schema = {"type": "number", "minimum": 1e300, "multipleOf": 1e-300}
    assert instance_for(schema, read_source("text")) == 1e300
