"""The policy behind the timeouts, driven with a clock of our own."""

from hypothesis import given
from hypothesis import strategies as st

from headgate.gateway.upstream.timeouts import Deadlines, Timeouts

seconds = st.floats(0.01, 1000)
limits = st.builds(
    Timeouts, connect_s=seconds, first_byte_s=seconds, idle_s=seconds, total_s=seconds
)


@given(limits, seconds, seconds)
def test_before_the_head_the_earlier_of_first_byte_and_total_decides(timeouts, began_s, later_s):
    deadlines = Deadlines(timeouts, began_s, began_s)
    verdict = deadlines.overdue(began_s + later_s, 0)
    if began_s + later_s >= began_s + timeouts.total_s:
        assert verdict == "total_timeout"
    elif began_s + later_s >= began_s + timeouts.first_byte_s:
        assert verdict == "first_byte_timeout"
    else:
        assert verdict is None


@given(limits, st.lists(seconds, min_size=1, max_size=20), st.booleans())
def test_a_body_is_idle_only_while_somebody_waits(timeouts, gaps_s, waiting):
    deadlines = Deadlines(timeouts, 0.0, 0.0)
    deadlines.head_done = True
    now_s = 0.0
    for gap_s in gaps_s:
        deadlines.received_at_s = now_s
        deadlines.waiting_since_s = now_s if waiting else None
        before_s, now_s = now_s, now_s + gap_s
        verdict = deadlines.overdue(now_s, 0)
        if now_s >= timeouts.total_s:
            assert verdict == "total_timeout"
        elif waiting and now_s - before_s >= timeouts.idle_s:
            assert verdict == "idle_timeout"
        else:
            assert verdict is None


@given(limits, st.lists(st.integers(0, 1000), max_size=20))
def test_an_upload_gets_more_time_only_while_it_moves(timeouts, buffer_sizes):
    deadlines = Deadlines(timeouts, 0.0, 0.0)
    deadlines.unsent_bytes = 1000
    now_s = timeouts.first_byte_s
    least = 1000
    for size_bytes in buffer_sizes:
        now_s = max(now_s, deadlines.first_byte_by_s)
        if now_s >= timeouts.total_s:
            return
        verdict = deadlines.overdue(now_s, size_bytes)
        if size_bytes < least:
            assert verdict is None
            assert deadlines.first_byte_by_s > now_s
            least = size_bytes
        else:
            assert verdict == "first_byte_timeout"


@given(limits, st.lists(st.integers(0, 10), min_size=1, max_size=50))
def test_the_total_limit_always_ends_a_call(timeouts, buffer_sizes):
    deadlines = Deadlines(timeouts, 0.0, 0.0)
    deadlines.unsent_bytes = 11
    for size_bytes in buffer_sizes:
        assert deadlines.overdue(timeouts.total_s, size_bytes) == "total_timeout"


@given(st.lists(st.floats(0.01, 100), min_size=1, max_size=20), seconds)
def test_whoever_looks_is_asked_when_he_said_and_decides(waits_s, first_s):
    told: list[float] = []
    waits = iter([*waits_s, 0.0])

    def look(now_s: float) -> float:
        told.append(now_s)
        return next(waits)

    forever = {"first_byte_s": 1e9, "total_s": 1e9}
    deadlines = Deadlines(Timeouts(**forever, look_after_s=first_s, look=look), 0.0, 0.0)
    now_s = first_s
    assert deadlines.overdue(now_s * 0.99, 0) is None
    for wait_s in waits_s:
        assert deadlines.overdue(now_s, 0) is None
        assert deadlines.overdue(now_s + wait_s * 0.99, 0) is None
        now_s += wait_s
    assert deadlines.overdue(now_s, 0) == "attempt_timeout"
    assert len(told) == len(waits_s) + 1


def test_nobody_looks_at_a_reply_that_has_begun():
    deadlines = Deadlines(Timeouts(look_after_s=1, look=lambda _: 0.0), 0.0, 0.0)
    deadlines.head_done = True
    deadlines.received_at_s = 1.9
    assert deadlines.overdue(2.0, 0) is None
