"""Whom a call asks next: a target whose breaker lets it in, with a key, and paid for."""

from __future__ import annotations

import time

from headgate.gateway.attempts.way import Step, Way
from headgate.gateway.call import Call
from headgate.gateway.health.breaker import Entry
from headgate.gateway.keys.pool import KeyPool, ProviderKey
from headgate.gateway.request import Request
from headgate.gateway.retries.policy import Failure
from headgate.gateway.target import Target
from headgate.telemetry.target_metrics import TargetMetrics

_UNBOUNDED_TOKENS = 1_000
"""What an answer is thought to take of a key's room where the request sets no bound."""


def next_step(way: Way, call: Call, request: Request, metrics: TargetMetrics) -> Step | None:
    """The attempt to make next, its target's breaker entered; None where nobody is left to ask."""
    now_s = time.monotonic()
    while way.index < len(way.targets):
        target = way.targets[way.index]
        provider = target.provider
        name = provider.name
        promised = target is way.promised
        if way.more_targets and not promised and _rests(target, way, call, now_s):
            way.move_on()
            continue
        again = name in way.asked and not way.paid and not promised
        entry: Entry | None
        if promised:
            # Its breaker may have opened since, by the very failure that this is to cure.
            entry = "normal"
        elif way.failed is None and not again:
            entry = target.health.breaker.enter(now_s)
        else:
            entry = _enter_again(way, target, request, metrics, now_s, again=again)
        if entry is not None:
            key = provider.only_key
            if provider.pool is not None:
                picked = _pick(provider.pool, target.model, way, call, request, now_s)
                if picked is None:
                    target.health.breaker.leave(entry, "unknown", now_s)
                    way.without_key = name
                    way.move_on()
                    continue
                key = picked
            if again:
                provider.retry_budget.spend(now_s, hedge=way.reason == "hedge")
            elif name not in way.asked:
                provider.retry_budget.earn(now_s)
                way.asked += (name,)
            way.tries += 1
            way.paid = False
            way.promised = None
            return Step(target, key, entry, now_s, way.reason)
        way.move_on()
    return None


def other_key(way: Way, call: Call, step: Step, failure: Failure, now_s: float) -> bool:
    """Whether another key of the provider may be tried where one was refused or is used up.

    The key that was refused is noted in `way`, so that it is not picked again.
    """
    pool = step.target.provider.pool
    if pool is None or call.kept_by is not None:
        return False
    if not failure.is_of_key and failure.status != 429:
        return False
    way.used_keys += (step.key.name,)
    if failure.is_of_key:
        return pool.has_other(way.used_keys)
    return pool.has_room(step.target.model, way.tokens, now_s, way.used_keys)


def _enter_again(
    way: Way,
    target: Target,
    request: Request,
    metrics: TargetMetrics,
    now_s: float,
    *,
    again: bool,
) -> Entry | None:
    """As `Breaker.enter`, where something has failed or the provider was asked already."""
    hedge = way.reason == "hedge"
    if again and not target.provider.retry_budget.affords(now_s, hedge=hedge):
        metrics.retry_denied(target.provider.name)
        return None
    if way.failed is not None:
        latency = target.health.latency(streamed=request.streamed)
        if (latency.expected_s(now_s) or 0.0) >= way.deadline.left_s(now_s):
            return None
    return target.health.breaker.enter(now_s)


def _pick(
    pool: KeyPool, model: str, way: Way, call: Call, request: Request, now_s: float
) -> ProviderKey | None:
    """A key of `pool` for the next attempt."""
    if way.tokens < 0:
        way.tokens = request.input_tokens() + (request.output_tokens() or _UNBOUNDED_TOKENS)
    if call.kept_by is not None:
        return pool.named(call.kept_by, model, way.tokens, now_s)
    return pool.pick(model, way.tokens, now_s, without=way.used_keys)


def _rests(target: Target, way: Way, call: Call, now_s: float) -> bool:
    """Whether a target would only say once more to come back later."""
    pool = target.provider.pool
    if pool is not None:
        return call.kept_by is None and pool.rests(target.model, now_s)
    # A retry has waited for as long as it was told to.
    return way.tries == 0 and target.health.rests(now_s)
