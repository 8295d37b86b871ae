"""A value that can't be sent is told with those that can."""

from __future__ import annotations

from typing import Literal

import pytest

from headgate.errors import InvalidRequestError
from headgate.intake.http.inputs import Input, json_body, query_string


class Wanted(Input):
    state: Literal["done", "failed"] | None = None


def test_a_query_names_what_may_be_asked_for():
    with pytest.raises(InvalidRequestError) as caught:
        query_string([("state", "nope")], Wanted)
    assert caught.value.message == "`state`: invalid enum value 'nope'; write one of done, failed."
    assert caught.value.param == "state"


def test_a_body_of_which_that_is_not_known_is_told_as_it_was():
    with pytest.raises(InvalidRequestError) as caught:
        json_body(b'{"state": 5}', Wanted)
    assert caught.value.param == "state"
