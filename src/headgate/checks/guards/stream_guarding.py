"""Has the guards of one call look at its answer while that flows: text by text, failing closed."""

from __future__ import annotations

import time
from collections.abc import Sequence

import msgspec

from headgate.checks.contract.finished import ChatFinished, ResponseFinished
from headgate.checks.guards.filter_chain import FilterChain
from headgate.checks.guards.finishing import Finishing
from headgate.checks.guards.guard import BlockedError, Guard, Guarded, OutputFilter
from headgate.checks.guards.held_back import filter_of
from headgate.checks.guards.in_time import in_its_time
from headgate.checks.guards.refusals import blocked, blocked_in_stream
from headgate.checks.guards.shielded import EXITS, ShieldedFilter
from headgate.checks.guards.sight import Sight
from headgate.checks.guards.unread import answer_of
from headgate.checks.guards.verdict import Verdict
from headgate.checks.parts import Kind, Part
from headgate.checks.parts.flow import ChatFlow, FlowReader
from headgate.checks.parts.rewriting import Rewriting, TextFilter
from headgate.checks.redaction.restorer import Restorer, restored

_ECHOED = frozenset({"operator", "user", "label"})
"""Of whose parts an answer only repeats, planted canaries among them: they were seen on the way
in."""


class StreamGuarding:
    """The guards of one call, as its streamed answer meets them."""

    def __init__(
        self, guards: Sequence[Guard], call: Guarded, sight: Sight, finishing: Finishing
    ) -> None:
        self._guards = guards
        self._call = call
        self._sight = sight
        self._finishing = finishing
        self._filters: list[ShieldedFilter] = []
        self._of_wholes: list[ShieldedFilter] = []
        """Those of texts that the stream told whole; most came in pieces before."""
        self._let_by: set[Kind] = set()
        """What the stream has shown that guards let by unread."""
        self._restorers: list[Restorer] = []
        """As many as the stream has texts, which `Rewriting` bounds."""

    def rewriting(self, reader: FlowReader) -> Rewriting:
        """What rewrites the events of the reply.

        It raises `BlockedError`, and `GuardFailedError` where a guard fails.
        """
        finished = ChatFinished() if isinstance(reader, ChatFlow) else ResponseFinished()
        watch = self._finishing.watch(finished)
        tokens = not self._looks_at_streams
        return Rewriting(reader, self.filter_for, self._whole_text, watch, tokens=tokens)

    def filter_for(self, part: Part) -> TextFilter:
        """What the text that begins with `part` goes through."""
        made = (self._filter_of(guard, part) for guard in self._guards)
        filters = [one for one in made if one is not None]
        self._filters += filters
        restorer = None
        if len(self._call.mapping):
            restorer = Restorer(self._call.mapping, in_json=part.in_json)
            self._restorers.append(restorer)
        if len(filters) == 1 and restorer is None and not part.spoken:
            return filters[0]
        if not filters and restorer is not None:
            return restorer
        return FilterChain(filters, restorer, heard=part.spoken)

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
        return not self._call.mapping.stand_ins and all(one.idle for one in self._restorers)

    async def settle(self) -> None:
        """Wait for what filters are still finding out. Raises as `Guarding.request` does."""
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

    def end(self) -> None:
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
            self._sight.report.add(name, "output", verdict, took_ns // 1000)
        self._finishing.tell(self._sight.report, "output")

    def abandon(self) -> None:
        """The call is over: what filters are still finding out is of no use."""
        for one in (*self._filters, *self._of_wholes):
            one.abandon()

    def _reads_streams(self, guard: Guard) -> bool:
        """Whether `guard` may look at anything of a stream; one that can't say may."""
        try:
            return guard.reads_streams(self._call) or guard.must_see(
                answer_of("audio"), "output", self._call
            )
        except (Exception, *EXITS) as fault:  # noqa: BLE001 - it has failed
            self._sight.failed(guard, "output", fault)
            return True

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
        part.text = restored(text, self._call.mapping, in_json=part.in_json)

    def _pass_unread(self, part: Part) -> None:
        """Raise `BlockedError` where a guard would have to read it; note once a kind else."""
        if (stop := self._sight.unseen_answer(part)) is not None:
            raise stop
        if part.kind not in self._let_by:
            self._let_by.add(part.kind)
            self._sight.let_by(part, "output")

    def _filter_of(self, guard: Guard, part: Part) -> ShieldedFilter | None:
        """A filter of `guard` for the text that begins with `part`; None where it needs none."""
        if "output" not in guard.directions:
            return None
        try:
            inner = filter_of(guard, part, self._call)
        except (Exception, *EXITS) as fault:  # noqa: BLE001 - it has failed
            inner = _Broken(fault)
        return None if inner is None else ShieldedFilter(guard, inner)


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


async def _settled(one: ShieldedFilter) -> BlockedError | None:
    """Why the stream must not go on, once a filter knows; None: it may."""
    try:
        await one.settle()
    except BlockedError as error:
        return error
    return None
