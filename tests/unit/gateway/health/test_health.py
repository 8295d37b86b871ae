"""What a failed attempt says of its target."""

from __future__ import annotations

import pytest

from headgate.gateway.health.health import verdict_of
from headgate.gateway.retries.policy import Failure


@pytest.mark.parametrize(
    ("failure", "verdict"),
    [
        (Failure(), "bad"),
        (Failure(timed_out=True), "bad"),
        (Failure(timed_out=True, hasty=True), "unknown"),
        (Failure(ours=True), "unknown"),
        (Failure(status=500), "bad"),
        (Failure(status=529), "bad"),
        (Failure(status=408), "bad"),
        (Failure(status=400), "good"),
        (Failure(status=404), "good"),
        (Failure(status=401), "unknown"),
        (Failure(status=403), "unknown"),
        (Failure(status=429), "unknown"),
        (Failure(status=429, code="insufficient_quota"), "unknown"),
    ],
)
def test_only_what_is_the_providers_fault_counts_against_it(failure, verdict) -> None:
    assert verdict_of(failure) == verdict
