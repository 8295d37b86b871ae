"""When what was begun is asked after: soon, ever less often, and in the end no more."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from headgate.ledger.commitments.patience import is_given_up, pause_s

KINDS = st.sampled_from(["batch", "response"])
JITTERS = st.floats(0, 1, exclude_max=True)


@given(kind=KINDS, looks=st.integers(0, 10_000), jitter=JITTERS)
def test_pauses_grow_up_to_a_bound(kind, looks, jitter):
    pause = pause_s(kind, looks, jitter)
    assert pause <= pause_s(kind, looks + 1, jitter)
    assert 0.5 < pause <= (75 if kind == "response" else 1125)


def test_a_response_is_asked_after_at_once_and_a_batch_within_half_a_minute():
    assert pause_s("response", 0, 0.5) <= 1.5
    assert pause_s("batch", 0, 0.5) <= 30


def test_after_a_month_nobody_asks_any_more():
    day_us = 86_400_000_000
    assert not is_given_up(0, 29 * day_us)
    assert is_given_up(0, 31 * day_us)
    assert not is_given_up(5 * day_us, 0), "a clock that was set back ends nothing"
