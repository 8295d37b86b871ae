"""What the console needs of reviews: the one interface that connects its pages to their service.

The pages know nothing else of it. Whoever composes the application hands in an adapter.
"""

from __future__ import annotations

from typing import Any, Protocol

import msgspec

from headgate.checks.problem import Problem
from headgate.review.console.access import Principal
from headgate.review.review import Decision as DecisionKind
from headgate.review.review import ReviewKind, ReviewStatus
from headgate.workflows.tools.action import Action
from headgate.workflows.tools.tool import Sent


class ReviewLine(msgspec.Struct, frozen=True, kw_only=True):
    """A review in the queue. Times are microseconds since 1970 UTC."""

    id: str
    title: str
    """What it is about: a workflow's name, or a question such as one of a budget."""
    kind: ReviewKind = "output"
    tool: str | None = None
    """Action: whose call it is."""
    workflow: str | None = None
    status: ReviewStatus
    reasons: tuple[str, ...]
    """Why it is here, each a short sentence."""
    group: str
    """Who is to decide: a role or a named group."""
    run_id: str | None = None
    project: str | None = None
    version: str | None = None
    """Of the workflow."""
    created_at_us: int
    due_at_us: int | None
    """When its SLA ends; None: never."""
    claimed_by: str | None = None
    """Who works on it, as a name that people know or an id."""
    mine: bool = False
    """Whether that is who asks."""
    can_decide: bool = True
    """Whether it is for who asks to decide."""
    decided_by: str | None = None
    decision: str | None = None
    """How it ended, in a word."""


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of evidence beside the draft."""

    title: str
    """Where it comes from, such as a document's name or a field."""
    trust: str
    """`operator`, `user`, `untrusted`, `retrieved` or `tool`."""
    text: str = ""
    value: Any = None
    """In the place of `text`: fields, or a list of records."""


class Review(ReviewLine, frozen=True, kw_only=True):
    """A review as the one who decides sees it."""

    revision: int
    """Rises with every change; a decision names the one it was made on."""
    draft: dict[str, Any] | None
    """What would go out; None where there is none."""
    unwritten: bool = False
    """Whether who decides may write the output, because no model's is there. Else one without a
    draft is a question, which is approved or not."""
    input: dict[str, Any] | None
    """None where there is no run, or its input is erased."""
    prompt_version: str = ""
    sources: tuple[Source, ...] = ()
    problems: tuple[Problem, ...] = ()
    """What the checks said of the draft."""
    output: dict[str, Any] | None = None
    """What was decided to go out, of an action what was sent; None while it is open."""
    sent: Sent | None = None
    """Action: exactly what would be sent, or was."""
    sent_now: Sent | None = None
    """Action: what would be sent by now, where that has changed since it was asked."""
    unknown: bool = False
    """Action: it was sent, and nobody knows whether it was done."""
    over: bool = False
    """Action: its run has ended, so nothing is sent any more."""
    action: Action | None = None
    note: str | None = None
    why_not: str | None = None
    """Why it is not for who asks to decide, such as four eyes."""

    @property
    def edited_from(self) -> dict[str, Any]:
        """What an edit begins with: the draft; nothing where one says what came of an action."""
        return {} if self.unknown else self.draft or {}

    @property
    def writable(self) -> bool:
        """Whether who decides may write what goes out, in place of the draft."""
        return self.unknown or self.unwritten or self.draft is not None


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What someone decides."""

    kind: DecisionKind
    revision: int
    output: dict[str, Any] | None = None
    """The edited output; only with `edit`."""
    note: str | None = None
    usd: str | None = None
    """With `approve` of more money: how much; None: as much as the budget holds."""


class Reviews(Protocol):
    """The reviews' service.

    Every method reaches only what `who` reaches and raises `HeadgateError`s: `NotFoundError`,
    `PermissionDeniedError`, `ConflictError` where another was faster or the revision has moved on,
    `InvalidRequestError` for an edit that does not pass.
    """

    async def queue(
        self, who: Principal, *, status: ReviewStatus | None, limit: int, after: str | None
    ) -> list[ReviewLine]:
        """The most urgent first, by when they are due; `None` is what waits, open or claimed.

        `after` is the id of the last of the page before.
        """

    async def waiting(self, who: Principal) -> int:
        """How many wait for a decision."""

    async def get(self, who: Principal, review_id: str) -> Review:
        """One review, whole."""

    async def claim(self, who: Principal, review_id: str, revision: int) -> Review:
        """Take it; for each it is one person's at a time."""

    async def release(self, who: Principal, review_id: str, revision: int) -> Review:
        """Give it back."""

    async def problems(
        self, who: Principal, review_id: str, output: dict[str, Any]
    ) -> tuple[Problem, ...]:
        """What keeps an edited output from passing: the workflow's schema and rules."""

    async def actions_waiting(self, who: Principal) -> int:
        """How many of those that wait are about actions."""

    async def preview(self, who: Principal, review_id: str, output: dict[str, Any]) -> Sent | None:
        """Exactly what an action would send with these arguments, where they fit; else None."""

    async def decide(self, who: Principal, review_id: str, decision: Decision) -> Review:
        """Decide; what happens to the run then is the service's."""
