"""How far a call has come along its targets, and the attempt that is made next. Pure: no clock."""

from __future__ import annotations

import msgspec

from headgate.gateway.attempts.attempt import Failed
from headgate.gateway.deadline import Deadline
from headgate.gateway.health.breaker import Entry
from headgate.gateway.keys.pool import ProviderKey
from headgate.gateway.retries.policy import Again, Next
from headgate.gateway.target import Target
from headgate.ledger.attempt import AttemptReason


class Step(msgspec.Struct, frozen=True):
    """The attempt that is made next."""

    target: Target
    key: ProviderKey
    entry: Entry
    began_s: float
    reason: AttemptReason


class Way(msgspec.Struct):
    """How far a call has come along its targets."""

    targets: tuple[Target, ...]
    deadline: Deadline
    larger: Target | None
    """The route's target for long requests, until it has been asked."""
    index: int = 0
    tries: int = 0
    """Attempts on the target at `index`."""
    reason: AttemptReason = "first"
    asked: tuple[str, ...] = ()
    """The providers that have been asked: asking one of them again is extra load for it."""
    paid: bool = False
    """Whether the next attempt needs no retry budget."""
    used_keys: tuple[str | None, ...] = ()
    """The keys of the present target's pool that were refused, or used up, just now."""
    tokens: int = -1
    """What the call takes of a key's room; -1 until a pool asks."""
    without_key: str | None = None
    """A provider that has no key left for this call."""
    failed: Failed | None = None
    """The last failure."""
    instead: Again | Next | None = None
    """What the present attempt is given up for, where it is late."""
    promised: Target | None = None
    """Whose next attempt that is: let in and paid for already."""
    hedge_won: bool = False
    """Whether one of two attempts has won, so that the other is broken off."""

    @property
    def more_targets(self) -> bool:
        """Whether there is another rung."""
        return self.index + 1 < len(self.targets)

    def given_up_for(self) -> Again | Next | None:
        """What the attempt that has ended was given up for; told once."""
        instead, self.instead = self.instead, None
        return instead

    def fork(self) -> Way:
        """A way for a hedge: from the next target on, each paid by its provider's budget."""
        return Way(
            self.targets,
            self.deadline,
            None,
            index=self.index + 1,
            reason="hedge",
            asked=tuple({target.provider.name for target in self.targets}),
            tokens=self.tokens,
        )

    def move_on(self) -> None:
        """Go to the next rung."""
        self.index += 1
        self.tries = 0
        self.paid = False
        self.used_keys = ()
        self.reason = "next_target"

    def ask_larger(self, larger: Target) -> None:
        """Go to the target for long requests; nothing comes after it."""
        self.targets = (*self.targets[: self.index + 1], larger)
        self.larger = None
        self.move_on()
        self.reason = "larger_context"
        # The request is at fault, not the provider: to ask it once more is no retry.
        self.paid = True
