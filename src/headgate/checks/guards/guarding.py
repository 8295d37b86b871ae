"""Has the guards of one call look at it: in order, each in its time, failing closed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import msgspec

from headgate.checks.contract.finished import ChatFinished, ResponseFinished, finished_in
from headgate.checks.guards.filter_chain import FilterChain
from headgate.checks.guards.finishing import Finishing
from headgate.checks.guards.guard import BlockedError, Guard, Guarded, OutputFilter
from headgate.checks.guards.held_back import filter_of
from headgate.checks.guards.in_time import in_its_time
from headgate.checks.guards.policy import Standing
from headgate.checks.guards.refusals import blocked, blocked_in_stream
from headgate.checks.guards.report import GuardReport
from headgate.checks.guards.shielded import EXITS, ShieldedFilter, failure_of, guard_failed
from headgate.checks.guards.unread import answer_of, unread_kinds, verdict_unseen
from headgate.checks.guards.verdict import Verdict
from headgate.checks.parts import Kind, Part, reply_parts, request_parts
from headgate.checks.parts.flow import ChatFlow, FlowReader
from headgate.checks.parts.instructions import instruct
from headgate.checks.parts.rewriting import Rewriting, TextFilter
from headgate.checks.parts.tokens import forget_tokens
from headgate.checks.parts.walker import TooDeepError
from headgate.checks.redaction.mapping import Mapping
from headgate.checks.redaction.restorer import Restorer, restored
from headgate.config.guards import Direction
from headgate.errors import ContentBlockedError
from headgate.telemetry.faults import log_fault

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
        self._filters: list[ShieldedFilter] = []
        self._of_wholes: list[ShieldedFilter] = []
        """Those of texts that the stream told whole; most came in pieces before."""
        self._let_by: set[Kind] = set()
        """What the stream has shown that guards let by unread."""
        self._restorers: list[Restorer] = []
        """As many as the stream has texts, which `Rewriting` bounds."""
        self._finishing = Finishing(standing.guards, call)
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
        stop = None if answer is None else self._unseen_answer(answer_of(answer))
        if stop is not None:
            raise blocked_in_stream(stop)
        try:
            self._finishing.begin(fields)
        finally:
            self._tell_of_finished("input")
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

    def must_see(self, part: Part, direction: Direction) -> tuple[Guard, Verdict] | None:
        """The first guard that would have to read `part` and can't, and what it says of it."""
        for guard in self._guards:
            if direction in guard.directions:
                verdict = verdict_unseen(guard, self._unread(guard, direction, [part]))
                if verdict is not None:
                    return guard, verdict
        return None

    def let_by(self, part: Part, direction: Direction) -> None:
        """Note which guards would have to read `part`, can't, and let it by all the same."""
        for guard in self._guards:
            if direction in guard.directions:
                unread = self._unread(guard, direction, [part])
                if unread:
                    verdict = Verdict(reason=f"{unread} not read")
                    self.report.add(guard.name, direction, verdict, 0)

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
        for one in (*self._filters, *self._of_wholes):
            one.abandon()

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
                self._tell_of_finished("output")

    @property
    def rewrites_replies(self) -> bool:
        """Whether an answer must be read at all."""
        return (
            bool(len(self.call.mapping))
            or self.looks_at_answers
            or bool(self._finishing.awaiting())
        )

    def stream(self, reader: FlowReader) -> Rewriting:
        """What rewrites the events of the reply.

        It raises `BlockedError`, and `GuardFailedError` where a guard fails.
        """
        finished = ChatFinished() if isinstance(reader, ChatFlow) else ResponseFinished()
        watch = self._finishing.watch(finished)
        tokens = not self._looks_at_streams
        return Rewriting(reader, self._filter_for, self._whole_text, watch, tokens=tokens)

    @property
    def only_restores(self) -> bool:
        """Whether nothing is done to a stream but that hidden values are put back."""
        return not self._finishing.awaiting() and not self._looks_at_streams

    @property
    def _looks_at_streams(self) -> bool:
        """Whether guards may look at anything of a stream before it is finished."""
        return any(
            self._reads_streams(guard) for guard in self._guards if "output" in guard.directions
        )

    @property
    def holds_nothing(self) -> bool:
        """Whether no text of the stream is held back, or depends on what comes next.

        A stand-in may begin with any letter, in a text of which nothing has been seen yet.
        """
        return not self.call.mapping.stand_ins and all(one.idle for one in self._restorers)

    async def settle_stream(self) -> None:
        """Wait for what the stream's filters are still finding out. Raises as `request` does."""
        for one in (*self._filters, *self._of_wholes):
            began_ns = time.perf_counter_ns()
            stop, failure = await in_its_time(one.guard, _settled(one))
            one.took_ns += time.perf_counter_ns() - began_ns
            if stop is not None:
                raise blocked_in_stream(stop)
            verdict = one.verdict()
            if verdict.decision == "review":
                raise blocked(one.guard.name, "output", verdict)
            if verdict.decision == "failed":
                failure = failure or verdict.reason
            if failure is not None:
                one.fail(failure)

    def end_of_stream(self) -> None:
        """Note what the filters of the stream have made of it."""
        joined: dict[tuple[str, bool], tuple[Verdict, int]] = {}
        for one in self._filters:
            _join(joined, one, one.verdict())
        in_pieces = {name for name, _ in joined}
        for one in self._of_wholes:
            verdict = one.verdict()
            if one.guard.name in in_pieces:
                # Mostly it was said of the pieces, too: nothing is to be counted twice.
                verdict = msgspec.structs.replace(verdict, counts={})
            _join(joined, one, verdict)
        self._filters.clear()
        self._of_wholes.clear()
        self._restorers.clear()
        for (name, _), (verdict, took_ns) in joined.items():
            self.report.add(name, "output", verdict, took_ns // 1000)
        self._tell_of_finished("output")

    def _tell_of_finished(self, direction: Direction) -> None:
        """Note what guards have said of a request as it came, or of finished texts."""
        for name, (verdict, took_ns) in self._finishing.said.items():
            self.report.add(name, direction, verdict, took_ns // 1000)
        self._finishing.said.clear()

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
        unread = self._unread(guard, direction, parts)
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

    def _unread(self, guard: Guard, direction: Direction, parts: Sequence[Part]) -> str:
        """As `unread_kinds`. Raises `GuardFailedError` where the guard fails and must not."""
        try:
            return unread_kinds(guard, direction, parts, self.call)
        except (Exception, *EXITS) as fault:  # noqa: BLE001 - it has failed
            self._failed(guard, direction, fault)
            return ""

    def _reads_streams(self, guard: Guard) -> bool:
        """Whether `guard` may look at anything of a stream; one that can't say may."""
        try:
            return guard.reads_streams(self.call) or guard.must_see(
                answer_of("audio"), "output", self.call
            )
        except (Exception, *EXITS) as fault:  # noqa: BLE001 - as above
            self._failed(guard, "output", fault)
            return True

    def _failed(self, guard: Guard, direction: Direction, fault: BaseException) -> None:
        """Note that `guard` failed. Raises `GuardFailedError` where it must not."""
        log_fault(f"guard {guard.name} failed", fault)
        failure = failure_of(fault)
        self.report.add(guard.name, direction, Verdict("failed", reason=failure), 0)
        if guard.on_error == "block":
            raise guard_failed(guard, failure)

    def _unseen_answer(self, part: Part) -> BlockedError | None:
        """Why a part of an answer must not be shown, noted, where a guard would have to read it."""
        unseen = self.must_see(part, "output")
        if unseen is None:
            return None
        guard, verdict = unseen
        self.report.add(guard.name, "output", verdict, 0)
        return BlockedError(guard.name, verdict)

    def _filter_for(self, part: Part) -> TextFilter:
        made = (self._filter_of(guard, part) for guard in self._guards)
        filters = [one for one in made if one is not None]
        self._filters += filters
        restorer = None
        if len(self.call.mapping):
            restorer = Restorer(self.call.mapping, in_json=part.in_json)
            self._restorers.append(restorer)
        if len(filters) == 1 and restorer is None and not part.spoken:
            return filters[0]
        if not filters and restorer is not None:
            return restorer
        return FilterChain(filters, restorer, heard=part.spoken)

    def _whole_text(self, part: Part) -> None:
        """What a stream tells whole: a text gets what its pieces got, other things may stop it."""
        repeated = part.role in _ECHOED
        if part.kind != "text":
            if not repeated:
                self._pass_unread(part)
            return
        text = part.text
        for guard in () if repeated else self._guards:
            if (one := self._filter_of(guard, part)) is not None:
                self._of_wholes.append(one)
                text = one.feed(text) + one.close()
        part.text = restored(text, self.call.mapping, in_json=part.in_json)

    def _pass_unread(self, part: Part) -> None:
        """Raise `BlockedError` where a guard would have to read it; note once a kind else."""
        if (stop := self._unseen_answer(part)) is not None:
            raise stop
        if part.kind not in self._let_by:
            self._let_by.add(part.kind)
            self.let_by(part, "output")

    def _filter_of(self, guard: Guard, part: Part) -> ShieldedFilter | None:
        """A filter of `guard` for the text that begins with `part`; None where it needs none."""
        if "output" not in guard.directions:
            return None
        try:
            inner = filter_of(guard, part, self.call)
        except (Exception, *EXITS) as fault:  # noqa: BLE001 - it has failed
            inner = _Broken(fault)
        return None if inner is None else ShieldedFilter(guard, inner)


_ECHOED = frozenset({"operator", "user", "label"})
"""Of whose parts an answer only repeats, planted canaries among them: they were seen on the way
in."""


class _Broken(OutputFilter):
    """Stands for a filter that could not be made."""

    def __init__(self, fault: BaseException) -> None:
        self._fault = fault

    def feed(self, text: str) -> str:  # noqa: ARG002
        """See `TextFilter`."""
        raise self._fault

    def close(self) -> str:
        """See `TextFilter`."""
        raise self._fault


def _join(
    joined: dict[tuple[str, bool], tuple[Verdict, int]], one: ShieldedFilter, verdict: Verdict
) -> None:
    """Add to what a guard said; that it failed somewhere stays to be seen beside the rest."""
    key = one.guard.name, verdict.decision == "failed"
    known, took_ns = joined.get(key, (None, 0))
    joined[key] = (
        verdict if known is None else known.joined(verdict),
        took_ns + one.took_ns,
    )


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


async def _settled(one: ShieldedFilter) -> BlockedError | None:
    """Why the stream must not go on, once a filter knows; None: it may."""
    try:
        await one.settle()
    except BlockedError as error:
        return error
    return None
