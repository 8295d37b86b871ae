"""The span of a run that has ended; its calls' spans lie under it. No I/O.

What else was done in it (the prompt rendered, the answer checked) stands on it as moments.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from headgate.telemetry.traces import names
from headgate.telemetry.traces.lineage import Parent, span_id_of
from headgate.telemetry.traces.span import Moment, Span, Value


class TracedStep(Protocol):
    """What a moment tells of a step."""

    started_at_us: int
    duration_us: int
    attempt: int
    code: str | None

    @property
    def kind(self) -> str:
        """What was done."""

    @property
    def verdict(self) -> str:
        """How it went."""


class TracedError(Protocol):
    """Why a run failed."""

    @property
    def code(self) -> str | None:
        """The error's code."""

    @property
    def type(self) -> str:
        """Its type."""


class TracedRun(Protocol):
    """What a span tells of a run."""

    @property
    def id(self) -> str:
        """Its id."""

    @property
    def trace_id(self) -> str:
        """Its trace's."""

    @property
    def parent(self) -> Parent | None:
        """The span that it belongs under."""

    @property
    def project(self) -> str:
        """Whose it is."""

    @property
    def key_id(self) -> str:
        """By which key."""

    @property
    def workflow(self) -> str:
        """Of which workflow."""

    @property
    def version(self) -> str:
        """In which version."""

    @property
    def feature(self) -> str | None:
        """What its cost is for."""

    @property
    def status(self) -> str:
        """How it ended."""

    @property
    def fallback(self) -> bool:
        """Whether its output is the fallback."""

    @property
    def created_at_us(self) -> int:
        """When it began."""

    @property
    def finished_at_us(self) -> int | None:
        """When it ended."""

    @property
    def steps(self) -> Sequence[TracedStep]:
        """What was done in it."""

    @property
    def error(self) -> TracedError | None:
        """Why it failed."""


def run_span(run: TracedRun) -> Span:
    """The span of `run`."""
    error, parent = run.error, run.parent
    facts: dict[str, Value | None] = {
        names.OPERATION: names.WORKFLOW,
        names.WORKFLOW_NAME: run.workflow,
        names.ERROR: None if error is None else error.code or error.type,
        "headgate.run.id": run.id,
        "headgate.run.status": run.status,
        "headgate.run.fallback": run.fallback or None,
        "headgate.workflow.version": run.version,
        "headgate.project": run.project,
        "headgate.key.id": run.key_id,
        "headgate.feature": run.feature,
    }
    # Its first step, the check of the input, comes before the run is stored.
    begun_us = min([run.created_at_us, *(step.started_at_us for step in run.steps)])
    return Span(
        name=f"{names.WORKFLOW} {run.workflow}",
        kind="internal" if parent is not None and parent.ours else "server",
        trace_id=run.trace_id,
        span_id=span_id_of(run.id),
        parent_id=None if parent is None else parent.span_id,
        parent_ours=parent is not None and parent.ours,
        begun_us=begun_us,
        ended_us=run.finished_at_us or run.created_at_us,
        facts={name: value for name, value in facts.items() if value is not None},
        failed=error is not None,
        moments=tuple(_moment(step) for step in run.steps if step.kind != "call"),
    )


def _moment(step: TracedStep) -> Moment:
    facts: dict[str, Value] = {
        "headgate.step.verdict": step.verdict,
        "headgate.step.duration_us": step.duration_us,
        "headgate.step.attempt": step.attempt,
    }
    if step.code is not None:
        facts["headgate.step.code"] = step.code
    return Moment(name=f"headgate.step.{step.kind}", at_us=step.started_at_us, facts=facts)
