"""A review: one question to people, as it is kept, and what happened to it."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from headgate.config.reviews import AfterEscalation, AtDeadline

ReviewKind = Literal["output", "action", "budget", "guard"]
"""`output`: a run waits, with its draft or without. `action`: a run waits, before something is
done out there, or because nobody knows whether it was. `budget`: calls are refused until somebody
grants more. `guard`: a direct call was refused, and somebody shall say whether rightly."""

ReviewStatus = Literal["open", "claimed", "decided"]
"""`claimed`: somebody has it in hand, and keeps others from it for a while."""

Decision = Literal["approve", "edit", "reject", "escalate"]
"""What a person says; `escalate` gives it to another group and leaves it open."""

Settled = Literal["approved", "edited", "rejected", "fell_back"]
"""How a review ended; `fell_back` only by its deadline."""

ReasonCode = Literal[
    "always", "rule", "field", "guard", "flag", "fallback", "sampled", "no_answer", "budget",
    "approval", "unknown",
]  # fmt: skip
"""Why it is here. `rule`: rules.py holds it. `guard`: a guard asks for a person. `flag`: a guard
flagged something. `no_answer`: every way to an answer failed. `approval`: an action needs one.
`unknown`: nobody knows whether an action was done. The others are as in
`config.reviews.ReviewSettings`."""

EventKind = Literal[
    "opened", "claimed", "released", "escalated", "reminded", "overdue",
    "approved", "edited", "rejected", "fell_back",
]  # fmt: skip

DEADLINE = "deadline"
"""Stands in the place of a key where time decided."""

NEVER_US = 2**62


class Reason(msgspec.Struct, frozen=True):
    """Why a person is asked."""

    code: ReasonCode
    detail: str = ""
    """Which one: a field's path, a guard's name. No contents."""


class Deadline(msgspec.Struct, frozen=True, kw_only=True):
    """The clock of a review as it was declared then; later versions don't change it."""

    within_us: int
    remind_at: tuple[int, ...] = ()
    """Percentages of that time, in order."""
    then: AtDeadline = "wait"
    escalate_to: str | None = None
    after_escalation: AfterEscalation = "wait"
    escalated: bool = False
    """Whether this is its second time."""

    @property
    def at_end(self) -> AtDeadline:
        """What happens when the time that runs now is up.

        `after_escalation` is declared with `then: escalate` alone: where a person gave the review
        to others, whatever else was declared still holds.
        """
        return self.after_escalation if self.escalated and self.then == "escalate" else self.then


class Facts(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is asked, as data without contents."""

    error_code: str | None = None
    """Output: why there is no draft."""
    fallback: bool = False
    """Output: the draft is the workflow's declared fallback."""
    call_id: str | None = None
    """Guard, budget: the call that was refused; of a budget the first."""
    action_id: str | None = None
    """Action: which."""
    tool: str | None = None
    effect: str | None = None
    outcome_unknown: bool = False
    """Action: it was sent, and nobody knows whether it was done."""
    guard: str | None = None
    direction: str | None = None
    reason: str | None = None
    score: int | None = None
    rule: str | None = None
    """Budget: its name."""
    subject: str | None = None
    window: str | None = None
    window_began_us: int | None = None
    window_ends_us: int | None = None
    limit_nanousd: int | None = None
    extra_nanousd: int | None = None
    """Budget: what had been granted on top before."""
    needed_nanousd: int | None = None
    granted_nanousd: int | None = None
    """Budget: what was granted by this review."""


class Review(msgspec.Struct, frozen=True, kw_only=True):
    """One question to people. Times are in microseconds since 1970 UTC."""

    id: str
    kind: ReviewKind
    once: str
    """What it is about: of two reviews about the same the first stays, and the second is not."""
    requested_by: str
    """The key whose call or run it was."""
    created_at_us: int
    reasons: tuple[Reason, ...]
    project: str | None = None
    """None: of no project alone, so only for keys that reach all."""
    run_id: str | None = None
    workflow: str | None = None
    version_of_workflow: str | None = None
    digest: str | None = None
    facts: Facts = Facts()
    reviewers: str | None = None
    """The group that decides; None: whoever's role may."""
    four_eyes: bool = False
    has_draft: bool = False
    version: int = 1
    claimed_by: str | None = None
    claimed_until_us: int = 0
    since_us: int = 0
    due_at_us: int | None = None
    next_at_us: int | None = None
    """When somebody must look after it next: to remind, or because its time is up."""
    reminders: int = 0
    deadline: Deadline | None = None
    decision: Settled | None = None
    decided_by: str | None = None
    decided_at_us: int | None = None
    edit_distance: int | None = None
    """Words that the person took out, put in or replaced; 0 where the draft went out as it was."""
    edit_share: float | None = None
    """The same as a part of the longer of draft and output."""

    def status_at(self, now_us: int) -> ReviewStatus:
        """Where it stands at that time."""
        if self.decision is not None:
            return "decided"
        return "claimed" if self.holder_at(now_us) is not None else "open"

    def holder_at(self, now_us: int) -> str | None:
        """The key that has it in hand at that time."""
        return self.claimed_by if self.claimed_until_us > now_us else None

    @property
    def urgency_us(self) -> int:
        """What the queue goes by: the end of its time; those without come behind, oldest first."""
        return self.due_at_us if self.due_at_us is not None else NEVER_US + self.created_at_us

    @property
    def seconds_to_decision(self) -> float | None:
        """From its opening to its end."""
        if self.decided_at_us is None:
            return None
        return (self.decided_at_us - self.created_at_us) / 1e6


class Contents(msgspec.Struct, frozen=True, kw_only=True):
    """What a review holds of what people wrote and models answered."""

    draft: dict[str, Any] | None = None
    """The output as the model drafted it; of an action its arguments."""
    explained: tuple[str, ...] = ()
    """Why it is here, in words, one for each reason."""
    output_schema: dict[str, Any] | None = None
    """What an edited output must fit: the schema under which the draft was made."""
    sent: dict[str, Any] | None = None
    """Action: exactly what would be sent, as `workflows.tools.tool.Sent` has it."""


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened to a review."""

    at_us: int
    what: EventKind
    actor: str
    """A key's id, or `deadline`."""
    detail: str | None = None
    note: str | None = None
    """What the person wrote; contents."""
