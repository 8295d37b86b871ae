"""A run's step between its input's check and its prompt: its context is gathered, and it is ready.

What was gathered is kept by the journal, so that a run that is resumed goes on with the same data.
"""

from __future__ import annotations

from typing import Any

import msgspec

from headgate.checks.problem import Problem
from headgate.config.context import ContextPartSettings
from headgate.context.arguments import input_field
from headgate.context.connectors import Connectors
from headgate.context.gathering import Gathered, Part, gather, is_allowed
from headgate.errors import (
    DatabaseUnavailableError,
    HeadgateError,
    InvalidRequestError,
    NotFoundError,
    PermissionDeniedError,
)
from headgate.gateway.caller import Caller
from headgate.workflows.errand import Errand
from headgate.workflows.failures import ContextNotNowError, ContextUnavailableError
from headgate.workflows.folder import Workflow
from headgate.workflows.outcome import Outcome
from headgate.workflows.prompts.prompt import Message
from headgate.workflows.run import Order, Run, RunError
from headgate.workflows.steps import PartFacts, Trail


class Ready(msgspec.Struct, frozen=True):
    """A run that can ask a model; or what it ends with, where it can't."""

    run: Run
    messages: tuple[Message, ...] = ()
    ended: Outcome | None = None


def check_context_rights(workflow: Workflow, caller: Caller) -> None:
    """`PermissionDeniedError` where a required part is not for the runs of `caller`."""
    for name, part in workflow.settings.context.items():
        if part.required and not is_allowed(part, caller):
            raise PermissionDeniedError(
                f"The workflow `{workflow.name}` needs `context.{name}`, which is not for the runs"
                " of this key; use a key of another role or project.",
                param=f"context.{name}",
                code="context_not_allowed",
            )


def rendered(
    workflow: Workflow, order: Order, trail: Trail, context: dict[str, Any] | None = None
) -> tuple[Message, ...]:
    """The prompt's messages; raises as `Prompt.render` does."""
    with trail.step("render"):
        return workflow.prompt.render(order.input, context, untrusted=order.untrusted)


async def ready(errand: Errand, connectors: Connectors) -> Ready:
    """Gather what the workflow declares, and render its prompt with that.

    What can't be had or rendered ends the run. Raises `RunLostError` and
    `DatabaseUnavailableError` as the journal does.
    """
    workflow, run = errand.workflow, errand.run
    try:
        if workflow.settings.context:
            gathered = await _gathered(errand, connectors)
            run = msgspec.structs.replace(run, context=gathered.values)
        return Ready(run, rendered(workflow, errand.order, errand.trail, run.context))
    except DatabaseUnavailableError:
        raise
    except HeadgateError as error:
        return Ready(run, ended=Outcome(error=RunError.of(error)))


async def _gathered(errand: Errand, connectors: Connectors) -> Gathered:
    """What the workflow declared; raises what a required part that is absent means for the run."""
    workflow, order = errand.workflow, errand.order

    async def work() -> Gathered:
        return await gather(workflow.settings.context, order.input, order.caller, connectors)

    await errand.journal.note(errand.trail)
    with errand.trail.step("context") as step:
        gathered = await errand.journal.once("context", work, Gathered)
        step.parts = tuple(_facts(part) for part in gathered.parts)
        step.problems = tuple(
            Problem(f"context.{part.name}", "context", part.told)
            for part in gathered.parts
            if part.absent is not None
        )
        wrong = _wrong(workflow, gathered)
        if wrong is not None:
            step.verdict, step.code = "failed", wrong.code
    # What was gathered before a crash was gathered when it was.
    step.started_at_us = min(part.started_at_us for part in gathered.parts)
    step.duration_us = max(part.duration_us for part in gathered.parts)
    if wrong is not None:
        raise wrong
    return gathered


def is_untrusted(workflow: Workflow, order: Order, run: Run) -> bool:
    """Whether the run is given what people outside wrote, in its input or its context."""
    return (
        workflow.settings.trust == "untrusted" or order.untrusted or holds_untrusted(workflow, run)
    )


def holds_untrusted(workflow: Workflow, run: Run) -> bool:
    """Whether the run's context holds what people outside wrote."""
    return workflow.context is not None and not workflow.context.untrusted.isdisjoint(
        run.context or {}
    )


def _facts(part: Part) -> PartFacts:
    return PartFacts(
        name=part.name,
        source=part.source,
        duration_us=part.duration_us,
        records=part.records,
        cut=part.cut,
        absent=part.absent,
    )


def _wrong(workflow: Workflow, gathered: Gathered) -> HeadgateError | None:
    """Why the run can't go on with what was gathered; None: it can."""
    for part in gathered.parts:
        settings = workflow.settings.context.get(part.name)
        if part.absent is not None and settings is not None and settings.required:
            return _error(part, settings)
    limit_bytes = workflow.settings.limits.context_max_bytes
    if (size_bytes := len(msgspec.json.encode(gathered.values))) > limit_bytes:
        return ContextUnavailableError(
            f"The context has {size_bytes} bytes; this workflow takes {limit_bytes}. Name fewer"
            " fields, or raise limits.context_max_bytes in workflow.yaml.",
            param="context",
        )
    return None


def _error(part: Part, settings: ContextPartSettings) -> HeadgateError:
    told = f"The context `{part.name}` ({part.source}) can't be had: {part.told}."
    param = f"context.{part.name}"
    match part.absent:
        case "not_allowed":
            return PermissionDeniedError(told, param=param, code="context_not_allowed")
        case "no_argument":
            paths = (path for one in settings.arguments.values() if (path := input_field(one)))
            return InvalidRequestError(
                told, param=f"input.{next(paths, '')}".rstrip("."), code="context_argument"
            )
        case "no_record":
            return NotFoundError(told, param=param, code="context_not_found")
        case _:
            kind = ContextNotNowError if part.retryable else ContextUnavailableError
            return kind(told, param=param)
