"""Has the guards of one call look at it: in order, each in its time, failing closed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from headgate.checks.guards.guard import BlockedError, Guard, Guarded, OutputFilter
from headgate.checks.guards.policy import Standing
from headgate.checks.guards.report import GuardReport
from headgate.checks.guards.verdict import Verdict
from headgate.checks.parts import Part, reply_parts, request_parts
from headgate.checks.parts.flow import FlowReader
from headgate.checks.parts.instructions import instruct
from headgate.checks.parts.rewriting import Rewriting, TextFilter
from headgate.checks.parts.walker import TooDeepError
from headgate.checks.redaction.mapping import Mapping
from headgate.checks.redaction.restorer import Restorer, restored
from headgate.config.guards import Direction
from headgate.errors import ContentBlockedError, GuardFailedError
from headgate.telemetry.faults import log_fault

_T = TypeVar("_T")
_Check = Callable[[Sequence[Part], Guarded], Awaitable[Verdict]]


class Guarding:
    """The guards of one call."""

    def __init__(self, standing: Standing, call: Guarded) -> None:
        self.call = call
        self.version = standing.version
        self.report = GuardReport(standing.policies)
        self._guards = standing.guards
        self._filters: list[tuple[Guard, OutputFilter]] = []
        self._of_wholes: list[tuple[Guard, OutputFilter]] = []
        """Those of texts that the stream told whole; most came in pieces before."""
        self._beside: list[asyncio.Task[None]] = []

    async def request(self, fields: dict[str, Any], more: Sequence[Part] = ()) -> set[str]:
        """Check a decoded request and rewrite what must not leave; return which fields changed.

        `more` are parts beside its fields, such as the files of a form.
        Raises `ContentBlockedError` and `GuardFailedError`.
        """
        try:
            parts = [*request_parts(fields), *more]
        except TooDeepError:
            raise ContentBlockedError(
                "The request is nested deeper than its guards look.", code="guard_cannot_see"
            ) from None
        self.call.fields = fields
        for guard in self._guards:
            if "input" not in guard.directions:
                continue
            asking = self._ask(guard, "input", guard.check_input, parts)
            if guard.beside:
                self._beside.append(asyncio.get_running_loop().create_task(asking))
            else:
                await asking
        if self.call.instructions:
            self.call.rewritten.add(instruct(fields, "\n\n".join(self.call.instructions)))
        return {part.field for part in parts if part.changed} | self.call.rewritten

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
        for _, one in (*self._filters, *self._of_wholes):
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
            if "output" in guard.directions:
                await self._ask(guard, "output", guard.check_output, parts)
        put_back(parts, self.call.mapping)

    @property
    def rewrites_replies(self) -> bool:
        """Whether an answer must be read at all."""
        return bool(len(self.call.mapping)) or any(
            "output" in guard.directions for guard in self._guards
        )

    def stream(self, reader: FlowReader) -> Rewriting:
        """What rewrites the events of the reply; it raises as `BlockedError` says."""
        return Rewriting(reader, self._filter_for, self._whole_text)

    async def settle_stream(self) -> None:
        """Wait for what the stream's filters are still finding out. Raises as `request` does."""
        for guard, one in (*self._filters, *self._of_wholes):
            stop, failure = await _within_its_time(guard, _settled(one))
            if stop is not None:
                raise blocked_in_stream(stop)
            if failure is not None:
                self.report.add(guard.name, "output", Verdict("failed", reason=failure), 0)
                if guard.on_error == "block":
                    raise _failed(guard, failure)

    def end_of_stream(self) -> None:
        """Note what the filters of the stream have made of it."""
        joined: dict[str, Verdict] = {}
        for guard, one in self._filters:
            verdict = one.verdict()
            known = joined.get(guard.name)
            joined[guard.name] = verdict if known is None else known.joined(verdict)
        self._filters.clear()
        for name, verdict in joined.items():
            self.report.add(name, "output", verdict, 0)

    async def _ask(
        self, guard: Guard, direction: Direction, check: _Check, parts: Sequence[Part]
    ) -> None:
        began_ns = time.perf_counter_ns()
        failure = None
        verdict = _unreadable(guard, parts)
        if verdict is None:
            verdict, failure = await _within_its_time(guard, check(parts, self.call))
        if verdict is None:
            verdict = Verdict("failed", reason=failure)
        took_us = (time.perf_counter_ns() - began_ns) // 1000
        self.report.add(guard.name, direction, verdict, took_us)
        if verdict.decision == "block":
            raise blocked(guard.name, direction, verdict)
        if verdict.decision == "failed" and guard.on_error == "block":
            raise _failed(guard, failure or "failed")

    def _filter_for(self, part: Part) -> TextFilter:
        filters: list[TextFilter] = []
        for guard in self._guards:
            if "output" in guard.directions and (one := guard.output_filter(part, self.call)):
                self._filters.append((guard, one))
                filters.append(one)
        if len(self.call.mapping):
            filters.append(Restorer(self.call.mapping, in_json=part.in_json))
        return filters[0] if len(filters) == 1 else _Chain(filters)

    def _whole_text(self, part: Part) -> None:
        """A text that a stream tells whole gets what its pieces got."""
        text = part.text
        for guard in self._guards:
            if "output" in guard.directions and (one := guard.output_filter(part, self.call)):
                self._of_wholes.append((guard, one))
                text = one.feed(text) + one.close()
        part.text = restored(text, self.call.mapping, in_json=part.in_json)


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


async def _within_its_time(guard: Guard, work: Awaitable[_T]) -> tuple[_T | None, str | None]:
    """What `work` of a guard gives, or how it failed."""
    try:
        async with asyncio.timeout(guard.timeout_s):
            return await work, None
    except TimeoutError:
        return None, f"took longer than {guard.timeout_s:g} s"
    except Exception as fault:  # noqa: BLE001 - whatever a guard raises, it has failed
        log_fault(f"guard {guard.name} failed", fault)
        return None, f"failed ({type(fault).__name__})"


async def _settled(one: OutputFilter) -> BlockedError | None:
    """Why the stream must not go on, once a filter knows; None: it may."""
    try:
        await one.settle()
    except BlockedError as error:
        return error
    return None


def _failed(guard: Guard, failure: str) -> GuardFailedError:
    return GuardFailedError(
        f"The guard `{guard.name}` {failure}, so the call is refused: what can't be checked does"
        " not go out. Try again, or ask whoever runs this server."
    )


def blocked(guard: str, direction: Direction, verdict: Verdict) -> ContentBlockedError:
    """What a caller is told of a call that a guard blocked."""
    what = "request" if direction == "input" else "reply"
    reason = f" ({verdict.reason})" if verdict.reason else ""
    return ContentBlockedError(
        verdict.message or f"The guard `{guard}` does not let this {what} by{reason}."
    )


def blocked_in_stream(error: BlockedError) -> ContentBlockedError:
    """The same of a stream."""
    return blocked(error.guard, "output", error.verdict)


def _unreadable(guard: Guard, parts: Sequence[Part]) -> Verdict | None:
    if guard.unreadable == "allow":
        return None
    hidden = sorted({part.kind for part in parts if part.kind not in ("text", "name")})
    if not hidden:
        return None
    return Verdict("block", reason=f"it can't see into {' or '.join(hidden)}")


class _Chain:
    """Several filters, one behind the other."""

    __slots__ = ("_filters",)

    def __init__(self, filters: list[TextFilter]) -> None:
        self._filters = filters

    def feed(self, text: str) -> str:
        """See `TextFilter`."""
        for one in self._filters:
            text = one.feed(text)
        return text

    def close(self) -> str:
        """See `TextFilter`."""
        text = ""
        for one in self._filters:
            text = one.feed(text) + one.close()
        return text
