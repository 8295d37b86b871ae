"""Whether a person must look: the same for the same run, and never less for more to look at."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.config.reviews import FieldReview, ReviewSettings
from headgate.review.policy import Result, drawn, reasons_for_review

OUTPUT = {
    "severity": "urgent",
    "confidence": 0.4,
    "refund": {"usd": 120},
    "risks": [{"level": "low"}, {"level": "high"}],
    "sure": True,
    "price": "5000",
    "nothing": None,
    "grid": [[{"level": "low"}], [{"level": "high"}]],
}


def codes(settings: ReviewSettings | None, **result: object) -> list[tuple[str, str]]:
    fields = {"run_id": "run_1", "output": OUTPUT, **result}
    found = reasons_for_review(settings, Result(**fields))  # type: ignore[arg-type]
    assert all(one.text for one in found)
    return [(one.reason.code, one.reason.detail) for one in found]


def field(path: str, **condition: object) -> ReviewSettings:
    return ReviewSettings(fields=(FieldReview(field=path, **condition),))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("settings", "held"),
    [
        (field("severity", one_of=("urgent", "high")), True),
        (field("severity", one_of=("low",)), False),
        (field("confidence", below=0.5), True),
        (field("confidence", below=0.4), False),
        (field("missing", below=0.4), True),
        (field("severity", below=0.4), True),
        (field("refund.usd", above=100), True),
        (field("refund.usd", above=120), False),
        (field("missing", above=1), False),
        (field("risks[].level", one_of=("high",)), True),
        (field("risks[].level", one_of=("none",)), False),
        (field("sure", one_of=(1,)), False),
        (field("sure", above=0), True),
        (field("price", above=100), True),
        (field("nothing", above=0), False),
        (field("grid[][].level", one_of=("high",)), True),
        (field("grid[].level", one_of=("high",)), False),
        (field("severity.deeper", one_of=("urgent",)), False),
    ],
)
def test_a_fields_value_asks_for_a_person(settings, held):
    assert bool(codes(settings)) is held


def test_what_rules_and_guards_hold_waits_though_nothing_is_declared():
    assert codes(None) == []
    assert codes(None, held=("too dear",)) == [("rule", "rules")]
    assert codes(None, guards=("words",), output=None) == [("guard", "words")]
    assert codes(None, unanswered="no", output=None) == [("no_answer", "")]


def test_a_flag_and_a_fallback_ask_only_where_that_is_declared():
    result = {"flagged": ("moderation",), "fallback": True}
    assert codes(ReviewSettings(), **result) == []
    asked = codes(ReviewSettings(on_flag=True, on_fallback=True), **result)
    assert asked == [("flag", "moderation"), ("fallback", "")]


def test_without_an_output_only_what_holds_it_counts():
    assert codes(ReviewSettings(always=True, sample=1.0), output=None) == []


@given(st.text(min_size=1), st.floats(0, 1), st.floats(0, 1))
def test_a_larger_share_holds_all_of_a_smaller_one_and_always_the_same(run_id, one, other):
    less, more = sorted((one, other))
    assert drawn(run_id, less) == drawn(run_id, less)
    assert drawn(run_id, more) or not drawn(run_id, less)
    assert drawn(run_id, 1.0)
    assert not drawn(run_id, 0.0)


def test_the_share_that_is_drawn_is_about_the_share_that_was_asked_for():
    count = sum(drawn(f"run_{number}", 0.1) for number in range(10_000))
    assert 900 < count < 1_100


@given(
    st.builds(
        ReviewSettings,
        always=st.booleans(),
        on_fallback=st.booleans(),
        on_flag=st.booleans(),
        sample=st.floats(0, 1),
    ),
    st.booleans(),
    st.lists(st.text(min_size=1), max_size=3).map(tuple),
)
def test_declaring_more_never_lets_more_by(settings, fallback, held):
    result = {"fallback": fallback, "held": held, "flagged": ("g",)}
    strictest = msgspec.structs.replace(settings, always=True)
    assert codes(strictest, **result)
    if codes(settings, **result):
        wider = msgspec.structs.replace(settings, on_fallback=True, on_flag=True, sample=1.0)
        assert codes(wider, **result)
