"""When a failed attempt is tried again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.config.failures import RetrySettings
from headgate.gateway.retries.policy import (
    Again,
    Failure,
    GiveUp,
    LargerContext,
    Next,
    OtherKey,
    RetryPolicy,
)

SETTINGS = RetrySettings(max_attempts=3, base_delay_s=0.25, max_delay_s=8)
POLICY = RetryPolicy(SETTINGS)

failures = st.builds(
    Failure,
    status=st.none() | st.sampled_from([400, 401, 403, 404, 408, 409, 422, 429, 500, 502, 503]),
    code=st.none() | st.sampled_from(["insufficient_quota", "rate_limit_exceeded"]),
    timed_out=st.booleans(),
    retry_after_s=st.none() | st.floats(0, 100),
)


def decide(failure: Failure, **given_: object):
    asked = {"attempts": 1, "more_targets": False, "remaining_s": 60.0, "jitter": 0.5, **given_}
    return POLICY.decide(failure, **asked)


@given(failures, st.integers(1, 5), st.booleans(), st.floats(0, 20), st.floats(0, 0.999))
def test_every_decision_keeps_the_bounds(failure, attempts, more, remaining_s, jitter) -> None:
    decision = POLICY.decide(
        failure, attempts=attempts, more_targets=more, remaining_s=remaining_s, jitter=jitter
    )
    if isinstance(decision, Again):
        assert attempts < SETTINGS.max_attempts
        assert decision.delay_s < remaining_s
        assert decision.delay_s <= SETTINGS.max_delay_s
        assert decision.delay_s >= (failure.retry_after_s or 0)
        assert not failure.timed_out
    if isinstance(decision, Next):
        assert more


@pytest.mark.parametrize("status", [400, 409, 413, 422])
def test_a_request_that_is_wrong_is_never_repeated(status: int) -> None:
    assert decide(Failure(status=status), more_targets=True) == GiveUp()


def test_a_provider_that_asks_for_a_pause_gets_it() -> None:
    assert decide(Failure(status=429, retry_after_s=2.0)) == Again(2.0)


def test_a_pause_longer_than_allowed_goes_elsewhere_or_to_the_client() -> None:
    slow = Failure(status=429, retry_after_s=30.0)
    assert decide(slow) == GiveUp()
    assert decide(slow, more_targets=True) == Next()


def test_an_empty_account_is_not_asked_again() -> None:
    broke = Failure(status=429, code="insufficient_quota")
    assert decide(broke) == GiveUp()
    assert decide(broke, more_targets=True) == Next()


def test_a_refused_key_moves_to_another_target_only() -> None:
    assert decide(Failure(status=401)) == GiveUp()
    assert decide(Failure(status=401), more_targets=True) == Next()


def test_a_timeout_is_not_waited_for_twice() -> None:
    assert decide(Failure(timed_out=True)) == GiveUp()
    assert decide(Failure(timed_out=True), more_targets=True) == Next()


def test_what_could_not_finish_in_time_is_not_begun() -> None:
    busy = Failure(status=503)
    assert decide(busy, remaining_s=2.0, expected_s=1.9, jitter=0.9) == GiveUp()
    assert isinstance(decide(busy, remaining_s=2.0, expected_s=1.0, jitter=0.9), Again)


def test_a_used_up_retry_budget_ends_the_retries_of_a_target() -> None:
    assert decide(Failure(status=503), affordable=False) == GiveUp(over_budget=True)
    assert decide(Failure(status=503), affordable=False, more_targets=True) == Next(
        over_budget=True
    )
    assert decide(Failure(status=401), affordable=False) == GiveUp()


@pytest.mark.parametrize(
    "failure",
    [Failure(status=401), Failure(status=403), Failure(status=429, code="insufficient_quota")],
)
def test_a_refused_key_is_replaced_at_once_whatever_the_budget(failure: Failure) -> None:
    assert decide(failure, other_key=True, affordable=False) == OtherKey()


def test_a_rate_limit_is_taken_to_another_key_within_the_budget() -> None:
    limited = Failure(status=429, retry_after_s=30.0)
    assert decide(limited, other_key=True) == OtherKey()
    assert decide(limited, other_key=True, affordable=False) == GiveUp()


@pytest.mark.parametrize("failure", [Failure(status=500), Failure(status=400), Failure()])
def test_another_key_is_no_cure_for_anything_else(failure: Failure) -> None:
    assert not isinstance(decide(failure, other_key=True), OtherKey)


def test_a_request_that_is_too_long_goes_to_the_larger_model_only() -> None:
    long = Failure(status=400, code="context_length_exceeded")
    assert decide(long, larger_context=True) == LargerContext()
    assert decide(long, more_targets=True) == GiveUp()


def test_a_refusal_for_content_is_final() -> None:
    refused = Failure(status=400, code="content_policy_violation")
    assert decide(refused, larger_context=True, more_targets=True, other_key=True) == GiveUp()
