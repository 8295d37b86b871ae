"""A run: one input carried through a workflow, as it is stored and shown."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from headgate.errors import HeadgateError
from headgate.gateway.caller import Caller
from headgate.ledger.cost import total_cost_nanousd
from headgate.telemetry.traces.lineage import Parent
from headgate.workflows.steps import CallFacts, Step

RunStatus = Literal["queued", "running", "awaiting_review", "completed", "rejected", "failed"]
"""`queued`: taken, and not yet begun. `running`: under way. `awaiting_review`: a person decides.
`completed`: it has an output, of the model's or the fallback's. `rejected`: a person said no.
`failed`: it has an error, be it that it was cancelled."""


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What a caller asks for: one input through one workflow."""

    workflow: str
    input: Any
    caller: Caller
    trace_id: str
    parent: Parent | None = None
    """The span that the run's own belongs under."""
    feature: str | None = None
    user: str | None = None
    user_hash: str | None = None
    """In the place of `user`, where the run is carried by another process than took it."""
    idempotency_key: str | None = None
    no_store: bool = False
    """Whether the calls are neither to be answered from the cache nor kept there."""
    untrusted: bool = False
    """Whether the caller says that people outside wrote the input, whatever the workflow says."""
    headers: tuple[tuple[bytes, bytes], ...] = ()
    """Hints that are passed on with every call, such as `x-simulator-fault`."""


class RunError(msgspec.Struct, frozen=True, kw_only=True):
    """Why a run failed, as it is answered over HTTP."""

    status: int
    message: str
    type: str
    code: str | None
    param: str | None = None
    retryable: bool | None = None
    """What `x-should-retry` tells the SDKs; None leaves the choice to them."""

    @classmethod
    def of(cls, error: HeadgateError) -> RunError:
        """The same error, as data."""
        return cls(
            status=error.status,
            message=error.message,
            type=error.type,
            code=error.code,
            param=error.param,
            retryable=error.retryable,
        )

    def shown(self) -> dict[str, Any]:
        """The object in `{"error": …}`."""
        return {
            "message": self.message,
            "type": self.type,
            "param": self.param,
            "code": self.code,
        }


CLARIFICATION = "clarification"
"""The check of a problem that is a question to whoever sent the input."""


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """A run, under way or ended."""

    id: str
    project: str
    key_id: str
    workflow: str
    version: str
    digest: str
    created_at_us: int
    trace_id: str
    status: RunStatus = "running"
    fallback: bool = False
    """The output is the workflow's declared fallback, not a model's."""
    feature: str | None = None
    user_hash: str | None = None
    finished_at_us: int | None = None
    steps: tuple[Step, ...] = ()
    error: RunError | None = None
    input: dict[str, Any] | None = None
    """None where the contents were not asked for, or are erased."""
    output: dict[str, Any] | None = None
    context: dict[str, Any] | None = None
    """What was gathered for it; None where its workflow declares none, or as `input`."""
    review_id: str | None = None
    """What a person is, or was, asked about it."""
    parent: Parent | None = None
    """The span that its own belongs under; only the trace tells it."""
    replayed: bool = False
    """It was not made now: an earlier request with the same Idempotency-Key made it."""

    @property
    def calls(self) -> tuple[CallFacts, ...]:
        """Its calls, in order."""
        return tuple(step.call for step in self.steps if step.call)

    def error_shown(self) -> dict[str, Any]:
        """Its error as those see it who may see contents: with the question that it ends in."""
        shown = {} if self.error is None else self.error.shown()
        for step in self.steps:
            for problem in step.problems:
                if problem.check == CLARIFICATION and "message" in shown:
                    shown["message"] += f" {problem.message}"
        return shown

    @property
    def simulated(self) -> bool:
        """Whether the simulator answered in a model's place."""
        return any(call.simulated for call in self.calls)

    @property
    def cost_nanousd(self) -> int | None:
        """What its calls cost together; None where the price of one is not known."""
        return total_cost_nanousd(call.cost_nanousd for call in self.calls)

    @property
    def latency_us(self) -> int | None:
        """From its beginning to its end; None while it is under way."""
        return None if self.finished_at_us is None else self.finished_at_us - self.created_at_us
