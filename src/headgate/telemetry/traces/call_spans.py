"""The spans of a call that has ended: its own, and one for each of its attempts. No I/O.

They are made from the call's record, which the ledger keeps too, so the two can't disagree. What a
call used stands on its own span only: on its attempts as well it would be counted twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from headgate.telemetry.attempt_figures import AttemptFigures
from headgate.telemetry.traces import names
from headgate.telemetry.traces.lineage import Parent, attempt_name, span_id_of
from headgate.telemetry.traces.span import Span, Value


class TracedAttempt(AttemptFigures, Protocol):
    """What a span tells of an attempt."""

    @property
    def number(self) -> int:
        """From 1."""

    @property
    def began_us(self) -> int:
        """How long after the call itself it began."""


class TracedCall(Protocol):
    """What spans tell of a call."""

    id: str
    started_at_us: int
    trace_id: str
    parent: Parent | None
    project: str
    key_id: str
    endpoint: str
    feature: str | None
    workflow: str | None
    run_id: str | None
    route: str | None
    model_requested: str | None
    provider: str | None
    provider_key: str | None
    model_answered: str | None
    response_id: str | None
    streamed: bool
    status: int
    error_class: str | None
    attempts: int
    input_tokens: int | None
    cached_tokens: int | None
    cache_write_tokens: int | None
    output_tokens: int | None
    reasoning_tokens: int | None
    tokens_estimated: bool
    service_tier: str | None
    cost_nanousd: int | None
    saved_nanousd: int | None
    latency_us: int
    first_token_us: int | None
    simulated: bool

    @property
    def cache(self) -> str:
        """What the cache had for it: `off` where it wasn't asked."""

    @property
    def trail(self) -> Sequence[TracedAttempt]:
        """Its attempts, where they tell more than it does."""

    @property
    def lone_attempt(self) -> TracedAttempt | None:
        """The only attempt of a call that went well at once, where it was noted."""


class CallSpans:
    """Makes spans of calls; `kinds` says whom a provider of the configuration really is."""

    def __init__(self, kinds: Mapping[str, str]) -> None:
        self._kinds = kinds

    def of(self, call: TracedCall) -> list[Span]:
        """The call's own span, then its attempts' in the order in which they were begun."""
        spans = [self._call(call)]
        attempts = call.trail or (() if call.lone_attempt is None else (call.lone_attempt,))
        spans += [self._attempt(call, attempt) for attempt in attempts]
        if not attempts and call.attempts:
            spans.append(self._untold(call))
        return spans

    def _call(self, call: TracedCall) -> Span:
        operation, parent = names.operation_of(call.endpoint), call.parent
        told = _told(
            {
                names.OPERATION: operation,
                names.PROVIDER: self._kind(call.provider),
                names.REQUEST_MODEL: call.model_requested,
                names.REQUEST_STREAM: call.streamed or None,
                names.RESPONSE_ID: call.response_id,
                names.RESPONSE_MODEL: call.model_answered,
                names.FIRST_CHUNK_S: _seconds(call.first_token_us),
                names.INPUT_TOKENS: call.input_tokens,
                names.CACHED_TOKENS: call.cached_tokens,
                names.CACHE_WRITE_TOKENS: call.cache_write_tokens,
                names.OUTPUT_TOKENS: call.output_tokens,
                names.REASONING_TOKENS: call.reasoning_tokens,
                names.HTTP_STATUS: call.status or None,
                names.ERROR: call.error_class,
                "headgate.call.id": call.id,
                "headgate.project": call.project,
                "headgate.key.id": call.key_id,
                "headgate.endpoint": call.endpoint,
                "headgate.feature": call.feature,
                "headgate.workflow": call.workflow,
                "headgate.run.id": call.run_id,
                "headgate.route": call.route,
                "headgate.provider": call.provider,
                "headgate.attempts": call.attempts,
                "headgate.cache": call.cache,
                "headgate.cost_nanousd": call.cost_nanousd,
                "headgate.saved_nanousd": call.saved_nanousd,
                "headgate.service_tier": call.service_tier,
                "headgate.tokens_estimated": call.tokens_estimated or None,
                "headgate.simulated": call.simulated or None,
            }
        )
        return Span(
            name=_name(operation, call.model_requested),
            kind="internal" if parent is not None and parent.ours else "server",
            trace_id=call.trace_id,
            span_id=span_id_of(call.id),
            parent_id=None if parent is None else parent.span_id,
            parent_ours=parent is not None and parent.ours,
            begun_us=call.started_at_us,
            ended_us=call.started_at_us + call.latency_us,
            facts=told,
            failed=call.error_class is not None,
        )

    def _attempt(self, call: TracedCall, attempt: TracedAttempt) -> Span:
        begun_us, took_us = attempt.began_us, attempt.latency_us
        error = attempt.error_class
        if error is None and call.streamed:
            # Its answer flowed until the call's end, and may have broken off on the way.
            took_us = max(took_us, call.latency_us - begun_us)
            error = call.error_class
        return self._asked(
            call,
            attempt.number,
            attempt.provider,
            attempt.model,
            {
                names.HTTP_STATUS: attempt.status,
                names.ERROR: error,
                "headgate.attempt.reason": attempt.reason,
                "headgate.attempt.answered_after_s": _seconds(attempt.latency_us),
                "headgate.provider_key": attempt.provider_key,
            },
            begun_us=begun_us,
            took_us=took_us,
        )

    def _untold(self, call: TracedCall) -> Span:
        """The attempt of a call that only its own record tells of."""
        return self._asked(
            call,
            call.attempts,
            call.provider,
            call.model_requested,
            {
                names.HTTP_STATUS: call.status or None,
                names.ERROR: call.error_class,
                "headgate.provider_key": call.provider_key,
            },
            begun_us=0,
            took_us=call.latency_us,
        )

    def _asked(
        self,
        call: TracedCall,
        number: int,
        provider: str | None,
        model: str | None,
        facts: Mapping[str, Value | None],
        *,
        begun_us: int,
        took_us: int,
    ) -> Span:
        operation = names.operation_of(call.endpoint)
        told = _told(
            {
                names.OPERATION: operation,
                names.PROVIDER: self._kind(provider),
                names.REQUEST_MODEL: model,
                "headgate.call.id": call.id,
                "headgate.provider": provider,
                "headgate.attempt.number": number,
                **facts,
            }
        )
        begun_at_us = call.started_at_us + begun_us
        return Span(
            name=_name(operation, model),
            kind="client",
            trace_id=call.trace_id,
            span_id=span_id_of(attempt_name(call.id, number)),
            parent_id=span_id_of(call.id),
            parent_ours=True,
            begun_us=begun_at_us,
            ended_us=begun_at_us + took_us,
            facts=told,
            failed=names.ERROR in told,
        )

    def _kind(self, provider: str | None) -> str | None:
        return None if provider is None else self._kinds.get(provider, provider)


def _name(operation: str, model: str | None) -> str:
    return f"{operation} {model}" if model else operation


def _told(facts: Mapping[str, Value | None]) -> dict[str, Value]:
    return {name: value for name, value in facts.items() if value is not None}


def _seconds(time_us: int | None) -> float | None:
    return None if time_us is None else time_us / 1e6
