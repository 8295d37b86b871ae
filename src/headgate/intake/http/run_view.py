"""A run as HTTP shows it: its steps and calls, and its contents to those who may see them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from headgate.checks.guards.report import GuardRecord, guards_said
from headgate.ledger.cost import total_cost_nanousd
from headgate.ledger.money import header_usd
from headgate.ledger.record import CacheState, CallRecord
from headgate.workflows.run import Run, RunStatus
from headgate.workflows.steps import CallFacts, Step, StepKind, Verdict

Seconds = Annotated[float, Meta(description="Seconds since 1970 UTC.")]
Dollars = Annotated[str, Meta(description="US dollars, exact, as decimal text.")]


class ProblemView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something that a check found."""

    path: str
    check: str
    message: str | None = None
    """Left out where the key may not see contents."""


class StepView(msgspec.Struct, frozen=True, kw_only=True):
    """One step of a run."""

    kind: StepKind
    verdict: Verdict
    attempt: Annotated[int, Meta(description="1, or 2 and more after being asked again.")]
    started_at: Seconds
    duration_ms: float
    call_id: str | None
    code: Annotated[str | None, Meta(description="What went wrong, as an error's code.")]
    problems: tuple[ProblemView, ...]


class RunCallView(msgspec.Struct, frozen=True, kw_only=True):
    """One call that a run made."""

    id: str
    status: int
    model: str | None
    target: Annotated[str | None, Meta(description="The provider and model that answered.")]
    attempts: int
    input_tokens: int | None
    cached_tokens: int | None
    output_tokens: int | None
    reasoning_tokens: int | None
    cost_usd: Annotated[Dollars | None, Meta(description="null: no price is known.")]
    cache: Annotated[CacheState, Meta(description="Whether the answer was given before.")]
    latency_ms: float
    guards: Annotated[
        tuple[GuardRecord, ...],
        Meta(description="What its guards said, in this order; nothing of the texts."),
    ]


class RunErrorView(msgspec.Struct, frozen=True, kw_only=True):
    """Why a run failed."""

    message: str
    type: str
    param: str | None
    code: str | None


class RunView(msgspec.Struct, frozen=True, kw_only=True):
    """A run. `input` and `output` are null to keys that may not see contents."""

    id: str
    object: Literal["run"] = "run"
    project: str
    workflow: str
    version: str
    digest: str
    status: RunStatus
    fallback: Annotated[
        bool, Meta(description="The output is the workflow's declared one, not a model's.")
    ]
    simulated: Annotated[bool, Meta(description="The simulator answered, not a model.")]
    feature: str | None
    created_at: Seconds
    finished_at: Seconds | None
    latency_ms: float | None
    input: dict[str, Any] | None
    output: dict[str, Any] | None
    error: RunErrorView | None
    cost_usd: Annotated[Dollars | None, Meta(description="null: the price of a call is unknown.")]
    trace_id: str
    review_id: Annotated[str | None, Meta(description="What a person is, or was, asked about it.")]
    steps: tuple[StepView, ...]
    calls: tuple[RunCallView, ...]


def run_view(run: Run, *, contents: bool, ledger: Sequence[CallRecord] = ()) -> RunView:
    """`run` with what its steps tell of its calls and, where it has more already, the ledger."""
    calls = _merged(run.calls, ledger)
    cost_nanousd = total_cost_nanousd(call.cost_nanousd for call in calls)
    return RunView(
        id=run.id,
        project=run.project,
        workflow=run.workflow,
        version=run.version,
        digest=run.digest,
        status=run.status,
        fallback=run.fallback,
        simulated=run.simulated,
        feature=run.feature,
        created_at=run.created_at_us / 1e6,
        finished_at=None if run.finished_at_us is None else run.finished_at_us / 1e6,
        latency_ms=None if run.latency_us is None else run.latency_us / 1e3,
        input=run.input if contents else None,
        output=run.output if contents else None,
        error=None if run.error is None else RunErrorView(**_error(run, contents=contents)),
        cost_usd=None if cost_nanousd is None else header_usd(cost_nanousd),
        trace_id=run.trace_id,
        review_id=run.review_id,
        steps=tuple(_step_view(step, contents=contents) for step in run.steps),
        calls=tuple(_call_view(call) for call in calls),
    )


def _error(run: Run, *, contents: bool) -> dict[str, Any]:
    if contents or run.error is None:
        return run.error_shown()
    return run.error.shown()


def _merged(known: Sequence[CallFacts], ledger: Sequence[CallRecord]) -> list[CallFacts]:
    """The calls by id: the steps know a call at once, the ledger also after a crash."""
    facts = {call.id: call for call in known}
    for record in ledger:
        earlier = facts.get(record.id)
        facts[record.id] = CallFacts(
            id=record.id,
            status=record.status,
            latency_us=record.latency_us,
            attempts=record.attempts,
            target=earlier.target if earlier else record.provider,
            model=record.model_answered or (earlier.model if earlier else None),
            input_tokens=record.input_tokens,
            cached_tokens=record.cached_tokens,
            cache_write_tokens=record.cache_write_tokens,
            output_tokens=record.output_tokens,
            reasoning_tokens=record.reasoning_tokens,
            simulated=record.simulated,
            cost_nanousd=record.cost_nanousd,
            cache=record.cache,
            guards=guards_said(record.guards),
        )
    return [facts[call_id] for call_id in sorted(facts)]


def _step_view(step: Step, *, contents: bool) -> StepView:
    return StepView(
        kind=step.kind,
        verdict=step.verdict,
        attempt=step.attempt,
        started_at=step.started_at_us / 1e6,
        duration_ms=step.duration_us / 1e3,
        call_id=step.call.id if step.call else None,
        code=step.code,
        problems=tuple(
            ProblemView(
                path=problem.path,
                check=problem.check,
                message=(problem.message or None) if contents else None,
            )
            for problem in step.problems
        ),
    )


def _call_view(call: CallFacts) -> RunCallView:
    return RunCallView(
        id=call.id,
        status=call.status,
        model=call.model,
        target=call.target,
        attempts=call.attempts,
        input_tokens=call.input_tokens,
        cached_tokens=call.cached_tokens,
        output_tokens=call.output_tokens,
        reasoning_tokens=call.reasoning_tokens,
        cost_usd=None if call.cost_nanousd is None else header_usd(call.cost_nanousd),
        cache=call.cache,
        latency_ms=call.latency_us / 1e3,
        guards=call.guards,
    )
