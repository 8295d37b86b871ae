"""Has the guards of one call look at it: in order, each in its time, failing closed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import msgspec

from headgate.checks.contract.finished import finished_in
from headgate.checks.guards.finishing import Finishing
from headgate.checks.guards.guard import BlockedError, Guard, Guarded
from headgate.checks.guards.in_time import in_its_time
from headgate.checks.guards.policy import Standing
from headgate.checks.guards.refusals import blocked, blocked_in_stream
from headgate.checks.guards.report import GuardReport
from headgate.checks.guards.shielded import guard_failed
from headgate.checks.guards.sight import Sight
from headgate.checks.guards.stream_guarding import StreamGuarding
from headgate.checks.guards.unread import answer_of, verdict_unseen
from headgate.checks.guards.verdict import Verdict
from headgate.checks.parts import Kind, Part, reply_parts, request_parts
from headgate.checks.parts.instructions import instruct
from headgate.checks.parts.tokens import forget_tokens
from headgate.checks.parts.walker import TooDeepError
from headgate.checks.redaction.mapping import Mapping
from headgate.checks.redaction.restorer import restored
from headgate.config.guards import Direction
from headgate.errors import ContentBlockedError

_Check = Callable[[Sequence[Part], Guarded], Coroutine[Any, Any, Verdict]]


class Guarding:
    """The guards of one call."""

    def __init__(self, standing: Standing, call: Guarded) -> None:
        self.call = call
        self.version = standing.version
        self.looks_at_answers = any(
            "output" in guard.directions and not guard.of_finished for guard in standing.guards
        )
        """Whether guards look at any answer, whatever the request asks it to be."""
        self.report = GuardReport(standing.policies)
        self._standing = standing
        self._guards = standing.guards
        self._finishing = Finishing(standing.guards, call)
        self.sight = Sight(standing.guards, call, self.report)
        """What of it they can't see."""
        self.streamed = StreamGuarding(standing.guards, call, self.sight, self._finishing)
        """The same guards, where the answer is a stream."""
        self._beside: list[asyncio.Task[None]] = []

    async def request(
        self, fields: dict[str, Any], more: Sequence[Part] = (), *, answer: Kind | None = None
    ) -> set[str]:
        """Check a decoded request and rewrite what must not leave; return which fields changed.

        `more` are parts beside its fields, such as the files of a form; `answer` is what the
        answer is known to be, where that is no text: what will be refused need not be paid for.
        Raises `ContentBlockedError` and `GuardFailedError`.
        """
        try:
            parts = [*request_parts(fields), *more]
        except TooDeepError:
            raise ContentBlockedError(
                "The request is nested deeper than its guards look.", code="guard_cannot_see"
            ) from None
        self.call.fields = fields
        stop = None if answer is None else self.sight.unseen_answer(answer_of(answer))
        if stop is not None:
            raise blocked_in_stream(stop)
        try:
            self._finishing.begin(fields)
        finally:
            self._finishing.tell(self.report, "input")
        await self._asked(parts, may_wait=True)
        if self.call.instructions:
            self.call.rewritten.add(instruct(fields, "\n\n".join(self.call.instructions)))
        return {part.field for part in parts if part.changed} | self.call.rewritten

    async def piece(self, parts: Sequence[Part], fields: dict[str, Any]) -> None:
        """Check a piece of a conversation that goes on, such as an event, before it leaves.

        `fields` stand for the request where guards change more of it than texts.
        Raises as `request` does.
        """
        self.call.fields = fields
        self.call.rewritten.clear()
        await self._asked(parts, may_wait=False)

    def another(self, call: Guarded | None = None) -> Guarding:
        """The same guards at another part of the same conversation, with a report of their own.

        `call` stands for what they know of it, where they are not to change that.
        """
        return Guarding(self._standing, call or self.call)

    def after(self, earlier: Guarding | None) -> Guarding:
        """Itself, with what was said of an `earlier` piece of the same call."""
        if earlier is not None:
            self.report.join(earlier.report)
        return self

    async def requests_verdicts(self) -> None:
        """Wait for the guards that check the request while the model is asked.

        Nothing of an answer may be shown before. Raises as `request` does.
        """
        beside, self._beside = self._beside, []
        for task in beside:
            await task

    def abandon(self) -> None:
        """The call is over: what guards are still finding out is of no use."""
        for task in self._beside:
            if not task.cancel() and not task.cancelled():
                task.exception()
        self.streamed.abandon()

    async def reply(self, body: Any) -> None:
        """Check a decoded whole reply, and put back in it what was hidden from the model.

        Raises as `request` does.
        """
        try:
            parts = reply_parts(body, structured=self.call.structured)
        except TooDeepError:
            raise ContentBlockedError(
                "The reply is nested deeper than its guards look.", code="guard_cannot_see"
            ) from None
        for guard in self._guards:
            if "output" in guard.directions and not guard.of_finished:
                await self._ask(guard, "output", guard.check_output, parts)
        if any(part.changed for part in parts):
            forget_tokens(body)
        put_back(parts, self.call.mapping)
        if awaiting := self._finishing.awaiting():
            try:
                self._finishing.look_at(finished_in(body), awaiting)
            except BlockedError as stop:
                raise blocked_in_stream(stop) from None
            finally:
                self._finishing.tell(self.report, "output")

    @property
    def rewrites_replies(self) -> bool:
        """Whether an answer must be read at all."""
        return (
            bool(len(self.call.mapping))
            or self.looks_at_answers
            or bool(self._finishing.awaiting())
        )

    async def _asked(self, parts: Sequence[Part], *, may_wait: bool) -> None:
        """Ask the guards in order; those that work beside the call later, where it `may_wait`."""
        for guard in self._guards:
            if "input" not in guard.directions:
                continue
            asking = self._ask(guard, "input", guard.check_input, parts)
            if guard.beside and may_wait:
                self._beside.append(asyncio.get_running_loop().create_task(asking))
            else:
                await asking

    async def _ask(
        self, guard: Guard, direction: Direction, check: _Check, parts: Sequence[Part]
    ) -> None:
        began_ns = time.perf_counter_ns()
        failure = None
        unread = self.sight.unread(guard, direction, parts)
        verdict = verdict_unseen(guard, unread)
        if verdict is None:
            verdict, failure = await in_its_time(guard, check(parts, self.call))
        if unread and isinstance(verdict, Verdict) and verdict.reason is None:
            # It was let by: whoever reads the record is to know.
            verdict = msgspec.structs.replace(verdict, reason=f"{unread} not read")
        if not isinstance(verdict, Verdict):
            failure = failure or "returned no verdict"
            verdict = Verdict("failed", reason=failure)
        took_us = (time.perf_counter_ns() - began_ns) // 1000
        self.report.add(guard.name, direction, verdict, took_us)
        drafted = direction == "output" and self.call.workflow is not None
        if verdict.decision == "block" or (verdict.decision == "review" and not drafted):
            # What a run was answered is its draft: the run itself waits, and does not show it.
            raise blocked(guard.name, direction, verdict)
        if verdict.decision == "failed" and guard.on_error == "block":
            raise guard_failed(guard, failure or "failed")


def put_back(parts: Sequence[Part], mapping: Mapping) -> None:
    """Put into the texts of `parts` what `mapping` hid from the model."""
    if not len(mapping):
        return
    for part in parts:
        if part.kind == "text":
            text = part.text
            told = restored(text, mapping, in_json=part.in_json)
            if told is not text:
                part.text = told
