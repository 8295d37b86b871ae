"""The attempts of a call: which target is asked next, until one answers or nothing is left.

What comes out is one answer for the client, a reply or a stream that has begun, or the failure
that remains when there is nothing left to try.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from math import inf
from random import random

from headgate.errors import CircuitOpenError, HeadgateError, InvalidRequestError
from headgate.gateway.attempts.attempt import Answer, Failed, attempt
from headgate.gateway.attempts.further import FurtherAttempts
from headgate.gateway.attempts.hedging import Racer, race
from headgate.gateway.attempts.late import LateAttempt
from headgate.gateway.attempts.next_step import next_step, other_key
from headgate.gateway.attempts.target_watch import TargetWatch
from headgate.gateway.attempts.trail import credit, note, note_dropped, told
from headgate.gateway.attempts.way import Step, Way
from headgate.gateway.call import Call
from headgate.gateway.capabilities import is_able
from headgate.gateway.deadline import Deadline, deadline_of
from headgate.gateway.keys.watch import KeyWatch
from headgate.gateway.lost import Lost
from headgate.gateway.provider_failures import keys_out_error
from headgate.gateway.request import Request
from headgate.gateway.retries.policy import (
    Again,
    GiveUp,
    LargerContext,
    Next,
    OtherKey,
    RetryPolicy,
)
from headgate.gateway.routing import Routing
from headgate.gateway.target import Target
from headgate.telemetry.target_metrics import TargetMetrics
from headgate.telemetry.traces.propagation import Propagator


class Dispatcher:
    """Makes the attempts of calls."""

    def __init__(
        self,
        routing: Routing,
        policy: RetryPolicy,
        metrics: TargetMetrics,
        keys: KeyWatch | None = None,
        propagator: Propagator | None = None,
        ask: Callable[..., Awaitable[Answer | Failed]] = attempt,
        *,
        further: FurtherAttempts | None = None,
    ) -> None:
        """`propagator` is there where calls are traced; `ask` makes one attempt, as `attempt`.

        `further` is there where budgets may apply.
        """
        self._ask = ask
        self.routing = routing
        self._watch = TargetWatch(metrics, keys or KeyWatch(metrics))
        self._propagator = propagator
        self._policy = policy
        self._metrics = metrics
        self._further = further

    async def dispatch(self, call: Call, request: Request, targets: tuple[Target, ...]) -> Answer:
        """The answer to `request`. Raises what remains when every attempt has failed."""
        way = Way(targets, _deadline(call, request, targets[0]), self._larger(call, request))
        while True:
            if len(call.lost) > len(call.further) and not await self._paid(call, request, way):
                return _nothing_left(way)
            step = next_step(way, call, request, self._metrics)
            if step is None:
                return _nothing_left(way)
            after_s = _hedge_after_s(call, request, way)
            if after_s is None:
                late = self._late(call, request, way, step)
                outcome = await self._attempt(call, request, way, step, late)
            else:
                outcome, step = await self._hedged(call, request, way, step, after_s)
            if not isinstance(outcome, Failed):
                return outcome
            now_s = time.monotonic()
            target = step.target
            instead = way.given_up_for()
            decision = instead or self._policy.decide(
                outcome.failure,
                attempts=way.tries,
                more_targets=way.more_targets,
                remaining_s=way.deadline.left_s(now_s),
                jitter=random(),  # noqa: S311 - spreads retries, guards nothing
                affordable=target.provider.retry_budget.affords(now_s),
                expected_s=target.health.latency(streamed=request.streamed).expected_s(now_s) or 0,
                other_key=other_key(way, call, step, outcome.failure, now_s),
                larger_context=way.larger is not None and not way.larger.is_same(target),
            )
            if isinstance(decision, Next | GiveUp) and decision.over_budget:
                self._metrics.retry_denied(target.provider.name)
            match decision:
                case Again(delay_s):
                    await asyncio.sleep(delay_s)
                    way.reason = "retry"
                    way.used_keys = ()
                case OtherKey():
                    way.reason = "next_key"
                    if outcome.failure.is_of_key:
                        way.paid = True
                        way.tries -= 1
                case LargerContext() if way.larger is not None:
                    way.ask_larger(way.larger)
                case Next():
                    way.move_on()
                case _:
                    return _nothing_left(way)

    async def _paid(self, call: Call, request: Request, way: Way) -> bool:
        """Whether the budgets bear one more attempt beside those that may be charged already."""
        further = self._further
        return further is None or await further.reserve(call, request, way.targets)

    def _larger(self, call: Call, request: Request) -> Target | None:
        """The route's target for long requests, where the call may go there."""
        larger = None if call.route is None else call.route.larger_context
        if larger is None or call.kept_at not in (None, larger.provider.name):
            return None
        if self.routing.has_limits and not is_able(larger, request):
            return None
        return larger

    def _late(self, call: Call, request: Request, way: Way, step: Step) -> LateAttempt | None:
        """Who decides whether the attempt is given up for another; None: it is not."""
        target, policy, endpoint = step.target, self._policy, request.endpoint
        if request.streamed:
            return None
        if policy.max_attempts == 1 and not way.more_targets:
            return None
        declared_s, usual_s = target.provider.attempt_s(endpoint), None
        if declared_s is None:
            if policy.gives_up_unusual and endpoint.generates:
                usual_s = target.health.tail.longest_s(step.began_s)
            if usual_s is None:
                return None
        further = self._further

        def affords() -> bool:
            return further is None or further.take(call, request, way.targets)

        return LateAttempt(
            request,
            way,
            step,
            affords,
            declared_s=declared_s,
            usual_s=usual_s,
            max_attempts=policy.max_attempts,
        )

    async def _attempt(
        self,
        call: Call,
        request: Request,
        way: Way,
        step: Step,
        late: LateAttempt | None = None,
    ) -> Answer | Failed:
        """Make one attempt and take in what it shows; leave its story in the call's record."""
        record, target = call.record, step.target
        record.attempts += 1
        number = record.attempts
        credit(call, step)
        traceparent = b""
        if self._propagator is not None:
            traceparent = self._propagator.header(
                target.provider.name, record.trace_id, record.parent, record.id, number
            )
        try:
            outcome = await self._ask(
                call,
                request,
                target,
                step.key,
                way.deadline,
                began_s=step.began_s,
                traceparent=traceparent,
                look=late,
                look_after_s=inf if late is None else late.look_after_s,
            )
        except asyncio.CancelledError:
            call.lost += (Lost(number, target),)
            if way.hedge_won:
                self._watch.overtaken(request, step)
                note(call, step, number, error_class="hedge_lost")
            else:
                self._watch.unjudged(step)
                note(call, step, number, error_class="call_cancelled")
            raise
        except BaseException:
            self._watch.unjudged(step)
            raise
        if isinstance(outcome, Failed):
            if way.failed is None or not isinstance(outcome.remains, InvalidRequestError):
                # That a later rung can't say it is not why the request was not answered.
                way.failed = outcome
            if outcome.may_be_charged:
                call.lost += (Lost(number, target),)
            self._watch.failed(step, outcome, given_up=way.instead is not None)
            note(call, step, number, status=outcome.status, error_class=outcome.error_class)
            return outcome
        self._watch.answered(request, step, outcome.reply)
        if record.attempts > 1:
            note(call, step, number, status=outcome.reply.status)
        elif self._propagator is not None:
            record.lone_attempt = told(call, step, number, outcome.reply.status, None)
        return outcome

    async def _hedged(
        self, call: Call, request: Request, way: Way, step: Step, after_s: float
    ) -> tuple[Answer | Failed, Step]:
        """An attempt beside which the next target is asked if it is slow; whose outcome it is."""
        steps = [step]
        fork = way.fork()
        late = self._late(call, request, way, step)

        async def paid() -> bool:
            further = self._further
            return further is None or await further.fetch(call, request, way.targets)

        def second() -> Racer | None:
            other = next_step(fork, call, request, self._metrics)
            if other is None:
                return None
            steps.append(other)
            if late is not None:
                late.fork = fork
            return self._attempt(call, request, fork, other, self._late(call, request, fork, other))

        def decided() -> None:
            way.hedge_won = fork.hedge_won = True

        outcome, by_second = await race(
            self._attempt(call, request, way, step, late),
            second,
            after_s=after_s,
            decided=decided,
            paid=paid,
        )
        way.hedge_won = False
        if len(steps) > 1:
            # Both failed, or the call is answered: what is left of the ladder is after the second.
            way.index, way.tries = fork.index, fork.tries
            way.failed = outcome if isinstance(outcome, Failed) else None
            if way.instead is None:
                way.instead, way.promised = fork.instead, fork.promised
        winner = steps[1] if by_second else step
        if len(steps) > 1 and not isinstance(outcome, Failed):
            note_dropped(call, steps[0] if by_second else steps[1])
        credit(call, winner)
        return outcome, winner

    def broke_off(self, call: Call) -> None:
        """Note that a stream broke after its first events had been handed on."""
        self._watch.broke_off(call)


def _nothing_left(way: Way) -> Answer:
    """What the client is told in the end."""
    if way.failed is not None:
        if isinstance(way.failed.remains, HeadgateError):
            raise way.failed.remains
        return way.failed.remains
    if way.without_key is not None:
        raise keys_out_error(way.without_key)
    now_s = time.monotonic()
    wait_s = min(target.health.breaker.wait_s(now_s) for target in way.targets)
    raise CircuitOpenError(retry_after_s=wait_s)


def _hedge_after_s(call: Call, request: Request, way: Way) -> float | None:
    """How long to wait before a second target is asked beside the first; None: not at all."""
    after_s = None if call.route is None else call.route.hedge_after_s
    if after_s is None or way.failed is not None or not way.more_targets:
        return None
    return after_s if call.hedge_safe or not request.endpoint.generates else None


def _deadline(call: Call, request: Request, first: Target) -> Deadline:
    timeouts = first.provider.timeouts(request.endpoint, streamed=request.streamed)
    now_s = time.monotonic()
    patience = call.patience
    if patience is None:
        end_by_s = now_s + timeouts.total_s
        return Deadline(end_by_s, end_by_s, of_client=False)
    return deadline_of(
        patience,
        total_s=timeouts.total_s,
        asked_at_s=now_s - call.elapsed_us() / 1e6,
        now_s=now_s,
        streamed=request.streamed,
    )
