"""Carries one input through a workflow: prompt, model, checks, asking again, fallback, record."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Coroutine
from typing import Any

import msgspec

from headgate.checks.problem import Problem
from headgate.checks.rules import RulesError
from headgate.errors import (
    ClientGoneError,
    ConflictError,
    HeadgateError,
    InvalidRequestError,
    PayloadTooLargeError,
    PermissionDeniedError,
    UpstreamFailedError,
    UpstreamTimeoutError,
)
from headgate.gateway.caller import Caller
from headgate.storage.identifiers import new_id
from headgate.storage.threads import StorageThreads
from headgate.telemetry.traces.lineage import under
from headgate.workflows.catalogue import Catalogue
from headgate.workflows.conversation import correction, request_body
from headgate.workflows.folder import Workflow
from headgate.workflows.idempotency import GRACE_S, INTERRUPTED, claim_of, settled
from headgate.workflows.model import Model, ModelReply, ModelRequest
from headgate.workflows.prompt import Message
from headgate.workflows.reply import Reading, read_failure, read_reply
from headgate.workflows.repository import Claim, RunRepository
from headgate.workflows.run import Order, Run, RunError
from headgate.workflows.steps import CallFacts, Trail

_INPUT_DEPTH_AT_MOST = 64
_PROBLEMS_TOLD = 5
_CLAIMS_AT_MOST = 3
"""Times a claim is made anew because its run turned out to be lost."""


class ChecksFailedError(UpstreamFailedError):
    """The model's answer did not pass the workflow's checks, and the workflow has no fallback."""

    code = "checks_failed"
    retryable = False


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What came of asking: an output or an error."""

    output: dict[str, Any] | None = None
    error: RunError | None = None
    fallback: bool = False


class Runner:
    """Runs the workflows of a catalogue."""

    def __init__(
        self,
        catalogue: Catalogue,
        model: Model,
        repository: RunRepository,
        hash_user: Callable[[str], str],
        note_ended: Callable[[Run], None] | None = None,
    ) -> None:
        """`note_ended` is told of each run that was made here and has ended."""
        self.catalogue = catalogue
        self.repository = repository
        self.threads = StorageThreads("runs")
        self._model = model
        self._hash_user = hash_user
        self._note_ended = note_ended

    def admitted(self, name: str, caller: Caller) -> Workflow:
        """The workflow `name`, if `caller` may run it; `PermissionDeniedError` if not."""
        if not caller.may_run(name):
            raise PermissionDeniedError(
                f"This key may not run the workflow `{name[:64]}`; use a key that may.",
                param="workflow",
                code="workflow_not_allowed",
            )
        return self.catalogue.get(name)

    async def run(self, order: Order) -> Run:
        """Carry `order` through its workflow and store it.

        A run that fails is returned with its error. `HeadgateError` is raised for what never
        became a run: a workflow that isn't there or isn't allowed, an input that doesn't fit.
        """
        workflow = self.admitted(order.workflow, order.caller)
        claim = claim_of(order)
        trail = Trail()
        _check_input(workflow, order.input, trail)
        with trail.step("render"):
            messages = workflow.prompt.render(order.input)
        run = await self._begun(workflow, order, claim)
        if run.replayed:
            return run
        try:
            outcome = await self._carried(workflow, order, run, messages, trail)
        except BaseException as error:
            broken_off = Outcome(error=_broken_off(error))
            with contextlib.suppress(HeadgateError):  # the first error is the one to tell
                await _to_the_end(self._finish(run, claim, trail, broken_off))
            raise
        return await _to_the_end(self._finish(run, claim, trail, outcome))

    async def give_up_lost(self) -> int:
        """End runs whose process died; to be called when a server starts. Returns their number."""
        ended = 0
        for workflow in self.catalogue:
            lost_after_s = workflow.settings.limits.timeout_s + GRACE_S
            ended += await self.threads.run(
                self.repository.give_up,
                INTERRUPTED,
                begun_before_us=_now_us() - int(lost_after_s * 1_000_000),
                workflow=workflow.name,
            )
        return ended

    async def _begun(self, workflow: Workflow, order: Order, claim: Claim | None) -> Run:
        """A new run, stored; or the ended one that the order's Idempotency-Key stands for."""
        for _ in range(_CLAIMS_AT_MOST):
            run = Run(
                id=new_id("run"),
                project=order.caller.project,
                key_id=order.caller.key_id,
                workflow=workflow.name,
                version=workflow.settings.version,
                digest=workflow.digest,
                created_at_us=_now_us(),
                trace_id=order.trace_id,
                parent=order.parent,
                feature=order.feature,
                user_hash=None if order.user is None else self._hash_user(order.user),
                input=order.input,
            )
            earlier = await self.threads.begin(self.repository.begin, run, claim)
            if earlier is None or claim is None:
                return run
            timeout_s = workflow.settings.limits.timeout_s
            ended = await settled(self.repository, self.threads, claim, earlier, timeout_s)
            if ended is not None:
                return ended
        raise ConflictError("This Idempotency-Key is in use; send the request again.")

    async def _carried(
        self,
        workflow: Workflow,
        order: Order,
        run: Run,
        messages: tuple[Message, ...],
        trail: Trail,
    ) -> Outcome:
        limit_s = workflow.settings.limits.timeout_s
        try:
            async with asyncio.timeout(limit_s):
                outcome = await self._asked(workflow, order, run, messages, trail)
        except TimeoutError:
            timed_out = UpstreamTimeoutError(
                f"The run took longer than the {limit_s:g} s that its workflow allows.",
                code="run_timeout",
            )
            outcome = Outcome(error=RunError.of(timed_out))
        if outcome.error is not None and workflow.settings.fallback is not None:
            return await _fallen_back(workflow, order.input, outcome.error, trail)
        return outcome

    async def _asked(
        self,
        workflow: Workflow,
        order: Order,
        run: Run,
        messages: tuple[Message, ...],
        trail: Trail,
    ) -> Outcome:
        """Ask, check, and ask again with the errors as often as the workflow says."""
        problems: tuple[Problem, ...] = ()
        conversation = messages
        for attempt in range(1, workflow.settings.checks.reask + 2):
            trail.attempt = attempt
            reply = await self._called(workflow, order, run, conversation, trail)
            if reply.status != 200:
                return Outcome(error=_failure(reply))
            reading = _parsed(workflow, reply, trail)
            if reading.value is None:
                problems = (reading.problem,) if reading.problem else ()
            else:
                output, problems = await _checked(workflow, reading.value, order.input, trail)
                if not problems:
                    return Outcome(output=output)
            if reply.disown is not None:
                reply.disown()
            # Only the newest answer goes along: the faults of older ones are of no use any more.
            conversation = (*messages, *correction(reading.content, problems))
        checks = ", ".join(sorted({problem.check for problem in problems}))
        failed = ChecksFailedError(
            f"The model's answer did not pass the workflow's checks ({checks}) and the workflow has"
            " no fallback; look at the run's steps, or try again."
        )
        return Outcome(error=RunError.of(failed))

    async def _called(
        self,
        workflow: Workflow,
        order: Order,
        run: Run,
        messages: tuple[Message, ...],
        trail: Trail,
    ) -> ModelReply:
        request = ModelRequest(
            body=request_body(workflow, messages),
            run_id=run.id,
            workflow=workflow.name,
            caller=order.caller,
            trace_id=order.trace_id,
            parent=under(run.id, order.parent),
            feature=order.feature,
            user=order.user,
            priority=workflow.settings.limits.priority,
            # An answer to "that was wrong, try again" is of no use to another run.
            no_store=order.no_store or trail.attempt > 1,
            prompt_cache_key=workflow.fingerprint,
            headers=order.headers,
            asked_before=trail.attempt - 1,
            untrusted=workflow.settings.trust == "untrusted",
        )
        with trail.step("call") as step:
            try:
                reply = await self._model.complete(request)
                step.call = CallFacts.of(reply)
            except HeadgateError as error:
                body = msgspec.json.encode({"error": error.as_object()})
                reply = ModelReply(call_id="", status=error.status, body=body)
            if reply.status != 200:
                message, kind, code = read_failure(reply.body, reply.status)
                step.verdict, step.code = "failed", code or kind
                step.problems = (Problem("", "upstream", message),)
        return reply

    async def _finish(self, run: Run, claim: Claim | None, trail: Trail, outcome: Outcome) -> Run:
        ended = msgspec.structs.replace(
            run,
            status="failed" if outcome.error else "completed",
            fallback=outcome.fallback,
            finished_at_us=_now_us(),
            steps=tuple(trail.steps),
            error=outcome.error,
            output=outcome.output,
        )
        await self.threads.run(self.repository.finish, ended, claim)
        if self._note_ended is not None:
            self._note_ended(ended)
        return ended


def _check_input(workflow: Workflow, given: Any, trail: Trail) -> None:
    """Raise the error that says what must change in `given`; return where it fits."""
    with trail.step("input"):
        if not isinstance(given, dict):
            raise InvalidRequestError(
                "`input` must be a JSON object that fits the workflow's input schema;"
                f" see GET /api/workflows/{workflow.name}.",
                param="input",
                code="invalid_input",
            )
        if _deeper_than(given, _INPUT_DEPTH_AT_MOST):
            raise InvalidRequestError(
                f"`input` is nested more than {_INPUT_DEPTH_AT_MOST} levels deep.",
                param="input",
                code="invalid_input",
            )
        limit_bytes = workflow.settings.limits.input_max_bytes
        if (size_bytes := len(msgspec.json.encode(given))) > limit_bytes:
            raise PayloadTooLargeError(
                f"`input` has {size_bytes} bytes; this workflow takes {limit_bytes}. Send less,"
                " or raise limits.input_max_bytes in workflow.yaml.",
                param="input",
                code="input_too_large",
            )
        if problems := workflow.input_schema.problems(given):
            told = "; ".join(
                f"`{_field(problem)}` {problem.message}" for problem in problems[:_PROBLEMS_TOLD]
            )
            more = len(problems) - _PROBLEMS_TOLD
            raise InvalidRequestError(
                f"The input does not fit the workflow's schema: {told}"
                + (f"; and {more} more." if more > 0 else "."),
                param=_field(problems[0]),
                code="invalid_input",
            )


def _field(problem: Problem) -> str:
    return f"input.{problem.path}" if problem.path else "input"


def _deeper_than(value: Any, levels: int) -> bool:
    """Whether lists and objects are nested deeper; without recursion, since callers choose it."""
    layer = [value]
    for _ in range(levels):
        layer = [
            child
            for node in layer
            if isinstance(node, dict | list)
            for child in (node.values() if isinstance(node, dict) else node)
        ]
        if not layer:
            return False
    return True


def _parsed(workflow: Workflow, reply: ModelReply, trail: Trail) -> Reading:
    with trail.step("parse") as step:
        reading = read_reply(reply.body, workflow.settings.max_output_tokens)
        if reading.problem is not None:
            step.verdict = "failed"
            step.code = reading.problem.check
            step.problems = (reading.problem,)
    return reading


async def _checked(
    workflow: Workflow, value: dict[str, Any], given: dict[str, Any], trail: Trail
) -> tuple[dict[str, Any], tuple[Problem, ...]]:
    """The output, put right by the rules where they do that, and what is still wrong with it."""
    with trail.step("schema") as step:
        if problems := workflow.output_schema.problems(value):
            step.verdict, step.problems = "failed", problems
            return value, problems
    if workflow.rules is None:
        return value, ()
    with trail.step("rules") as step:
        try:
            output = await workflow.rules.amend(value, given)
        except RulesError as error:
            output, problems = value, (Problem("", "rules", str(error)),)
        else:
            problems = workflow.output_schema.problems(output)
            problems = problems or await workflow.rules.check(output, given)
        if problems:
            step.verdict, step.problems = "failed", problems
        elif output != value:
            step.verdict = "amended"
    return output, problems


async def _fallen_back(
    workflow: Workflow, given: dict[str, Any], error: RunError, trail: Trail
) -> Outcome:
    """The declared answer; the error as it was where the declared answer can't be had."""
    declared = workflow.settings.fallback
    with trail.step("fallback") as step:
        step.code = error.code
        if declared is not None and declared.output is not None:
            return Outcome(output=declared.output, fallback=True)
        try:
            if workflow.rules is None:
                raise RulesError("rules.py defines no `fallback`")
            output = await workflow.rules.fallback(given)
            problems = workflow.output_schema.problems(output)
        except RulesError as failure:
            problems = (Problem("", "rules", str(failure)),)
        if problems:
            step.verdict, step.problems = "failed", problems
            return Outcome(error=error)
        return Outcome(output=output, fallback=True)


def _failure(reply: ModelReply) -> RunError:
    message, kind, code = read_failure(reply.body, reply.status)
    return RunError(status=reply.status, message=message, type=kind, code=code)


def _broken_off(error: BaseException) -> RunError:
    if isinstance(error, asyncio.CancelledError):
        return RunError.of(ClientGoneError())
    if isinstance(error, HeadgateError):
        return RunError.of(error)
    return RunError.of(HeadgateError("Headgate failed while it carried this run; see its log."))


async def _to_the_end(work: Coroutine[Any, Any, Run]) -> Run:
    """Await `work` whole, even when the caller goes meanwhile: a run must not stay `running`."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


def _now_us() -> int:
    return time.time_ns() // 1000
