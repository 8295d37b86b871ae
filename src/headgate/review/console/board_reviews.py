"""The console's `Reviews` over the board: the same reviews, rights and errors as the API's."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from headgate.checks.problem import Problem
from headgate.errors import PermissionDeniedError
from headgate.ledger.money import shown_usd
from headgate.review.board import Board
from headgate.review.choice import Choice
from headgate.review.console.access import Principal
from headgate.review.console.reviews import Decision, Review, ReviewLine, Source
from headgate.review.deciding import DECIDES, why_not
from headgate.review.repository import Wanted, not_there
from headgate.review.review import Facts, Reason, ReasonCode, ReviewStatus
from headgate.review.review import Review as Kept
from headgate.workflows.repository import ENDED
from headgate.workflows.run import Run
from headgate.workflows.tools.tool import Sent

_DIGEST_CHARACTERS = len("sha256:") + 12

_WHY: dict[ReasonCode, str] = {
    "always": "every output of this workflow is looked at",
    "rule": "rules.py asks for a person",
    "field": "the field {} has a value that a person must see",
    "guard": "the guard {} asks for a person",
    "flag": "the guard {} flagged something",
    "fallback": "the workflow's fallback was used",
    "sampled": "it is one of a sampled share",
    "no_answer": "no model answered",
    "budget": "a budget is used up",
    "approval": "a person must approve this call of the tool {}",
    "unknown": "nobody knows whether {} was done",
}


class BoardReviews:
    """What the board holds, as one who is signed in may see it."""

    def __init__(self, board: Board) -> None:
        self._board = board

    async def queue(
        self, who: Principal, *, status: ReviewStatus | None, limit: int, after: str | None
    ) -> list[ReviewLine]:
        """See `Reviews`."""
        who.require("reviews.read")
        wanted = Wanted(status=status, project=who.project, limit=limit, after=after)
        return [ReviewLine(**self._line(one, who)) for one in await self._board.list(wanted)]

    async def waiting(self, who: Principal) -> int:
        """See `Reviews`."""
        return await self._board.waiting(who.project)

    async def get(self, who: Principal, review_id: str) -> Review:
        """See `Reviews`."""
        return await self._whole(await self._reached(who, review_id), who)

    async def claim(self, who: Principal, review_id: str, revision: int) -> Review:
        """See `Reviews`."""
        return await self._changed(
            who, review_id, lambda: self._board.claim(review_id, who.caller, revision)
        )

    async def release(self, who: Principal, review_id: str, revision: int) -> Review:
        """See `Reviews`."""
        return await self._changed(
            who, review_id, lambda: self._board.release(review_id, who.caller, revision)
        )

    async def problems(
        self, who: Principal, review_id: str, output: dict[str, Any]
    ) -> tuple[Problem, ...]:
        """See `Reviews`."""
        return await self._board.problems(await self._reached(who, review_id), output)

    async def actions_waiting(self, who: Principal) -> int:
        """See `Reviews`."""
        return await self._board.waiting(who.project, "action")

    async def preview(self, who: Principal, review_id: str, output: dict[str, Any]) -> Sent | None:
        """See `Reviews`."""
        return await self._board.preview(await self._reached(who, review_id), output)

    async def decide(self, who: Principal, review_id: str, decision: Decision) -> Review:
        """See `Reviews`."""
        choice = Choice(
            decision=decision.kind,
            output=decision.output,
            note=decision.note,
            version=decision.revision,
            usd=decision.usd,
        )
        return await self._changed(
            who, review_id, lambda: self._board.decide(review_id, who.caller, choice)
        )

    async def _changed(
        self, who: Principal, review_id: str, change: Callable[[], Awaitable[Kept]]
    ) -> Review:
        who.require("reviews.decide")
        await self._reached(who, review_id)
        return await self._whole(await change(), who)

    async def _reached(self, who: Principal, review_id: str) -> Kept:
        """The review, if it is theirs to see; else there is none."""
        who.require("reviews.read")
        review = await self._board.get(review_id)
        # What is of no project alone is for those who reach all.
        if not (who.all_projects if review.project is None else who.reaches(review.project)):
            raise not_there(review_id)
        return review

    async def _whole(self, review: Kept, who: Principal) -> Review:
        shown = await self._board.show(review)
        line, contents = self._line(review, who), shown.contents
        if contents.explained:
            line["reasons"] = contents.explained
        notes = [event.note for event in shown.events if event.note]
        return Review(
            **line,
            revision=review.version,
            draft=contents.draft,
            unwritten=review.kind == "output" and contents.draft is None,
            input=None if shown.run is None else shown.run.input,
            prompt_version=(review.digest or "")[:_DIGEST_CHARACTERS],
            sources=(*evidence_of(shown.run), *_known(review.facts)),
            output=shown.went_out,
            sent=None if contents.sent is None else msgspec.convert(contents.sent, Sent),
            sent_now=shown.sent_now,
            unknown=review.facts.outcome_unknown,
            over=shown.run is not None and shown.run.status in ENDED,
            action=shown.action,
            note=notes[-1] if notes else None,
            why_not=self._why_not(review, who),
        )

    def _line(self, review: Kept, who: Principal) -> dict[str, Any]:
        now_us = self._board.now_us()
        holder = review.holder_at(now_us)
        return {
            "id": review.id,
            "title": _title(review),
            "kind": review.kind,
            "tool": review.facts.tool,
            "workflow": review.workflow,
            "status": review.status_at(now_us),
            "reasons": tuple(map(_sentence, review.reasons)),
            "group": review.reviewers or ", ".join(sorted(DECIDES[review.kind])),
            "run_id": review.run_id,
            "project": review.project,
            "version": review.version_of_workflow,
            "created_at_us": review.created_at_us,
            "due_at_us": review.due_at_us,
            "claimed_by": holder,
            "mine": holder == who.caller.key_id,
            "can_decide": self._why_not(review, who) is None,
            "decided_by": review.decided_by,
            "decision": review.decision,
        }

    def _why_not(self, review: Kept, who: Principal) -> str | None:
        try:
            who.require("reviews.decide")
        except PermissionDeniedError as error:
            return error.message
        return why_not(review, who.caller, self._board.groups)


def _title(review: Kept) -> str:
    if review.kind == "output":
        return review.workflow or "a run"
    if review.kind == "action":
        tool = review.facts.tool
        return f"Was {tool} done?" if review.facts.outcome_unknown else f"Send {tool}?"
    if review.kind == "guard":
        return f"Was the guard {review.facts.guard} right?"
    return _budget_question(review.facts)


def evidence_of(run: Run | None) -> tuple[Source, ...]:
    """What was gathered for the run, each part by its name, as a draft's citations name it."""
    if run is None or not run.context:
        return ()
    asked = {part.name: part.source for step in run.steps for part in step.parts}
    return tuple(
        Source(
            title=f"{name}, from {asked[name]}" if name in asked else name,
            trust="retrieved",
            value=value,
        )
        for name, value in run.context.items()
    )


def _known(facts: Facts) -> tuple[Source, ...]:
    """What is known of a question, where it is not all in a draft."""
    told = [
        ("error", facts.error_code),
        ("call", facts.call_id),
        ("guard", facts.guard),
        ("direction", facts.direction),
        ("reason", facts.reason),
        ("score", facts.score),
        ("budget", facts.rule),
        ("of", facts.subject),
        ("limit", _usd(facts.limit_nanousd)),
        ("granted before", _usd(facts.extra_nanousd)),
        ("needed by the call", _usd(facts.needed_nanousd)),
        ("granted", _usd(facts.granted_nanousd)),
    ]
    text = "\n".join(f"{name}: {value}" for name, value in told if value is not None)
    return (Source(title="What is known", trust="operator", text=text),) if text else ()


def _usd(nanousd: int | None) -> str | None:
    return None if nanousd is None else shown_usd(nanousd)


def _budget_question(facts: Facts) -> str:
    limit = _usd(facts.limit_nanousd) or "unknown size"
    return f"More for the budget {facts.rule} of {limit}, {facts.subject}?"


def _sentence(reason: Reason) -> str:
    return _WHY[reason.code].format(reason.detail)
