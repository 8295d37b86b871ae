"""What a provider shows of a batch or a response: its end is seen, its usage never zero unsaid."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.gateway.commitments.outcome import NOTHING, outcome_of
from headgate.ledger.commitments.commitment import Used

USAGE = {
    "input_tokens": 7,
    "input_tokens_details": {"cached_tokens": 3},
    "output_tokens": 5,
    "output_tokens_details": {"reasoning_tokens": 2},
    "total_tokens": 12,
}
USED = Used(input_tokens=7, cached_tokens=3, output_tokens=5, reasoning_tokens=2)


def shown(kind: str, status: str, **more: Any) -> dict[str, Any]:
    return {"id": "x", "object": kind, "status": status, "model": "m", **more}


@pytest.mark.parametrize("kind", ["batch", "response"])
@pytest.mark.parametrize(
    "status", ["queued", "in_progress", "validating", "finalizing", "cancelling", "", "new"]
)
def test_what_goes_on_has_no_outcome(kind, status):
    assert outcome_of(kind, shown(kind, status)) is None


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        *(("batch", status) for status in ("completed", "failed", "expired", "cancelled")),
        *(("response", status) for status in ("completed", "incomplete", "failed", "cancelled")),
    ],
)
def test_what_was_used_is_read_however_it_ended(kind, status):
    outcome = outcome_of(kind, shown(kind, status, usage=USAGE))
    assert outcome is not None
    assert (outcome.status, outcome.used, outcome.model) == (status, USED, "m")


@pytest.mark.parametrize(
    ("kind", "status"),
    [("batch", "failed"), ("batch", "expired"), ("response", "failed"), ("response", "cancelled")],
)
def test_what_came_to_nothing_used_nothing(kind, status):
    outcome = outcome_of(kind, shown(kind, status, usage=None))
    assert outcome is not None
    assert outcome.used == NOTHING


@pytest.mark.parametrize(
    ("kind", "status", "more"),
    [
        ("batch", "completed", {}),
        ("batch", "completed", {"usage": {"input_tokens": 0, "output_tokens": 0}}),
        ("batch", "expired", {"request_counts": {"total": 9, "completed": 2, "failed": 0}}),
        ("response", "completed", {}),
        ("response", "incomplete", {"usage": None}),
    ],
)
def test_work_whose_usage_nobody_tells_is_not_free(kind, status, more):
    outcome = outcome_of(kind, shown(kind, status, **more))
    assert outcome is not None
    assert outcome.used is None


def test_a_batch_that_answered_nothing_used_nothing():
    counts = {"total": 2, "completed": 0, "failed": 2}
    outcome = outcome_of("batch", shown("batch", "completed", request_counts=counts))
    assert outcome is not None
    assert outcome.used == NOTHING


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(
    kind=st.sampled_from(["batch", "response"]),
    usage=st.dictionaries(st.sampled_from(list(USAGE)), ANYTHING, max_size=5) | ANYTHING,
    counts=ANYTHING,
)
def test_whatever_a_provider_says_of_usage_is_never_negative_and_never_raises(kind, usage, counts):
    outcome = outcome_of(kind, shown(kind, "completed", usage=usage, request_counts=counts))
    assert outcome is not None
    if outcome.used is not None:
        for name in Used.__struct_fields__:
            assert (getattr(outcome.used, name) or 0) >= 0
