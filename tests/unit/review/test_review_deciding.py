"""Who may decide, who has a review in hand, and that of two who decide one is told."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from headgate.errors import ConflictError, InvalidRequestError
from headgate.review.deciding import (
    FourEyesError,
    NotYourReviewError,
    ReviewClaimedError,
    ReviewConflictError,
    ReviewDecidedError,
    claimed,
    decided,
    released,
    require_decider,
)
from headgate.review.review import Deadline
from review_people import GROUPS, NOW_US, a_review, person

LEASE_US = 60_000_000


def claim(review, who=None, *, now_us=NOW_US, version=None):
    return claimed(review, who or person(), now_us=now_us, lease_us=LEASE_US, version=version)


def test_who_decides_goes_by_the_role_or_the_named_group():
    require_decider(a_review(), person(), GROUPS)
    with pytest.raises(NotYourReviewError, match="admin, reviewer"):
        require_decider(a_review(), person(role="operator"), GROUPS)
    require_decider(a_review(kind="budget"), person(role="operator"), GROUPS)
    with pytest.raises(NotYourReviewError):
        require_decider(a_review(kind="budget"), person(), GROUPS)
    for_leads = a_review(reviewers="leads")
    with pytest.raises(NotYourReviewError, match="leads"):
        require_decider(for_leads, person(), GROUPS)
    require_decider(for_leads, person("key_lead", "developer"), GROUPS)
    require_decider(for_leads, person(role="admin"), GROUPS)
    require_decider(a_review(reviewers="reviewers"), person(), GROUPS)
    with pytest.raises(NotYourReviewError):
        require_decider(a_review(reviewers="a group that is gone"), person(), GROUPS)


def test_four_eyes_keep_whoever_asked_from_deciding_even_an_administrator():
    asked = a_review(four_eyes=True, requested_by="key_ann")
    for role in ("reviewer", "admin"):
        with pytest.raises(FourEyesError):
            require_decider(asked, person(role=role), GROUPS)
    require_decider(asked, person("key_bob"), GROUPS)
    rotated = msgspec.structs.replace(person("key_new"), rotated=("key_ann",))
    with pytest.raises(FourEyesError):
        require_decider(asked, rotated, GROUPS)


def test_a_claim_keeps_others_away_until_its_time_is_up():
    mine = claim(a_review())
    assert (mine.claimed_by, mine.version, mine.status_at(NOW_US)) == ("key_ann", 2, "claimed")
    bob = person("key_bob")
    with pytest.raises(ReviewClaimedError, match="key_ann"):
        claim(mine, bob)
    with pytest.raises(ReviewClaimedError):
        decided(mine, bob, "approve", now_us=NOW_US, version=None)
    with pytest.raises(ReviewClaimedError):
        released(mine, bob, now_us=NOW_US, version=None)
    assert claim(mine).version == 3, "who has it may have it for longer"
    assert claim(mine, bob, now_us=NOW_US + LEASE_US).claimed_by == "key_bob"
    assert released(mine, person(), now_us=NOW_US, version=2).claimed_by is None
    boss = person("key_boss", "admin")
    assert released(mine, boss, now_us=NOW_US, version=None).claimed_by is None


def test_who_saw_an_older_version_is_told_instead_of_overwriting():
    changed = released(claim(a_review()), person(), now_us=NOW_US, version=None)
    with pytest.raises(ReviewConflictError, match="version 3 by now, you saw version 1"):
        decided(changed, person(), "approve", now_us=NOW_US, version=1)
    ended = decided(changed, person(), "approve", now_us=NOW_US, version=3)
    with pytest.raises(ReviewDecidedError):
        decided(ended, person(), "reject", now_us=NOW_US, version=None)


def test_each_decision_ends_it_but_escalation_which_gives_it_to_others():
    review = claim(a_review())
    for decision, how in (("approve", "approved"), ("edit", "edited"), ("reject", "rejected")):
        ended = decided(review, person(), decision, now_us=NOW_US + 5_000_000, version=2)
        assert (ended.decision, ended.decided_by) == (how, "key_ann")
        assert ended.seconds_to_decision == 5.0
        assert ended.next_at_us is None
    with pytest.raises(InvalidRequestError, match="Name the group"):
        decided(review, person(), "escalate", now_us=NOW_US, version=2)
    given = decided(review, person(), "escalate", now_us=NOW_US, version=2, escalate_to="leads")
    assert (given.decision, given.reviewers, given.claimed_by) == (None, "leads", None)
    with pytest.raises(InvalidRequestError, match="already"):
        decided(given, person(), "escalate", now_us=NOW_US, version=None, escalate_to="leads")
    declared = msgspec.structs.replace(
        review, deadline=Deadline(within_us=1000, escalate_to="leads")
    )
    onward = decided(declared, person(), "escalate", now_us=NOW_US + 7, version=2)
    assert (onward.reviewers, onward.due_at_us) == ("leads", NOW_US + 1007)


def test_what_has_no_draft_can_be_written_or_rejected_not_approved():
    empty = a_review(has_draft=False)
    with pytest.raises(InvalidRequestError) as caught:
        decided(empty, person(), "approve", now_us=NOW_US, version=None)
    assert caught.value.code == "no_draft"
    decided(empty, person(), "edit", now_us=NOW_US, version=None)
    money = a_review(kind="budget", has_draft=False)
    boss = person(role="admin")
    decided(money, boss, "approve", now_us=NOW_US, version=None)
    with pytest.raises(InvalidRequestError):
        decided(money, boss, "edit", now_us=NOW_US, version=None)


class People(RuleBasedStateMachine):
    """Several people at one review, each with the version they saw last."""

    def __init__(self) -> None:
        super().__init__()
        self.review = a_review()
        self.now_us = NOW_US
        self.seen = dict.fromkeys(("key_a", "key_b", "key_c"), 1)
        self.decisions = 0

    @rule(who=st.sampled_from(("key_a", "key_b", "key_c")))
    def look(self, who):
        self.seen[who] = self.review.version

    @rule(seconds=st.integers(1, 100))
    def time_passes(self, seconds):
        self.now_us += seconds * 1_000_000

    @rule(
        who=st.sampled_from(("key_a", "key_b", "key_c")),
        what=st.sampled_from(("claim", "release", "approve", "edit", "reject", "escalate")),
    )
    def act(self, who, what):
        before, holder = self.review, self.review.holder_at(self.now_us)
        version = self.seen[who]
        one = person(who)
        try:
            if what == "claim":
                after = claim(before, one, now_us=self.now_us, version=version)
            elif what == "release":
                after = released(before, one, now_us=self.now_us, version=version)
            else:
                after = decided(
                    before, one, what, now_us=self.now_us, version=version, escalate_to="leads"
                )
        except (ConflictError, InvalidRequestError):
            return
        assert before.decision is None
        assert holder in (None, who)
        assert version == before.version
        assert after.version == before.version + 1
        self.decisions += after.decision is not None
        self.review = after

    @invariant()
    def decided_once_at_most(self):
        assert self.decisions <= 1
        assert (self.review.decision is None) == (self.decisions == 0)


TestPeople = People.TestCase
