"""The reviews of a server: what people see, claim and decide, and what time decides for them.

A decision and what it is about, a run's end or a grant, are stored in one transaction. So two who
decide at once, in whatever processes, are one who decides and one who is told; and a process that
dies has done all of it or nothing.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from sqlalchemy.engine import Connection

from headgate.checks.problem import Problem
from headgate.errors import HeadgateError, InvalidRequestError
from headgate.gateway.caller import Caller
from headgate.ledger.allowances.grants import grant
from headgate.review import deciding
from headgate.review.actions import action_problems, end_action
from headgate.review.alerts import GIVEN_BY_PERSON, Tell, review_alert
from headgate.review.amount import amount_granted
from headgate.review.choice import Choice
from headgate.review.deciding import Groups, ReviewDecidedError
from headgate.review.edit import Edit, edit_between
from headgate.review.ending import end_run
from headgate.review.output import EditRefusedError, edit_problems
from headgate.review.repository import ReviewRepository, Wanted, not_there
from headgate.review.review import Contents, Event, EventKind, Review, ReviewKind
from headgate.review.shown import Shown
from headgate.review.signals import Signals, signals_of
from headgate.storage.threads import StorageThreads
from headgate.telemetry.faults import log_fault
from headgate.workflows.catalogue import Catalogue
from headgate.workflows.repository import RunRepository
from headgate.workflows.tools.tool import Sent, digest_of

_SECOND_US = 1_000_000

_UNCHANGED = Edit(0, 0.0)

Preview = Callable[[str, str, dict[str, Any], str], Sent | None]
"""What a workflow's tool would send with these arguments under that idempotency key."""


class Board:
    """The reviews of one server, to whichever of its processes is asked."""

    def __init__(
        self,
        repository: ReviewRepository,
        runs: RunRepository,
        catalogue: Catalogue,
        threads: StorageThreads,
        groups: Groups,
        *,
        lease_s: float,
        tell: Tell | None = None,
        note_decided: Callable[[Review], None] = lambda _: None,
        go_on: Callable[[str], Awaitable[None]] | None = None,
        preview: Preview = lambda _workflow, _tool, _arguments, _key: None,
        clock_us: Callable[[], int] = lambda: time.time_ns() // 1000,
    ) -> None:
        """`lease_s`: how long a claim keeps others away.

        `tell` has people told of what was given to them, `note_decided` is told of each end.
        `go_on` begins at once what follows a decision about a run; without it, it begins later.
        `preview` says what an action would send.
        """
        self._preview = preview
        self._resume = go_on
        self._tell = tell
        self.groups = groups
        self.now_us = clock_us
        self._repository = repository
        self._runs = runs
        self._catalogue = catalogue
        self._threads = threads
        self._lease_us = int(lease_s * _SECOND_US)
        self._note_decided = note_decided

    async def list(self, wanted: Wanted) -> list[Review]:
        """At most `wanted.limit` reviews, the most urgent first."""
        return await self._threads.begin(self._repository.page, wanted, self.now_us())

    async def get(self, review_id: str) -> Review:
        """The review called `review_id`; `NotFoundError` where there is none."""
        found = await self._threads.begin(self._repository.get, review_id)
        if found is None:
            raise not_there(review_id)
        return found

    async def show(self, review: Review) -> Shown:
        """The review with its words, its run and its story."""
        run = None
        if review.run_id is not None:
            run = await self._threads.begin(self._runs.get, review.run_id)
        contents = await self._threads.begin(self._repository.contents, review.id)
        events = await self._threads.begin(self._repository.events, review.id)
        action = None
        if review.facts.action_id is not None:
            action = await self._threads.begin(self._runs.action, review.facts.action_id)
        return Shown(
            review=review,
            contents=contents,
            run=run,
            events=tuple(events),
            action=action,
            sent_now=self._sent_now(review, contents),
        )

    async def preview(self, review: Review, arguments: dict[str, Any]) -> Sent | None:
        """Exactly what would be sent with these arguments; None where they do not fit.

        None as well where the review is about no action that is to be sent, or its tool is gone.
        """
        contents = await self._threads.begin(self._repository.contents, review.id)
        if (
            review.kind != "action"
            or review.facts.outcome_unknown
            or action_problems(review, contents, arguments)
        ):
            return None
        return self._sent(review, arguments)

    async def waiting(self, project: str | None, kind: ReviewKind | None = None) -> int:
        """How many nobody has decided: of one project, or None of all; of one kind, or of each."""
        return await self._threads.begin(self._repository.waiting, project, kind)

    async def problems(self, review: Review, output: dict[str, Any]) -> tuple[Problem, ...]:
        """What keeps an edited output from going out; empty where nothing does."""
        shown = await self.show(review)
        if review.kind == "action":
            return action_problems(
                review, shown.contents, output, lambda: self._sent(review, output)
            )
        return await edit_problems(shown.contents, shown.run, self._catalogue, output)

    async def claim(self, review_id: str, person: Caller, version: int | None = None) -> Review:
        """Keep others from it for a while. Raises as `deciding.claimed` does."""

        def change(review: Review, now_us: int) -> Review:
            return deciding.claimed(
                review, person, now_us=now_us, lease_us=self._lease_us, version=version
            )

        return await self._threads.begin(self._change, review_id, person, change, "claimed")

    async def release(self, review_id: str, person: Caller, version: int | None = None) -> Review:
        """Let others have it."""

        def change(review: Review, now_us: int) -> Review:
            return deciding.released(review, person, now_us=now_us, version=version)

        return await self._threads.begin(self._change, review_id, person, change, "released")

    async def decide(self, review_id: str, person: Caller, choice: Choice) -> Review:
        """Decide it. Raises as `deciding.decided` does, and `EditRefusedError` with the problems.

        What the person wrote is checked first; should somebody decide meanwhile, that holds.
        """
        seen = await self.get(review_id)
        deciding.require_decider(seen, person, self.groups)
        choice.require_fit(self.groups)
        if choice.decision == "edit":
            # Who is late must hear that, not what is wrong with an output nobody waits for.
            deciding.decided(seen, person, "edit", now_us=self.now_us(), version=choice.version)
            if problems := await self.problems(seen, choice.output or {}):
                raise EditRefusedError(problems)
        approves = await self._approves(seen, choice)
        ended = await self._threads.begin(self._decide, review_id, person, choice, approves)
        if ended.decision is not None:
            self._note_decided(ended)
            if ended.run_id is not None:
                await self._go_on(ended.run_id)
        return ended

    async def signals(
        self, *, since_us: int, project: str | None, workflow: str | None
    ) -> tuple[tuple[tuple[ReviewKind, Signals], ...], bool]:
        """What decisions since then tell, and whether there were more than are looked at."""
        found: tuple[tuple[ReviewKind, Signals], ...] = ()
        any_more = False
        kinds: tuple[ReviewKind, ...] = ("output",) if workflow else ("output", "guard")
        for kind in kinds:
            decisions, more = await self._threads.begin(
                self._repository.decided,
                kind,
                since_us=since_us,
                project=project,
                workflow=workflow,
            )
            any_more = any_more or more
            found += tuple((kind, one) for one in signals_of(decisions))
        return found, any_more

    def _sent(self, review: Review, arguments: dict[str, Any]) -> Sent | None:
        facts = review.facts
        if facts.tool is None or facts.action_id is None:
            return None
        return self._preview(review.workflow or "", facts.tool, arguments, facts.action_id)

    async def _approves(self, review: Review, choice: Choice) -> str | None:
        """The digest of what a decision lets go out there; None where nothing does."""
        if review.kind != "action" or choice.decision not in ("approve", "edit"):
            return None
        arguments = choice.output
        if arguments is None:
            contents = await self._threads.begin(self._repository.contents, review.id)
            arguments = contents.draft
        sent = None if arguments is None else self._sent(review, arguments)
        return None if sent is None else digest_of(sent)

    def _sent_now(self, review: Review, contents: Contents) -> Sent | None:
        """What would be sent, where the tool has changed since the review was opened."""
        if review.decision is not None or contents.draft is None or contents.sent is None:
            return None
        now = self._sent(review, contents.draft)
        return None if now is None or msgspec.to_builtins(now) == contents.sent else now

    async def _go_on(self, run_id: str) -> None:
        if self._resume is None:
            return
        try:
            await self._resume(run_id)
        except HeadgateError as error:
            # It is decided, and found by whoever looks for runs that nobody carries.
            log_fault("a run could not go on at once", error, run_id=run_id)

    def _change(
        self,
        review_id: str,
        person: Caller,
        change: Callable[[Review, int], Review],
        what: EventKind,
    ) -> Review:
        with self._repository.database.begin() as connection:
            review = self._repository.locked(connection, review_id)
            deciding.require_decider(review, person, self.groups)
            now_us = self.now_us()
            changed = change(review, now_us)
            self._repository.store(connection, changed)
            event = Event(at_us=now_us, what=what, actor=person.key_id)
            self._repository.add_event(connection, review_id, event)
        return changed

    def _decide(
        self, review_id: str, person: Caller, choice: Choice, approves: str | None
    ) -> Review:
        with self._repository.database.begin() as connection:
            review = self._repository.locked(connection, review_id)
            deciding.require_decider(review, person, self.groups)
            now_us = self.now_us()
            changed = deciding.decided(
                review,
                person,
                choice.decision,
                now_us=now_us,
                version=choice.version,
                escalate_to=choice.to,
            )
            event = Event(
                at_us=now_us,
                what=changed.decision or "escalated",
                actor=person.key_id,
                detail=None if changed.decision else changed.reviewers,
                note=choice.note,
            )
            if changed.decision is not None:
                changed = self._ended(connection, changed, choice, approves)
            elif self._tell is not None:
                alert = review_alert(changed, "escalated", now_us)
                self._tell(connection, alert, GIVEN_BY_PERSON + changed.version)
            self._repository.store(connection, changed)
            self._repository.add_event(connection, review_id, event)
        return changed

    def _ended(
        self, connection: Connection, review: Review, choice: Choice, approves: str | None
    ) -> Review:
        """What a decision brings about, in its transaction; the review with what is known then."""
        if choice.usd is not None and review.kind != "budget":
            raise InvalidRequestError("Only a budget's review takes `usd`.", param="usd")
        if review.kind == "output":
            return self._ended_run(connection, review, choice.output)
        if review.kind == "action":
            return self._ended_action(connection, review, choice, approves)
        if review.kind == "budget" and review.decision == "approved":
            amount = amount_granted(review.facts, choice.usd)
            grant(connection, review.facts, amount, review.decided_at_us or 0)
            facts = msgspec.structs.replace(review.facts, granted_nanousd=amount)
            return msgspec.structs.replace(review, facts=facts)
        return review

    def _ended_action(
        self, connection: Connection, review: Review, choice: Choice, approves: str | None
    ) -> Review:
        draft = self._repository.contents_in(connection, review.id).draft
        if not end_action(connection, review, choice.output, choice.note, approves):
            if review.decision == "rejected":
                return review
            raise ReviewDecidedError(
                "The run does not wait any more: it was ended otherwise, and nothing is done;"
                " reject the review to close it."
            )
        if review.decision == "rejected" or review.facts.outcome_unknown:
            return review
        edit = _UNCHANGED if choice.output is None else edit_between(draft, choice.output)
        return msgspec.structs.replace(
            review, edit_distance=edit.distance, edit_share=round(edit.share, 4)
        )

    def _ended_run(
        self, connection: Connection, review: Review, written: dict[str, Any] | None
    ) -> Review:
        draft = self._repository.contents_in(connection, review.id).draft
        output = draft if review.decision == "approved" else written
        if output is None and review.decision != "rejected":
            raise InvalidRequestError(
                "The draft was erased since; write the output (`edit`), or reject.",
                param="decision",
                code="no_draft",
            )
        waited = end_run(connection, review, output, self._catalogue, by_person=True)
        if output is None:
            return review
        if not waited:
            raise ReviewDecidedError(
                "The run does not wait any more: it was ended otherwise, and nothing goes out;"
                " reject the review to close it."
            )
        edit = _UNCHANGED if review.decision == "approved" else edit_between(draft, output)
        return msgspec.structs.replace(
            review, edit_distance=edit.distance, edit_share=round(edit.share, 4)
        )
