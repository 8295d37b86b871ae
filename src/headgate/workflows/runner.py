"""Carries one input through a workflow: prompt, model, checks, asking again, fallback, record."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Coroutine
from typing import Any

import msgspec

from headgate.checks.problem import Problem
from headgate.context.connectors import Connectors
from headgate.errors import (
    ConflictError,
    DatabaseUnavailableError,
    HeadgateError,
    PermissionDeniedError,
    UpstreamTimeoutError,
)
from headgate.gateway.caller import Caller
from headgate.storage.identifiers import new_id
from headgate.storage.threads import StorageThreads
from headgate.telemetry.faults import log_fault
from headgate.telemetry.traces.lineage import under
from headgate.workflows.catalogue import Catalogue
from headgate.workflows.context_step import (
    check_context_rights,
    holds_untrusted,
    ready,
    rendered,
)
from headgate.workflows.conversation import correction, request_body
from headgate.workflows.durable.orders import Terms
from headgate.workflows.failures import (
    ChecksFailedError,
    RunDeadlineError,
    broken_off,
    failure_of,
)
from headgate.workflows.folder import Workflow
from headgate.workflows.heard import Heard
from headgate.workflows.holding import REVIEW_NEEDED, Holding, awaiting, must_wait, unheld
from headgate.workflows.idempotency import GRACE_S, INTERRUPTED, claim_of, settled
from headgate.workflows.input_check import check_input
from headgate.workflows.journal import NOTHING, Journal, RunLostError
from headgate.workflows.model import Model, ModelReply, ModelRequest
from headgate.workflows.outcome import Outcome, fallen_back
from headgate.workflows.output_check import checked, parsed
from headgate.workflows.prompt import Message
from headgate.workflows.reply import read_failure
from headgate.workflows.repository import Claim, RunRepository
from headgate.workflows.run import Order, Run, RunError
from headgate.workflows.steps import Trail

_CLAIMS_AT_MOST = 3
"""Times a claim is made anew because its run turned out to be lost."""


class Runner:
    """Runs the workflows of a catalogue."""

    def __init__(
        self,
        catalogue: Catalogue,
        model: Model,
        repository: RunRepository,
        hash_user: Callable[[str], str],
        note_ended: Callable[[Run], None] | None = None,
        holding: Holding | None = None,
        connectors: Connectors | None = None,
    ) -> None:
        """`note_ended` is told of each run that was made here and has ended, or waits.

        Without `holding`, what must wait for a person fails.
        """
        self.catalogue = catalogue
        self.repository = repository
        self.threads = StorageThreads("runs")
        self._model = model
        self._hash_user = hash_user
        self._note_ended = note_ended
        self._holding = holding
        self.connectors = connectors or Connectors({})

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
        check_input(workflow, order.input, trail)
        check_context_rights(workflow, order.caller)
        messages = rendered(workflow, order.input, trail) if workflow.context is None else None
        run = await self._begun(workflow, order, claim)
        if run.replayed:
            return run
        try:
            run, outcome = await self._ready_and_carried(
                workflow, order, run, messages, trail, NOTHING
            )
        except BaseException as error:
            ended = Outcome(error=broken_off(error))
            with contextlib.suppress(HeadgateError):  # the first error is the one to tell
                await _to_the_end(self._finish(workflow, run, claim, trail, ended))
            raise
        return await _to_the_end(self._finish(workflow, run, claim, trail, outcome))

    async def accept(self, order: Order, claim: Claim | None, terms: Terms) -> Run:
        """Store `order` as a run that waits for its turn; `carry` is called for it later.

        Where `claim` stands for a run already, that run, as it is. Raises as `run` does.
        """
        workflow = self.admitted(order.workflow, order.caller)
        check_input(workflow, order.input, Trail())
        check_context_rights(workflow, order.caller)
        if workflow.context is None:
            workflow.prompt.render(order.input)
        return await self._begun(workflow, order, claim, terms)

    async def carry(
        self,
        run: Run,
        order: Order,
        claim: Claim | None,
        journal: Journal,
        deadline_at_us: int | None = None,
    ) -> Run:
        """Carry a run that was accepted, from where `journal` says it is, and store its end.

        Raises `RunLostError` where it is not this process's any more, `DatabaseUnavailableError`
        where it may be called again with the same journal, and leaves the run as it is where this
        task is cancelled: another process goes on with it.
        """
        trail = Trail()
        workflow: Workflow | None = None
        try:
            workflow = self.catalogue.get(order.workflow)
            run = msgspec.structs.replace(
                run, version=workflow.settings.version, digest=workflow.digest
            )
            check_input(workflow, order.input, trail)
            run, outcome = await self._ready_and_carried(
                workflow, order, run, None, trail, journal, deadline_at_us
            )
        except (RunLostError, DatabaseUnavailableError):
            raise
        except Exception as error:  # noqa: BLE001 - what was taken ends, whatever happens to it
            if not isinstance(error, HeadgateError):
                log_fault("a run failed", error, run_id=run.id)
            outcome = Outcome(error=broken_off(error))
        return await _to_the_end(self._finish(workflow, run, claim, trail, outcome, durable=True))

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

    async def _begun(
        self, workflow: Workflow, order: Order, claim: Claim | None, terms: Terms | None = None
    ) -> Run:
        """A new run, stored; or the one that the order's Idempotency-Key stands for.

        That one has ended, except where `terms` say that nobody waits for it.
        """
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
                user_hash=order.user_hash if order.user is None else self._hash_user(order.user),
                input=order.input,
                status="running" if terms is None else "queued",
            )
            earlier = await self.threads.begin(self.repository.begin, run, claim, terms)
            if earlier is None or claim is None:
                return run
            if terms is not None:
                found = await self.threads.run(self.repository.get, earlier)
                if found is not None:
                    return msgspec.structs.replace(found, replayed=True)
                await self.threads.run(self.repository.release, claim)
                continue
            timeout_s = workflow.settings.limits.timeout_s
            ended = await settled(self.repository, self.threads, claim, earlier, timeout_s)
            if ended is not None:
                return ended
        raise ConflictError("This Idempotency-Key is in use; send the request again.")

    async def _ready_and_carried(
        self,
        workflow: Workflow,
        order: Order,
        run: Run,
        messages: tuple[Message, ...] | None,
        trail: Trail,
        journal: Journal,
        deadline_at_us: int | None = None,
    ) -> tuple[Run, Outcome]:
        """Make the run ready, unless its `messages` are there already, and carry it."""
        if messages is None:
            made = await ready(workflow, order, run, trail, journal, self.connectors)
            run, messages = made.run, made.messages
            if made.ended is not None:
                return run, made.ended
        return run, await self._carried(
            workflow, order, run, messages, trail, journal, deadline_at_us
        )

    async def _carried(
        self,
        workflow: Workflow,
        order: Order,
        run: Run,
        messages: tuple[Message, ...],
        trail: Trail,
        journal: Journal,
        deadline_at_us: int | None = None,
    ) -> Outcome:
        limit_s = workflow.settings.limits.timeout_s
        left_s = limit_s if deadline_at_us is None else (deadline_at_us - _now_us()) / 1e6
        try:
            async with asyncio.timeout(min(limit_s, left_s)):
                outcome = await self._asked(workflow, order, run, messages, trail, journal)
        except TimeoutError:
            if left_s < limit_s:
                # An answer without a model would come too late as well.
                return Outcome(error=RunError.of(RunDeadlineError()))
            timed_out = UpstreamTimeoutError(
                f"The run took longer than the {limit_s:g} s that its workflow allows.",
                code="run_timeout",
            )
            outcome = Outcome(error=RunError.of(timed_out))
        error = outcome.error
        if error is None or error.code == REVIEW_NEEDED or workflow.settings.fallback is None:
            return outcome
        return await fallen_back(workflow, order.input, error, trail, run.context)

    async def _asked(
        self,
        workflow: Workflow,
        order: Order,
        run: Run,
        messages: tuple[Message, ...],
        trail: Trail,
        journal: Journal,
    ) -> Outcome:
        """Ask, check, and ask again with the errors as often as the workflow says."""
        problems: tuple[Problem, ...] = ()
        conversation = messages
        for attempt in range(1, workflow.settings.checks.reask + 2):
            trail.attempt = attempt
            reply = await self._called(workflow, order, run, conversation, trail, journal)
            if reply.status != 200:
                return Outcome(error=failure_of(reply))
            reading = parsed(workflow, reply, trail)
            if reading.value is None:
                problems = (reading.problem,) if reading.problem else ()
            else:
                found = await checked(workflow, reading.value, order.input, trail, run.context)
                problems = found.problems
                if not problems:
                    return Outcome(output=found.output, hold=found.hold)
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
        journal: Journal,
    ) -> ModelReply:
        name = f"call-{trail.attempt}"
        request = ModelRequest(
            body=request_body(workflow, messages),
            run_id=run.id,
            workflow=workflow.name,
            caller=order.caller,
            trace_id=order.trace_id,
            parent=under(run.id, order.parent),
            feature=order.feature,
            user_hash=run.user_hash,
            priority=workflow.settings.limits.priority,
            # An answer to "that was wrong, try again" is of no use to another run.
            no_store=order.no_store or trail.attempt > 1,
            prompt_cache_key=workflow.fingerprint,
            headers=(*order.headers, *journal.headers(name)),
            asked_before=trail.attempt - 1,
            untrusted=workflow.settings.trust == "untrusted" or holds_untrusted(workflow, run),
            retrieved=holds_untrusted(workflow, run),
        )
        disown: Callable[[], None] | None = None

        async def heard() -> Heard:
            nonlocal disown
            began_us = _now_us()
            try:
                reply = await self._model.complete(request)
            except HeadgateError as error:
                return Heard.refusal(
                    error, started_at_us=began_us, duration_us=_now_us() - began_us
                )
            disown = reply.disown
            return Heard.of(reply, started_at_us=began_us, duration_us=_now_us() - began_us)

        await journal.note(trail)
        with trail.step("call") as step:
            known = await journal.once(name, heard, Heard)
            reply, step.call = known.reply(disown), known.call
            if reply.status != 200:
                message, kind, code = read_failure(reply.body, reply.status)
                step.verdict, step.code = "failed", code or kind
                step.problems = (Problem("", "upstream", message),)
        # What was heard before a crash was heard when it was heard.
        step.started_at_us, step.duration_us = known.started_at_us, known.duration_us
        return reply

    async def _finish(
        self,
        workflow: Workflow | None,
        run: Run,
        claim: Claim | None,
        trail: Trail,
        outcome: Outcome,
        *,
        durable: bool = False,
    ) -> Run:
        ended = msgspec.structs.replace(
            run,
            status="failed" if outcome.error else "completed",
            fallback=outcome.fallback,
            finished_at_us=_now_us(),
            steps=tuple(trail.steps),
            error=outcome.error,
            output=outcome.output,
        )
        question = None
        if self._holding is not None and workflow is not None:
            question = self._holding.question(workflow, ended, outcome)
        traced = ended
        if question is not None:
            ended = awaiting(ended, question)
            traced = msgspec.structs.replace(ended, finished_at_us=traced.finished_at_us)
        elif must_wait(ended, outcome) or (
            self._holding is None and workflow is not None and workflow.settings.review
        ):
            traced = ended = unheld(ended)
        # Its terms name the address of a durable run.
        webhook = None if durable or workflow is None else workflow.settings.webhook
        stored = await self.threads.run(
            self.repository.finish,
            ended,
            claim,
            webhook=webhook,
            durable=durable,
            beside=None if question is None else question.keep,
        )
        if durable and not stored:
            raise RunLostError
        if self._note_ended is not None:
            self._note_ended(traced)
        return ended


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
