"""What an alert says. It holds no contents of calls and no secrets; it may go anywhere."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal, Protocol

import msgspec

from headgate.ledger.money import shown_usd


class Alert(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="budget.threshold"):
    """A budget whose use has come to a threshold."""

    id: str
    """The same on all channels, and for each try to deliver it."""
    at: int
    """Seconds since 1970 UTC."""
    threshold: int
    """Percent. 100 is also told where the rest of a budget holds no further call."""
    budget: str
    """The rule's name, such as `usd/month per project`."""
    subject: str
    """Whose: `project=support`."""
    window: str
    window_began: int | None
    """Seconds since 1970 UTC; None where the budget is for ever."""
    limit_nanousd: int
    spent_nanousd: int

    @property
    def title(self) -> str:
        """The alert in a few words."""
        return f"{self.threshold} % of the budget {self.budget} ({self.subject}) are spent"

    @property
    def text(self) -> str:
        """The alert in a sentence, for people."""
        began = ""
        if self.window_began is not None:
            day = datetime.fromtimestamp(self.window_began, UTC)
            began = f" since {day.isoformat(timespec='minutes')}"
        return (
            f"Headgate: {self.subject} has come to {self.threshold} % of the budget"
            f" `{self.budget}`: {shown_usd(self.spent_nanousd)} of {shown_usd(self.limit_nanousd)}"
            f" are spent{began}."
        )


class KeyAlert(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="provider_key.out"):
    """A key of a provider's pool that was refused, and is not used until a probe succeeds."""

    id: str
    """As an `Alert`'s."""
    at: int
    """Seconds since 1970 UTC."""
    provider: str
    provider_key: str
    """Its name."""
    status: int | None
    reason: str
    """The provider's error code."""
    keys_left: int
    """How many keys of the pool are still in, as the process that tells it sees them."""

    @property
    def title(self) -> str:
        """The alert in a few words."""
        return f"the key {self.provider_key} of the provider {self.provider} was refused"

    @property
    def text(self) -> str:
        """The alert in a sentence, for people."""
        left = "no other is left" if not self.keys_left else f"{self.keys_left} are left"
        return (
            f"Headgate: the provider `{self.provider}` refused the key `{self.provider_key}`"
            f" ({self.reason}); {left}. It is used again when the provider takes it again."
        )


ReviewHappening = Literal["opened", "waits", "escalated", "overdue"]
"""`opened`: a person is asked. `waits`: a reminder. `escalated`: it went to another group, by a
person or because its time was up. `overdue`: its time is up, and it goes on waiting."""


class ReviewAlert(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="review"):
    """Something waits for a person."""

    id: str
    """As an `Alert`'s."""
    at: int
    """Seconds since 1970 UTC."""
    happened: ReviewHappening
    review: str
    """Its id."""
    kind: str
    about: str
    """A workflow's, a budget's or a guard's name."""
    reviewers: str | None
    """The group that decides, where one is named."""
    opened_at: int
    due_at: int | None
    percent: int | None
    """How much of its time has passed, where it is a reminder."""

    @property
    def title(self) -> str:
        """The alert in a few words."""
        what = {
            "opened": "a person is asked",
            "waits": "a review waits",
            "escalated": "a review was escalated",
            "overdue": "a review is overdue",
        }
        return f"{what[self.happened]}: {self.about}"

    @property
    def text(self) -> str:
        """The alert in a sentence, for people."""
        whom = f" for {self.reviewers}" if self.reviewers else ""
        due = ""
        if self.due_at is not None:
            at = datetime.fromtimestamp(self.due_at, UTC).isoformat(timespec="minutes")
            due = f", due {at}"
        passed = f" ({self.percent} % of its time have passed)" if self.percent else ""
        return (
            f"Headgate: {self.title}{whom}{due}{passed}. `headgate reviews show {self.review}`"
            " tells what is asked."
        )


AnyAlert = Alert | KeyAlert | ReviewAlert


class Channel(Protocol):
    """A way to tell somebody. Modules beside this one hold one kind each."""

    @property
    def name(self) -> str:
        """Tells it from the others, in the database too: `webhook:NAME`."""

    def deliver(self, alert: AnyAlert) -> None:
        """Tell `alert`; blocks. Raises `DeliveryError` where it did not arrive."""


class DeliveryError(Exception):
    """An alert did not arrive; the text says why and quotes no address and no secret."""
