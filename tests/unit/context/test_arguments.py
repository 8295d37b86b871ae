"""What callers send reaches a source as a value, and can never become anything else."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.context.arguments import arguments_of
from headgate.context.connector import ArgumentError
from headgate.context.http_connector import _body, target
from headgate.context.service import path_segment


def test_arguments_are_fields_of_the_input_and_constants():
    given_ = {"account": {"id": "a1"}, "months": 3}
    declared = {"id": "input.account.id", "months": "input.months", "region": "eu", "all": True}
    assert arguments_of(declared, given_) == {
        "id": "a1", "months": 3, "region": "eu", "all": True,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ({}, "is not there"),
        ({"id": None}, "is not there"),
        ({"id": ""}, "is empty"),
        ({"id": "a\nb"}, "line breaks"),
        ({"id": "a\x00"}, "no text"),
        ({"id": "\ud800"}, "no text"),
        ({"id": "x" * 1001}, "longer than 1000"),
        ({"id": ["a"]}, "must be a text"),
        ({"id": {"$ne": ""}}, "must be a text"),
        ({"id": 2**63}, "too large"),
        ({"id": float("nan")}, "must be a text"),
    ],
)
def test_an_argument_that_can_not_be_one_is_an_error_that_names_it(value: Any, told: str):
    with pytest.raises(ArgumentError) as error:
        arguments_of({"account_id": "input.id"}, value)
    assert str(error.value).startswith("the argument `account_id` ")
    assert told in str(error.value)


@pytest.mark.parametrize(
    "value",
    ["", ".", "..", "../x", "a/../b", "a\\..\\b", "/..", " .. /x", "a\tb", "\ud800", "x" * 501],
)
def test_a_value_that_would_lead_elsewhere_is_refused(value: str):
    with pytest.raises(ValueError):
        path_segment(value)
    with pytest.raises(ArgumentError):
        target("/accounts/{id}", {"id": value})


def test_a_value_stays_one_segment():
    assert target("/a/{id}/notes", {"id": "x/y?z=1#q&%2e"}) == "/a/x%2Fy%3Fz%3D1%23q%26%252e/notes"
    assert target("/a/{id}", {"id": 7}) == "/a/7"
    assert target("/a/{flag}", {"flag": True}) == "/a/true"


def test_what_a_value_holds_is_no_place_for_another():
    values = {"a": "{b}", "b": "secret"}
    assert target("/{a}/{b}", values) == "/%7Bb%7D/secret"


def test_a_body_takes_whole_values_alone():
    template = {"filter": {"id": "{id}", "months": "{n}"}, "sort": ["-at", "{id}"], "limit": 5}
    assert _body(template, {"id": '"}, "x": {"', "n": 3}) == {
        "filter": {"id": '"}, "x": {"', "months": 3}, "sort": ["-at", '"}, "x": {"'], "limit": 5,
    }  # fmt: skip


@given(value=st.text(max_size=60))
def test_no_value_ever_leaves_its_segment(value: str):
    try:
        found = target("/accounts/{id}/notes", {"id": value})
    except ArgumentError:
        return
    before, after = "/accounts/", "/notes"
    segment = found.removeprefix(before).removesuffix(after)
    assert found == f"{before}{segment}{after}"
    assert found.isascii()
    assert found.isprintable()
    assert not set(segment) & set("/\\?# ;")
    assert unquote(segment) == value
    # Nor where a server takes it for slashes and walks up.
    assert not {"..", "."} & {piece.strip() for piece in unquote(segment).split("/")}
