"""A provider that is down gets little more load than its calls."""

from __future__ import annotations

from heapq import heappop, heappush
from random import Random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from headgate.config.failures import RetryBudgetSettings
from headgate.gateway.retries.budget import RetryBudget

SETTINGS = RetryBudgetSettings(share=0.1, success_share=0.25, floor_per_s=2, window_s=5)

moments = st.lists(
    st.tuples(st.floats(0, 3), st.sampled_from(["first", "answer", "failure", "further", "hedge"])),
    min_size=1,
    max_size=300,
)


class Load:
    """Calls that come at an even rate, each tried up to three times, and what became of them."""

    def __init__(
        self, settings: RetryBudgetSettings, *, per_s: float, takes_s: float = 0.05
    ) -> None:
        self.budget = RetryBudget(settings)
        self.per_s, self.takes_s = per_s, takes_s
        self.now_s = 0.0
        self.calls = self.further = self.denied = 0
        self._jitter = Random(7)

    def run(self, seconds: float, failing_share: float) -> None:
        """Let so many of the attempts of the next `seconds` fail."""
        begun_s = self.now_s
        self.calls = self.further = self.denied = 0
        events: list[tuple[float, int, str, int]] = []
        for number in range(int(seconds * self.per_s)):
            heappush(events, (begun_s + number / self.per_s, number, "begin", 1))
        while events:
            self.now_s, number, what, attempt = heappop(events)
            if what == "end":
                if self._jitter.random() >= failing_share:
                    self.budget.answered()
                    continue
                self.budget.failed(self.now_s)
                if attempt < 3:
                    pause_s = self._jitter.random() * 0.25 * 2 ** (attempt - 1)
                    heappush(events, (self.now_s + pause_s, number, "begin", attempt + 1))
                continue
            if attempt == 1:
                self.calls += 1
                self.budget.earn(self.now_s)
            elif self.budget.spend(self.now_s):
                self.further += 1
            else:
                self.denied += 1
                continue
            heappush(events, (self.now_s + self.takes_s, number, "end", attempt))


@given(moments)
def test_hedges_never_get_more_than_the_share_and_the_floor(steps) -> None:
    budget = RetryBudget(SETTINGS)
    now_s = start_s = 1000.0
    firsts = hedges = 0
    for pause_s, kind in steps:
        now_s += pause_s
        match kind:
            case "first":
                budget.earn(now_s)
                firsts += 1
            case "answer":
                budget.answered()
            case "failure":
                budget.failed(now_s)
            case _:
                hedge = kind == "hedge"
                affords = budget.affords(now_s, hedge=hedge)
                assert budget.spend(now_s, hedge=hedge) == affords
                hedges += affords and hedge
        allowed = firsts * SETTINGS.share
        allowed += SETTINGS.floor_per_s * (SETTINGS.window_s + now_s - start_s)
        assert hedges <= allowed + 1e-6


@pytest.mark.parametrize("per_s", [5, 20, 200, 1000])
@pytest.mark.parametrize("good_s", [0, 60])
def test_a_provider_that_is_down_gets_a_tenth_more_by_default(per_s: int, good_s: int) -> None:
    load = Load(RetryBudgetSettings(), per_s=per_s)
    load.run(good_s, failing_share=0.0)
    load.run(60, failing_share=1.0)
    assert load.calls == 60 * per_s
    assert load.further <= 0.1 * load.calls + 1


@settings(deadline=None)
@example(per_s=5, good_s=0, bad_s=3, takes_s=2)
@given(
    per_s=st.floats(5, 300),
    good_s=st.floats(0, 20),
    bad_s=st.floats(0.1, 8),
    takes_s=st.floats(0.001, 2),
)
def test_nor_is_it_hit_by_more_at_first_than_it_is_trusted_with(
    per_s: float, good_s: float, bad_s: float, takes_s: float
) -> None:
    defaults = RetryBudgetSettings()
    load = Load(defaults, per_s=per_s, takes_s=takes_s)
    load.run(good_s, failing_share=0.0)
    load.run(bad_s, failing_share=1.0)
    # What is on its way when the first failures come back was let in on trust.
    unseen = per_s * (takes_s + 0.5)
    # Trust also comes back with time while it is being lost.
    trusted = defaults.floor_per_s * (defaults.window_s + bad_s)
    assert load.further <= 0.1 * load.calls + trusted + 0.1 * unseen + 1


def test_a_floor_is_for_those_who_ask_seldom() -> None:
    load = Load(RetryBudgetSettings(), per_s=0.2)
    load.run(300, failing_share=1.0)
    assert load.denied == 0


@pytest.mark.parametrize("per_s", [1, 20, 200, 1000])
@pytest.mark.parametrize("floor_per_s", [0, 2])
def test_a_provider_that_fails_now_and_then_is_asked_again_each_time(
    per_s: int, floor_per_s: int
) -> None:
    load = Load(RetryBudgetSettings(floor_per_s=floor_per_s), per_s=per_s)
    load.run(10, failing_share=0.0)
    load.run(60, failing_share=0.2)
    assert load.denied <= 0.01 * load.calls


def test_a_provider_that_comes_back_is_trusted_again() -> None:
    load = Load(RetryBudgetSettings(), per_s=50)
    load.run(60, failing_share=1.0)
    load.run(5, failing_share=0.0)
    load.run(10, failing_share=0.2)
    assert load.denied <= 0.01 * load.calls


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
    spent = 0
    for now_s in times:
        if budget.spend(now_s):
            spent += 1
            budget.failed(now_s)
    spread_s = max(times) - times[0] if times else 0
    assert spent <= 5 + max(0.0, spread_s) + 1e-6
