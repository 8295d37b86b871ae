"""Faults are read as they are documented, and strike when they are due."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.simulator.faults.fault import (
    AnswerFault,
    BreakFault,
    DelayFault,
    ErrorFault,
    When,
)
from headgate.simulator.faults.grammar import FaultSyntaxError, parse_faults
from headgate.simulator.faults.schedule import FaultSchedule


def test_nothing_plans_nothing():
    assert parse_faults("") == parse_faults(" none ") == ()


def test_a_list_is_read_in_order():
    planned = parse_faults(
        "429;retry-after=2;retry-after-ms=1500 first=2, slow-first-byte;s=0.5 every=3,"
        " cut;after=4 rate=0.25, refusal once, stall;after=2;s=7"
    )
    assert [one.when for one in planned] == [
        When("first", 2),
        When("every", 3),
        When("rate", 0.25),
        When("once", 1),
        When("always", 1),
    ]
    limited, late, cut, refused, stalled = (one.fault for one in planned)
    assert isinstance(limited, ErrorFault)
    assert (limited.status, limited.code) == (429, "rate_limit_exceeded")
    assert limited.headers == (("retry-after", "2"), ("retry-after-ms", "1500"))
    assert late == DelayFault(0.5)
    assert cut == BreakFault("cut", 4, 0)
    assert refused == AnswerFault("refusal")
    assert stalled == BreakFault("stall", 2, 7)


@pytest.mark.parametrize(
    ("written", "complaint"),
    [
        ("explode", "no such fault"),
        ("200", "no such fault"),
        ("429;after=1", "unknown key 'after'"),
        ("cut;after=x", "after must be a number"),
        ("cut;after=1.5", "after must be a whole number"),
        ("stall;s=99999", "s must be 0 to 3600"),
        ("429 sometimes", "'sometimes' should be"),
        ("429 first=0", "should be"),
        ("429 every", "should be"),
        ("429 rate=2", "should be"),
        ("429 first second", "write NAME;key=value WHEN"),
        ("429;retry-after", "should be key=value"),
        ("429,,500", "write NAME"),
        (",".join(["429"] * 21), "over 20 faults"),
    ],
)
def test_a_mistake_is_named(written: str, complaint: str):
    with pytest.raises(FaultSyntaxError) as error:
        parse_faults(written)
    assert complaint in str(error.value)


@given(st.text(max_size=40))
def test_no_text_makes_the_reader_fail_otherwise(text: str):
    try:
        parse_faults(text)
    except FaultSyntaxError:
        return


def struck(written: str, bodies: list[bytes]) -> list[bool]:
    schedule = FaultSchedule()
    planned = parse_faults(written)
    return [schedule.next_fault(planned, body) is not None for body in bodies]


def test_first_counts_each_body_by_itself():
    bodies = [b"a", b"b", b"a", b"b", b"a"]
    assert struck("500 first", bodies) == [True, True, False, False, False]
    assert struck("500 first=2", bodies) == [True, True, True, True, False]


def test_once_counts_all_requests():
    assert struck("500 once=2", [b"a", b"b", b"c", b"a"]) == [True, True, False, False]


def test_every_strikes_each_nth_request():
    assert struck("500 every=3", [b"x"] * 7) == [False, False, True, False, False, True, False]


@given(st.floats(0, 1))
def test_a_rate_strikes_its_share_and_always_the_same_requests(rate: float):
    written = f"500 rate={rate:.3f}"
    bodies = [b"x"] * 400
    first = struck(written, bodies)
    assert first == struck(written, bodies)
    assert abs(sum(first) / 400 - rate) < 0.12


def test_the_first_fault_that_is_due_strikes():
    schedule = FaultSchedule()
    planned = parse_faults("503 once, 429 once=2")
    found = [schedule.next_fault(planned, b"x") for _ in range(3)]
    statuses = [fault.status if isinstance(fault, ErrorFault) else None for fault in found]
    assert statuses == [503, 429, None]
