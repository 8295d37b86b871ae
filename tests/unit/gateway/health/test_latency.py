"""How quickly a target is thought to answer."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from headgate.gateway.health.latency import Latency


def test_of_a_target_that_was_never_asked_nothing_is_known() -> None:
    assert Latency().expected_s(5.0) is None


@given(st.lists(st.floats(0, 100), min_size=1, max_size=50), st.lists(st.floats(0, 50)))
def test_it_is_never_outside_of_what_was_seen(latencies, pauses) -> None:
    latency, now_s = Latency(), 0.0
    for index, seen_s in enumerate(latencies):
        now_s += pauses[index % len(pauses)] if pauses else 0.0
        latency.note(seen_s, now_s)
        assert min(latencies) - 1e-9 <= latency.expected_s(now_s) <= max(latencies) + 1e-9


def test_it_follows_a_change() -> None:
    latency = Latency()
    for number in range(100):
        latency.note(0.1 if number < 50 else 2.0, number / 10)
    assert 1.9 < latency.expected_s(10.0) <= 2.0


def test_what_was_slow_long_ago_is_forgiven() -> None:
    latency = Latency()
    latency.note(10.0, 0.0)
    assert latency.expected_s(600.0) < 0.01
