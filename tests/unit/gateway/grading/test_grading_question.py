"""A classifier is shown the text as data, and nothing but one of the route's grades is taken."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headgate.config.grading import ClassifierSettings
from headgate.gateway.grading.memory import GradeMemory
from headgate.gateway.grading.question import Question

QUESTION = Question(ClassifierSettings(model="small", otherwise="hard"))


def answer(content: object) -> bytes:
    return json.dumps({"choices": [{"message": {"content": content}}]}).encode()


def test_it_is_asked_shortly_for_one_grade_of_the_list():
    asked = json.loads(QUESTION.body("Why?"))
    assert (asked["model"], asked["temperature"]) == ("small", 0)
    assert asked["max_completion_tokens"] == 30
    schema = asked["response_format"]["json_schema"]
    assert schema["strict"] is True
    assert schema["schema"]["properties"]["grade"]["enum"] == ["simple", "hard"]
    system, user = asked["messages"]
    assert "- simple: " in system["content"]
    assert json.loads(user["content"]) == {"request": "Why?"}


def test_an_operator_sets_what_a_model_wants_and_leaves_out_what_it_refuses():
    parameters = {"temperature": None, "reasoning_effort": "minimal"}
    question = Question(ClassifierSettings(model="m", otherwise="hard", parameters=parameters))
    asked = json.loads(question.body("Why?"))
    assert "temperature" not in asked
    assert asked["reasoning_effort"] == "minimal"


@settings(deadline=None)
@given(st.text(max_size=300))
def test_a_text_cannot_leave_its_place(text):
    asked = json.loads(QUESTION.body(text))
    assert [message["role"] for message in asked["messages"]] == ["system", "user"]
    assert json.loads(asked["messages"][1]["content"]) == {"request": text}
    assert asked["messages"][0] == json.loads(QUESTION.body(""))["messages"][0]


@pytest.mark.parametrize(
    ("content", "grade"),
    [
        ('{"grade": "simple"}', "simple"),
        (' {"grade": "Hard"} ', "hard"),
        ("hard", "hard"),
        ("`Simple`.", "simple"),
        ('{"grade": "free"}', None),
        ('{"grade": ["simple"]}', None),
        ("It is simple to say that this is hard", None),
        ('{"grade": "simple", ', None),
        ("", None),
        (None, None),
    ],
)
def test_only_a_grade_of_the_list_is_taken(content, grade):
    assert QUESTION.grade(answer(content)) == grade


@settings(deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=200).map(answer))
def test_whatever_comes_back_is_a_grade_of_the_list_or_none(body):
    assert QUESTION.grade(body) in ("simple", "hard", None)


def test_an_answer_without_choices_is_none():
    assert QUESTION.grade(b'{"choices":[]}') is None


@settings(deadline=None)
@given(st.lists(st.integers(0, 30), max_size=100), st.integers(0, 5))
def test_as_many_grades_are_remembered_as_was_declared(asked, most):
    memory = GradeMemory(most)
    for text in asked:
        known = memory.recall("project", str(text))
        assert known in (None, f"grade {text}")
        memory.keep(f"grade {text}", "project", str(text))
        assert len(memory) <= most
        assert (memory.recall("project", str(text)) is not None) == (most > 0)


def test_the_one_that_was_not_asked_for_the_longest_is_forgotten():
    memory = GradeMemory(2)
    memory.keep("hard", "a")
    memory.keep("hard", "b")
    memory.recall("a")
    memory.keep("hard", "c")
    assert [memory.recall(text) for text in "abc"] == ["hard", None, "hard"]


def test_what_two_parts_say_is_not_what_one_says():
    memory = GradeMemory(10)
    memory.keep("hard", "ab", "c")
    assert memory.recall("a", "bc") is None
