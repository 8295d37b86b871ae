"""Carries one input through a workflow: prompt, model, checks, asking again, fallback, record."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable

import msgspec

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
from headgate.workflows.asking import Asking
from headgate.workflows.catalogue import Catalogue
from headgate.workflows.claims import Claim
from headgate.workflows.conclusion import Conclusion
from headgate.workflows.context_step import (
    check_context_rights,
    is_untrusted,
    ready,
    rendered,
)
from headgate.workflows.durable.orders import Terms
from headgate.workflows.errand import Errand
from headgate.workflows.failures import (
    ClarificationNeededError,
    RunDeadlineError,
    broken_off,
)
from headgate.workflows.folder import Workflow
from headgate.workflows.holding import REVIEW_NEEDED, Holding
from headgate.workflows.idempotency import GRACE_S, INTERRUPTED, claim_of, settled
from headgate.workflows.input_check import check_input
from headgate.workflows.journal import NOTHING, Journal, RunLostError
from headgate.workflows.model import Model
from headgate.workflows.outcome import Outcome, fallen_back
from headgate.workflows.prompts.prompt import Message
from headgate.workflows.repository import RunRepository
from headgate.workflows.run import Order, Run, RunError
from headgate.workflows.steps import Trail
from headgate.workflows.tools.box import OfferedTool
from headgate.workflows.tools.talk import Talk
from headgate.workflows.tools.using import ToolUse

_NO_FALLBACK = (REVIEW_NEEDED, ClarificationNeededError.code)
"""Errors that are answers of their own."""

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
        tools: ToolUse | None = None,
        connectors: Connectors | None = None,
    ) -> None:
        """`note_ended` is told of each run that was made here and has ended, or waits.

        Without `holding`, what must wait for a person fails; without `tools`, none is given.
        """
        self.catalogue = catalogue
        self.repository = repository
        self.threads = StorageThreads("runs")
        self.model = model
        self._asking = Asking(model, tools)
        self._tools = tools
        self._hash_user = hash_user
        self._conclusion = Conclusion(repository, self.threads, holding, note_ended)
        self.connectors = connectors or Connectors({})

    def outlives(self, workflow: Workflow) -> bool:
        """Whether its runs act on the world, and so must go on where their process dies."""
        delivers = workflow.settings.deliver is not None
        return self._tools is not None and (delivers or self._tools.acts(workflow.name))

    def tools_of(self, workflow: Workflow) -> tuple[OfferedTool, ...]:
        """What its models may ask for."""
        box = None if self._tools is None else self._tools.box(workflow.name)
        return () if box is None else tuple(box)

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
        messages = rendered(workflow, order, trail) if workflow.context is None else None
        run = await self._begun(workflow, order, claim)
        if run.replayed:
            return run
        try:
            errand = Errand(workflow, order, run, Talk(), trail, NOTHING)
            run, outcome = await self._ready_and_carried(errand, messages)
        except BaseException as error:
            ended = Outcome(error=broken_off(error))
            with contextlib.suppress(HeadgateError):  # the first error is the one to tell
                await self._conclusion.conclude(workflow, run, claim, trail, ended)
            raise
        return await self._conclusion.conclude(workflow, run, claim, trail, outcome)

    async def accept(self, order: Order, claim: Claim | None, terms: Terms) -> Run:
        """Store `order` as a run that waits for its turn; `carry` is called for it later.

        Where `claim` stands for a run already, that run, as it is. Raises as `run` does.
        """
        workflow = self.admitted(order.workflow, order.caller)
        check_input(workflow, order.input, Trail())
        check_context_rights(workflow, order.caller)
        if workflow.context is None:
            workflow.prompt.render(order.input, untrusted=order.untrusted)
        return await self._begun(workflow, order, claim, terms)

    async def carry(
        self,
        run: Run,
        order: Order,
        claim: Claim | None,
        journal: Journal,
        *,
        leg: int = 0,
        deadline_at_us: int | None = None,
        talk: Talk | None = None,
    ) -> Run:
        """Carry a run that was accepted, from where `journal` says it is, and store its end.

        `leg` is which part of it, between waits for people; `talk` what was said before.

        Raises `RunLostError` where it is not this process's any more, `DatabaseUnavailableError`
        where it may be called again with the same journal, and leaves the run as it is where this
        task is cancelled: another process goes on with it.
        """
        workflow: Workflow | None = None
        talk = talk or Talk()
        trail = Trail(run.steps[: talk.steps])
        try:
            workflow = self.catalogue.get(order.workflow)
            run = msgspec.structs.replace(
                run, version=workflow.settings.version, digest=workflow.digest
            )
            errand = Errand(workflow, order, run, talk, trail, journal)
            run, outcome = await self._resumed(errand, deadline_at_us)
            outcome = await self._delivered(errand.of(run), outcome)
        except (RunLostError, DatabaseUnavailableError):
            raise
        except Exception as error:  # noqa: BLE001 - what was taken ends, whatever happens to it
            if not isinstance(error, HeadgateError):
                log_fault("a run failed", error, run_id=run.id)
            outcome = Outcome(error=broken_off(error))
        return await self._conclusion.conclude(
            workflow, run, claim, trail, outcome, leg=leg, talk=talk
        )

    async def break_off(self) -> None:
        """Let go of what is on its way to tools: this process is about to end."""
        if self._tools is not None:
            await self._tools.break_off()

    async def _resumed(self, errand: Errand, deadline_at_us: int | None) -> tuple[Run, Outcome]:
        """The run, with what is known of it by now, and what comes of it, from where it is."""
        talk, workflow, run = errand.talk, errand.workflow, errand.run
        if talk.output is not None:
            output, fallback = talk.output, talk.fallback
            return run, Outcome(output=output, fallback=fallback, approved=talk.approved)
        if talk.calls == 0:
            check_input(workflow, errand.order.input, errand.trail)
            return await self._ready_and_carried(errand, None, deadline_at_us)
        # It was gathered before the wait: what a person decided about must not change under it.
        messages = rendered(workflow, errand.order, errand.trail, run.context)
        return await self._ready_and_carried(errand, messages, deadline_at_us)

    async def give_up_lost(self) -> int:
        """End runs whose process died; to be called now and then. Returns their number."""
        ended = 0
        for workflow in self.catalogue:
            lost_after_s = workflow.settings.limits.timeout_s + GRACE_S
            ended += await self.threads.run(
                self.repository.give_up,
                INTERRUPTED,
                begun_before_us=_now_us() - int(lost_after_s * 1_000_000),
                webhook=workflow.settings.webhook,
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
            ended = await settled(
                self.repository,
                self.threads,
                claim,
                earlier,
                workflow.settings.limits.timeout_s,
                workflow.settings.webhook,
            )
            if ended is not None:
                return ended
        raise ConflictError("This Idempotency-Key is in use; send the request again.")

    async def _ready_and_carried(
        self,
        errand: Errand,
        messages: tuple[Message, ...] | None,
        deadline_at_us: int | None = None,
    ) -> tuple[Run, Outcome]:
        """Make the run ready, unless its `messages` are there already, and carry it."""
        if messages is None:
            made = await ready(errand, self.connectors)
            errand, messages = errand.of(made.run), made.messages
            if made.ended is not None:
                return made.run, made.ended
        if is_untrusted(errand.workflow, errand.order, errand.run):
            errand.talk.untrusted = True
        return errand.run, await self._carried(errand, messages, deadline_at_us)

    async def _carried(
        self, errand: Errand, messages: tuple[Message, ...], deadline_at_us: int | None = None
    ) -> Outcome:
        workflow = errand.workflow
        limit_s = workflow.settings.limits.timeout_s
        left_s = limit_s if deadline_at_us is None else (deadline_at_us - _now_us()) / 1e6
        try:
            async with asyncio.timeout(min(limit_s, left_s)):
                outcome = await self._asking.outcome(errand, messages)
        except TimeoutError:
            if self._tools is not None and (left_open := await self._tools.left_open(errand)):
                return Outcome(waits=left_open)
            if left_s < limit_s:
                # An answer without a model would come too late as well.
                return Outcome(error=RunError.of(RunDeadlineError()))
            timed_out = UpstreamTimeoutError(
                f"The run took longer than the {limit_s:g} s that its workflow allows.",
                code="run_timeout",
            )
            outcome = Outcome(error=RunError.of(timed_out))
        error = outcome.error
        if error is None or error.code in _NO_FALLBACK or workflow.settings.fallback is None:
            return outcome
        given, context = errand.order.input, errand.run.context
        return await fallen_back(workflow, given, error, errand.trail, context)

    async def _delivered(self, errand: Errand, outcome: Outcome) -> Outcome:
        """`outcome` after its output was delivered, where it is to be and may be."""
        if (
            self._tools is None
            or errand.workflow.settings.deliver is None
            or outcome.output is None
            or self._conclusion.must_be_seen(errand, outcome)
        ):
            return outcome
        await errand.journal.note(errand.trail)
        return await self._tools.delivered(errand, outcome)


def _now_us() -> int:
    return time.time_ns() // 1000
