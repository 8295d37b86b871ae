"""Who may decide a review, who has it in hand, and what a decision makes of it.

Pure: a review, a person and a time go in; the review as it is to be stored comes out, or an error
that says who is in the way. Each change makes a new version, so of two that begin with the same
version one wins and the other is told.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from headgate.config.reviews import ReviewerGroupSettings
from headgate.errors import ConflictError, InvalidRequestError, PermissionDeniedError
from headgate.gateway.caller import Caller, Role
from headgate.review.deadline import escalated
from headgate.review.review import Decision, Review, ReviewKind, Settled

DECIDES: dict[ReviewKind, frozenset[Role]] = {
    "output": frozenset({"admin", "reviewer"}),
    "action": frozenset({"admin", "reviewer"}),
    "budget": frozenset({"admin", "operator"}),
    "guard": frozenset({"admin", "operator", "reviewer"}),
}
"""Whose keys decide where no group is named."""

Groups = Mapping[str, ReviewerGroupSettings]


class ReviewConflictError(ConflictError):
    """Somebody changed the review since you saw it; look at it again, then decide."""

    code = "review_changed"


class ReviewClaimedError(ConflictError):
    """Somebody has this review in hand; wait until they release it or their time is up."""

    code = "review_claimed"


class ReviewDecidedError(ConflictError):
    """The review is decided already; it can't be decided again."""

    code = "review_decided"


class NotYourReviewError(PermissionDeniedError):
    """The review is for others to decide."""

    code = "review_not_yours"


class FourEyesError(PermissionDeniedError):
    """The key that made the run may not decide about it; somebody else must look (four eyes)."""

    code = "review_four_eyes"


def require_decider(review: Review, person: Caller, groups: Groups) -> None:
    """Raise where `person` may not decide `review`, whatever its state.

    An administrator may decide for every group, but not about a run of their own where four eyes
    are asked for.
    """
    if review.four_eyes and person.holds(review.requested_by):
        raise FourEyesError
    if person.role == "admin":
        return
    if review.reviewers is None:
        if person.role not in DECIDES[review.kind]:
            raise NotYourReviewError(
                f"A key of role {person.role} does not decide reviews of kind {review.kind}; keys"
                f" of the roles {', '.join(sorted(DECIDES[review.kind]))} do."
            )
        return
    if review.reviewers not in groups_of(person, groups):
        raise NotYourReviewError(
            f"This review is for the group `{review.reviewers}`, which your key is not in."
        )


def why_not(review: Review, person: Caller, groups: Groups) -> str | None:
    """Why `person` may not decide `review`, whatever its state; None: they may."""
    try:
        require_decider(review, person, groups)
    except PermissionDeniedError as error:
        return error.message
    return None


def groups_of(person: Caller, groups: Groups) -> frozenset[str]:
    """The groups that `person` is in."""
    return frozenset(
        name
        for name, group in groups.items()
        if person.key_id in group.keys or person.role in group.roles
    )


def claimed(
    review: Review, person: Caller, *, now_us: int, lease_us: int, version: int | None
) -> Review:
    """`review` in the hands of `person` for a while; who has it already has it for longer."""
    _require_open(review, person, now_us, version)
    return msgspec.structs.replace(
        review,
        claimed_by=person.key_id,
        claimed_until_us=now_us + lease_us,
        version=review.version + 1,
    )


def released(review: Review, person: Caller, *, now_us: int, version: int | None) -> Review:
    """`review` in nobody's hands; only whoever has it, or an administrator, can let go of it."""
    if person.role == "admin":
        person = msgspec.structs.replace(person, key_id=review.claimed_by or person.key_id)
    _require_open(review, person, now_us, version)
    return msgspec.structs.replace(
        review, claimed_by=None, claimed_until_us=0, version=review.version + 1
    )


def decided(
    review: Review,
    person: Caller,
    decision: Decision,
    *,
    now_us: int,
    version: int | None,
    escalate_to: str | None = None,
) -> Review:
    """`review` as `person` decides it; an escalated one stays open, in another group's hands."""
    _require_open(review, person, now_us, version)
    if decision == "escalate":
        to = escalate_to or (review.deadline.escalate_to if review.deadline else None)
        if to is None:
            raise InvalidRequestError(
                "Name the group that it goes to, in `to`: its workflow names none.", param="to"
            )
        if to == review.reviewers:
            raise InvalidRequestError(f"It is with the group `{to}` already.", param="to")
        return escalated(review, to, now_us)
    if decision == "approve" and review.kind == "output" and not review.has_draft:
        raise InvalidRequestError(
            "There is no draft that could be approved; write the output (`edit`), or reject.",
            param="decision",
            code="no_draft",
        )
    if decision == "edit" and review.kind not in ("output", "action"):
        raise InvalidRequestError(
            f"A review of kind {review.kind} holds no output to edit; approve, reject or escalate.",
            param="decision",
        )
    how: dict[Decision, Settled] = {"approve": "approved", "edit": "edited", "reject": "rejected"}
    return settled(review, how[decision], person.key_id, now_us)


def settled(review: Review, how: Settled, by: str, now_us: int) -> Review:
    """`review`, ended."""
    return msgspec.structs.replace(
        review,
        decision=how,
        decided_by=by,
        decided_at_us=now_us,
        next_at_us=None,
        claimed_by=None,
        claimed_until_us=0,
        version=review.version + 1,
    )


def _require_open(review: Review, person: Caller, now_us: int, version: int | None) -> None:
    if review.decision is not None:
        raise ReviewDecidedError(
            f"This review is {review.decision.replace('_', ' ')} already; it can't be decided"
            " again."
        )
    holder = review.holder_at(now_us)
    if holder is not None and holder != person.key_id:
        left_s = (review.claimed_until_us - now_us) / 1e6
        raise ReviewClaimedError(
            f"The key {holder} has this review in hand for another {left_s:.0f} s; wait, or ask"
            " them to release it."
        )
    if version is not None and version != review.version:
        raise ReviewConflictError(
            f"This review is at version {review.version} by now, you saw version {version}; look"
            " at it again, then decide.",
            param="version",
        )
