"""What the model is told of a function's arguments is what its types say."""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
from typing import Annotated, Any, Literal, TypedDict

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta

from headgate.checks.schema import Schema, refusals
from headgate.workflows.tools.signature import SignatureError, arguments_of, description_of


class Colour(enum.Enum):
    RED = "red"


class Address(msgspec.Struct):
    city: str


class Line(TypedDict):
    sku: str


@dataclasses.dataclass
class Point:
    x: int


class Tree(msgspec.Struct):
    children: list[Tree] = []


def schema_of(function) -> dict[str, Any]:
    schema = arguments_of(function).schema
    assert refusals(schema) == ()
    return schema


def property_of(hint) -> dict[str, Any]:
    def tool(x): ...

    tool.__annotations__ = {"x": hint}
    schema = schema_of(tool)
    assert schema["required"] == ["x"]
    assert schema["additionalProperties"] is False
    return schema["properties"]["x"]


@pytest.mark.parametrize(
    ("hint", "said"),
    [
        (str, {"type": "string"}),
        (int, {"type": "integer"}),
        (float, {"type": "number"}),
        (bool, {"type": "boolean"}),
        (int | None, {"anyOf": [{"type": "integer"}, {"type": "null"}]}),
        (list[str], {"type": "array", "items": {"type": "string"}}),
        (dict[str, int], {"type": "object", "additionalProperties": {"type": "integer"}}),
        (Literal["low", "high"], {"enum": ["high", "low"]}),
        (dt.date, {"type": "string", "format": "date"}),
        (
            Annotated[int, Meta(ge=1, le=9, description="How many.")],
            {"type": "integer", "minimum": 1, "maximum": 9, "description": "How many."},
        ),
        (
            Annotated[str, Meta(max_length=5, pattern="^a")],
            {"type": "string", "maxLength": 5, "pattern": "^a"},
        ),
    ],
)
def test_a_type_becomes_its_schema(hint, said):
    assert property_of(hint) == said


@pytest.mark.parametrize("kind", [Address, Line, Point, Colour, Tree])
def test_a_type_of_its_own_is_referred_to_within_the_schema(kind):
    def tool(x): ...

    tool.__annotations__ = {"x": kind}
    schema = schema_of(tool)
    assert schema["properties"]["x"] == {"$ref": f"#/$defs/{kind.__name__}"}
    assert kind.__name__ in schema["$defs"]
    assert schema["type"] == "object"


def test_what_has_a_default_may_be_left_out():
    def tool(title: str, limit: int = 5, tags: list[str] = ["a"], *, note: str | None = None): ...  # noqa: B006

    arguments = arguments_of(tool)
    assert arguments.schema["required"] == ["title"]
    assert arguments.schema["properties"]["limit"] == {"type": "integer", "default": 5}
    assert arguments.schema["properties"]["tags"]["default"] == ["a"]
    assert arguments.schema["properties"]["note"]["default"] is None
    assert arguments.converted({"title": "a"}) == {"title": "a"}
    assert arguments.converted({"title": "a", "note": None}) == {"title": "a", "note": None}


def test_a_function_gets_the_types_that_it_named():
    def tool(on: dt.date, to: Address, colour: Colour, points: list[Point], line: Line): ...

    given = {
        "on": "2026-11-21",
        "to": {"city": "Bern"},
        "colour": "red",
        "points": [{"x": 1}],
        "line": {"sku": "A"},
    }
    assert arguments_of(tool).converted(given) == {
        "on": dt.date(2026, 11, 21),
        "to": Address("Bern"),
        "colour": Colour.RED,
        "points": [Point(1)],
        "line": {"sku": "A"},
    }


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"n": "1"}, r"Expected `int`, got `str` - at `\$.n`"),
        ({"n": True}, "Expected `int`, got `bool`"),
        ({"n": 0}, ">= 1"),
        ({}, "missing required field `n`"),
        ({"n": 1, "m": 1}, "unknown field `m`"),
    ],
)
def test_nothing_is_made_to_fit(given, says):
    def tool(n: Annotated[int, Meta(ge=1)]): ...

    with pytest.raises(msgspec.ValidationError, match=says):
        arguments_of(tool).converted(given)


@given(
    st.fixed_dictionaries(
        {"a": st.one_of(st.integers(-5, 5), st.text(max_size=3), st.none(), st.booleans())},
        optional={"b": st.lists(st.one_of(st.text(max_size=2), st.integers()), max_size=3)},
    )
)
def test_what_fits_the_schema_fits_the_function_and_the_other_way_round(value):
    def tool(a: Annotated[int, Meta(ge=0)] | None, b: list[str] = []): ...  # noqa: B006

    arguments = arguments_of(tool)
    try:
        arguments.converted(value)
        fits = True
    except msgspec.ValidationError:
        fits = False
    assert fits is (Schema(arguments.schema).problems(value) == ())


def test_the_idempotency_key_is_not_the_models_to_choose():
    def tool(title: str, *, idempotency_key: str): ...

    arguments = arguments_of(tool)
    assert arguments.takes_key
    assert list(arguments.schema["properties"]) == ["title"]
    with pytest.raises(msgspec.ValidationError):
        arguments.converted({"title": "a", "idempotency_key": "mine"})


def untyped(a): ...
def anything(a: Any): ...
def anything_annotated(a: Annotated[Any, Meta(description="x")]): ...
def starred(*a: int): ...
def double_starred(**a: int): ...
def positional(a: int, /): ...
def custom(a: pytest.Item): ...
def unknown(a: Nowhere): ...  # noqa: F821
def key_first(idempotency_key: str): ...
def key_number(*, idempotency_key: int): ...
def bad_pattern(a: Annotated[str, Meta(pattern=r"\N{DIGIT ONE}")]): ...


@pytest.mark.parametrize(
    ("function", "says"),
    [
        (untyped, "`a` has no type; write `a: str`"),
        (anything, "`a`: `Any` tells a model nothing"),
        (anything_annotated, "`a`: `Any` tells a model nothing"),
        (starred, r"named and counted"),
        (double_starred, r"named and counted"),
        (positional, r"named and counted"),
        (custom, "no JSON Schema"),
        (unknown, "its types can't be read: name 'Nowhere' is not defined"),
        (key_first, r"write `\*, idempotency_key: str`"),
        (key_number, r"write `\*, idempotency_key: str`"),
        (bad_pattern, "its types make no JSON Schema: properties.a.pattern"),
    ],
)
def test_a_signature_that_says_too_little_is_refused(function, says):
    with pytest.raises(SignatureError, match=says):
        arguments_of(function)


def test_the_first_paragraph_is_the_description():
    def tool() -> None:
        """Look up
        an order.

        Internals.
        """

    assert description_of(tool) == "Look up an order."
    with pytest.raises(SignatureError, match="write a docstring"):
        description_of(untyped)
    tool.__doc__ = "long " * 300
    with pytest.raises(SignatureError, match="longer than"):
        description_of(tool)


def test_whole_numbers_may_be_the_keys_of_an_object_as_json_writes_them():
    def tool(prices: dict[int, float]): ...

    assert arguments_of(tool).converted({"prices": {"7": 1.5}}) == {"prices": {7: 1.5}}


@pytest.mark.parametrize("kind", [Address, Line, Point])
def test_a_field_that_a_type_does_not_have_does_not_fit(kind):
    def tool(x): ...

    tool.__annotations__ = {"x": kind}
    schema = schema_of(tool)
    fits = {Address: {"city": "Oslo"}, Line: {"sku": "a"}, Point: {"x": 1}}[kind]
    assert Schema(schema).problems({"x": fits}) == ()
    (problem,) = Schema(schema).problems({"x": {**fits, "more": 1}})
    assert problem.path == "x.more"
