"""What happened in a run, step by step, as data: metadata only, no contents.

The texts of problems that checks found may quote contents, so they are kept apart from the steps.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Literal

import msgspec

from headgate.checks.guards.report import GuardRecord, guards_said
from headgate.checks.guards.verdict import Decision
from headgate.checks.problem import Problem
from headgate.ledger.record import CacheState
from headgate.workflows.model import ModelReply

StepKind = Literal[
    "input", "render", "call", "tool", "parse", "schema", "rules", "fallback", "deliver"
]
"""`input`: the input against its schema. `render`: the prompt. `call`: a model. `tool`: something
that it asked for. `parse`: its reply as JSON. `schema`, `rules`: the output's checks. `fallback`:
the answer without a model. `deliver`: what is done with the output."""

Verdict = Literal["passed", "amended", "held", "failed", "interrupted"]
"""`amended`: passed after rules.py put it right. `held`: passed, but a person must see it before it
goes anywhere. `interrupted`: broken off."""


class CallFacts(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is known of a call the moment it ends; the ledger has more a little later."""

    id: str
    status: int
    latency_us: int
    attempts: int
    target: str | None = None
    model: str | None = None
    input_tokens: int | None = None
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None
    output_tokens: int | None = None
    reasoning_tokens: int | None = None
    simulated: bool = False
    cost_nanousd: int | None = None
    cache: CacheState = "off"
    guards: tuple[GuardRecord, ...] = ()
    """What guards said of it, in order; nothing of the text."""

    def guards_that_said(self, decision: Decision) -> tuple[str, ...]:
        """The names of the guards that decided so, each once."""
        named = (said.guard for said in self.guards if said.decision == decision)
        return tuple(dict.fromkeys(named))

    @classmethod
    def of(cls, reply: ModelReply) -> CallFacts:
        """The facts of `reply`."""
        return cls(
            id=reply.call_id,
            status=reply.status,
            latency_us=reply.latency_us,
            attempts=reply.attempts,
            target=reply.target,
            model=reply.model_answered,
            input_tokens=reply.input_tokens,
            cached_tokens=reply.cached_tokens,
            cache_write_tokens=reply.cache_write_tokens,
            output_tokens=reply.output_tokens,
            reasoning_tokens=reply.reasoning_tokens,
            simulated=reply.simulated,
            cost_nanousd=reply.cost_nanousd,
            cache=reply.cache,
            guards=guards_said(reply.guards),
        )


class ToolFacts(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is known of a tool's call; its arguments and its answer are contents."""

    name: str
    """As the model wrote it, where there is no such tool."""
    effect: Literal["read", "write"] | None = None
    outcome: str | None = None
    """What came of it: a `ToolOutcome`, or an action's state; None: it was not called."""
    action_id: str | None = None


class Step(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One step; filled while it goes on, left alone afterwards."""

    kind: StepKind
    started_at_us: int
    duration_us: int = 0
    verdict: Verdict = "passed"
    attempt: int = 1
    """1 for the first answer of the model, 2 for the answer after being asked again."""
    call: CallFacts | None = None
    tool: ToolFacts | None = None
    code: str | None = None
    """What went wrong, as an error's code."""
    problems: tuple[Problem, ...] = ()

    def without_texts(self) -> Step:
        """The step as it may be stored among metadata: where and which check, not what it said."""
        bare = tuple(Problem(p.path, p.check, "") for p in self.problems)
        return msgspec.structs.replace(self, problems=bare)


class Trail:
    """The steps of a run under way."""

    def __init__(self, earlier: Iterable[Step] = ()) -> None:
        """`earlier` are the steps before the run waited for a person."""
        self.steps = list(earlier)
        self.attempt = 1

    @contextmanager
    def step(self, kind: StepKind) -> Iterator[Step]:
        """Record a step; an exception that passes through leaves it `interrupted`."""
        step = Step(kind=kind, started_at_us=time.time_ns() // 1000, attempt=self.attempt)
        started = time.perf_counter_ns()
        self.steps.append(step)
        try:
            yield step
        except BaseException:
            step.verdict = "interrupted"
            raise
        finally:
            step.duration_us = (time.perf_counter_ns() - started) // 1000
