"""A provider that is down gets little more load than its calls."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from headgate.config.failures import RetryBudgetSettings
from headgate.gateway.retry_budget import RetryBudget

SETTINGS = RetryBudgetSettings(share=0.1, success_share=0.25, floor_per_s=2, window_s=5)

moments = st.lists(
    st.tuples(st.floats(0, 3), st.sampled_from(["first", "answer", "further", "hedge"])),
    min_size=1,
    max_size=300,
)


@given(moments)
def test_there_is_never_more_than_the_shares_and_the_floor(steps) -> None:
    budget = RetryBudget(SETTINGS)
    now_s = start_s = 1000.0
    firsts = answers = further = hedges = 0
    for pause_s, kind in steps:
        now_s += pause_s
        if kind == "first":
            budget.earn(now_s)
            firsts += 1
        elif kind == "answer":
            budget.answered()
            answers += 1
        else:
            hedge = kind == "hedge"
            affords = budget.affords(now_s, hedge=hedge)
            spent = budget.spend(now_s, hedge=hedge)
            assert spent == affords
            further += spent
            hedges += spent and hedge
        allowed = firsts * SETTINGS.share
        allowed += SETTINGS.floor_per_s * (SETTINGS.window_s + now_s - start_s)
        assert hedges <= allowed + 1e-6
        assert further <= allowed + answers * SETTINGS.success_share + 1e-6


def test_a_dead_provider_gets_a_tenth_more() -> None:
    budget = RetryBudget(RetryBudgetSettings(share=0.1, floor_per_s=0))
    further = 0
    for number in range(10_000):
        now_s = number / 1000
        budget.earn(now_s)
        further += sum(budget.spend(now_s) for _ in range(2))
    assert 900 <= further <= 1000


def test_a_provider_that_fails_now_and_then_is_asked_again_each_time() -> None:
    budget = RetryBudget(RetryBudgetSettings(floor_per_s=0))
    denied = 0
    for number in range(20_000):
        now_s = number / 1000
        budget.earn(now_s)
        if number % 5 == 4:
            denied += not budget.spend(now_s)
        budget.answered()
    assert denied <= 5


def test_a_quiet_server_may_retry() -> None:
    budget = RetryBudget(SETTINGS)
    budget.earn(0.0)
    assert budget.spend(0.0)
    assert budget.spend(0.0)


def test_what_was_earned_long_ago_is_gone() -> None:
    budget = RetryBudget(RetryBudgetSettings(share=1, floor_per_s=0, window_s=5))
    for _ in range(50):
        budget.earn(0.0)
    assert budget.affords(0.0)
    assert not budget.affords(60.0)


@given(st.lists(st.floats(-1e9, 1e9), max_size=50))
def test_a_clock_that_jumps_gives_nothing_away(times) -> None:
    budget = RetryBudget(RetryBudgetSettings(share=0, floor_per_s=1, window_s=5))
    spent = sum(budget.spend(now_s) for now_s in times)
    spread_s = max(times) - times[0] if times else 0
    assert spent <= 5 + max(0.0, spread_s) + 1e-6
