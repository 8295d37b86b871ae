"""Looks after what waits: reminders, and what happens when a review's time is up.

Every process looks; the row's lock has each thing done once. What is due while no server runs is
done when one starts.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any, assert_never

import msgspec
from sqlalchemy.engine import Connection

from headgate.checks.schema import Schema
from headgate.errors import DatabaseUnavailableError, HeadgateError, NotFoundError
from headgate.review.actions import end_action
from headgate.review.alerts import ESCALATED, OVERDUE, SECOND_TIME, Tell, review_alert
from headgate.review.deadline import Escalate, Overdue, Remind, Settle, Step, step_at
from headgate.review.deciding import settled
from headgate.review.ending import LATE, end_run
from headgate.review.left_over import LeftOver
from headgate.review.repository import ReviewRepository
from headgate.review.review import DEADLINE, Event, Review, Settled
from headgate.storage.threads import StorageThreads
from headgate.telemetry.faults import log_fault
from headgate.workflows.catalogue import Catalogue
from headgate.workflows.outcome import fallen_back
from headgate.workflows.repository import RunRepository
from headgate.workflows.steps import Trail

_log = logging.getLogger(__name__)

_LOOK_EVERY_S = 1.0
_COUNT_EVERY_S = 5.0
_AT_ONCE = 50
"""Reviews that one look takes in; the next looks for more."""


class Sweeper:
    """One process's task; `start()` it and `stop()` it."""

    def __init__(
        self,
        repository: ReviewRepository,
        runs: RunRepository,
        catalogue: Catalogue,
        threads: StorageThreads,
        tell: Tell,
        *,
        note_decided: Callable[[Review], None] = lambda _: None,
        note_open: Callable[[Mapping[tuple[str, str], int]], None] = lambda _: None,
        go_on: Callable[[str], Awaitable[None]] | None = None,
        clock_us: Callable[[], int] = lambda: time.time_ns() // 1000,
    ) -> None:
        self._repository = repository
        self._runs = runs
        self._catalogue = catalogue
        self._threads = threads
        self._tell = tell
        self._note_decided = note_decided
        self._note_open = note_open
        self._go_on = go_on
        self._left_over = LeftOver(repository, runs)
        self._clock_us = clock_us
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to look."""
        self._task = asyncio.create_task(self._run(), name="headgate-reviews")

    async def stop(self) -> None:
        """Look no more; what is under way is done or left whole."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def look(self) -> int:
        """Do what is due now; return how many reviews something was done about."""
        due = await self._threads.run(self._repository.due, self._clock_us(), _AT_ONCE)
        done = 0
        for review_id in due:
            try:
                done += await self._look_after(review_id)
            except DatabaseUnavailableError:
                raise
            except Exception as fault:  # noqa: BLE001 - one review must not hold up the others
                log_fault("a review could not be looked after", fault, review=review_id)
        return done

    async def _run(self) -> None:
        count_at_s = 0.0
        while True:
            try:
                await self.look()
                if time.monotonic() >= count_at_s:
                    count_at_s = time.monotonic() + _COUNT_EVERY_S
                    await self._threads.run(self._left_over.look, self._clock_us())
                    counts = await self._threads.run(self._repository.open_counts)
                    self._note_open({(kind, name): n for (kind, name), n in counts.items()})
            except DatabaseUnavailableError:
                pass  # what is due stays due
            except Exception as fault:  # noqa: BLE001 - the task must go on
                log_fault("reviews could not be looked after", fault)
            await asyncio.sleep(_LOOK_EVERY_S)

    async def _look_after(self, review_id: str) -> bool:
        review = await self._threads.run(self._repository.get, review_id)
        if review is None or review.decision is not None:
            return False
        output = None
        if step_at(review, self._clock_us()) == Settle("fall_back"):
            output = await self._fallback(review)
        ended = await self._threads.run(self._step, review_id, output)
        if ended is None:
            return False
        if ended.decision is not None:
            self._note_decided(ended)
            if self._go_on is not None and ended.run_id is not None:
                await self._go_on(ended.run_id)
        return True

    def _step(self, review_id: str, fallback: dict[str, Any] | None) -> Review | None:
        """Do what is due about a review, in one transaction; None where nothing is any more."""
        with self._repository.database.begin() as connection:
            review = self._repository.locked(connection, review_id)
            now_us = self._clock_us()
            step = None if review.decision is not None else step_at(review, now_us)
            if step is None:
                return None
            after, event = self._after(connection, review, step, fallback, now_us)
            self._repository.store(connection, after)
            self._repository.add_event(connection, review_id, event)
        return after

    def _after(
        self,
        connection: Connection,
        review: Review,
        step: Step,
        fallback: dict[str, Any] | None,
        now_us: int,
    ) -> tuple[Review, Event]:
        event = Event(at_us=now_us, what="reminded", actor=DEADLINE)
        second = review.deadline is not None and review.deadline.escalated
        base = SECOND_TIME if second else 0
        match step:
            case Remind(after, percent):
                alert = review_alert(after, "waits", now_us, percent=percent)
                self._tell(connection, alert, base + percent)
                return after, msgspec.structs.replace(event, detail=f"{percent} %")
            case Escalate(after, to):
                alert = review_alert(after, "escalated", now_us)
                self._tell(connection, alert, base + ESCALATED)
                return after, msgspec.structs.replace(event, what="escalated", detail=to)
            case Overdue(after):
                alert = review_alert(after, "overdue", now_us)
                self._tell(connection, alert, base + OVERDUE)
                return after, msgspec.structs.replace(event, what="overdue")
            case Settle(how):
                after = self._settled(connection, review, how, fallback, now_us)
                assert after.decision is not None  # noqa: S101 - narrows the type
                return after, msgspec.structs.replace(event, what=after.decision)
            case _:
                assert_never(step)

    def _settled(
        self,
        connection: Connection,
        review: Review,
        how: str,
        fallback: dict[str, Any] | None,
        now_us: int,
    ) -> Review:
        output = None
        if review.kind == "output" and how == "approve":
            output = self._repository.contents_in(connection, review.id).draft
        elif how == "fall_back":
            output = fallback
        decision: Settled = "approved" if how == "approve" else "fell_back"
        ended = settled(review, "rejected" if output is None else decision, DEADLINE, now_us)
        if review.kind == "action":
            end_action(connection, ended, None)
        else:
            end_run(connection, ended, output, self._catalogue, by_person=False)
        return ended

    async def _fallback(self, review: Review) -> dict[str, Any] | None:
        """What the workflow declares, as it is loaded now; None where it can't be had.

        Nor where it does not fit what the run's caller was promised.
        """
        run = None
        if review.run_id is not None:
            run = await self._threads.run(self._runs.get, review.run_id)
        if run is None or run.input is None:
            return None
        try:
            workflow = self._catalogue.get(run.workflow)
            outcome = await fallen_back(workflow, run.input, LATE, Trail(), run.context)
        except NotFoundError:
            return None
        except HeadgateError as error:
            _log.warning("a fallback could not be had", extra={"reason": error.code})
            return None
        promised = (await self._threads.run(self._repository.contents, review.id)).output_schema
        if outcome.output is None or promised is None:
            return outcome.output
        # Another version may declare another one by now.
        return None if Schema(promised).problems(outcome.output) else outcome.output
