"""When a failing target is left alone, and how it is found to be well again."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from headgate.config.failures import BreakerSettings
from headgate.gateway.health.breaker import Breaker, Verdict

SETTINGS = BreakerSettings(
    window_s=10, min_calls=4, error_share=0.5, slow_s=1, slow_share=0.75, open_s=5, max_open_s=20
)


def judged(breaker: Breaker, *verdicts: Verdict, now_s: float = 0.0) -> None:
    for verdict in verdicts:
        entry = breaker.enter(now_s)
        assert entry is not None
        breaker.leave(entry, verdict, now_s)


def opened(now_s: float = 0.0) -> Breaker:
    breaker = Breaker(SETTINGS)
    judged(breaker, "bad", "bad", "bad", "bad", now_s=now_s)
    assert breaker.state == "open"
    return breaker


def test_few_attempts_conclude_nothing() -> None:
    breaker = Breaker(SETTINGS)
    judged(breaker, "bad", "bad", "bad")
    assert breaker.state == "closed"


def test_it_opens_at_the_share_of_failures() -> None:
    breaker = Breaker(SETTINGS)
    judged(breaker, "good", "good", "good", "bad", "bad")
    assert breaker.state == "closed"
    judged(breaker, "bad")
    assert breaker.state == "open"
    assert breaker.enter(4.9) is None
    assert breaker.wait_s(3.0) == 2.0


def test_it_opens_at_the_share_of_slow_answers() -> None:
    breaker = Breaker(SETTINGS)
    judged(breaker, "good", "slow", "slow")
    assert breaker.state == "closed"
    judged(breaker, "slow")
    assert breaker.state == "open"


def test_what_was_long_ago_does_not_count() -> None:
    breaker = Breaker(SETTINGS)
    judged(breaker, "bad", "bad", "bad", now_s=0.0)
    judged(breaker, "bad", "good", now_s=20.0)
    assert breaker.state == "closed"


def test_one_probe_that_goes_well_closes_it() -> None:
    breaker = opened()
    assert breaker.enter(5.0) == "probe"
    assert breaker.enter(5.0) is None
    assert breaker.leave("probe", "good", 5.1)
    assert breaker.state == "closed"
    judged(breaker, "bad", "bad", "bad", now_s=5.2)
    assert breaker.state == "closed"


def test_each_probe_that_fails_leaves_it_alone_for_twice_as_long_up_to_a_bound() -> None:
    breaker, now_s = opened(), 0.0
    for open_s in (5, 10, 20, 20):
        assert breaker.enter(now_s + open_s - 0.1) is None
        now_s += open_s
        assert breaker.enter(now_s) == "probe"
        breaker.leave("probe", "bad", now_s)


def test_a_probe_that_was_cancelled_leaves_its_place_to_the_next() -> None:
    breaker = opened()
    assert breaker.enter(5.0) == "probe"
    assert not breaker.leave("probe", "unknown", 5.5)
    assert breaker.enter(5.5) == "probe"


def test_attempts_that_were_let_in_before_it_opened_change_nothing_after() -> None:
    breaker = opened()
    assert not breaker.leave("normal", "good", 1.0)
    assert breaker.state == "open"


def test_one_that_is_turned_off_never_opens() -> None:
    breaker = Breaker(BreakerSettings(enabled=False, min_calls=1))
    for _ in range(100):
        judged(breaker, "bad")
    assert breaker.state == "closed"


@given(st.lists(st.sampled_from(["good", "unknown"]), max_size=200), st.floats(0, 1e6))
def test_a_target_that_never_fails_is_never_left_alone(verdicts, now_s) -> None:
    breaker = Breaker(SETTINGS)
    judged(breaker, *verdicts, now_s=now_s)
    assert breaker.state == "closed"


class AnyTraffic(RuleBasedStateMachine):
    """Attempts that overlap as they like, and end as they like."""

    def __init__(self) -> None:
        super().__init__()
        self.breaker = Breaker(SETTINGS)
        self.now_s = 0.0
        self.inside: list[str] = []

    @rule(seconds=st.floats(0, 12))
    def time_passes(self, seconds: float) -> None:
        self.now_s += seconds

    @rule()
    def an_attempt_begins(self) -> None:
        entry = self.breaker.enter(self.now_s)
        if entry is not None:
            self.inside.append(entry)

    @precondition(lambda self: self.inside)
    @rule(data=st.data(), verdict=st.sampled_from(["good", "slow", "bad", "unknown"]))
    def an_attempt_ends(self, data: st.DataObject, verdict: Verdict) -> None:
        which = data.draw(st.integers(0, len(self.inside) - 1))
        self.breaker.leave(self.inside.pop(which), verdict, self.now_s)

    @invariant()
    def there_are_never_two_probes(self) -> None:
        assert self.inside.count("probe") <= 1
        assert (self.breaker.state == "half_open") == ("probe" in self.inside)

    @invariant()
    def it_is_never_left_alone_for_longer_than_declared(self) -> None:
        # The end is kept as a time of the clock, where the smallest step is this large.
        step_s = math.ulp(self.now_s + SETTINGS.max_open_s)
        assert 0 <= self.breaker.wait_s(self.now_s) <= SETTINGS.max_open_s + step_s


TestAnyTraffic = AnyTraffic.TestCase
