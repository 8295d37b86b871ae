"""Asks a model until its answer passes: with tools where it wants them, again where checks fail."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from headgate.checks.problem import Problem
from headgate.errors import HeadgateError
from headgate.ledger.cost import total_cost_nanousd
from headgate.telemetry.traces.lineage import under
from headgate.workflows.context_step import holds_untrusted
from headgate.workflows.conversation import correction, request_body
from headgate.workflows.errand import Errand
from headgate.workflows.failures import (
    CallsUsedUpError,
    ChecksFailedError,
    MoneyUsedUpError,
    failure_of,
)
from headgate.workflows.heard import Heard
from headgate.workflows.model import Model, ModelReply, ModelRequest
from headgate.workflows.outcome import Outcome
from headgate.workflows.output_check import checked, parsed
from headgate.workflows.prompts.prompt import Message
from headgate.workflows.reply import read_failure
from headgate.workflows.run import RunError
from headgate.workflows.tools.asked import asked_tools
from headgate.workflows.tools.using import ToolUse

_NANO = 1_000_000_000


class Asking:
    """The way from a rendered prompt to an outcome."""

    def __init__(self, model: Model, tools: ToolUse | None) -> None:
        """Without `tools`, no model is given any."""
        self._model = model
        self._tools = tools

    async def outcome(self, errand: Errand, messages: tuple[Message, ...]) -> Outcome:
        """Ask, check, and ask again with the errors as often as the workflow says."""
        workflow, talk, trail = errand.workflow, errand.talk, errand.trail
        problems: tuple[Problem, ...] = ()
        for attempt in range(talk.attempt, workflow.settings.checks.reask + 2):
            trail.attempt = talk.attempt = attempt
            reply = await self._answer(errand, messages)
            if isinstance(reply, Outcome):
                return reply
            if reply.status != 200:
                return Outcome(error=failure_of(reply))
            reading = parsed(workflow, reply, trail)
            if reading.value is None:
                problems = (reading.problem,) if reading.problem else ()
            else:
                given, context = errand.order.input, errand.run.context
                found = await checked(workflow, reading.value, given, trail, context)
                problems = found.problems
                if not problems:
                    return Outcome(output=found.output, hold=found.hold)
            if reply.disown is not None:
                reply.disown()
            # Only the newest answer goes along: the faults of older ones are of no use any more.
            talk.correction = list(correction(reading.content, problems))
        checks = ", ".join(sorted({problem.check for problem in problems}))
        failed = ChecksFailedError(
            f"The model's answer did not pass the workflow's checks ({checks}) and the workflow has"
            " no fallback; look at the run's steps, or try again."
        )
        return Outcome(error=RunError.of(failed))

    async def _answer(self, errand: Errand, messages: tuple[Message, ...]) -> ModelReply | Outcome:
        """The model's answer, once it asks for no tool any more; an outcome where there is none."""
        talk, tools = errand.talk, self._tools
        while True:
            if tools is not None and talk.pending:
                stopped = await tools.answered(errand)
                if stopped is not None:
                    return stopped
            if (used_up := _used_up(errand)) is not None:
                return Outcome(error=RunError.of(used_up))
            conversation: list[Message | dict[str, Any]] = [
                *messages,
                *talk.messages,
                *talk.correction,
            ]
            offered = [] if tools is None else await tools.listed(errand)
            # The last call that the run may make is for the answer.
            last = talk.calls + 1 >= errand.workflow.settings.limits.model_calls
            body = request_body(errand.workflow, conversation, offered, no_tools=last)
            reply = await self._called(errand, body)
            asked = asked_tools(reply) if offered and reply.status == 200 else None
            if asked is None:
                return reply
            talk.ask(*asked)

    async def _called(self, errand: Errand, body: bytes) -> ModelReply:
        workflow, order, run, trail = errand.workflow, errand.order, errand.run, errand.trail
        errand.talk.calls += 1
        name = f"call-{errand.talk.calls}"
        retrieved = holds_untrusted(workflow, run)
        request = ModelRequest(
            body=body,
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
            headers=(*order.headers, *errand.journal.headers(name)),
            asked_before=trail.attempt - 1,
            # What a tool brought in may be an attacker's as well as what the run began with.
            untrusted=errand.talk.untrusted,
            users_vouched=workflow.settings.trust == "trusted" and not retrieved,
            retrieved=retrieved,
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

        await errand.journal.note(trail)
        with trail.step("call") as step:
            known = await errand.journal.once(name, heard, Heard)
            reply, step.call = known.reply(disown), known.call
            if reply.status != 200:
                message, kind, code = read_failure(reply.body, reply.status)
                step.verdict, step.code = "failed", code or kind
                step.problems = (Problem("", "upstream", message),)
        # What was heard before a crash was heard when it was heard.
        step.started_at_us, step.duration_us = known.started_at_us, known.duration_us
        return reply


def _used_up(errand: Errand) -> HeadgateError | None:
    """Why no other call may be begun; None: it may."""
    limits = errand.workflow.settings.limits
    if errand.talk.calls >= limits.model_calls:
        return CallsUsedUpError(
            f"The run made the {limits.model_calls} calls that its workflow allows, and has no"
            " answer yet; raise limits.model_calls, or ask for less at once."
        )
    if limits.usd is None:
        return None
    calls: Sequence[int | None] = [
        step.call.cost_nanousd for step in errand.trail.steps if step.call
    ]
    spent_nanousd = total_cost_nanousd(calls) if calls else 0
    if spent_nanousd is None or spent_nanousd >= int(Decimal(limits.usd) * _NANO):
        return MoneyUsedUpError(
            f"The run's calls cost the ${limits.usd} that its workflow allows, or their price is"
            " not known; raise limits.usd, or give the model a price."
        )
    return None


def _now_us() -> int:
    return time.time_ns() // 1000
