"""What a call's record tells of its attempts: who was asked last, and how each one ended."""

from __future__ import annotations

import time

from msgspec.structs import replace

from headgate.gateway.attempts.way import Step
from headgate.gateway.call import Call
from headgate.gateway.lost import Lost
from headgate.ledger.attempt import AttemptRecord


def credit(call: Call, step: Step) -> None:
    """Name the target and key of an attempt as the call's."""
    record, provider = call.record, step.target.provider
    call.target = step.target
    call.provider_key = step.key
    record.provider = provider.name
    record.provider_key = step.key.name
    record.simulated = provider.simulated


def note(
    call: Call,
    step: Step,
    number: int,
    *,
    status: int | None = None,
    error_class: str | None = None,
) -> None:
    """Put an attempt that has ended into the call's record."""
    call.record.trail += (told(call, step, number, status, error_class),)


def told(
    call: Call, step: Step, number: int, status: int | None, error_class: str | None
) -> AttemptRecord:
    """What is kept of an attempt that has ended."""
    latency_us = int((time.monotonic() - step.began_s) * 1e6)
    return AttemptRecord(
        call_id=call.record.id,
        number=number,
        reason=step.reason,
        provider=step.target.provider.name,
        model=step.target.model[:256],
        provider_key=step.key.name,
        status=status,
        error_class=error_class,
        latency_us=latency_us,
        began_us=max(0, call.elapsed_us() - latency_us),
    )


def note_dropped(call: Call, loser: Step) -> None:
    """Mark the attempt of a race that was lost though it had its answer: both came at once."""
    trail = list(call.record.trail)
    for place, attempt in enumerate(trail):
        if attempt.error_class is None and attempt.reason == loser.reason:
            trail[place] = replace(attempt, error_class="hedge_lost")
            call.lost += (Lost(attempt.number, loser.target),)
    call.record.trail = tuple(trail)
