"""A client is given up where all depends on it and it does nothing, and only then."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from headgate.intake.http.client_patience import ClientPatience, Seen

LIMIT_S = 60.0

QUIET = Seen(requests=1, in_head=False, answering=False, unsent_bytes=0, held_up=False, hold_ups=0)
READS_NOTHING = replace(QUIET, answering=True, unsent_bytes=70_000, held_up=True, hold_ups=1)
HALF_A_HEAD = replace(QUIET, in_head=True)
LEFT_THE_REST = replace(QUIET, unsent_bytes=500)
"""Its reply was written long ago, and it has not taken all of it."""


def looks(seen: Seen, *at_s: float) -> list[bool]:
    patience = ClientPatience(LIMIT_S)
    return [patience.is_over(seen, now_s) for now_s in at_s]


@given(st.sampled_from([READS_NOTHING, HALF_A_HEAD, LEFT_THE_REST]))
def test_who_does_nothing_is_given_up_after_the_limit_and_not_before(seen: Seen):
    assert looks(seen, 0, 30, 59.9, 60) == [False, False, False, True]


@given(
    st.sampled_from(
        [
            QUIET,
            replace(QUIET, answering=True),
            replace(QUIET, in_head=True, answering=True),
            replace(QUIET, answering=True, unsent_bytes=500),
        ]
    )
)
def test_who_waits_for_the_server_is_not_given_up(seen: Seen):
    assert not any(looks(seen, 0, 60, 6000))


@given(st.lists(st.integers(min_value=1, max_value=10**9), min_size=2, max_size=30))
def test_who_reads_however_slowly_is_not_given_up(taken: list[int]):
    patience, unsent = ClientPatience(LIMIT_S), 10**12
    for look, some in enumerate(taken):
        unsent -= some
        assert not patience.is_over(replace(READS_NOTHING, unsent_bytes=unsent), look * LIMIT_S)


def test_as_much_unsent_as_before_is_no_standstill_where_it_was_less_in_between():
    patience = ClientPatience(LIMIT_S)
    assert not patience.is_over(READS_NOTHING, 0)
    assert not patience.is_over(replace(READS_NOTHING, hold_ups=2), LIMIT_S)
