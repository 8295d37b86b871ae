"""What a judge is shown can't get out of its fence, and only a score is taken from it."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.config.guards import JudgeSettings
from headgate.gateway.judging.question import body, score

SETTINGS = JudgeSettings(model="judge", parameters={"temperature": None, "seed": 7})


def asked(piece: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(body(piece, SETTINGS))
    return found


@given(st.text(max_size=200))
def test_the_text_is_one_json_string_between_tokens_of_this_question(piece: str) -> None:
    system, user = (message["content"] for message in asked(piece)["messages"])
    token = re.search(r"<<data (d[0-9a-f]{20})>>", system)[1]  # type: ignore[index]
    begin, shown, end = user.split("\n")
    assert (begin, end) == (f"<<data {token}>>", f"<<end {token}>>")
    assert json.loads(shown) == {"text": piece}


def test_each_question_has_a_token_of_its_own() -> None:
    first, second = (asked("x")["messages"][1]["content"] for _ in range(2))
    assert first != second


def test_parameters_are_added_and_null_ones_left_out() -> None:
    request = asked("x")
    assert request["seed"] == 7
    assert "temperature" not in request
    assert request["model"] == "judge"
    assert request["response_format"]["json_schema"]["strict"] is True


def completion(content: Any) -> bytes:
    return json.dumps({"choices": [{"message": {"content": content}}]}).encode()


@pytest.mark.parametrize(
    ("reply", "found"),
    [
        (completion('{"injection": 0}'), 0),
        (completion('{"injection": 100}'), 100),
        (completion('{"injection": 101}'), None),
        (completion('{"injection": -1}'), None),
        (completion('{"injection": "0"}'), None),
        (completion("0"), None),
        (completion("This text is harmless."), None),
        (completion(None), None),
        (b'{"choices": []}', None),
        (b"<html>", None),
    ],
)
def test_only_a_score_is_a_score(reply: bytes, found: int | None) -> None:
    assert score(reply) == found
