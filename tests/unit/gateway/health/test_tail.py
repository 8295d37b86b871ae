"""What is usual of a target's slowest answers."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from headgate.gateway.health.tail import Tail

latencies = st.lists(st.floats(0.001, 5_000), min_size=128, max_size=400)


@given(latencies)
def test_all_but_one_in_a_hundred_kept_to_it(found: list[float]) -> None:
    # It is reckoned anew after every 32.
    found = found[: len(found) // 32 * 32]
    tail = Tail()
    for latency_s in found:
        tail.note(latency_s, 10.0)
    usual_s = tail.longest_s(10.0)
    assert usual_s is not None
    assert sum(latency_s > usual_s for latency_s in found) <= 0.01 * len(found)
    kept = sorted(found)[len(found) - len(found) // 100 - 1]
    assert usual_s <= kept * 1.25


def test_one_answer_that_took_for_ever_changes_nothing() -> None:
    tail = Tail()
    for number in range(640):
        tail.note(3_000.0 if number == 300 else 1.0, 0.0)
    usual_s = tail.longest_s(0.0)
    assert usual_s is not None
    assert 1.0 <= usual_s <= 1.25


def test_a_few_answers_say_nothing() -> None:
    tail = Tail()
    for _ in range(99):
        tail.note(1.0, 0.0)
    assert tail.longest_s(0.0) is None


@given(st.floats(600, 1e9))
def test_what_is_long_ago_is_forgotten(later_s: float) -> None:
    tail = Tail()
    for _ in range(200):
        tail.note(1.0, 0.0)
    assert tail.longest_s(299.0) is not None
    assert tail.longest_s(later_s) is None


@given(st.lists(st.tuples(st.floats(-1e9, 1e9), st.floats(-10, 1e9)), max_size=300))
def test_no_clock_and_no_latency_breaks_it(steps: list[tuple[float, float]]) -> None:
    tail = Tail()
    for now_s, latency_s in steps:
        tail.note(latency_s, now_s)
        usual_s = tail.longest_s(now_s)
        assert usual_s is None or usual_s > 0
