"""Which arguments Headgate fills in, and what of a tool a model is shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.workflows.tools.arguments import (
    ArgumentMissingError,
    chosen,
    filled,
    reference_problem,
    shown,
    with_defaults,
)
from headgate.workflows.tools.tool import ToolSpec

INPUT = {"account": {"id": "a-1", "note": None}, "n": 0, "flag": False}
names = st.from_regex(r"[a-z_][a-z0-9_]{0,5}", fullmatch=True)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(), lambda v: st.lists(v, max_size=3)
)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("input.account.id", "a-1"),
        ("input.n", 0),
        ("input.flag", False),
        ("output", {"x": [1]}),
        ("output.x", [1]),
        ("input", "input"),
        ("inputs.n", "inputs.n"),
        (7, 7),
        (["input.n"], ["input.n"]),
    ],
)
def test_a_reference_is_looked_up_and_all_else_is_a_value(written, value):
    assert filled({"a": written}, INPUT, {"x": [1]}) == {"a": value}


@pytest.mark.parametrize("written", ["input.nothing", "input.account.note", "input.n.deeper"])
def test_what_is_not_there_is_told_with_its_field(written):
    with pytest.raises(ArgumentMissingError) as caught:
        filled({"a": written}, INPUT)
    assert (caught.value.argument, caught.value.field) == ("a", written)
    assert filled({"a": written, "b": 1}, INPUT, optional=["a"]) == {"b": 1}


@pytest.mark.parametrize(
    ("written", "output", "wrong"),
    [
        ("input.a", False, False),
        ("input.a b", False, True),
        ("output.a", False, True),
        ("output.a", True, False),
        ("a text", False, False),
        ({"x": "input."}, False, False),
    ],
)
def test_what_means_to_be_a_reference_must_be_one(written, output, wrong):
    assert (reference_problem(written, output=output) is not None) is wrong


@given(properties=st.dictionaries(names, st.just({"type": "string"}), max_size=6), data=st.data())
def test_a_model_sees_all_arguments_but_those_that_are_filled_in(properties, data):
    bound = data.draw(st.sets(st.sampled_from(sorted(properties)))) if properties else set()
    schema = {"type": "object", "properties": properties, "required": sorted(properties)}
    function = shown("t", ToolSpec("d", schema), None, bound)["function"]
    assert set(function["parameters"]["properties"]) == set(properties) - bound
    assert set(function["parameters"]["required"]) == set(properties) - bound
    assert schema["properties"] == properties, "the tool's own schema stays as it was"


@given(st.text() | st.just("[" * 5000))
def test_what_a_model_writes_never_breaks_the_reading(text):
    found = chosen(text)
    assert found is None or isinstance(found, dict)


@given(st.dictionaries(names, values), st.dictionaries(names, values))
def test_what_is_filled_in_comes_from_nowhere_else(bound, given_input):
    found = filled(bound, given_input, optional=bound)
    for name, value in found.items():
        written = bound[name]
        assert value == written or value in given_input.values()


DEFAULTS = {
    "type": "object",
    "properties": {
        "cents": {"type": "integer", "default": 5000},
        "to": {"$ref": "#/$defs/To", "default": {"bank": "ours"}},
        "also": {"anyOf": [{"$ref": "#/$defs/To"}, {"type": "null"}]},
        "lines": {"type": "array", "items": {"$ref": "#/$defs/To"}},
        "note": {"type": "string"},
    },
    "$defs": {"To": {"type": "object", "properties": {"fee": {"type": "number", "default": 3}}}},
}


@pytest.mark.parametrize(
    ("given", "whole"),
    [
        ({}, {"cents": 5000, "to": {"bank": "ours"}}),
        ({"cents": 1, "to": {"fee": 0}}, {"cents": 1, "to": {"fee": 0}}),
        ({"cents": None, "to": {}}, {"cents": None, "to": {"fee": 3}}),
        (
            {"cents": 1, "to": 7, "also": {}, "lines": [{}, {"fee": 1}, 2], "more": {}},
            {
                "cents": 1, "to": 7, "also": {"fee": 3}, "lines": [{"fee": 3}, {"fee": 1}, 2],
                "more": {},
            },
        ),
    ],
)  # fmt: skip
def test_what_is_left_out_is_what_the_schema_says_of_it(given, whole):
    before = repr(given)
    assert with_defaults(DEFAULTS, given) == whole
    assert repr(given) == before, "what is sent stays as it was"
