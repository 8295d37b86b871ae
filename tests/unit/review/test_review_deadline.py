"""A review's clock: each reminder once, and one thing done when its time is up."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.config.reviews import DeadlineSettings
from headgate.review.deadline import (
    Escalate,
    Overdue,
    Remind,
    Settle,
    deadline_of,
    escalated,
    started,
    step_at,
)
from headgate.review.review import Deadline, Facts, Review
from review_people import NOW_US, a_review

HOUR_US = 3_600_000_000


def waiting(**settings: object) -> Review:
    deadline = deadline_of(DeadlineSettings(within_hours=10, **settings))  # type: ignore[arg-type]
    return started(a_review(), deadline, NOW_US)


def test_nothing_is_done_about_a_review_without_a_deadline():
    assert step_at(started(a_review(), None, NOW_US), NOW_US + 10**15) is None


def test_people_are_reminded_once_at_each_share_of_the_time():
    review = waiting(remind_at=(90, 50))
    assert step_at(review, NOW_US + 5 * HOUR_US - 1) is None
    first = step_at(review, NOW_US + 5 * HOUR_US)
    assert isinstance(first, Remind)
    assert first.percent == 50
    assert step_at(first.review, NOW_US + 6 * HOUR_US) is None
    second = step_at(first.review, NOW_US + 9 * HOUR_US)
    assert isinstance(second, Remind)
    assert (second.percent, second.review.next_at_us) == (90, review.due_at_us)
    assert first.review.version == review.version, "nobody's decision is out of date by that"


def test_after_an_outage_one_reminder_does_for_all_that_were_missed():
    step = step_at(waiting(remind_at=(10, 50, 90)), NOW_US + 6 * HOUR_US)
    assert isinstance(step, Remind)
    assert (step.percent, step.review.reminders) == (50, 2)


def test_when_the_time_is_up_what_was_declared_happens():
    late_us = NOW_US + 10 * HOUR_US
    for then in ("approve", "reject", "fall_back"):
        assert step_at(waiting(then=then), late_us) == Settle(then)
    without = msgspec.structs.replace(waiting(then="approve"), has_draft=False)
    assert step_at(without, late_us) == Settle("reject")
    overdue = step_at(waiting(then="wait"), late_us)
    assert isinstance(overdue, Overdue)
    assert step_at(overdue.review, late_us + 10**15) is None


def test_an_escalated_review_has_its_time_anew_and_then_ends_otherwise():
    review = waiting(then="escalate", escalate_to="leads", after_escalation="reject")
    late_us = NOW_US + 10 * HOUR_US
    step = step_at(review, late_us)
    assert isinstance(step, Escalate)
    given = step.review
    assert (given.reviewers, given.due_at_us) == ("leads", late_us + 10 * HOUR_US)
    assert given.version == review.version + 1
    assert isinstance(step_at(given, late_us + 5 * HOUR_US), Remind)
    assert step_at(given, late_us + 10 * HOUR_US) == Settle("reject")


@pytest.mark.parametrize("then", ["approve", "reject", "fall_back"])
def test_what_was_declared_happens_though_a_person_gave_it_to_others(then):
    given = escalated(waiting(then=then), "leads", NOW_US + HOUR_US)
    assert step_at(given, NOW_US + 11 * HOUR_US) == Settle(then)


def test_a_question_of_money_ends_with_its_window_whoever_has_it():
    ends_at_us = NOW_US + 10 * HOUR_US
    question = a_review(kind="budget", facts=Facts(rule="team", window_ends_us=ends_at_us))
    asked = started(question, Deadline(within_us=10 * HOUR_US, then="reject"), NOW_US)
    given = escalated(asked, "leads", NOW_US + 6 * HOUR_US)
    assert given.due_at_us == ends_at_us
    assert step_at(given, ends_at_us) == Settle("reject")


@given(
    st.lists(st.integers(1, 99), max_size=6, unique=True),
    st.sampled_from(("escalate", "approve", "reject", "fall_back", "wait")),
    st.sampled_from(("approve", "reject", "fall_back", "wait")),
    st.lists(st.integers(1, 5_000), min_size=1, max_size=60),
)
def test_whenever_it_is_looked_at_nothing_is_done_twice_and_it_comes_to_an_end(
    remind_at, then, after, pauses
):
    deadline = Deadline(
        within_us=10_000,
        remind_at=tuple(sorted(remind_at)),
        then=then,
        escalate_to="leads",
        after_escalation=after,
    )
    review = started(a_review(), deadline, NOW_US)
    now_us, steps, reminded = NOW_US, [], []
    for pause in (*pauses, 30_000, 30_000, 30_000):
        now_us += pause
        step = step_at(review, now_us)
        if step is None:
            continue
        steps.append(type(step).__name__)
        if isinstance(step, Remind):
            reminded.append((review.reviewers, step.percent))
        if isinstance(step, Settle):
            break
        assert step.review.next_at_us is None or step.review.next_at_us > now_us
        review = step.review
        assert step_at(review, now_us) is None
    assert len(reminded) == len(set(reminded))
    assert steps.count("Escalate") == (then == "escalate")
    last = after if then == "escalate" else then
    assert steps[-1] == ("Overdue" if last == "wait" else "Settle")
