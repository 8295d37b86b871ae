"""How a run ends: as a question to a person where one must look first; stored, then told of."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any

import msgspec

from headgate.storage.threads import StorageThreads
from headgate.workflows.claims import Claim
from headgate.workflows.errand import Errand
from headgate.workflows.folder import Workflow
from headgate.workflows.holding import Holding, awaiting, must_wait, unheld
from headgate.workflows.journal import RunLostError
from headgate.workflows.outcome import Outcome
from headgate.workflows.repository import RunRepository
from headgate.workflows.run import Run
from headgate.workflows.steps import Trail
from headgate.workflows.tools.talk import Talk, kept


class Conclusion:
    """Ends the runs of one process."""

    def __init__(
        self,
        repository: RunRepository,
        threads: StorageThreads,
        holding: Holding | None,
        note_ended: Callable[[Run], None] | None,
    ) -> None:
        """Without `holding`, what must wait for a person fails."""
        self._repository = repository
        self._threads = threads
        self._holding = holding
        self._note_ended = note_ended

    def must_be_seen(self, errand: Errand, outcome: Outcome) -> bool:
        """Whether a person must look at the output before anything is done with it."""
        if outcome.approved:
            return False
        workflow, ended = errand.workflow, _ended(errand.run, errand.trail, outcome)
        if self._holding is None:
            return must_wait(ended, outcome) or workflow.settings.review is not None
        return self._holding.question(workflow, ended, outcome) is not None

    async def conclude(
        self,
        workflow: Workflow | None,
        run: Run,
        claim: Claim | None,
        trail: Trail,
        outcome: Outcome,
        *,
        leg: int | None = None,
        talk: Talk | None = None,
    ) -> Run:
        """Store what became of `run`, even when the caller goes meanwhile; return it so.

        `leg` and `talk` are there for a run that outlives its process; `RunLostError` is raised
        where that is not this process's any more.
        """
        return await _to_the_end(
            self._stored(workflow, run, claim, trail, outcome, leg=leg, talk=talk)
        )

    async def _stored(
        self,
        workflow: Workflow | None,
        run: Run,
        claim: Claim | None,
        trail: Trail,
        outcome: Outcome,
        *,
        leg: int | None,
        talk: Talk | None,
    ) -> Run:
        ended = _ended(run, trail, outcome)
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
        durable = leg is not None
        webhook = None if durable or workflow is None else workflow.settings.webhook
        stored = await self._threads.run(
            self._repository.finish,
            ended,
            claim,
            webhook=webhook,
            leg=leg,
            beside=None if question is None else question.keep,
            talk=_kept(talk, trail, outcome, workflow),
        )
        if durable and not stored:
            raise RunLostError
        if self._note_ended is not None:
            self._note_ended(traced)
        return ended


def _ended(run: Run, trail: Trail, outcome: Outcome) -> Run:
    """The run as it would end, if nobody had to look first."""
    return msgspec.structs.replace(
        run,
        status="rejected" if outcome.refused else "failed" if outcome.error else "completed",
        fallback=outcome.fallback,
        finished_at_us=time.time_ns() // 1000,
        steps=tuple(trail.steps),
        error=outcome.error,
        output=outcome.output,
    )


def _kept(
    talk: Talk | None, trail: Trail, outcome: Outcome, workflow: Workflow | None
) -> str | None:
    """What is kept of what was said; None where nothing was, beside prompt and answer."""
    if talk is None:
        return None
    talk.steps = len(trail.steps)
    if outcome.waits is not None:
        talk.output, talk.fallback = outcome.output, outcome.fallback
        talk.approved = outcome.approved
    elif not talk.messages and (workflow is None or workflow.settings.deliver is None):
        return None
    return kept(talk)


async def _to_the_end(work: Coroutine[Any, Any, Run]) -> Run:
    """Await `work` whole, even when the caller goes meanwhile: a run must not stay `running`."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        if not task.cancelled():
            task.exception()  # somebody has looked at it
        raise
