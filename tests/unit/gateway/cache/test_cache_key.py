"""Two requests share an answer only if they ask the same, for the same project."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kept_answers import a_scope, fields_of

from headgate.gateway.cache.key import LEFT_OUT, answer_key, canonical

_names = st.text(st.characters(codec="utf-8"), max_size=8)
_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | _names,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_names, inner, max_size=4),
    max_leaves=12,
)  # fmt: skip
_NOT_AS_WRITTEN = {*LEFT_OUT, "top_p"}
"""Names that are short enough to be drawn and whose values are not compared as they are written."""

_requests = st.dictionaries(
    _names.filter(lambda name: name not in _NOT_AS_WRITTEN), _values, max_size=6
)


def key_of(request: dict[str, Any], **scope: Any) -> bytes:
    read = canonical(fields_of(json.dumps(request).encode()))
    assert read is not None
    return answer_key(a_scope(**scope), read)


def turned(value: Any) -> Any:
    """The same value with every object's keys in the other order."""
    if isinstance(value, dict):
        return {name: turned(value[name]) for name in reversed(value)}
    if isinstance(value, list):
        return [turned(item) for item in value]
    return value


@given(_requests)
def test_the_order_of_keys_and_the_spaces_make_no_difference(request_body: dict[str, Any]):
    spaced = json.dumps(turned(request_body), indent=2, ensure_ascii=False).encode()
    read = canonical(fields_of(spaced))
    assert read is not None
    assert answer_key(a_scope(), read) == key_of(request_body)


def test_spaces_make_no_difference_where_a_number_is_expected_either():
    keys = {answer_key(a_scope(), canonical(fields_of(body)) or b"") for body in (
        b'{"n":[1,2],"temperature":{"a":1}}', b'{"n": [1, 2], "temperature": { "a": 1 }}',
    )}  # fmt: skip
    assert len(keys) == 1


@given(_requests, _requests)
def test_requests_that_differ_have_keys_that_differ(one: dict[str, Any], other: dict[str, Any]):
    same = json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    assert (key_of(one) == key_of(other)) is same


@given(_requests, _names, _names)
def test_nothing_crosses_projects(request_body: dict[str, Any], one: str, other: str):
    same = key_of(request_body, project=one) == key_of(request_body, project=other)
    assert same is (one == other)


@pytest.mark.parametrize(
    "scope",
    [
        {"workflow": "triage"},
        {"endpoint": "responses"},
        {"model": "cheap"},
        {"targets": "openai gpt-x the simulator"},
        {"guard_policy": "2"},
        {"beta": "assistants=v2"},
        {"project": "support2"},
    ],
    ids=str,
)
def test_whatever_an_answer_belongs_to_is_in_its_key(scope: dict[str, Any]):
    assert key_of({"messages": []}, **scope) != key_of({"messages": []})


def test_parts_of_the_scope_do_not_run_into_each_other():
    assert key_of({}, project="a", model="bc") != key_of({}, project="ab", model="c")


@pytest.mark.parametrize("name", sorted(LEFT_OUT))
def test_fields_that_do_not_change_the_answer_are_left_out(name: str):
    assert key_of({"messages": [], name: "x"}) == key_of({"messages": [], name: "y"})


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (b'{"seed":1180591620717411303424}', b'{"seed":1180591620717411303425}'),
        (b'{"temperature":0.1}', b'{"temperature":0.10000000000000000001}'),
        (b'{"n":1}', b'{"n":"1"}'),
        (b'{"x":null}', b"{}"),
        (b'{"store":true}', b'{"store":false}'),
        (b'{"x":[1,2]}', b'{"x":[2,1]}'),
    ],
)
def test_values_are_compared_as_they_were_written(one: bytes, other: bytes):
    keys = {answer_key(a_scope(), canonical(fields_of(body)) or b"") for body in (one, other)}
    assert len(keys) == 2


@pytest.mark.parametrize("name", ["temperature", "top_p", "frequency_penalty", "presence_penalty"])
@pytest.mark.parametrize(
    ("one", "other"), [("0", "0.0"), ("0", "-0.0"), ("1", "1.0"), ("0.7", "0.70"), ("0.7", "7e-1")]
)
def test_a_number_is_the_same_however_it_is_written(name: str, one: str, other: str):
    keys = {
        answer_key(a_scope(), canonical(fields_of(f'{{"{name}":{text}}}'.encode())) or b"")
        for text in (one, other)
    }
    assert len(keys) == 1


@pytest.mark.parametrize("value", [b'"\\ud800"', b"[" * 2000 + b"]" * 2000])
def test_what_cannot_be_read_has_no_key(value: bytes):
    import msgspec

    assert canonical({"messages": msgspec.Raw(value)}) is None
