"""A review as HTTP shows it: what is asked, of whom, until when; its contents to those who may."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from headgate.gateway.caller import Caller
from headgate.intake.http.action_view import Seconds, SentView, State
from headgate.intake.http.run_view import Dollars
from headgate.ledger.money import header_usd
from headgate.review.deciding import DECIDES, Groups, why_not
from headgate.review.review import (
    Contents,
    EventKind,
    Facts,
    ReasonCode,
    Review,
    ReviewKind,
    ReviewStatus,
    Settled,
)
from headgate.review.shown import Shown
from headgate.workflows.tools.tool import Sent


class ReasonView(msgspec.Struct, frozen=True, kw_only=True):
    """Why a person is asked."""

    code: ReasonCode
    detail: Annotated[str, Meta(description="Which one: a field's path, a guard's name.")]
    text: Annotated[
        str | None, Meta(description="In words; null to keys that may not see contents.")
    ] = None


class ClockView(msgspec.Struct, frozen=True, kw_only=True):
    """How long it may wait."""

    due_at: Annotated[Seconds | None, Meta(description="null: it has no deadline.")]
    seconds_left: Annotated[float | None, Meta(description="Below 0: its time is up.")]
    then: Annotated[str | None, Meta(description="What happens when its time is up.")]
    reminders: Annotated[int, Meta(description="Told since its clock began.")]


class MayDecideView(msgspec.Struct, frozen=True, kw_only=True):
    """Who decides."""

    reviewers: Annotated[str | None, Meta(description="The group; null: by role.")]
    roles: Annotated[tuple[str, ...], Meta(description="Where no group is named.")]
    four_eyes: Annotated[bool, Meta(description="Whether `requested_by` may not.")]
    you: Annotated[bool, Meta(description="Whether the key that asks may.")]


class BudgetView(msgspec.Struct, frozen=True, kw_only=True):
    """The budget that somebody would have to raise."""

    rule: str | None
    subject: str | None
    window: str | None
    ends_at: Annotated[Seconds | None, Meta(description="null: never.")]
    limit_usd: Dollars | None
    granted_before_usd: Dollars | None
    needed_usd: Annotated[
        Dollars | None, Meta(description="What the call that asked may cost at worst.")
    ]
    granted_usd: Annotated[Dollars | None, Meta(description="By this review.")]


class GuardView(msgspec.Struct, frozen=True, kw_only=True):
    """The guard that held a call. `approved`: a false alarm. `rejected`: it was right."""

    call_id: str | None
    guard: str | None
    direction: str | None
    reason: str | None
    score: int | None


class ReviewActionView(msgspec.Struct, frozen=True, kw_only=True):
    """The action that waits.

    Where `outcome_unknown`, `approve` sends it again, `edit` says that it was done and what came of
    it, `reject` that it was not done and shall not be.
    """

    id: str | None
    tool: str | None
    effect: str | None
    outcome_unknown: Annotated[
        bool, Meta(description="It was sent, and nobody knows whether it was done.")
    ]
    state: Annotated[State | None, Meta(description="null in lists.")] = None
    sent: Annotated[
        SentView | None,
        Meta(
            description="Exactly what would be sent, or was; null in lists, and to keys that may"
            " not see contents."
        ),
    ] = None
    sent_now: Annotated[
        SentView | None,
        Meta(description="What would be sent by now, where its tool has changed since `sent`."),
    ] = None


class EventView(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened to it."""

    at: Seconds
    what: EventKind
    actor: Annotated[str, Meta(description="A key's id, or `deadline`.")]
    detail: str | None
    note: Annotated[str | None, Meta(description="null to keys that may not see contents.")]


class ReviewView(msgspec.Struct, frozen=True, kw_only=True):
    """A review. What people wrote and models answered is null to keys that may not see contents."""

    id: str
    object: Literal["review"] = "review"
    kind: ReviewKind
    status: ReviewStatus
    version: Annotated[int, Meta(description="Send it with a decision; another's change ends it.")]
    project: str | None
    workflow: str | None
    workflow_version: str | None
    digest: Annotated[str | None, Meta(description="Of the workflow's folder, prompt included.")]
    run_id: str | None
    requested_by: Annotated[str, Meta(description="The key whose run or call it was.")]
    reasons: tuple[ReasonView, ...]
    may_decide: MayDecideView
    created_at: Seconds
    clock: ClockView
    claimed_by: str | None
    claimed_until: Seconds | None
    has_draft: bool
    fallback: Annotated[bool, Meta(description="The draft is the workflow's fallback.")]
    error_code: Annotated[str | None, Meta(description="Why there is no draft.")]
    budget: BudgetView | None
    guard: GuardView | None
    action: ReviewActionView | None
    decision: Settled | None
    decided_by: str | None
    decided_at: Seconds | None
    edit_distance: Annotated[int | None, Meta(description="Words that the person changed.")]
    edit_share: Annotated[float | None, Meta(description="Of all words, from 0 to 1.")]


class ReviewDetails(ReviewView, frozen=True, kw_only=True):
    """A review with all that is needed to decide it."""

    input: dict[str, Any] | None
    context: Annotated[
        dict[str, Any] | None, Meta(description="What was gathered for the run, by part.")
    ]
    draft: Annotated[
        dict[str, Any] | None,
        Meta(description="As the model wrote it; of an action its arguments."),
    ]
    output: Annotated[
        dict[str, Any] | None,
        Meta(
            description="What went out: the run's output; of an action what was sent, or what a"
            " person said came of it."
        ),
    ]
    output_schema: Annotated[dict[str, Any] | None, Meta(description="What an edit must fit.")]
    events: tuple[EventView, ...]


def review_view(
    review: Review, person: Caller, groups: Groups, *, now_us: int, contents: Contents | None = None
) -> ReviewView:
    """`review` as `person` sees it."""
    return ReviewView(**_fields(review, person, groups, now_us, contents))


def review_details(
    shown: Shown, person: Caller, groups: Groups, *, now_us: int, contents: bool
) -> ReviewDetails:
    """The same with its story and, where `contents` may be seen, its words."""
    words = shown.contents if contents else None
    run = shown.run if contents else None
    fields = _fields(shown.review, person, groups, now_us, words)
    if shown.review.kind == "action":
        fields["action"] = _action_whole(shown, contents=contents)
    return ReviewDetails(
        **fields,
        input=None if run is None else run.input,
        context=None if run is None else run.context,
        draft=None if words is None else words.draft,
        output=shown.went_out if contents else None,
        output_schema=None if words is None else words.output_schema,
        events=tuple(
            EventView(
                at=event.at_us / 1e6,
                what=event.what,
                actor=event.actor,
                detail=event.detail,
                note=event.note if contents else None,
            )
            for event in shown.events
        ),
    )


def _fields(
    review: Review, person: Caller, groups: Groups, now_us: int, contents: Contents | None
) -> dict[str, Any]:
    texts = () if contents is None else contents.explained
    holder = review.holder_at(now_us)
    return {
        "id": review.id,
        "kind": review.kind,
        "status": review.status_at(now_us),
        "version": review.version,
        "project": review.project,
        "workflow": review.workflow,
        "workflow_version": review.version_of_workflow,
        "digest": review.digest,
        "run_id": review.run_id,
        "requested_by": review.requested_by,
        "reasons": tuple(
            ReasonView(code=one.code, detail=one.detail, text=texts[n] if n < len(texts) else None)
            for n, one in enumerate(review.reasons)
        ),
        "may_decide": MayDecideView(
            reviewers=review.reviewers,
            roles=() if review.reviewers else tuple(sorted(DECIDES[review.kind])),
            four_eyes=review.four_eyes,
            you=why_not(review, person, groups) is None,
        ),
        "created_at": review.created_at_us / 1e6,
        "clock": _clock(review, now_us),
        "claimed_by": holder,
        "claimed_until": review.claimed_until_us / 1e6 if holder is not None else None,
        "has_draft": review.has_draft,
        "fallback": review.facts.fallback,
        "error_code": review.facts.error_code,
        "budget": _budget(review.facts) if review.kind == "budget" else None,
        "guard": _guard(review.facts) if review.kind == "guard" else None,
        "action": _action(review.facts) if review.kind == "action" else None,
        "decision": review.decision,
        "decided_by": review.decided_by,
        "decided_at": None if review.decided_at_us is None else review.decided_at_us / 1e6,
        "edit_distance": review.edit_distance,
        "edit_share": review.edit_share,
    }


def _clock(review: Review, now_us: int) -> ClockView:
    deadline, due_at_us = review.deadline, review.due_at_us
    waits = due_at_us is not None and review.decision is None
    return ClockView(
        due_at=None if due_at_us is None else due_at_us / 1e6,
        seconds_left=(due_at_us - now_us) / 1e6 if waits and due_at_us is not None else None,
        then=None if deadline is None else deadline.at_end,
        reminders=review.reminders,
    )


def _budget(facts: Facts) -> BudgetView:
    return BudgetView(
        rule=facts.rule,
        subject=facts.subject,
        window=facts.window,
        ends_at=None if facts.window_ends_us is None else facts.window_ends_us / 1e6,
        limit_usd=_usd(facts.limit_nanousd),
        granted_before_usd=_usd(facts.extra_nanousd),
        needed_usd=_usd(facts.needed_nanousd),
        granted_usd=_usd(facts.granted_nanousd),
    )


def _guard(facts: Facts) -> GuardView:
    return GuardView(
        call_id=facts.call_id,
        guard=facts.guard,
        direction=facts.direction,
        reason=facts.reason,
        score=facts.score,
    )


def _action(facts: Facts) -> ReviewActionView:
    return ReviewActionView(
        id=facts.action_id,
        tool=facts.tool,
        effect=facts.effect,
        outcome_unknown=facts.outcome_unknown,
    )


def _action_whole(shown: Shown, *, contents: bool) -> ReviewActionView:
    view = _action(shown.review.facts)
    state = None if shown.action is None else shown.action.state
    if not contents:
        return msgspec.structs.replace(view, state=state)
    kept = shown.contents.sent
    return msgspec.structs.replace(
        view,
        state=state,
        sent=None if kept is None else msgspec.convert(kept, SentView),
        sent_now=sent_view(shown.sent_now),
    )


def sent_view(sent: Sent | None) -> SentView | None:
    """What would be sent, for HTTP."""
    return None if sent is None else SentView(summary=sent.summary, details=sent.details)


def _usd(nanousd: int | None) -> str | None:
    return None if nanousd is None else header_usd(nanousd)
