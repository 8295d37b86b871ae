"""Takes in what attempts show of their targets: of their health, their keys and how they may retry.

No target is asked for it; it is judged by the calls that it answers and fails.
"""

from __future__ import annotations

import logging
import time

from headgate.gateway.attempts.attempt import Failed
from headgate.gateway.attempts.way import Step
from headgate.gateway.call import Call
from headgate.gateway.health.breaker import Verdict
from headgate.gateway.health.health import verdict_of
from headgate.gateway.keys.watch import KeyWatch
from headgate.gateway.request import Request
from headgate.gateway.upstream import UpstreamReply
from headgate.telemetry.target_metrics import TargetMetrics

_log = logging.getLogger(__name__)


class TargetWatch:
    """Each attempt that was let in must be told here once: how it ended, or that it was dropped."""

    def __init__(self, metrics: TargetMetrics, keys: KeyWatch) -> None:
        self._metrics = metrics
        self._keys = keys

    def answered(self, request: Request, step: Step, reply: UpstreamReply) -> None:
        """Take in an attempt that was answered: whole, or with a stream that has begun."""
        target = step.target
        pool = target.provider.pool
        if pool is not None:
            pool.learn(step.key, target.model, reply.header, time.monotonic(), answered=True)
        now_s = time.monotonic()
        latency_s = now_s - step.began_s
        health = target.health
        health.latency(streamed=request.streamed).note(latency_s, now_s)
        timed = request.streamed or not request.endpoint.generates
        if not timed:
            health.tail.note(latency_s, now_s)
        slow = timed and health.slow_s is not None and latency_s > health.slow_s
        self._leave(step, "slow" if slow else "good", now_s)
        target.provider.retry_budget.answered()

    def failed(self, step: Step, outcome: Failed, *, given_up: bool) -> None:
        """Take in an attempt that failed.

        Where it was `given_up` because it was late, its provider's budget has counted that already.
        """
        target, failure = step.target, outcome.failure
        pool = target.provider.pool
        if pool is not None:
            if (reply := outcome.reply) is not None:
                pool.learn(step.key, target.model, reply.header, time.monotonic(), answered=False)
            reason = failure.code or outcome.error_class
            self._keys.failed(target.provider.name, pool, step.key, target.model, failure, reason)
        else:
            target.health.refused(failure, time.monotonic())
        self._leave(step, verdict_of(failure))
        if not given_up and failure.is_of_provider:
            target.provider.retry_budget.failed(time.monotonic())

    def overtaken(self, request: Request, step: Step) -> None:
        """Take in an attempt that was broken off because another was quicker."""
        now_s = time.monotonic()
        health = step.target.health
        latency = health.latency(streamed=request.streamed)
        waited_s = now_s - step.began_s
        latency.note(max(waited_s, latency.expected_s(now_s) or 0.0), now_s)
        slow = health.slow_s is not None and waited_s > health.slow_s
        self._leave(step, "slow" if slow else "unknown", now_s)

    def unjudged(self, step: Step) -> None:
        """Let go of an attempt that ended by no doing of its target's."""
        self._leave(step, "unknown")

    def broke_off(self, call: Call) -> None:
        """Note that the call's stream broke after its first events had been handed on."""
        if call.target is not None and call.provider_key is not None:
            now_s = time.monotonic()
            self._leave(
                Step(call.target, call.provider_key, "normal", now_s, "first"), "bad", now_s
            )

    def _leave(self, step: Step, verdict: Verdict, now_s: float | None = None) -> None:
        health = step.target.health
        breaker = health.breaker
        if breaker.leave(step.entry, verdict, time.monotonic() if now_s is None else now_s):
            _log.warning(
                "target %s",
                "is left alone" if breaker.state == "open" else "is asked again",
                extra={"target": health.name, "breaker": breaker.state},
            )
            self._metrics.breaker(health.name, is_open=breaker.state == "open")
