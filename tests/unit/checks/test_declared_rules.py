"""The rules of a workflow.yaml say where an output breaks them, and nothing of one that doesn't."""

from __future__ import annotations

import datetime as dt
import time
from typing import Any

import msgspec
import pytest
from hypothesis import given as having
from hypothesis import settings
from hypothesis import strategies as st

from headgate.checks.declared_rules import DeclaredRules
from headgate.checks.field_path import same
from headgate.checks.ruling import Ruling
from headgate.config.output_rules import OutputRuleSettings


def ruling(
    rules: list[dict[str, Any]] | dict[str, Any],
    output: dict[str, Any],
    given: dict[str, Any] | None = None,
) -> Ruling:
    written = [rules] if isinstance(rules, dict) else rules
    settings = msgspec.convert(written, list[OutputRuleSettings])
    return DeclaredRules(settings).check(output, given or {})


def told(
    rules: list[dict[str, Any]] | dict[str, Any],
    output: dict[str, Any],
    given: dict[str, Any] | None = None,
) -> list[str]:
    return [str(problem) for problem in ruling(rules, output, given).problems]


def test_an_allowed_value_passes_and_another_is_named():
    rule = {"field": "a", "allowed": ["x", 1, None]}
    assert [told(rule, {"a": value}) for value in ("x", 1, 1.0, None)] == [[], [], [], []]
    assert told(rule, {"a": True}) == ["a: must be one of x, 1, null"]
    assert told({"field": "a[]", "allowed": ["x"]}, {"a": ["x", "y"]}) == ["a[1]: must be one of x"]


@settings(deadline=None)
@having(
    value=st.floats(-100, 100) | st.integers(-100, 100),
    low=st.integers(-100, 100),
    high=st.integers(-100, 100),
)
def test_a_range_lets_by_what_lies_in_it(value: float, low: int, high: int):
    within = {"field": "a.b", "range": {"at_least": low, "at_most": {"input": "most"}}}
    output = {"a": {"b": value}}
    assert (not told(within, output, {"most": high})) is (low <= value <= high)
    between = {"field": "a.b", "range": {"above": low, "below": high}}
    assert (not told(between, output)) is (low < value < high)


def test_a_bound_that_the_input_does_not_have_lets_nothing_by():
    rule = {"field": "a", "range": {"at_most": {"input": "most"}}}
    for given in ({}, {"most": None}, {"most": "5"}, {"most": True}):
        assert told(rule, {"a": 1}, given) == [
            "a: can't be judged: the input has no number in the input's `most`"
        ]
    assert told(rule, {"a": None}) == [], "there is nothing to judge"


def test_lengths_are_of_texts_and_lists():
    rule = {"field": "a", "length": {"at_least": 2, "at_most": 3}}
    assert told(rule, {"a": "xy"}) == []
    assert told(rule, {"a": "x"}) == ["a: must have at least 2 characters"]
    assert told(rule, {"a": [1, 2, 3, 4]}) == ["a: must have at most 3 items"]


@settings(deadline=None)
@having(day=st.dates(), low=st.dates(), high=st.dates(), hour=st.integers(0, 23))
def test_dates_lie_between_days(day: dt.date, low: dt.date, high: dt.date, hour: int):
    rule = {"field": "a", "dates": {"not_before": low, "not_after": {"input": "due"}}}
    inside = low <= day <= high
    assert (not told(rule, {"a": day.isoformat()}, {"due": high.isoformat()})) is inside
    timed = f"{day.isoformat()}T{hour:02}:30:00Z"
    assert (not told(rule, {"a": timed}, {"due": f"{high.isoformat()}T00:00:00+01:00"})) is inside
    assert told(rule, {"a": "soon"}, {"due": "2026-01-01"}) == [
        "a: must be a date, such as 2026-01-31"
    ]


def test_what_is_cited_must_be_a_source_of_the_input():
    rule = {"field": "sources", "must_cite": {"ids": "documents[].id"}}
    given = {"documents": [{"id": "d1"}, {"id": 12}, {"id": None}]}
    assert told(rule, {"sources": ["d1", "12", 12]}, given) == []
    message = "must name a source: one of the input's `documents[].id`"
    assert told(rule, {"sources": ["d1", "d2"]}, given) == [f"sources[1]: {message}"]
    for nothing in ([], None, ""):
        assert told(rule, {"sources": nothing}, given) == [f"sources: {message}"]
    assert told(rule, {"sources": ["d1"]}, {}) == [f"sources[0]: {message}"]
    rule["must_cite"]["optional"] = True
    assert told(rule, {"sources": []}, given) == []
    assert len(told(rule, {"sources": ["d2"]}, given)) == 1


def test_every_item_must_cite():
    rule = {"field": "claims[].sources[]", "must_cite": {"ids": "ids[]"}}
    output = {"claims": [{"sources": ["a"]}, {"sources": []}, {"sources": ["b", "x"]}]}
    problems = ruling(rule, output, {"ids": ["a", "b"]}).problems
    assert [problem.path for problem in problems] == ["claims[1].sources", "claims[2].sources[1]"]
    assert {problem.check for problem in problems} == {"must_cite"}


def test_names_may_stand_within_a_text():
    rule = {"field": "a", "must_cite": {"ids": "ids[]", "pattern": r"\[(\w+)\]"}}
    given = {"ids": ["d1", "d2"]}
    assert told(rule, {"a": "So it is [d1], and so [d2]."}, given) == []
    assert len(told(rule, {"a": "So it is [d1], and so [d3]."}, given)) == 1
    assert len(told(rule, {"a": "So it is."}, given)) == 1


def test_a_passage_stands_word_for_word_in_the_input():
    rule = {"field": "a", "must_cite": {"passage_of": "letter", "at_least_characters": 8}}
    given = {"letter": "I have sold “garden\n  tools” \u2013 for six years."}
    assert told(rule, {"a": '"Garden tools" - for six'}, given) == []
    message = "must be a passage that stands word for word in the input's `letter`"
    assert told(rule, {"a": "garden tools for seven years"}, given) == [f"a: {message}"]
    assert told(rule, {"a": "sold"}, given) == [f"a: {message}"], "too short to prove anything"


def test_a_passage_may_stand_in_one_of_several_texts_and_not_in_the_midst_of_a_word():
    rule = {"field": "names[]", "must_cite": {"passage_of": ["title", "text"], "optional": True}}
    given = {"title": "Ada Byrne's visit", "text": "Bob met her. 我们在上海开会。"}
    assert told(rule, {"names": ["Ada Byrne", "Bob", "上海"]}, given) == []
    assert told(rule, {"names": []}, given) == []
    message = "must be a passage that stands word for word in the input's `title` or `text`"
    assert told(rule, {"names": ["Ada Byr", "da"]}, given) == [
        f"names[0]: {message}",
        f"names[1]: {message}",
    ]
    assert told(rule, {"names": [" "]}, given) == [f"names[0]: {message}"]


@settings(deadline=None)
@having(words=st.lists(st.from_regex(r"[a-z]{1,4}", fullmatch=True), min_size=1), data=st.data())
def test_words_of_a_text_in_a_row_are_a_passage_of_it(words: list[str], data: st.DataObject):
    start = data.draw(st.integers(0, len(words) - 1))
    some = words[start : data.draw(st.integers(start + 1, len(words)))]
    rule = {"field": "a", "must_cite": {"passage_of": "text"}}
    assert told(rule, {"a": "\n".join(some)}, {"text": " ".join(words)}) == []
    assert told(rule, {"a": " ".join([*some, "zzzzz"])}, {"text": " ".join(words)}) != []


def test_what_must_not_be_mentioned_is_found_anywhere():
    rule = {"must_not_mention": {"words": ["Project Chimera", "für"], "patterns": [r"KD-\d{4}"]}}
    output = {"a": "about PROJECT CHIMERA", "b": [{"c": "kd-1234"}, {"c": "Fürst"}], "d": 5}
    found = ruling(rule, output).problems
    assert sorted((one.path, one.message) for one in found) == [
        ("a", "must not mention “PROJECT CHIMERA”"),
        ("b[0].c", "must not mention “kd-1234”"),
    ]
    assert told({"field": "b[].c", **rule}, {"a": "für", "b": [{"c": "f\u200bür"}]}) == [
        "b[0].c: must not mention “für”"
    ]
    assert told(rule, {"a": "Project\n Chimera"}) == ["a: must not mention “Project\n Chimera”"]
    exact = {"must_not_mention": {"words": ["Chimera"], "ignore_case": False}}
    assert told(exact, {"a": "chimera, Chimeras"}) == []


def test_words_are_found_in_scripts_without_spaces():
    rule = {"must_not_mention": {"words": ["\u5185\u90e8\u673a\u5bc6", "Chimera"]}}
    output = {
        "a": "\u8fd9\u662f\u5185\u90e8\u673a\u5bc6\u6587\u4ef6",
        "b": "\u7528Chimera\u9879\u76ee",
    }
    assert told(rule, output) == [
        "b: must not mention \u201cChimera\u201d",
        "a: must not mention \u201c\u5185\u90e8\u673a\u5bc6\u201d",
    ]


def test_a_field_equals_one_of_the_input():
    rule = {"field": "id", "equals_input": "order.id"}
    given = {"order": {"id": "A1"}}
    assert told(rule, {"id": "A1"}, given) == []
    assert told(rule, {"id": "A2"}, given) == ["id: must be equal to the input's `order.id`"]
    assert len(told(rule, {"id": "A1"}, {})) == 1
    assert told(rule, {"id": None}, {}) == [], "null is what is absent"
    assert told({"field": "items[].id", "equals_input": "order.id"}, {"items": []}, given) == []


def test_a_rule_depends_on_its_condition():
    rule = {"field": "a", "allowed": ["x"], "when": {"field": "kind", "is": ["k", "l"]}}
    assert len(told(rule, {"a": "y", "kind": "k"})) == 1
    assert told(rule, {"a": "y", "kind": "m"}) == []
    rule["when"] = {"input": "order.total", "is_not": None}
    assert told(rule, {"a": "y"}, {"order": None}) == []
    assert len(told(rule, {"a": "y"}, {"order": {"total": 3}})) == 1


def test_an_owners_message_is_what_is_told():
    rule = {"field": "a", "allowed": ["x"], "message": "only x goes out"}
    assert told(rule, {"a": "y"}) == ["a: only x goes out"]


def test_a_rule_may_hold_in_place_of_rejecting():
    held = {"field": "sum", "range": {"at_most": 100}, "on_fail": "hold", "message": "large"}
    said = ruling(held, {"sum": 500})
    assert said.problems == ()
    assert said.hold is not None
    assert said.hold.reasons == ("sum: large",)
    both = ruling([held, {"field": "a", "allowed": ["x"]}], {"sum": 500, "a": "y"})
    assert len(both.problems) == 1
    assert both.hold is None


def test_problems_are_bounded():
    rule = {"field": "a[]", "allowed": ["x"]}
    assert len(told(rule, {"a": ["y"] * 1000})) == 20


def test_many_words_in_a_long_text_take_no_long_time():
    words = [f"word{number} and more of it" for number in range(500)]
    rule = {"must_not_mention": {"words": words}}
    started = time.perf_counter()
    assert told(rule, {"a": "word0 and more of " * 20_000}) == []
    assert len(told(rule, {"a": "x " * 100_000 + words[-1]})) == 1
    assert time.perf_counter() - started < 5


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from("abc"), inner),
)


@settings(deadline=None)
@having(one=_json, other=_json)
def test_values_are_the_same_as_json_is(one: object, other: object):
    assert same(one, one)
    assert same(one, other) is same(other, one)
    assert same(one, other) is (msgspec.json.encode(one, order="deterministic")
                                == msgspec.json.encode(other, order="deterministic"))  # fmt: skip


_rules = st.sampled_from(
    [
        {"allowed": ["x", None]},
        {"range": {"at_least": 0, "below": {"input": "b"}}},
        {"length": {"at_least": 1, "at_most": 2}},
        {"dates": {"not_before": dt.date(2026, 1, 1), "not_after": {"input": "a"}}},
        {"must_cite": {"ids": "a[].b"}},
        {"must_cite": {"passage_of": "a"}},
        {"must_not_mention": {"words": ["a"], "patterns": ["x+"]}},
        {"equals_input": "a"},
    ]
)
_objects = st.dictionaries(st.sampled_from("abc"), _json)


@settings(deadline=None)
@having(
    rule=_rules,
    field=st.sampled_from(["a", "a.b", "a[]", "a[].b", "a[][]", "c"]),
    output=_objects,
    given_=_objects,
)
def test_no_output_and_no_input_make_a_rule_raise(
    rule: dict[str, Any], field: str, output: dict[str, Any], given_: dict[str, Any]
):
    found = ruling({"field": field, **rule}, output, given_)
    assert len(found.problems) <= 20
    assert all(problem.message for problem in found.problems)


@pytest.mark.parametrize("field", ["a[].b[]", "a[]"])
def test_a_list_with_nothing_in_it_has_nothing_to_judge(field: str):
    assert told({"field": field, "range": {"at_least": 1}}, {"a": []}) == []
