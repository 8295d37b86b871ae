"""Whether an attempt that is late is given up: only where another one is certain to be made.

What that takes is taken at once, before the attempt is broken off: where many hang together and
there is a second chance for few, the rest wait on.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf

import msgspec

from headgate.gateway.attempts.bound import LEAST_S, TIMES_USUAL, bound_s
from headgate.gateway.attempts.way import Step, Way
from headgate.gateway.provider import Provider
from headgate.gateway.request import Request
from headgate.gateway.retries.policy import Again, Next
from headgate.gateway.target import Target

_LOOK_AGAIN_S = 0.25
"""How soon it is looked again for something else to try."""

_SLOW_BY_DESIGN = frozenset({b'"flex"'})
"""Service tiers that sell time for money."""


class LateAttempt(msgspec.Struct):
    """One attempt at a reply that is not streamed; called while nothing of that has come."""

    request: Request
    way: Way
    step: Step
    affords: Callable[[], bool]
    """Takes of the budgets what another attempt may cost beside this one, if that is there."""
    declared_s: float | None
    usual_s: float | None
    max_attempts: int
    fork: Way | None = None
    """The way of a hedge that has been begun beside this attempt."""

    @property
    def look_after_s(self) -> float:
        """When it is looked first, in seconds from its beginning; then each time as told."""
        if self.declared_s is not None:
            return self.declared_s
        if self.usual_s is not None:
            return max(LEAST_S, TIMES_USUAL * self.usual_s)
        return inf

    def __call__(self, now_s: float) -> float:
        """How many seconds to wait on; 0: it is given up, and `Way.instead` says for what."""
        way, began_s = self.way, self.step.began_s
        longest_s = bound_s(
            declared_s=self.declared_s,
            usual_s=self.usual_s,
            most_output_tokens=_most_output_tokens(self.request),
            left_s=way.deadline.left_s(began_s),
        )
        if longest_s is None or (self.declared_s is None and _is_slow_by_design(self.request)):
            return inf
        left_s = longest_s - (now_s - began_s)
        if left_s > 0:
            return left_s
        return 0.0 if self._takes_another(now_s) else _LOOK_AGAIN_S

    def _takes_another(self, now_s: float) -> bool:
        """Find what can be tried instead, and pay for it."""
        way, here, fork = self.way, self.step.target, self.fork
        if fork is not None and fork.failed is None:
            return False  # the hedge may answer yet
        if fork is not None and fork.instead is not None:
            way.instead, way.promised = fork.instead, fork.promised
            return True
        index = way.index if fork is None else fork.index
        for target in way.targets[index + 1 :]:
            if (
                self._is_open(target, now_s)
                and self.affords()
                and self._pays(target.provider, now_s)
            ):
                way.instead, way.promised = Next(), target
                return True
        again = fork is None and way.tries < self.max_attempts and self._is_open(here, now_s)
        if again and self.affords() and self._pays(here.provider, now_s):
            way.instead, way.promised = Again(0.0), here
            return True
        return False

    def _is_open(self, target: Target, now_s: float) -> bool:
        """Whether `target` would be asked, and could answer in time."""
        health, provider = target.health, target.provider
        expected_s = health.latency(streamed=False).expected_s(now_s) or 0.0
        if health.breaker.state != "closed" or expected_s >= self.way.deadline.left_s(now_s):
            return False
        return provider.pool is None or provider.pool.has_other(())

    def _pays(self, provider: Provider, now_s: float) -> bool:
        """Count the failure, and take a further attempt of `provider` where it is one."""
        here = self.step.target.provider
        if provider is here:
            return provider.retry_budget.swap(now_s)
        if provider.name in self.way.asked and not provider.retry_budget.spend(now_s):
            return False
        here.retry_budget.failed(now_s)
        return True


def _most_output_tokens(request: Request) -> int | None:
    """What bounds the time of an answer; None where a tool may take any time, or nothing does."""
    return None if "tools" in request.fields else request.output_tokens()


def _is_slow_by_design(request: Request) -> bool:
    tier = request.fields.get("service_tier")
    return tier is not None and bytes(tier) in _SLOW_BY_DESIGN
