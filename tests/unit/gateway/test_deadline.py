"""By when a call must be answered."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.gateway.deadline import Patience, deadline_of, patience_from


@pytest.mark.parametrize(
    ("read", "timeout", "prefer", "patience"),
    [
        (b"600", None, None, Patience(begin_s=599.75)),
        (b"600.0", b"20", None, Patience(begin_s=19.75)),
        (None, b"2", None, Patience(begin_s=1.8)),
        (None, None, b"wait=10", Patience(whole_s=9.75)),
        (b"5", None, b"respond-async, wait=10", Patience(begin_s=4.75, whole_s=9.75)),
        (None, None, b'Wait="10"', Patience(whole_s=9.75)),
        (None, None, b"waiting=10", None),
        (None, None, b"return=minimal", None),
        (b"None", b"not given", b"wait=x", None),
        (b"0", b"-1", b"wait=0", None),
        (b"nan", b"inf", None, None),
        (None, None, None, None),
    ],
)
def test_what_a_client_says_is_read(read, timeout, prefer, patience) -> None:
    assert patience_from(read, timeout, prefer) == patience


waits = st.none() | st.floats(0.01, 1000)


@given(waits, waits, st.floats(0.1, 1000), st.floats(0, 100), st.booleans())
def test_nobody_waits_longer_than_anybody_said(begin_s, whole_s, total_s, passed_s, streamed):
    asked_at_s, now_s = 50.0, 50.0 + passed_s
    found = deadline_of(
        Patience(begin_s, whole_s),
        total_s=total_s,
        asked_at_s=asked_at_s,
        now_s=now_s,
        streamed=streamed,
    )
    assert found.begin_by_s <= found.end_by_s <= now_s + total_s
    if whole_s is not None:
        assert found.end_by_s <= asked_at_s + whole_s
    if begin_s is not None:
        assert found.begin_by_s <= asked_at_s + begin_s
        if not streamed:
            assert found.end_by_s <= asked_at_s + begin_s
    assert found.of_client == (found.begin_by_s < now_s + total_s)


def test_a_stream_that_flows_may_outlast_the_wait_for_its_beginning() -> None:
    found = deadline_of(Patience(begin_s=5), total_s=600, asked_at_s=0, now_s=0, streamed=True)
    assert (found.begin_by_s, found.end_by_s) == (5, 600)
