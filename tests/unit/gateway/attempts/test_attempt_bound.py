"""How long an attempt is waited for: never less than a good answer may take, and never in vain."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from headgate.gateway.attempts.bound import LEAST_S, SHARE, SLOW_TOKENS_PER_S, TIMES_USUAL, bound_s

seconds = st.floats(0.001, 1000)
tokens = st.none() | st.integers(0, 200_000)


@given(seconds, tokens, st.none() | seconds, seconds)
def test_what_is_declared_holds_where_there_is_time_for_another(
    declared_s: float, most: int | None, usual_s: float | None, left_s: float
) -> None:
    bound = bound_s(declared_s=declared_s, usual_s=usual_s, most_output_tokens=most, left_s=left_s)
    assert bound == (declared_s if declared_s < left_s else None)


@given(tokens, seconds)
def test_where_nothing_was_measured_nothing_is_given_up(most: int | None, left_s: float) -> None:
    assert bound_s(declared_s=None, usual_s=None, most_output_tokens=most, left_s=left_s) is None


@given(tokens, seconds, seconds)
def test_no_answer_is_given_up_that_could_still_be_good(
    most: int | None, usual_s: float, left_s: float
) -> None:
    bound = bound_s(declared_s=None, usual_s=usual_s, most_output_tokens=most, left_s=left_s)
    if bound is None:
        return
    assert bound >= LEAST_S
    assert bound >= TIMES_USUAL * usual_s
    if most is None:
        assert bound >= SHARE * left_s
    else:
        assert bound >= most / SLOW_TOKENS_PER_S
    assert left_s - bound > usual_s, "the next attempt would have no time"


@given(st.integers(0, 100_000), st.integers(0, 100_000), seconds, seconds)
def test_whoever_may_write_more_is_waited_for_as_long_or_longer(
    few: int, many: int, usual_s: float, left_s: float
) -> None:
    few, many = sorted((few, many))
    short, long = (
        bound_s(declared_s=None, usual_s=usual_s, most_output_tokens=most, left_s=left_s) or left_s
        for most in (few, many)
    )
    assert short <= long


def test_a_short_answer_that_hangs_is_given_up_long_before_its_call() -> None:
    asked = {"declared_s": None, "usual_s": 1.5, "left_s": 600.0}
    assert bound_s(**asked, most_output_tokens=100) == 20.0
    assert bound_s(**asked, most_output_tokens=None) == 300.0
    assert bound_s(**asked, most_output_tokens=16_000) is None, "it may write for half an hour"
