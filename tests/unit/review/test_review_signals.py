"""What decisions tell: rates of what people decided, and of nothing else."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from headgate.review.signals import Decided, signals_of

DECISIONS = st.lists(
    st.builds(
        Decided,
        of=st.sampled_from((("a", "1.0.0"), ("a", "2.0.0"), ("b", "1.0.0"))),
        decision=st.sampled_from(("approved", "edited", "rejected", "fell_back")),
        by_person=st.booleans(),
        seconds=st.floats(0, 1e6),
        edit_distance=st.none() | st.integers(0, 100),
        edit_share=st.none() | st.floats(0, 1),
    ),
    max_size=30,
)


@given(DECISIONS)
def test_rates_are_of_what_people_decided(decisions):
    found = signals_of(decisions)
    assert sum(one.decisions + one.by_deadline for one in found) == len(decisions)
    assert [one.of for one in found] == sorted({one.of for one in decisions})
    for one in found:
        rates = (one.acceptance_rate, one.edit_rate, one.override_rate)
        assert all((rate is None) == (one.decisions == 0) for rate in rates)
        assert all(rate is None or 0 <= rate <= 1 for rate in rates)
        assert one.rejected <= one.overridden <= one.rejected + one.edited


def test_time_that_decides_is_nobodys_judgement():
    of = ("a", "1.0.0")
    late = Decided(of=of, decision="approved", by_person=False, seconds=9e5)
    mine = Decided(
        of=of, decision="edited", by_person=True, seconds=60, edit_distance=1, edit_share=0.1
    )
    (signals,) = signals_of([late, mine])
    assert (signals.decisions, signals.by_deadline, signals.acceptance_rate) == (1, 1, 0.0)
    assert signals.median_seconds_to_decision == 60
    assert signals.overridden == 0
